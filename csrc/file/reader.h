/* reader.h: a file as runs of whole lines, read forward in blocks. */
#pragma once

#include "base/buf.h"

/* Longer lines are damaged ones: LuaJIT's strings end a little below 2 GiB. */
#define READER_LONGEST_LINE ((size_t)0x7fffff00)

enum {
  READER_BLOCK = 256 * 1024,
  READER_LITTLE = 16 * 1024, /* so much at once at first, */
  READER_LITTLES = 32 /* and so often: memory that is not touched costs nothing */
};

struct reader {
  int fd; /* not owned */
  struct buf text;
  uint64_t position; /* in the file, of the next line */
  int reads; /* up to READER_LITTLES */
  bool locked; /* under the file's lock nothing changes while it is read; set after reader_open */
  bool going_on; /* lines before `position` were handed out */
  bool ended; /* a line without a newline was handed out */
  bool passed; /* the file ended with what was handed out last, which nobody was told yet */
};

/* One or more whole lines, each with a newline at its end; SPAN_PADDING bytes lie behind the last.
 * `unfinished`: the last newline is not in the file, which ends there.
 * `hopeless`: a single line that is too long to hold and no JSON object; only its first bytes are
 * there, `size` says how long it is in the file, with its newline. */
struct block {
  const char *start, *end;
  uint64_t offset, size;
  bool unfinished, hopeless;
};

/* How much to read where it is read on: little at first. `reads` counts up to READER_LITTLES. */
static inline size_t reader_ahead(int *reads)
{
  if (*reads == READER_LITTLES) return READER_BLOCK;
  ++*reads;
  return READER_LITTLE < READER_BLOCK ? READER_LITTLE : READER_BLOCK;
}

/* Reads up to `size` bytes at `offset` into the buffer, one and SPAN_PADDING zeros after them. What is
 * not `certain` may end early: where a write that failed was undone and another came to its place
 * during the read, which was the end of the file then. Spaces take the place of a byte order mark at the
 * start of the file (RFC 8259, section 8.1, lets a parser ignore it). False with errno. */
bool read_padded(int fd, struct buf *text, size_t size, uint64_t offset, bool certain);

/* Begins at `offset`, which must be the start of a line. */
void reader_open(struct reader *reader, int fd, uint64_t offset);
/* The same of one that was open, or zero, in the memory that it has. */
void reader_restart(struct reader *reader, int fd, uint64_t offset);
/* 1 and the next block, 0 at the end of the file, -1 and errno. It is also at its end where no line ends any
 * more before the next one: the write of which lines were handed out was undone, and what is there now is
 * newer. Asked again after the end, it goes
 * on with what was appended since; not after an unfinished line, as the rest of that is no line. */
int reader_next(struct reader *reader, struct block *block);
/* Leaves errno alone, as all that only frees does. */
void reader_close(struct reader *reader);
