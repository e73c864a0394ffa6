/* literal.h: a text to the byte, and another in its place. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "text/needle.h"

#pragma GCC visibility push(hidden)

enum { LITERAL_GROWTH = 64 << 20 }; /* bytes that a text may become longer by */

struct literal {
  struct bytes text; /* not owned; at least one byte */
  struct bytes replacement; /* not owned; does not hold the text */
  struct needle whole; /* the text; only where its rarest bytes are is used, as of the next */
  struct needle part; /* of the text, such that raw JSON shows it as it is but for \u; or empty */
  bool ascii;
  struct buf results[2];
};

void literal_set(struct literal *literal, struct bytes text, struct bytes replacement);
void literal_free(struct literal *literal);

/* The first occurrence from p to `end`, or NULL. */
const char *literal_find(const struct literal *literal, const char *p, const char *end);
/* The first place from p on where lines of raw JSON may hold a part of the text as they must if they hold it
 * all; NULL: nowhere. The byte before `end` is a newline. */
const char *literal_find_raw(const struct literal *literal, const char *p, const char *end);
/* How many times the text at `in` holds it, without overlaps. *result, if it is wanted and the text does,
 * is the text with each replaced, until the next call, and does not hold it. False with errno: ENOMEM; or
 * EFBIG, where it would be too long. */
bool literal_replace(struct literal *literal, struct bytes in, struct bytes *result,
                     uint64_t *found);

#pragma GCC visibility pop
