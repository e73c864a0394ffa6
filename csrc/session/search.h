/* search.h: finds the records of a session's file whose strings hold every word of a query. */
#pragma once

#include "base/buf.h"
#include "file/lines.h"
#include "file/window.h"
#include "session/turn.h"
#include "text/query.h"
#include "json/walk.h"

struct search {
  struct query query; /* filled by query_read */
  struct turn_filter filter;
  size_t limit; /* how many hits of a file are kept, at least 1 */

  /* The file that was searched last. */
  struct reader reader;
  struct window window;
  struct buf lines, matches; /* of the block: struct line that may match, and places in them */
  struct buf places; /* of its last hits, a ring */
  size_t found; /* how many hits it has in all */
  uint64_t first; /* the offset of its first record; UINT64_MAX: not known */

  /* The line that was looked at last. */
  struct line line;
  struct said said; /* one of its strings */
  uint64_t missing; /* a bit for each word that was not found */
  struct slice text; /* the string that holds the first word */
};

/* Valid until the next call for the same search. */
struct hit {
  const char *record; /* a JSON object */
  uint64_t number; /* of the line */
  struct bytes text; /* the string that holds the first word, or its excerpt around that */
};

/* Finds the last `limit` hits of an open file. False and errno. The file must stay open for
 * search_hit. */
bool search_file(struct search *search, int fd);
/* How many there are to be had. */
size_t search_count(const struct search *search);
/* The hit of this index, 0 being the last in the file. 1, 0 if it is not there any more, -1 and
 * errno. */
int search_hit(struct search *search, size_t index, struct hit *hit);
/* Frees all that a search holds, the query too. */
void search_free(struct search *search);
