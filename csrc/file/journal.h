/* journal.h: a file of lines that is only appended to, under a lock. */
#ifndef AISH_JOURNAL_H
#define AISH_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/failure.h"
#include "base/sys.h"

#pragma GCC visibility push(hidden)

/* Why nothing more is written after a failed sync. */
#define JOURNAL_FAILED "an earlier sync failed; open it again"

struct journal {
  char *place; /* its path, absolute: the process may change its directory */
  int fd; /* -1: none */
  pid_t owner; /* the process that opened it */
  dev_t device;
  ino_t inode;
  uint64_t size; /* of the file, when it was looked at last */
  int64_t touched; /* when the file had last been written to as it was taken: sys_touched; or -1:
                    * so shortly before that a change since need not show in it */
  double taken; /* when that was, by sys_clock */
  uint64_t ended; /* a size of the file at which its last byte is known to be a newline */
  bool keeps_lock; /* for as long as it is open; otherwise for each write */
  bool locked;
  bool changed; /* another file was taken, or a write half done: whoever reads it, reads it anew */
  bool durable; /* an append that is reported has reached the disk */
  bool names_synced; /* and so has every directory entry that leads to it */
  bool failed; /* a sync failed: nothing may be written any more */
  double wait; /* seconds for the lock */
};

/* A closed journal of the path, to be ended with journal_close. False with errno ENOMEM. */
bool journal_init(struct journal *journal, const char *path);

/* Makes sure that the journal is open on the file that its path leads to now, making the file and
 * its directories if need be, and that its lock is held if `lock`. Sets size; and `changed`, if
 * this is not the file it was. Fails in a process forked from the one that opened it. */
bool journal_attach(struct journal *journal, bool lock, struct failure *failure);
/* Gives back a lock that is not kept. */
void journal_detach(struct journal *journal);

/* Appends one or more whole lines in one write, the lock being held. lines->data[0] is a newline,
 * for the case that the file's last line has none; the lines follow it. *offset is where the first
 * of them begins. On failure the file is as it was, or `changed` is set. */
bool journal_append(struct journal *journal, const struct buf *lines, uint64_t *offset,
                    struct failure *failure);

/* Whether a file is the open one and, by its times, was not written to since that was taken. */
bool journal_is_untouched(const struct journal *journal, const struct stat *st);
/* Whether that was but a moment ago, so that its times are to be trusted: who writes through a
 * mapping changes no time while he does (POSIX, mmap: at some time up to the next msync). */
bool journal_is_fresh(const struct journal *journal);
/* Whether the path still leads to the open file, and that still has `size`. */
bool journal_unchanged(const struct journal *journal);
/* Goes over to another file, locked like this one, that the path leads to now. */
bool journal_take(struct journal *journal, int fd, struct failure *failure);

/* What was appended to the open file reaches the disk, and so do the names that lead to it. */
bool journal_sync(struct journal *journal, struct failure *failure);
/* Everything appended so far reaches the disk: also what was appended to a file that the path has
 * left since. */
bool journal_sync_all(struct journal *journal, struct failure *failure);

/* Closes the descriptor and frees the paths; what was locked stays so while a forked child has a
 * copy of the descriptor. -1 and errno if close failed. */
int journal_close(struct journal *journal);

#pragma GCC visibility pop
#endif
