/* rank.h: the active items that hold a query's words, the most relevant first, and what recalling (see
 * recall.h) has in common with finding these. */
#pragma once

#include "base/buf.h"
#include "file/window.h"
#include "memory/filter.h"
#include "memory/index.h"
#include "text/query.h"

struct ranked {
  struct item item; /* a copy */
  double score;
};

/* Fills `ranked` with struct ranked: the filter's limit of them at most. 0, or -1 and errno. */
int rank_items(int fd, struct index *index, struct query *query, const struct filter *filter,
               struct buf *ranked);

struct hit {
  uint32_t item; /* in the index */
  double score;
};

struct ranking {
  struct index *index;
  struct window window;
  struct buf decoded, folded; /* of the text that is looked at */
  struct buf holders; /* struct holder: the active items that hold the word that is looked for */
  struct buf hits; /* struct hit */
  double mean; /* how many words an item has on average; 1 where there are none */
};

/* Begins, to be ended in any case, and takes up the words of the items that came since the last time. False
 * with errno. */
bool ranking_begin(struct ranking *ranking, int fd, struct index *index);
/* Leaves out the holders that were forgotten. */
void ranking_leave_active(struct ranking *ranking);
/* If all was `done`, fills `ranked` with the hits that the filter lets pass, the best first, newer ones
 * first where that ties. 0, or -1 and errno. */
int ranking_end(struct ranking *ranking, bool done, const struct filter *filter,
                struct buf *ranked);
