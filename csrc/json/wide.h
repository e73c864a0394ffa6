/* wide.h: the search of span.h for text beyond ASCII, which also finds where it is not UTF-8. */
#pragma once

#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum {
  WIDE_BEFORE = 3, /* how many bytes of whole characters must be before p */
#if defined(__x86_64__)
  WIDE_STEP = 32 /* bytes */
#else
  WIDE_STEP = 16
#endif
};

/* Whether this machine can: an x86-64 that has AVX2, and every arm64. */
bool wide_is_there(void);

/* Copies whole steps up to the first byte that does not stand for itself in a JSON string, or shows
 * that the character around it or before it is none, and returns where that is; or where less than
 * a step is left. */
const char *wide_copy(const char *p, const char *end, char *out);

#pragma GCC visibility pop
