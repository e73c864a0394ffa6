/* reader.c: blocks of 256 KiB, each of which begins at the start of a line: the part of a line at a
 * block's end is read again with its rest, so that no line is put together from two reads, and with
 * the newline before it, so that it is a line's start still. The first half MiB is read in smaller
 * blocks: most files are no longer, and a page of the buffer that is used for the first time costs more
 * than a call.
 *
 * pread, not mmap: a file that someone cuts short under a mapping is a SIGBUS. A line may be of
 * any length that memory and a Lua string can hold; a long one is checked before the buffer grows,
 * so that gigabytes of zeros after a crash cost little memory. */
#include "file/reader.h"

#include "base/sys.h"
#include "base/word.h"
#include "file/extent.h"
#include "json/json.h"
#include "json/objects.h"
#include "json/span.h"
#include "base/hidden.h"

/* A longer line is held only if an object begins it, or the first that follows white space, NUL bytes
 * and byte order marks is one. */
#define LONGEST_DAMAGED ((size_t)16 << 20)

void reader_open(struct reader *reader, int fd, uint64_t offset)
{
  memset(reader, 0, sizeof *reader);
  reader_restart(reader, fd, offset);
}

void reader_restart(struct reader *reader, int fd, uint64_t offset)
{
  reader->fd = fd;
  reader->position = offset;
  reader->locked = reader->going_on = reader->ended = reader->passed = false;
}

void reader_close(struct reader *reader)
{
  buf_free(&reader->text);
}

/* As sys_read_at, without the file's lock: returns how many bytes the file has held at one time.
 *
 * One read may mix two writes, as the kernel copies page by page: it may copy the first page of a write
 * that fails half way; then that is cut back, another write comes to its place, and the read goes on
 * with the second page of that. So what was read is compared with the file. Up to where the two
 * differ, the bytes were in the file at one time; and so is everything there that was acknowledged
 * before, as only the last write can be undone. A file at rest is not read twice. */
static ssize_t read_steady(int fd, void *buffer, size_t size, uint64_t offset)
{
  enum { TRIES = 4 };
  struct stat st;
  ssize_t equal = 0;
  for (int i = 0; i < TRIES; i++) {
    int64_t start = sys_time();
    ssize_t got = sys_read_at(fd, buffer, size, offset);
    if (got <= 0 || (sys_fstat(fd, &st) == 0 && is_at_rest(&st, start))) return got;
    equal = count_equal(fd, buffer, (size_t)got, offset);
    if (equal == got) break;
  }
  return equal;
}

