/* steady.h: reading bytes that no write changes meanwhile. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/sys.h"

#pragma GCC visibility push(hidden)

/* As sys_read_at, without the file's lock: returns how many bytes the file has held at one time. It
 * is less than what was asked for at the end of the file, or where a write that failed was undone
 * and another came to its place during the read; that, too, was the end of the file then. */
ssize_t read_steady(int fd, void *buffer, size_t size, uint64_t offset);

/* How many of the bytes the file has at `offset`; -1 and errno. */
ssize_t count_equal(int fd, const char *bytes, size_t size, uint64_t offset);

/* Whether `st` tells that nothing has changed the file since `time`, by sys_time. Times are kept to
 * two seconds or better, and no call can set that of the last change (POSIX, 4.9, "File Times
 * Update"). */
static inline bool is_at_rest(const struct stat *st, int64_t time)
{
  return st->st_ctime > 0 && st->st_ctime + 2 < time;
}

#pragma GCC visibility pop
