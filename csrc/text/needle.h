/* needle.h: searching much text for a short one. */
#pragma once

#include "base/std.h"

struct needle {
  const char *text; /* not owned */
  size_t length; /* at least 1 */
  size_t rare; /* the place of the rarest three bytes in a row */
};

void needle_set(struct needle *needle, const char *text, size_t length);

/* The first occurrence of the needle in the folded text from p to `end`, or NULL. */
const char *needle_find(const struct needle *needle, const char *p, const char *end);

/* The first line that the needle may be on, or NULL. The lines are raw JSON; p is where one begins, the
 * byte before `end` is a newline, and padding follows. `exact`: the needle may be anything, and is there to
 * the byte, as it is or in escapes. Otherwise there are its letters, in either case, characters that fold
 * to them, escapes that may stand for either, and marks between them; it must be folded ASCII, without
 * characters that have a short escape. */
const char *needle_find_line(const struct needle *needle, bool exact, const char *p,
                             const char *end);