bool read_padded(int fd, struct buf *text, size_t size, uint64_t offset, bool certain)
{
  text->length = 0;
  if (!buf_reserve(text, size + 1 + SPAN_PADDING)) return false;
  ssize_t got = (certain ? sys_read_at : read_steady)(fd, text->data, size, offset);
  if (got < 0) return false;
  text->length = (size_t)got;
  memset(text->data + got, 0, 1 + SPAN_PADDING);
  if (offset == 0 && got >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
    memset(text->data, ' ', 3);
  return true;
}

/* The bytes that were read behind the newline before them. */
static char *block_start(const struct reader *reader)
{
  return reader->text.data + reader->going_on;
}

/* Where the second half of a block is, for bytes that are not kept. */
static char *spare(const struct reader *reader)
{
  return reader->text.data + READER_BLOCK / 2;
}

/* Whether an object follows the `length` bytes of a line that were read, NUL bytes and byte order marks
 * before it aside. It is looked for without holding them: a crash leaves gigabytes of them. */
static bool object_follows(const struct reader *reader, uint64_t length)
{
  char *piece = spare(reader);
  while (length < READER_LONGEST_LINE) {
    ssize_t got = sys_read_at(reader->fd, piece, READER_BLOCK / 2, reader->position + length);
    if (got <= 0) return false;
    const char *end = piece + got, *p;
    piece[got] = '\n'; /* ends what may be the beginning of a mark */
    p = objects_skip(piece, end);
    if (end - p > 2) return *p == '{'; /* less may be the beginning of a mark */
    if (p == piece) return false;
    length += (uint64_t)(p - piece);
  }
  return false;
}

/* Whether the beginning of a line is that of no object, and so long that the line is not held. */
static bool hopeless(const struct reader *reader, size_t length)
{
  const char *text = block_start(reader), *end = text + length;
  if (length < LONGEST_DAMAGED) return false;
  if (length >= READER_LONGEST_LINE) return true;
  if (json_space(text, text) == end) return false; /* JSON may follow it, or nothing */
  const char *p = objects_skip(text, end);
  return end - p > 2 ? *p != '{' : !object_follows(reader, (uint64_t)(p - text));
}

static void hand_out(struct reader *reader, struct block *block, size_t length)
{
  block->start = block_start(reader);
  block->end = block->start + length;
  block->offset = reader->position;
  block->size = length;
  block->unfinished = block->hopeless = false;
  reader->position += length;
  reader->going_on = true;
}

/* The last line of a file that does not end in a newline gets one here, as a sentinel. */
static void hand_out_unfinished(struct reader *reader, struct block *block, size_t length)
{
  block_start(reader)[length] = '\n';
  hand_out(reader, block, length);
  block->end++;
  block->unfinished = reader->ended = true;
}

/* Reads on to the end of a line of which the buffer holds the beginning. */
static int pass_over(struct reader *reader, struct block *block, size_t length)
{
  hand_out(reader, block, length);
  block->hopeless = true;
  char *rest = spare(reader);
  block->end = rest;
  for (;;) {
    ssize_t got = sys_read_at(reader->fd, rest, READER_BLOCK / 2, reader->position);
    if (got < 0) return -1;
    const char *newline = memchr(rest, '\n', (size_t)got);
    size_t passed = newline != NULL ? (size_t)(newline - rest) + 1 : (size_t)got;
    reader->position += passed;
    block->size += passed;
    block->unfinished = reader->ended = got == 0;
    if (newline != NULL || got == 0) return 1;
  }
}

/* How much to read where a line is longer than `size`. */
static size_t next_size(size_t size)
{
  if (size < READER_BLOCK) return READER_BLOCK;
  return size < READER_LONGEST_LINE / 2 ? size * 2 : READER_LONGEST_LINE;
}

/* Reads up to `size` bytes from the start of a line on; *length: how many there are. */
static bool read_block(struct reader *reader, size_t size, size_t *length)
{
  struct buf *text = &reader->text;
  const size_t newline = reader->going_on;
  if (!read_padded(reader->fd, text, newline + size, reader->position - newline, reader->locked))
    return false;
  const bool ends = newline > 0 && (text->length == 0 || text->data[0] != '\n');
  *length = ends ? 0 : text->length - newline;
  return true;
}

int reader_next(struct reader *reader, struct block *block)
{
  struct buf *text = &reader->text;
  size_t read;
  if (reader->ended || reader->passed) return reader->passed = false, 0;
  if (text->capacity == 0 && !buf_reserve(text, 1 + READER_BLOCK + 1 + SPAN_PADDING)) return -1;
  for (size_t size = reader_ahead(&reader->reads);; size = next_size(size)) {
    if (!read_block(reader, size, &read)) return -1;
    if (read == 0) return 0;
    const char *start = block_start(reader), *newline = last_newline(start, read);
    if (newline != NULL) {
      const size_t length = (size_t)(newline + 1 - start);
      hand_out(reader, block, length);
      reader->passed = read < size && read == length;
      return 1;
    }
    if (read < size) hand_out_unfinished(reader, block, read);
    else if (size < READER_BLOCK || !hopeless(reader, size)) continue;
    else return pass_over(reader, block, size);
    return 1;
  }
}
