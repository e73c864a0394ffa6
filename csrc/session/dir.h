/* dir.h: the session files of a directory. */
#ifndef AISH_DIR_H
#define AISH_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/failure.h"
#include "base/sys.h"

#pragma GCC visibility push(hidden)

struct dir {
  struct buf text; /* the names, each with a NUL behind it */
  struct buf order; /* const char *: the names, sorted as bytes */
  size_t count;
};

/* Lists the names that end in ".jsonl" and do not begin with a dot. False and errno; dir_free in
 * either case. */
bool dir_list(struct dir *dir, const char *path);
const char *dir_name(const struct dir *dir, size_t number);
void dir_free(struct dir *dir);

/* Opens a session's file as open_to_read does, but not one that is larger than any session is. */
int open_session(const char *path, struct stat *st, struct failure *failure);

#pragma GCC visibility pop
#endif
