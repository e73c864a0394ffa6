/* window.c: reads ahead where lines are asked for one behind the other, and little where not. */
#include "file/window.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "file/reader.h"
#include "file/steady.h"
#include "json/span.h"

enum { LITTLE = 4096 };

void window_open(struct window *window, int fd)
{
  memset(window, 0, sizeof *window);
  window->fd = fd;
}

void window_close(struct window *window)
{
  sys_free(window->buffer);
  window->buffer = NULL;
}

/* How much to read for what is asked for at `offset`; as in reader.c, not too much at first. */
static size_t how_much(struct window *window, uint64_t offset)
{
  uint64_t end = window->offset + window->length;
  if (window->length == 0 || offset < window->offset || offset >= end + READER_BLOCK / 4)
    return LITTLE;
  if (window->reads == READER_LITTLES) return READER_BLOCK;
  window->reads++;
  return READER_LITTLE;
}

static int slide(struct window *window, uint64_t offset, size_t length)
{
  size_t wanted = how_much(window, offset);
  if (wanted < length) wanted = length;
  if (window->buffer == NULL || wanted > window->capacity) {
    char *buffer = sys_realloc(window->buffer, wanted + SPAN_PADDING);
    if (buffer == NULL) return -1;
    window->buffer = buffer;
    window->capacity = wanted;
  }
  window->length = 0;
  if (offset < window->confirmed && wanted > window->confirmed - offset)
    wanted = length > window->confirmed - offset ? length : (size_t)(window->confirmed - offset);
  ssize_t got = offset + wanted <= window->confirmed
                    ? sys_read_at(window->fd, window->buffer, wanted, offset)
                    : read_steady(window->fd, window->buffer, wanted, offset);
  if (got < 0) return -1;
  window->offset = offset;
  window->length = (size_t)got;
  memset(window->buffer + got, 0, SPAN_PADDING);
  window->buffer[got] = '\n';
  if (offset == 0) reader_hide_mark(window->buffer, (size_t)got);
  return 0;
}

const char *window_line(struct window *window, uint64_t offset, size_t length)
{
  uint64_t end = window->offset + window->length;
  if (window->buffer == NULL || offset < window->offset || offset + length + 1 > end) {
    if (slide(window, offset, length + 1) != 0) return NULL;
    end = window->offset + window->length;
  }
  if (offset + length <= end) return window->buffer + (offset - window->offset);
  errno = 0;
  return NULL;
}
