/* reader.c: blocks of 256 KiB; the part of a line at a block's end is carried to the next one. The
 * first half MiB is read in smaller ones: most files are no longer, and a page of the buffer that
 * is used for the first time costs more than a call.
 *
 * pread, not mmap: a file that someone cuts short under a mapping is a SIGBUS. A line may be of
 * any length that memory and a Lua string can hold; a long one is checked before the buffer grows,
 * so that gigabytes of zeros after a crash cost little memory. */
#include "file/reader.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "json/json.h"
#include "json/objects.h"

void reader_open(struct reader *reader, int fd, uint64_t offset)
{
  memset(reader, 0, sizeof *reader);
  reader->fd = fd;
  reader->position = offset;
}

void reader_close(struct reader *reader)
{
  sys_free(reader->buffer);
  reader->buffer = NULL;
}

const char *last_newline(const char *start, size_t length)
{
  while (length > 0)
    if (start[--length] == '\n') return start + length;
  return NULL;
}

static bool grow(struct reader *reader)
{
  size_t capacity = reader->capacity > 0 ? reader->capacity * 2 : READER_BLOCK;
  char *buffer = sys_realloc(reader->buffer, capacity + SPAN_PADDING);
  if (buffer == NULL) return false;
  reader->buffer = buffer;
  reader->capacity = capacity;
  return true;
}

/* Whether the beginning of a line is that of no object, and so long that nothing is looked for on
 * it. */
static bool hopeless(struct reader *reader)
{
  struct json_error error;
  char *text = reader->buffer, *end = text + reader->length;
  if (reader->length < OBJECTS_LONGEST) return false;
  if (reader->length >= READER_LONGEST_LINE) return true;
  memset(end, 0, SPAN_PADDING);
  *end = '\n';
  const char *p = json_space(text, text);
  if (*p != '{') return p < end;
  p = json_value(p, text, 0, &error);
  return (p != NULL ? json_space(p, text) : error.at) < end;
}

static void hand_out(struct reader *reader, struct block *block, size_t length)
{
  block->start = reader->buffer + reader->start;
  block->end = block->start + length;
  block->offset = reader->position - reader->length;
  block->size = length;
  block->unfinished = block->hopeless = false;
  reader->start += length;
  reader->length -= length;
}

/* The last line of a file that does not end in a newline gets one here, as a sentinel. */
static void hand_out_unfinished(struct reader *reader, struct block *block)
{
  hand_out(reader, block, reader->length);
  reader->buffer[reader->start] = '\n';
  block->end++;
  block->unfinished = reader->ended = true;
}

/* Reads on to the end of a line of which the buffer holds the beginning. */
static int pass_over(struct reader *reader, struct block *block)
{
  hand_out(reader, block, reader->length);
  block->hopeless = true;
  char *rest = reader->buffer + READER_BLOCK / 2;
  block->end = rest;
  for (;;) {
    ssize_t got = sys_read_at(reader->fd, rest, READER_BLOCK / 2, reader->position);
    if (got < 0) return -1;
    const char *newline = memchr(rest, '\n', (size_t)got);
    size_t passed = newline != NULL ? (size_t)(newline - rest) + 1 : (size_t)got;
    reader->position += passed;
    block->size += passed;
    block->unfinished = reader->ended = got == 0;
    if (newline != NULL || got == 0) break;
  }
  reader->start = reader->length = 0;
  return 1;
}

void reader_hide_mark(char *text, size_t length)
{
  if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) memset(text, ' ', 3);
}

/* Reads behind what the buffer holds, which has room; returns how much, or -1. */
static ssize_t read_more(struct reader *reader)
{
  size_t wanted = reader->capacity - reader->length;
  if (reader->reads < READER_LITTLES) {
    reader->reads++;
    if (wanted > READER_LITTLE) wanted = READER_LITTLE;
  }
  return sys_read_at(reader->fd, reader->buffer + reader->length, wanted, reader->position);
}

int reader_next(struct reader *reader, struct block *block)
{
  if (reader->ended) return 0;
  if (reader->length > 0) memmove(reader->buffer, reader->buffer + reader->start, reader->length);
  reader->start = 0;
  for (;;) {
    if (reader->length == reader->capacity) {
      if (reader->capacity > 0 && hopeless(reader)) return pass_over(reader, block);
      if (!grow(reader)) return -1;
    }
    char *fresh = reader->buffer + reader->length;
    ssize_t got = read_more(reader);
    if (got < 0) return -1;
    reader->position += (uint64_t)got;
    reader->length += (size_t)got;
    memset(fresh + got, 0, SPAN_PADDING);
    if (reader->position == (uint64_t)got) reader_hide_mark(fresh, (size_t)got);
    const char *newline = last_newline(fresh, (size_t)got);
    if (newline != NULL) hand_out(reader, block, (size_t)(newline + 1 - reader->buffer));
    else if (got > 0) continue;
    else if (reader->length == 0) return 0;
    else hand_out_unfinished(reader, block);
    return 1;
  }
}
