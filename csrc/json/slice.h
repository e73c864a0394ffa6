/* slice.h: the bytes of one JSON string, in place, and what they stand for. */
#ifndef AISH_SLICE_H
#define AISH_SLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

/* The bytes between a string's quotes, still escaped; start is NULL if there is no string. */
struct slice {
  const char *start, *end;
  bool escaped;
};

/* Whether the string stands for this text. */
bool slice_is(const struct slice *slice, const char *text, size_t length);
/* The text that the string stands for: in place, or, if it has escapes, in the buffer, from its
 * beginning; none of no string. False: out of memory. */
bool slice_text(const struct slice *slice, struct buf *buf, struct text *text);
/* Appends what the string stands for. False: out of memory. */
bool slice_append(const struct slice *slice, struct buf *buf);

#pragma GCC visibility pop
#endif
