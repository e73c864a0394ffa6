/* needle.h: searching much text for a short one. */
#pragma once

#include <stddef.h>

#pragma GCC visibility push(hidden)

struct needle {
  const char *text; /* folded; not owned */
  size_t length; /* at least 1 */
  size_t first, second; /* the places of its two rarest bytes; the same if it has only one */
};

void needle_set(struct needle *needle, const char *text, size_t length);

/* The first occurrence of the needle in the folded text from p to `end`, or NULL. */
const char *needle_find(const struct needle *needle, const char *p, const char *end);

/* The same in raw JSON, in letters of either case; also the first place where something else than
 * ASCII, or an escape that may stand for a character of the needle or for something else than ASCII,
 * begins. The needle must be ASCII, without characters that have a short escape. The byte before `end`
 * is a newline. */
const char *needle_find_raw(const struct needle *needle, const char *p, const char *end);

#pragma GCC visibility pop
