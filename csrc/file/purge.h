/* purge.h: text taken out of the lines of a file, and of what stands beside it. */
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "base/sys.h"
#include "file/journal.h"
#include "file/reader.h"
#include "text/literal.h"
#include "json/objects.h"
#include "json/reword.h"

struct purged {
  uint64_t files, records; /* that were changed */
  uint64_t occurrences; /* what went: as `change` has counted it */
  uint64_t left; /* records that have it where nothing is changed */
};

/* The lines of a file whose texts `change` knows. What is appended to it later may be others. */
struct asked {
  uint64_t lines, digest;
};

/* Which records get a higher `rev`. */
struct revising {
  /* *rev: the next one of a record that stands over the offset, if it is changed, or if *revise is set; 0: it
   * gets none. Asked in the order of the file. False with errno. */
  bool (*next)(void *context, const struct part *object, uint64_t offset, uint64_t *rev,
               bool *revise);
  void *context;
  bool any; /* *revise may be set: no line is passed over */
};

struct purge {
  struct reword reword;
  const struct literal *literal; /* what is looked for; NULL: `change` is asked about every text */
  /* Whether a file is a memory, on which it depends what a damaged line holds. False with errno. */
  bool (*is_memory)(int fd, bool *memory);
  bool all; /* a look does not end with the first that is found */
  struct asked *asked; /* NULL: all texts are known */
  bool asking; /* sets *asked; otherwise a file that begins with other lines fails, EAGAIN, */
  bool stale; /* and this is set */
  struct hash_key key; /* of the digest */
  char
      *directory; /* without symbolic links: its entries are only synced by purge_settle; or NULL */
  bool unsynced; /* there are such */
  struct purged total; /* of all files so far */
  struct reader reader;
  struct buf record, decoded;
};

void purge_free(struct purge *purge);

/* Adds *more to *sum. */
void purged_add(struct purged *sum, const struct purged *more);

/* Looks through the open file *st, without its lock, and its <file>.damaged; adds to *found. */
bool purge_look(struct purge *purge, int fd, const struct stat *st, const char *path,
                struct purged *found, struct failure *failure);
/* Takes the text out of the file that the journal has open and locked, and out of <file>.damaged; goes on
 * with the new file, which is on the disk. On failure each file is as it was, or is the new one and only
 * its directory could not be synced. */
bool purge_locked(struct purge *purge, struct journal *journal, const struct revising *revising,
                  struct failure *failure);

/* Whether a file, by its absolute path without symbolic links, stands in `directory`. */
bool purge_has_within(const struct purge *purge, const char *place);
/* The new files in `directory` have their places on the disk. False with errno. */
bool purge_settle(struct purge *purge);
