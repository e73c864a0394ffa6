/* path.h: names of files: put together, made, opened and synced. */
#pragma once

#include "base/failure.h"
#include "base/sys.h"

/* The three that return a path give one that sys_free frees, or NULL with errno. */

/* `name` in `directory`. */
char *path_join(const char *directory, const char *name);
/* The path from the root, symbolic links and all, so that it holds when the process changes its
 * directory. One that is empty, or relative to a directory that is gone, stays as it is. */
char *path_absolute(const char *path);
/* The path with `suffix` at its end. */
char *path_with_suffix(const char *path, const char *suffix);

/* Makes the directories that a path's last name stands in, as mkdir -p does. The path is changed
 * meanwhile. False and errno. */
bool path_make_directories(char *path);
/* Syncs the directory that a path's last name stands in, as sys_sync_directory. The path is changed
 * meanwhile. */
int path_sync_above(char *path);

/* What an attempt to open a file has come to: the descriptor, or -1 and *failure; the latter also
 * where the file is no JSON Lines, and then it is closed. */
int path_opened(int fd, const struct stat *st, struct failure *failure);
/* Opens a regular file for reading: the descriptor and *st, or -1 and *failure. */
int open_to_read(const char *path, struct stat *st, struct failure *failure);
