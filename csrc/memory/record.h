/* record.h: what a line of a memory file says, without building anything. */
#pragma once

#include "json/json.h"
#include "json/walk.h"

#define RECORD_ID_MAX (((uint64_t)1 << 53) - 1)

/* The kinds of item, of which there may be six; each with the third letter of its name, whose lowest
 * three bits tell it from the others and from `forget`. A further kind is a line here. */
#define RECORD_ITEM_KINDS(KIND)                                                                    \
  KIND(FACT, "fact", 'c')                                                                          \
  KIND(PREF, "pref", 'e')                                                                          \
  KIND(CONTEXT, "context", 'n')
#define RECORD_KINDS(KIND) RECORD_ITEM_KINDS(KIND) KIND(FORGET, "forget", 'r')

#define RECORD_KIND_ENUM(NAME, name, letter) KIND_##NAME,
enum record_kind { KIND_NONE, RECORD_KINDS(RECORD_KIND_ENUM) KIND_UNKNOWN };
#undef RECORD_KIND_ENUM

struct record {
  uint64_t id, target, rev; /* 0: none that is valid */
  enum record_kind kind;
  int members; /* of the object */
  bool has_id; /* valid or not */
  bool id_is_true; /* it is neither null nor false */
  bool of_null; /* `of` is null */
  struct slice uid, ts, of; /* none where they are no strings */
  int64_t ts_key; /* its timestamp_key; -1: it has escapes, another form, or is not there */
};

/* Reads the line at p: a JSON object, alone. Returns the newline that ends it, or NULL where the line is
 * anything else. A blank line is not for this function. */
const char *record_parse(const char *p, struct record *record);
/* The same for an object that is a part of a line: returns the byte behind it. */
const char *record_parse_part(const char *p, struct record *record);

/* Whether an object, valid JSON, is the line that a memory begins with. */
bool record_is_meta(const char *object);
/* Whether a record, whose text is `object`, is a tombstone whose target is 0: it keeps its id from being
 * given again, where what had the id is gone. */
bool record_is_mark(const struct record *record, const char *object);

static inline bool record_kind_is_item(enum record_kind kind)
{
  return kind > KIND_NONE && kind < KIND_FORGET;
}

/* The line is an item: it has a valid id and one of the kinds of item. */
static inline bool record_is_item(const struct record *record)
{
  return record->id != 0 && record_kind_is_item(record->kind);
}

static inline bool record_is_tombstone(const struct record *record)
{
  return record->kind == KIND_FORGET && record->id_is_true && record->target != 0;
}

/* The record, whose text is `object`, is one that only a memory has; so is its first line. */
static inline bool record_is_ours(const struct record *record, const char *object)
{
  return record_is_item(record) || record_is_tombstone(record) || record_is_mark(record, object);
}

/* What tells an item from others of its id, and what the `of` of a tombstone is equal to: its uid;
 * where it has none, its ts; where it has neither, there is no string. */
static inline const struct slice *record_name(const struct record *record)
{
  return record->uid.start != NULL ? &record->uid : &record->ts;
}

/* The kind that a name stands for: KIND_UNKNOWN for other names. */
enum record_kind record_kind(const struct slice *name);
struct bytes record_kind_name(enum record_kind kind);
/* The names of the kinds of item, a `|` between them. */
const char *record_kind_names(void);
