/* retrieve.h: finds the turns of sessions that bear on a text, the most relevant first.
 *
 * Each file is looked through once; if retrieve_weigh says so, all of them once more. What is found
 * are places, which are read again when they are asked for. */
#pragma once

#include "base/buf.h"
#include "base/sys.h"
#include "file/lines.h"
#include "file/window.h"
#include "session/search.h"
#include "session/turn.h"
#include "text/grams.h"

/* A file that was looked through. */
struct source {
  dev_t device;
  ino_t inode;
  size_t file; /* the caller's number */
};

struct retrieval {
  struct turn_filter filter;
  size_t limit; /* how many are found at most */
  double half_life; /* in seconds, a score halves with each that a record is old; 0: it does not */

  struct grams grams; /* of the text */
  double *weights; /* of each term: in how many records it is, then what it weighs */
  uint64_t *marks; /* a bit for each term that the record has */
  uint64_t turns, words; /* records, and the words in them; */
  double mean; /* words of a record */
  struct buf notes; /* struct note: of records that are yet to be scored */
  bool weighed; /* the weights are known: records are scored as they come */
  bool forgetful; /* the notes became too many, and are not kept */
  double previous; /* the score, by itself, of the record that was noted last */
  int64_t now;
  struct buf sources; /* struct source: the files that were looked through */
  struct buf found; /* struct found */

  /* The file and the record that are looked at. */
  struct line line;
  bool follows; /* the record before has terms of the text */
  size_t length; /* of the record, in words */
  struct said said; /* one of its strings */
  struct window window;
  double best; /* what its best word weighs */
  struct slice text; /* the string that it is in */
  size_t place; /* where, in the folded string */
};

/* Begins with a text, the options being set and the rest zero, or as it was left the last time.
 * retrieve_free in any case. False with errno, as all of these. */
bool retrieve_begin(struct retrieval *retrieval, const char *text, size_t length);
void retrieve_free(struct retrieval *retrieval);

/* Looks through an open file that `st` is of. file: the caller's number for it. Newer ones come first:
 * where scores tie, theirs are the first hits. */
bool retrieve_look(struct retrieval *retrieval, int fd, const struct stat *st, size_t file);
/* Whether no other file can have hits: of a blank text, that those are enough. */
bool retrieve_is_full(const struct retrieval *retrieval);
/* All files were looked through. 1: they are to be once more; 0: the hits are there; -1 and errno. */
int retrieve_weigh(struct retrieval *retrieval);

/* How many hits there are. */
size_t retrieve_count(const struct retrieval *retrieval);
/* The number of the file that a hit is in, 0 being the best. */
size_t retrieve_file(const struct retrieval *retrieval, size_t index);
/* Reads a hit, in its file, which is open and which `st` is of. 1 and its score, 0 if it is not there as it
 * was any more, -1 and errno. */
int retrieve_hit(struct retrieval *retrieval, size_t index, int fd, const struct stat *st,
                 struct hit *hit, double *score);
