/* slice.h: a string that is left in its JSON text, and decoded when it is needed. */
#ifndef AISH_SLICE_H
#define AISH_SLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

/* The bytes between a string's quotes, with their escapes; start is NULL if there is no string. */
struct slice {
  const char *start, *end;
  bool escaped;
};

/* Whether the string stands for this text. */
bool slice_is(const struct slice *slice, const char *text, size_t length);
/* The decoded string: in place, or, if it has escapes, in the buffer, from its beginning; none of no
 * string. False: out of memory. */
bool slice_bytes(const struct slice *slice, struct buf *buf, struct bytes *bytes);
/* Appends the decoded string. False: out of memory. */
bool slice_append(const struct slice *slice, struct buf *buf);

#pragma GCC visibility pop
#endif
