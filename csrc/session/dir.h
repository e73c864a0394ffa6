/* dir.h: lists the sessions of a directory, and opens them. */
#pragma once

#include "base/buf.h"
#include "base/failure.h"
#include "base/sys.h"

/* Sessions to be looked at one by one; zero at first. */
struct dir {
  struct buf text; /* their names, each with a NUL after it */
  struct buf order; /* const char *: the names, sorted as bytes */
  size_t count;
  bool single; /* it is a file instead, the only one */

  /* The one that is open, as long as there is a path. */
  char *path;
  int fd;
  size_t number;
  struct stat st;
};

/* Lists the names in a directory that end in ".jsonl" and do not begin with a dot. False and errno;
 * dir_free in any case. */
bool dir_list(struct dir *dir, const char *path);
/* The same; a path that is not a directory is the only file of the list. */
bool dir_list_any(struct dir *dir, const char *path);
const char *dir_name(const struct dir *dir, size_t number);
/* Opens a session of that directory, closing the one before; not one that is larger than any session.
 * False and *failure, and the path where there is memory for it. */
bool dir_open(struct dir *dir, const char *path, size_t number, struct failure *failure);
void dir_close(struct dir *dir);
void dir_free(struct dir *dir);
