/* tail.h: the lines of a file from the last to the first. */
#pragma once

#include "file/lines.h"

struct tail {
  struct reader reader; /* of single lines that are longer than the buffer */
  struct buf text; /* what was not handed out yet of what was read */
  uint64_t end; /* of that, in the file */
  bool going_on; /* lines behind it were handed out */
};

/* Begins at the end of a file of `size` bytes. */
void tail_open(struct tail *tail, int fd, uint64_t size);
/* 1 and the line before, which gets no number; 0 at the start of the file, -1 and errno. */
int tail_next(struct tail *tail, struct line *line);
void tail_close(struct tail *tail);
