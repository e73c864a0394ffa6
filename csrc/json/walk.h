/* walk.h: the members of an object and the elements of an array, one after the other, over a text
 * that is known to be JSON. Nothing is built. */
#ifndef AISH_WALK_H
#define AISH_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "json/json.h"
#include "json/slice.h"

#pragma GCC visibility push(hidden)

struct walk {
  const char *next; /* the bracket or comma before what is next; anything else: the end */
  bool object;
  struct slice key; /* of an object's member */
  const char *value, *end; /* of the member or element */
};

/* p is at the opening brace or bracket, or at white space before it. */
void walk_begin(struct walk *walk, const char *p);
/* Goes on to the next member or element; false at the end. */
bool walk_next(struct walk *walk);
/* The value, if it is a string. */
bool walk_string(const struct walk *walk, struct slice *slice);
/* Whether the key is this name, however it is escaped. */
bool walk_key_is(const struct walk *walk, const char *name);
/* Whether the value is neither null nor false, as Lua sees it. */
bool walk_is_true(const struct walk *walk);

#pragma GCC visibility pop
#endif
