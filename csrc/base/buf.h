/* buf.h: a growable buffer of bytes, freed by whoever owns it. */
#pragma once

#include "base/std.h"

/* Bytes that belong to someone else. */
struct bytes {
  const char *start; /* NULL: there is none */
  size_t length;
};

struct buf {
  char *data;
  size_t length, capacity;
};

/* Makes room for `more` bytes at the end; false with errno ENOMEM. */
__attribute__((cold)) bool buf_grow(struct buf *buf, size_t more);
void buf_free(struct buf *buf);
/* Gives back the room at the end; false with errno ENOMEM. */
bool buf_trim(struct buf *buf);

/* Empties the buffer. One that has grown beyond the size of most records gives its memory back. */
static inline void buf_reset(struct buf *buf)
{
  enum { KEPT_AT_MOST = 1 << 20 };
  if (buf->capacity > KEPT_AT_MOST) buf_free(buf);
  buf->length = 0;
}

static inline bool buf_reserve(struct buf *buf, size_t more)
{
  return buf->capacity - buf->length >= more || buf_grow(buf, more);
}

/* These two need room that was reserved before. */
static inline void buf_put(struct buf *buf, char byte)
{
  buf->data[buf->length++] = byte;
}

static inline void buf_put_bytes(struct buf *buf, const char *bytes, size_t size)
{
  memcpy(buf->data + buf->length, bytes, size);
  buf->length += size;
}

static inline bool buf_add(struct buf *buf, const char *bytes, size_t size)
{
  if (!buf_reserve(buf, size)) return false;
  if (size > 0) buf_put_bytes(buf, bytes, size);
  return true;
}

/* A buffer of elements of one type: what it holds, how many, and one more from a pointer to it. */
#define BUF_ITEMS(type, buf) ((type *)(void *)(buf)->data)
#define BUF_COUNT(type, buf) ((buf)->length / sizeof(type))
#define BUF_PUSH(buf, element) buf_add((buf), (const char *)(element), sizeof *(element))

/* Below 0, 0 or above, as of memcmp. The beginning of one comes before it, and none before all. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
  if (a.start == NULL || b.start == NULL) return (a.start != NULL) - (b.start != NULL);
  int order = memcmp(a.start, b.start, a.length < b.length ? a.length : b.length);
  return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}
