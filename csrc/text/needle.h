/* needle.h: searching much text for a short one. */
#pragma once

#include "base/std.h"

struct needle {
  const char *text; /* folded; not owned */
  size_t length; /* at least 1 */
  size_t rare; /* the place of the rarest three bytes in a row */
};

void needle_set(struct needle *needle, const char *text, size_t length);

/* The first occurrence of the needle in the folded text from p to `end`, or NULL. */
const char *needle_find(const struct needle *needle, const char *p, const char *end);

/* A place in the first that the needle may have in raw JSON, or NULL: there are its letters, in either
 * case, characters that fold to them, escapes that may stand for either, and marks between them. The
 * needle must be ASCII, without characters that have a short escape. The byte before `end` is a
 * newline, and padding follows. */
const char *needle_find_raw(const struct needle *needle, const char *p, const char *end);
