/* follow.h: the lines that a file has, and those that it gets. */
#ifndef AISH_FOLLOW_H
#define AISH_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "file/lines.h"

#pragma GCC visibility push(hidden)

enum { FOLLOW_TAIL = 32 };

struct follow {
  const char *path; /* not owned */
  int fd; /* -1: none */
  dev_t device; /* of the open file */
  ino_t inode;
  struct lines lines;
  uint64_t from, number; /* where to read on, and how many lines there are before it */
  char tail[FOLLOW_TAIL]; /* and the bytes before it, which tell an append from another text */
  size_t tail_length;
};

/* Begins at `from`, which must be the start of a line; nothing is open yet. */
void follow_init(struct follow *follow, const char *path, uint64_t from);
/* Opens the file that the path leads to. */
bool follow_open(struct follow *follow, struct failure *failure);
/* 1 and the next line that has its newline, 0 if there is none now, -1 and errno. A file that was
 * cut short or replaced is read from its start; one that is missing is opened once it is there. */
int follow_next(struct follow *follow, struct line *line);
/* Closes the file; a second time does nothing. */
void follow_close(struct follow *follow);

#pragma GCC visibility pop
#endif
