/* record.h: what a line of a memory file says, without building anything. */
#ifndef AISH_RECORD_H
#define AISH_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "json/json.h"
#include "json/slice.h"

#pragma GCC visibility push(hidden)

#define RECORD_ID_MAX (((uint64_t)1 << 53) - 1)

enum record_kind { KIND_NONE, KIND_FACT, KIND_PREF, KIND_CONTEXT, KIND_FORGET, KIND_UNKNOWN };

struct record {
  uint64_t id, target; /* 0: none that is valid */
  enum record_kind kind;
  int members; /* of the object */
  bool has_id; /* valid or not */
  struct slice ts;
  int64_t ts_key; /* its timestamp_key; -1: it has escapes, another form, or is not there */
};

/* Reads the line at p: a JSON object, alone. Returns the newline that ends it, or NULL and
 * *error where the line is anything else. A blank line is not for this function. */
const char *record_parse(const char *p, struct record *record, struct json_error *error);
/* The same for an object that is a part of a line: returns the byte behind it. */
const char *record_parse_part(const char *p, struct record *record, struct json_error *error);

/* Whether an object, valid JSON, is the line that a memory begins with. */
bool record_is_meta(const char *object);

/* The line is an item: it has a valid id and one of the three kinds of item. */
static inline bool record_is_item(const struct record *record)
{
  return record->id != 0 && record->kind >= KIND_FACT && record->kind <= KIND_CONTEXT;
}

static inline bool record_is_tombstone(const struct record *record)
{
  return record->id != 0 && record->kind == KIND_FORGET && record->target != 0;
}

/* The kind that a name stands for: KIND_UNKNOWN for other names. */
enum record_kind record_kind(const char *name, size_t length);
const char *record_kind_name(enum record_kind kind);

#pragma GCC visibility pop
#endif
