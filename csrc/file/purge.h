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

struct purge {
  struct reword reword;
  const struct literal *literal; /* what is looked for; NULL: `change` is asked about every text */
  bool in_memory; /* the file is one */
  struct asked *asked; /* NULL: all texts are known */
  bool asking; /* sets *asked; otherwise a file that begins with other lines fails, EAGAIN, */
  bool stale; /* and this is set */
  struct hash_key key; /* of the digest */
  /* The next `rev` of a record that stands over the offset, if it is changed, or if *revise is set; 0: it
   * gets none. Asked in the order of the file. NULL: none gets one. */
  uint64_t (*next_rev)(void *context, const struct part *object, uint64_t offset, bool *revise);
  void *revs; /* the context */
  bool revises; /* *revise may be set: no line is passed over */
  char
      *directory; /* without symbolic links: its entries are only synced by purge_settle; or NULL */
  bool unsynced; /* there are such */
  struct purged total; /* of all files so far */
  struct reader reader;
  struct buf record, decoded;
};

void purge_free(struct purge *purge);

/* Looks through the open file *st, without its lock, and its <file>.damaged; each, unless `all`, until
 * something is found. Adds to *found. */
bool purge_look(struct purge *purge, int fd, const struct stat *st, const char *path, bool all,
                struct purged *found, struct failure *failure);
/* Takes the text out of the file that the journal has open and locked, and out of <file>.damaged; goes on
 * with the new file, which is on the disk. On failure each file is as it was, or is the new one and only
 * its directory could not be synced. */
bool purge_locked(struct purge *purge, struct journal *journal, struct failure *failure);

/* Whether a file, by its absolute path without symbolic links, stands in `directory`. */
bool purge_has_within(const struct purge *purge, const char *place);
/* The new files in `directory` have their places on the disk. False with errno. */
bool purge_settle(struct purge *purge);
