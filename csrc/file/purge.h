/* purge.h: text taken out of the lines of a file, and of what stands beside it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "file/journal.h"
#include "text/literal.h"
#include "json/objects.h"
#include "json/reword.h"

#pragma GCC visibility push(hidden)

struct purged {
  uint64_t files, records; /* that were changed */
  uint64_t occurrences; /* what went: as `change` has counted it */
  uint64_t left; /* records that have it where nothing is changed */
};

struct purge {
  struct reword reword;
  const struct literal *literal; /* what is looked for; NULL: `change` is asked about every text */
  bool in_memory; /* the file is one */
  /* Sets *rev to that of a record that is changed, whose line, or which, stands at `offset`; leaves it 0
   * where it gets none. Also called where nothing is written. False with errno. NULL: none gets one. */
  bool (*set_rev)(void *context, const struct part *object, uint64_t offset, uint64_t *rev);
  void *revs; /* the context */
  char *
      directory; /* without symbolic links: its entries are only synced by purge_settle; NULL: none */
  bool unsynced; /* there are such */
  struct purged total; /* of all files so far */
  struct buf line, decoded, piece;
};

void purge_free(struct purge *purge);

/* Looks through an open file, without its lock where that is not held; if `first`, until something is
 * found. Adds to *found. False with errno. */
bool purge_look(struct purge *purge, int fd, bool first, struct purged *found);
/* The same, and through the <file>.damaged of it; it is the one that the path leads to. *st is its. False
 * with *failure. */
bool purge_look_beside(struct purge *purge, int fd, struct stat *st, const char *path, bool first,
                       struct purged *found, struct failure *failure);
void purge_add(struct purged *sum, const struct purged *more);

/* Takes the text out of the file that the journal has open and locked, and out of <file>.damaged; goes on
 * with the new file, which is on the disk. On failure each file is as it was, or is the new one and only
 * its directory could not be synced. */
bool purge_locked(struct purge *purge, struct journal *journal, struct failure *failure);
/* The same for a file that is no memory, whose lock is taken for that. */
bool purge_session(struct purge *purge, struct journal *journal, struct failure *failure);

/* The new files in `directory` have their places on the disk. False with errno. */
bool purge_settle(struct purge *purge);

/* Removes what was left beside a file, or, if the path leads to a directory, in that. */
void purge_clean(const char *path);

#pragma GCC visibility pop
