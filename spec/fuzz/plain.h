/* plain.h: JSON and memory files read in the plainest way, from the contract and RFC 8259 and
 * from nothing in csrc, for the targets to compare with. */
#ifndef AISH_FUZZ_PLAIN_H
#define AISH_FUZZ_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain_text {
  char *bytes;
  size_t length, capacity;
};

/* A text, and the value in it that was read last. */
struct plain_cursor {
  const char *p, *end;
  bool newlines; /* a newline is white space */
  char type; /* the value's first byte */
  double number;
  struct plain_text string; /* what it stands for */
  const char *start; /* of it in the text */
  void (*visit)(const struct plain_cursor *); /* each string and number, if not NULL */
};

/* Reads white space, one value, white space. False where it is none; p is where that shows. */
bool plain_json(struct plain_cursor *cursor);

/* The size of the UTF-8 character that at least one byte begins with; 0 if that is none. */
size_t plain_character(const unsigned char *bytes, size_t size);
/* Appends what must be written for a string of any bytes. */
void plain_quote(struct plain_text *text, const char *bytes, size_t size);

enum plain_kind { PLAIN_NONE, PLAIN_FACT, PLAIN_PREF, PLAIN_CONTEXT, PLAIN_FORGET, PLAIN_OTHER };
enum plain_of { PLAIN_NO_OF, PLAIN_OF_NULL, PLAIN_OF_TEXT };
enum plain_verdict { PLAIN_BLANK, PLAIN_OBJECT, PLAIN_TORN, PLAIN_DAMAGED };

/* A line; of one that is not one object alone, a record or what is damaged. */
struct plain_line {
  size_t offset, length; /* without the newline */
  size_t number; /* of the line */
  enum plain_verdict verdict;
  const char *bytes; /* of the object, from `{` to `}` */
  size_t size;
  uint64_t id, target, rev; /* 0: none that is valid */
  bool has_id, true_id; /* it is there; it is neither null nor false */
  bool zero_target; /* the target is written as 0 */
  enum plain_kind kind;
  int members;
  bool has_uid, has_ts; /* they are strings */
  enum plain_of of_form;
  struct plain_text uid, ts, of;
  bool has_time; /* the ts is a point in time: */
  int64_t seconds;
  const char *fraction; /* its digits, without zeros at the end, in the ts */
  size_t digits;
  bool item; /* an item, and not a copy of one before it, nor replaced by a higher `rev` */
  bool active; /* an item that no tombstone retires */
};

struct plain {
  struct plain_line *lines;
  size_t count, capacity;
  size_t numbers; /* how many lines there are */
  size_t records, saved, items, tombstones, active, torn, damaged;
  uint64_t max_id;
  bool is_memory; /* it holds a record of one */
  bool in_memory; /* it is read as one */
  bool refused; /* who would write to it as a memory refuses it */
  bool unfinished; /* the last line has no newline */
  size_t last; /* the offset of the last line */
  size_t first_of_last; /* in `lines`: what the last line begins with */
};

/* Reads a whole file; ended with plain_free. */
void plain_read(struct plain *plain, const char *bytes, size_t size);
void plain_free(struct plain *plain);

bool plain_is_item(const struct plain_line *line);
bool plain_is_tombstone(const struct plain_line *line);
/* Whether it is a tombstone of nothing, which keeps an id. */
bool plain_is_mark(const struct plain_line *line);
/* Whether two tombstones have one target and one `of`. */
bool plain_same_target(const struct plain_line *a, const struct plain_line *b);
/* What verify says of the line: NULL, or "torn", "damaged", "bad id", "no id", "bad target". */
const char *plain_problem(const struct plain_line *line);
/* Whether one item comes before another in the order of results. */
bool plain_is_newer(const struct plain_line *a, const struct plain_line *b);
/* Whether two items have the same name, so that a tombstone's `of` cannot tell them apart. */
bool plain_same_name(const struct plain_line *a, const struct plain_line *b);
bool plain_retires(const struct plain_line *tombstone, const struct plain_line *item);
/* The newest active item of an id, or NULL. */
const struct plain_line *plain_find(const struct plain *plain, uint64_t id);
/* The first of `count` numbers in a row, from `id` on, that no tombstone without `of` targets. */
uint64_t plain_untargeted(const struct plain *plain, uint64_t id, size_t count);

#endif
