/* window.h: single lines of a file, read in the order of their offsets or any other. */
#pragma once

#include "base/buf.h"

struct window {
  int fd; /* not owned */
  struct buf text;
  uint64_t offset; /* of it in the file */
  int reads; /* up to READER_LITTLES */
  uint64_t confirmed; /* what is before it does not change any more; set after window_open */
};

void window_open(struct window *window, int fd);
/* The `length` bytes at `offset` and the one behind them, in memory that ends in a newline and
 * SPAN_PADDING bytes, until the next call. NULL and errno; 0 if the file has become shorter. */
const char *window_line(struct window *window, uint64_t offset, size_t length);
void window_close(struct window *window);
