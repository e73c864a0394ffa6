/* slice.c: comparing and decoding strings that were left in their JSON text. */
#include "json/slice.h"

#include <string.h>

#include "json/json.h"

bool slice_append(const struct slice *slice, struct buf *buf)
{
  size_t raw = (size_t)(slice->end - slice->start);
  if (!slice->escaped) return buf_add(buf, slice->start, raw);
  if (!buf_reserve(buf, raw)) return false;
  buf->length += json_unescape(slice->start, slice->end, buf->data + buf->length);
  return true;
}

bool slice_bytes(const struct slice *slice, struct buf *buf, struct bytes *bytes)
{
  *bytes = (struct bytes){NULL, 0};
  if (slice->start == NULL) return true;
  *bytes = (struct bytes){slice->start, (size_t)(slice->end - slice->start)};
  if (!slice->escaped) return true;
  buf->length = 0;
  if (!slice_append(slice, buf)) return false;
  *bytes = (struct bytes){buf->data, buf->length};
  return true;
}

bool slice_is(const struct slice *slice, const char *text, size_t length)
{
  size_t raw = (size_t)(slice->end - slice->start);
  if (slice->escaped) return json_is(slice->start, slice->end, text, length);
  return raw == length && memcmp(slice->start, text, length) == 0;
}
