/* tail.c: blocks are read from the end; each ends where a line does: the part of a line at a block's
 * start is read again with its rest, so that no line is put together from two reads. A line that is
 * longer than the buffer is looked for backward and read forward, by the same rules as everywhere
 * else. */
#include "file/tail.h"

#include "base/sys.h"
#include "base/word.h"
#include "json/span.h"
#include "base/hidden.h"

void tail_open(struct tail *tail, int fd, uint64_t size)
{
  memset(tail, 0, sizeof *tail);
  reader_open(&tail->reader, fd, size);
  tail->end = size;
}

void tail_close(struct tail *tail)
{
  reader_close(&tail->reader);
  buf_free(&tail->text);
}

/* Reads the `size` bytes before the end. Where the file has become shorter, that is its end now. Where it
 * has not, and no line ends there any more, the write of which lines were handed out was undone, and
 * the line that is there now is newer: it is left out. */
static bool read_before(struct tail *tail, size_t size)
{
  struct buf *text = &tail->text;
  if (!read_padded(tail->reader.fd, text, size, tail->end - size, false)) return false;
  tail->end -= size - text->length;
  if (!tail->going_on || text->length < size || text->data[size - 1] == '\n') return true;
  const char *newline = last_newline(text->data, text->length);
  const size_t length = newline != NULL ? (size_t)(newline + 1 - text->data) : 0;
  tail->end -= text->length - length;
  text->length = length;
  return true;
}

/* The last line of the buffer begins at `start`. */
static void hand_out_last(struct tail *tail, size_t start, struct line *line)
{
  char *end = tail->text.data + tail->text.length;
  if (end[-1] != '\n') *end++ = '\n'; /* the file's last line */
  tail->end -= tail->text.length - start;
  tail->text.length = start;
  tail->going_on = true;
  *line = (struct line){.text = tail->text.data + start, .newline = end - 1, .offset = tail->end};
}

/* Sets *start to where the line at the end begins, of which more than a block is known to be it. */
static bool find_start(struct tail *tail, uint64_t *start)
{
  *start = tail->end - tail->text.length;
  while (*start > 0) {
    size_t size = *start < READER_BLOCK ? (size_t)*start : READER_BLOCK;
    ssize_t got = sys_read_at(tail->reader.fd, tail->text.data, size, *start - size);
    if (got < 0) return false;
    const char *newline = last_newline(tail->text.data, (size_t)got);
    if (newline != NULL) size -= (size_t)(newline + 1 - tail->text.data);
    *start -= size;
    if (newline != NULL) break;
  }
  return true;
}

/* 1 and the line at the end, which is longer than the buffer; 0 if it is not there any more, as when its
 * write was undone, and what is there now is newer. */
static int next_long(struct tail *tail, struct line *line)
{
  struct block block;
  uint64_t start;
  const uint64_t end = tail->end;
  if (!find_start(tail, &start)) return -1;
  reader_restart(&tail->reader, tail->reader.fd, start);
  tail->reader.going_on = start > 0;
  int result = reader_next(&tail->reader, &block);
  tail->end = start;
  tail->text.length = 0;
  if (result <= 0) return result;
  *line = (struct line){.text = block.start, .offset = start, .hopeless = block.hopeless};
  line->newline = memchr(block.start, '\n', (size_t)(block.end - block.start));
  const uint64_t size =
      line->newline != NULL ? (uint64_t)(line->newline + 1 - line->text) : block.size;
  if (tail->going_on && start + size != end) return 0;
  tail->going_on = true;
  return 1;
}

int tail_next(struct tail *tail, struct line *line)
{
  const struct buf *text = &tail->text;
  while (tail->end > 0) {
    const char *newline = text->length > 0 ? last_newline(text->data, text->length - 1) : NULL;
    if (newline != NULL || text->length == tail->end) {
      hand_out_last(tail, newline != NULL ? (size_t)(newline + 1 - text->data) : 0, line);
      return 1;
    }
    if (text->length < READER_BLOCK) {
      size_t size = text->length < READER_LITTLE ? READER_LITTLE : READER_BLOCK;
      if (size > READER_BLOCK) size = READER_BLOCK;
      if (!read_before(tail, tail->end < size ? (size_t)tail->end : size)) return -1;
      continue;
    }
    int result = next_long(tail, line);
    if (result != 0) return result;
  }
  return 0;
}
