/* extent.h: what is known of a file: which one was read, up to where, and how much of that is
 * certain. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/sys.h"

struct extent {
  dev_t device; /* of which file; */
  ino_t inode; /* 0: of none */
  uint64_t end; /* the lines before it were read */
  uint64_t size; /* so far the file was read: behind `end` is the beginning of a line */
  uint64_t confirmed; /* what is before it was read under the lock, or written: it is not undone */
  struct buf kept; /* the bytes before `size`, some of them: */
  size_t most; /* so many of those that are not certain; 0: more than a write usually has */
  int64_t touched; /* sys_touched before it was read; -1: a change since need not show in that */
  double begun; /* when that was, by sys_clock */
};

/* What is read next: under the lock, it is certain. */
enum { EXTENT_TORN = 1, EXTENT_CERTAIN = 2 };

/* Begins with nothing read, of the file that `st` is of, which was asked for after `time` (by
 * sys_time). NULL: of none. */
void extent_begin(struct extent *extent, const struct stat *st, int64_t time);
/* Begins with nothing read, of the same file. */
void extent_restart(struct extent *extent);
void extent_free(struct extent *extent);

/* Takes up the bytes that follow `end`; those of a line's beginning are EXTENT_TORN. bytes: NULL:
 * they are not at hand. False with errno ENOMEM. */
bool extent_extend(struct extent *extent, const char *bytes, uint64_t size, int how);
/* Makes room for what is certain, so that taking it up cannot fail. */
bool extent_reserve(struct extent *extent);
/* What was read has been found in the file under the lock. */
void extent_confirm(struct extent *extent);
/* Forgets what was read behind the offset, where a line ends. */
void extent_cut(struct extent *extent, uint64_t offset);

/* Whether this is the file. */
static inline bool extent_is_of(const struct extent *extent, const struct stat *st)
{
  return st->st_ino == extent->inode && st->st_dev == extent->device;
}

/* Whether the last line has its newline. */
static inline bool extent_is_ended(const struct extent *extent)
{
  const struct buf *kept = &extent->kept;
  return extent->size == 0 || (kept->length > 0 && kept->data[kept->length - 1] == '\n');
}

/* Whether `st` tells that nothing has changed the file since `time`, by sys_time. Times are kept to
 * two seconds or better, and no call can set that of the last change (POSIX, 4.9, "File Times
 * Update"). */
static inline bool is_at_rest(const struct stat *st, int64_t time)
{
  return st->st_ctime > 0 && st->st_ctime + 2 < time;
}

/* How many of the bytes the file has at `offset`; -1 and errno. */
ssize_t count_equal(int fd, const char *bytes, size_t size, uint64_t offset);
/* Up to where the file still has the bytes that were kept: `size`, if all are the same. False and
 * errno where it cannot be read. */
bool extent_compare(const struct extent *extent, int fd, uint64_t *place);
/* Whether all that is not certain was kept, so that it can be compared. */
static inline bool extent_is_kept(const struct extent *extent)
{
  return extent->size - extent->kept.length <= extent->confirmed;
}
/* Whether it was begun but a moment ago. Longer its times are not to be trusted: who writes through a
 * mapping changes none while he does (POSIX, mmap: at some time up to the next msync). */
bool extent_is_fresh(const struct extent *extent);
/* Whether, by its times, nobody has written to the file since before it was read. */
bool extent_is_untouched(const struct extent *extent, const struct stat *st);
