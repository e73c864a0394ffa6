/* buf.c: growing and freeing buffers. */
#include "base/buf.h"

#include "base/sys.h"
#include "base/hidden.h"

bool buf_grow(struct buf *buf, size_t more)
{
  if (more > SIZE_MAX / 2 - buf->length) {
    errno = ENOMEM;
    return false;
  }
  size_t capacity = buf->length + more;
  if (capacity < buf->capacity + buf->capacity / 2) capacity = buf->capacity + buf->capacity / 2;
  if (capacity < 256) capacity = 256;
  char *data = sys_realloc(buf->data, capacity);
  if (data == NULL) return false;
  buf->data = data;
  buf->capacity = capacity;
  return true;
}

void buf_free(struct buf *buf)
{
  if (buf->data == NULL) return;
  sys_free(buf->data);
  memset(buf, 0, sizeof *buf);
}

bool buf_trim(struct buf *buf)
{
  if (buf->length == buf->capacity || buf->length == 0) return true;
  char *data = sys_realloc(buf->data, buf->length);
  if (data == NULL) return false;
  buf->data = data;
  buf->capacity = buf->length;
  return true;
}
