/* needle.h: a run of bytes that is looked for in much text. */
#ifndef AISH_NEEDLE_H
#define AISH_NEEDLE_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

struct needle {
  const char *text; /* folded; not owned */
  size_t length; /* at least 1 */
  size_t first, second; /* the places of its two rarest bytes, which may be one */
};

void needle_set(struct needle *needle, const char *text, size_t length);

/* The first place from p on and before `end` where the needle stands in folded text, or NULL. */
const char *needle_find(const struct needle *needle, const char *p, const char *end);

/* The same in raw JSON, where its letters may be of either case: the first place where it stands
 * or where an escape hides a character of it. The needle must be ASCII, and nothing that another
 * character folds to or that has a shorter escape. A newline is before `end`. */
const char *needle_find_raw(const struct needle *needle, const char *p, const char *end);

#pragma GCC visibility pop
#endif
