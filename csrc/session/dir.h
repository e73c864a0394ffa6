/* dir.h: lists the sessions of a directory, and opens them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/failure.h"
#include "base/sys.h"

#pragma GCC visibility push(hidden)

struct dir {
  struct buf text; /* the names, each with a NUL after it */
  struct buf order; /* const char *: the names, sorted as bytes */
  size_t count;
};

/* Lists the names that end in ".jsonl" and do not begin with a dot. False and errno; dir_free in
 * any case. */
bool dir_list(struct dir *dir, const char *path);
const char *dir_name(const struct dir *dir, size_t number);
void dir_free(struct dir *dir);

/* As open_to_read, but refuses a file that is larger than any session. */
int open_session_to_read(const char *path, struct stat *st, struct failure *failure);

#pragma GCC visibility pop
