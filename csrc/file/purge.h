/* purge.h: text taken out of the lines of a file, and of what stands beside it. */
#pragma once

#include "base/buf.h"
#include "base/sys.h"
#include "file/journal.h"
#include "text/literal.h"
#include "json/objects.h"
#include "json/reword.h"

struct purged {
  uint64_t files, records; /* that were changed */
  uint64_t occurrences; /* what went: as `change` has counted it */
  uint64_t left; /* records that have it where nothing is changed */
};

struct purge {
  struct reword reword;
  const struct literal *literal; /* what is looked for; NULL: `change` is asked about every text */
  bool in_memory; /* the file is one */
  /* The next `rev` of a record, if it is changed, that stands over the offset; 0: it gets none. Asked in the
   * order of the file. NULL: none gets one. */
  uint64_t (*next_rev)(void *context, const struct part *object, uint64_t offset);
  void *revs; /* the context */
  char
      *directory; /* without symbolic links: its entries are only synced by purge_settle; or NULL */
  bool unsynced; /* there are such */
  struct purged total; /* of all files so far */
  struct buf record, decoded;
};

void purge_free(struct purge *purge);

/* Looks through the open file *st, without its lock, and its <file>.damaged; unless `all`, until something
 * is found. Adds to *found. */
bool purge_look(struct purge *purge, int fd, const struct stat *st, const char *path, bool all,
                struct purged *found, struct failure *failure);
/* Takes the text out of the file that the journal has open and locked, and out of <file>.damaged; goes on
 * with the new file, which is on the disk. On failure each file is as it was, or is the new one and only
 * its directory could not be synced. */
bool purge_locked(struct purge *purge, struct journal *journal, struct failure *failure);

/* The new files in `directory` have their places on the disk. False with errno. */
bool purge_settle(struct purge *purge);
