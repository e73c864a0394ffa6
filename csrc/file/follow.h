/* follow.h: the lines that a file has, and those that it gets. */
#pragma once

#include "base/failure.h"
#include "file/lines.h"

struct follow {
  const char *path; /* not owned */
  int fd; /* -1: none */
  dev_t device;
  ino_t inode;
  uint64_t from; /* where the first line begins */
  struct lines lines;
  struct buf given; /* struct given: what was handed out last */
  int64_t touched; /* sys_touched when all of that was found there, and the end; -1: not known */
  int refusals; /* in a row, to ask for the file's lock */
};

/* Begins at `from`, which must be the start of a line; nothing is open yet. */
void follow_init(struct follow *follow, const char *path, uint64_t from);
/* Opens the file that the path leads to. */
bool follow_open(struct follow *follow, struct failure *failure);
/* 1 and the next line, 0 if there is none now, -1 and errno. A last line is handed out once it has
 * its newline, or when the path has left the file. */
int follow_next(struct follow *follow, struct line *line);
/* Closes the file; a second time does nothing. */
void follow_close(struct follow *follow);
