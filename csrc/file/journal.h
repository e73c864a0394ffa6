/* journal.h: a file of lines that is only appended to, under a lock. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/failure.h"
#include "file/extent.h"

/* Why nothing more is written after a failed sync. */
#define JOURNAL_FAILED "an earlier sync failed; open it again"

struct journal {
  char *place; /* its path, absolute: the process may change its directory */
  int fd; /* -1: none */
  pid_t owner; /* the process that opened it, by its number */
  unsigned forks; /* and by sys_forks, as another may have that number */
  uint64_t size; /* of the file, when it was looked at last; 0 if the path leads to none */
  struct extent known; /* what was read of it, or written */
  const char *called; /* in the message that its lock is held; NULL: by the file's name */
  bool keeps_lock; /* for as long as it is open; otherwise for each write */
  bool locked;
  bool made; /* the file, when it was opened: there was none */
  bool gone; /* the path led to no file when it was looked at last */
  bool durable; /* an append that is reported has reached the disk */
  bool names_synced; /* and so has every directory entry that leads to it */
  bool failed; /* a sync failed: nothing may be written any more */
  double wait; /* seconds for the lock */
  double deadline; /* for it, in one call; 0: nothing was waited for */
};

/* A closed journal of the path, to be ended with journal_close. False with errno ENOMEM. */
bool journal_init(struct journal *journal, const char *path);

/* Makes sure that the journal is open on the file that its path leads to now, making the file and
 * its directories if need be, and that its lock is held if `lock`. If this is not the file it was,
 * nothing of it is known. Fails in a process forked from the one that opened it. */
bool journal_attach(struct journal *journal, bool lock, struct failure *failure);
/* The same, but makes nothing: where there is no file, sets `gone`, and nothing is known. */
bool journal_find(struct journal *journal, bool lock, struct failure *failure);
/* Waits for the lock of an open file that is only read, as long as a shared handle does. It is shared
 * with other readers, and goes with the descriptor. */
bool journal_share_lock(int fd, struct failure *failure);
/* Gives back a lock that is not kept. */
void journal_detach(struct journal *journal);

/* Appends one or more whole lines in one write, the lock being held. lines->data[0] is a newline,
 * for the case that the file's last line has none; the lines follow it. *offset is where the first
 * of them begins. On failure the file is as it was, and gone if it was made for this, or is longer
 * than `known`. */
bool journal_append(struct journal *journal, const struct buf *lines, uint64_t *offset,
                    struct failure *failure);

/* Whether the path still leads to the open file, and that still has `size`. */
bool journal_unchanged(const struct journal *journal);
/* Goes over to another file, locked like this one, that the path leads to now. */
bool journal_switch(struct journal *journal, int fd, struct failure *failure);

/* What was appended to the open file reaches the disk, and so do the names that lead to it. */
bool journal_sync(struct journal *journal, struct failure *failure);
/* Everything appended so far reaches the disk: also what was appended to a file that the path has
 * left since. */
bool journal_sync_all(struct journal *journal, struct failure *failure);

/* Closes the descriptor and frees the path; what was locked stays so while a forked child has a
 * copy of the descriptor. -1 and errno if close failed. */
int journal_close(struct journal *journal);
