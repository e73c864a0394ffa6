/* lines.h: a file's lines one by one, numbered, blank ones left out. */
#pragma once

#include "file/reader.h"

struct lines {
  struct reader reader;
  struct block block;
  const char *next; /* in the block; NULL or its end: a new block is needed */
  uint64_t number; /* of the line handed out last */
  uint64_t end; /* its end in the file */
};

struct line {
  const char *text; /* up to a newline; of a hopeless line only its first bytes */
  const char *newline; /* NULL: the line is hopeless */
  uint64_t offset, number;
  bool hopeless; /* too long to hold, and no object */
  bool unfinished; /* the file has no newline behind it */
};

/* Begins at `offset`, which must be the start of a line; it gets the number 1. */
void lines_open(struct lines *lines, int fd, uint64_t offset);
/* 1 and the next line, 0 at the end, -1 and errno. */
int lines_next(struct lines *lines, struct line *line);
void lines_close(struct lines *lines);

/* How many newlines there are. */
uint64_t count_newlines(const char *p, const char *end);
