/* literal.h: a text to the byte, and another in its place. */
#pragma once

#include "base/buf.h"
#include "text/needle.h"

enum { LITERAL_GROWTH = 64 << 20 }; /* bytes that a text may become longer by */

struct literal {
  struct bytes text; /* not owned; at least one byte */
  struct bytes replacement; /* not owned; does not hold the text */
  struct needle needle; /* of the text */
  struct buf results[2];
};

/* Of zeros. */
void literal_set(struct literal *literal, struct bytes text, struct bytes replacement);
void literal_free(struct literal *literal);

/* The first occurrence from p to `end`, or NULL. */
const char *literal_find(const struct literal *literal, const char *p, const char *end);
/* Sets *found to how often `in` holds the text, without overlaps. If it does, and result is not NULL, *result
 * is `in` with each replaced, which does not hold the text, until the next call. False with errno: ENOMEM;
 * or EFBIG, where that would be too long. */
bool literal_replace(void *literal, struct bytes in, struct bytes *result, uint64_t *found);
