/* rank.h: the active items that hold a query's words, the most relevant first. */
#ifndef AISH_RANK_H
#define AISH_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "memory/filter.h"
#include "memory/index.h"
#include "text/query.h"

#pragma GCC visibility push(hidden)

struct ranked {
  struct item item; /* a copy */
  double score;
};

/* Fills `ranked` with struct ranked: the filter's limit of them at most. 0, or -1 and errno. */
int rank_items(int fd, struct index *index, struct query *query, struct filter *filter,
               struct buf *ranked);

/* The active items that bear on a text, or of a text without a word the newest. half_life: in seconds,
 * a score halves with each that the item is old; 0: it does not. As above. */
int rank_recall(int fd, struct index *index, struct bytes text, double half_life,
                struct filter *filter, struct buf *ranked);

#pragma GCC visibility pop
#endif
