/* tail.h: the lines of a file from the last to the first. */
#ifndef AISH_TAIL_H
#define AISH_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct tail {
  int fd; /* not owned */
  char *buffer;
  size_t capacity;
  size_t length; /* of what is in the buffer and not yet handed out */
  uint64_t position; /* in the file, of the buffer's first byte */
  bool hopeless; /* the line at the buffer's end is long and holds a byte that no JSON does; it is
                  * not kept */
};

/* A line, with a newline at its end and SPAN_PADDING bytes of memory behind it. */
struct tail_line {
  const char *text, *newline;
  uint64_t offset;
  bool hopeless; /* too long to hold, and no object: there is no text */
};

/* Begins at the end of a file of `size` bytes. False and errno; tail_close in any case. */
bool tail_open(struct tail *tail, int fd, uint64_t size);
/* 1 and the line before, 0 at the start of the file, -1 and errno. */
int tail_next(struct tail *tail, struct tail_line *line);
void tail_close(struct tail *tail);

#pragma GCC visibility pop
#endif
