/* window.c: reads ahead where lines are asked for one behind the other, and little where not. */
#include "file/window.h"

#include "base/sys.h"
#include "file/reader.h"
#include "json/span.h"
#include "base/hidden.h"

enum { LITTLE = 4096 };

void window_open(struct window *window, int fd)
{
  memset(window, 0, sizeof *window);
  window->fd = fd;
}

void window_close(struct window *window)
{
  buf_free(&window->text);
}

/* How much to read for what is asked for at `offset`. */
static size_t how_much(struct window *window, uint64_t offset)
{
  size_t length = window->text.length;
  if (length == 0 || offset < window->offset ||
      offset >= window->offset + length + READER_BLOCK / 4)
    return LITTLE;
  return reader_ahead(&window->reads);
}

static bool slide(struct window *window, uint64_t offset, size_t length)
{
  size_t wanted = how_much(window, offset);
  if (wanted < length) wanted = length;
  if (offset < window->confirmed && wanted > window->confirmed - offset)
    wanted = length > window->confirmed - offset ? length : (size_t)(window->confirmed - offset);
  struct buf *text = &window->text;
  if (!read_padded(window->fd, text, wanted, offset, offset + wanted <= window->confirmed))
    return false;
  window->offset = offset;
  text->data[text->length] = '\n';
  return true;
}

const char *window_line(struct window *window, uint64_t offset, size_t length)
{
  const struct buf *text = &window->text;
  bool there = text->data != NULL && offset >= window->offset &&
               offset + length + 1 <= window->offset + text->length;
  if (!there && !slide(window, offset, length + 1)) return NULL;
  if (offset + length <= window->offset + text->length)
    return text->data + (offset - window->offset);
  errno = 0;
  return NULL;
}
