/* tail.c: blocks are read from the end; the beginning of a line in a later block is carried to the
 * one before it. A long line that holds a control character is no JSON and is not kept, so that
 * gigabytes of zeros cost little memory. */
#include "file/tail.h"

#include <string.h>

#include "base/sys.h"
#include "file/reader.h"
#include "json/objects.h"
#include "json/span.h"

enum { FIRST_BLOCK = 16 * 1024 };

static bool reserve(struct tail *tail, size_t capacity)
{
  if (capacity <= tail->capacity) return true;
  char *buffer = sys_realloc(tail->buffer, capacity + 1 + SPAN_PADDING);
  if (buffer == NULL) return false;
  tail->buffer = buffer;
  tail->capacity = capacity;
  return true;
}

static bool has_control(const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)text[i] < 0x20 && text[i] != '\t' && text[i] != '\r') return true;
  return false;
}

/* Puts the block before the buffer's first byte in front of it. */
static bool read_before(struct tail *tail)
{
  size_t wanted = tail->length > FIRST_BLOCK ? tail->length : FIRST_BLOCK;
  if (tail->hopeless && wanted < READER_BLOCK) wanted = READER_BLOCK;
  size_t size = tail->position < wanted ? (size_t)tail->position : wanted;
  if (!reserve(tail, size + tail->length)) return false;
  memmove(tail->buffer + size, tail->buffer, tail->length + 1 + SPAN_PADDING);
  ssize_t got = sys_read_at(tail->fd, tail->buffer, size, tail->position - size);
  if (got < 0) return false;
  memset(tail->buffer + got, 0, size - (size_t)got); /* the file was cut short meanwhile */
  tail->position -= size;
  tail->length += size;
  if (tail->position == 0) reader_hide_mark(tail->buffer, tail->length);
  return true;
}

bool tail_open(struct tail *tail, int fd, uint64_t size)
{
  memset(tail, 0, sizeof *tail);
  tail->fd = fd;
  tail->position = size;
  if (!reserve(tail, FIRST_BLOCK)) return false;
  memset(tail->buffer, 0, 1 + SPAN_PADDING);
  tail->buffer[0] = '\n';
  if (size == 0 || !read_before(tail)) return size == 0;
  if (tail->buffer[tail->length - 1] == '\n') tail->length--;
  return true;
}

void tail_close(struct tail *tail)
{
  sys_free(tail->buffer);
  tail->buffer = NULL;
}

/* Hands out the line from `start` to the buffer's end. */
static int hand_out(struct tail *tail, const char *start, struct tail_line *line)
{
  line->text = start;
  line->newline = tail->buffer + tail->length;
  line->offset = tail->position + (uint64_t)(start - tail->buffer);
  line->hopeless = tail->hopeless;
  tail->length = start > tail->buffer ? (size_t)(start - tail->buffer) - 1 : 0;
  tail->hopeless = false;
  return 1;
}

/* Whether the line that the buffer holds the end of need not be kept; `searched`: of its end. */
static bool is_hopeless(const struct tail *tail, size_t searched)
{
  if (tail->hopeless) return tail->length > READER_BLOCK;
  return tail->length > OBJECTS_LONGEST && has_control(tail->buffer, tail->length - searched);
}

int tail_next(struct tail *tail, struct tail_line *line)
{
  size_t searched = 0; /* of the buffer's end */
  while (tail->length > 0 || tail->position > 0) {
    const char *newline = last_newline(tail->buffer, tail->length - searched);
    if (newline != NULL) return hand_out(tail, newline + 1, line);
    if (tail->position == 0) return hand_out(tail, tail->buffer, line);
    if (is_hopeless(tail, searched)) {
      tail->hopeless = true;
      tail->length = 0;
      tail->buffer[0] = '\n';
    }
    searched = tail->length;
    if (!read_before(tail)) return -1;
  }
  return 0;
}
