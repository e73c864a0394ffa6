/* objects.h: what a line holds that is not one object alone.
 *
 * 1. Objects that stand whole on it, one after the other, with nothing but white space, NUL bytes
 *    and byte order marks before, between and after them. Such a line is not damaged.
 * 2. Otherwise the objects before the damage, and those in a row at the line's end, from the one on
 *    that has a member and reaches over the byte where the damaged text stops being JSON: what was
 *    appended to a fragment goes on as a part of that text up to there, and what belongs to the
 *    fragment ends before.
 * 3. In a text that is nothing but the beginning of an object, the object at its end is a part of it,
 *    unless it is directly the value of a member that never has one.
 *
 * Most lines are one object: try that first, this is for the rest. All of it is linear in the
 * line's length. */
#pragma once

#include "base/std.h"

/* The members that never have an object as value: those that say what any record is, then those of a
 * memory's. */
enum { PLAIN_OF_ALL = 7, PLAIN_OF_MEMORY = 10 };
extern const char *const PLAIN_MEMBERS[PLAIN_OF_MEMORY];

/* An object of a line, or the one stretch of it that is damaged. */
struct part {
  const char *start, *end;
  const char *reason; /* why it is damaged; NULL: it is an object */
};

struct objects {
  const char *next, *newline;
  struct part damage; /* its start is NULL if there is none */
  bool torn; /* the line is nothing but the beginning of an object */
};

/* Looks through the line from `line` up to `newline`, with a text's padding after that. `memory`:
 * it is a line of a memory, otherwise of a session or any other file. */
void objects_begin(struct objects *objects, const char *line, const char *newline, bool memory);
/* Where something begins that is not what may stand around objects; `newline` if nothing does. */
const char *objects_skip(const char *p, const char *newline);
/* The next part, in their order on the line; false at its end. */
bool objects_next(struct objects *objects, struct part *part);
