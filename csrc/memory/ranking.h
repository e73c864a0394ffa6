/* ranking.h: what searching a memory and recalling from it have in common: the words of the items, and
 * the hits of which the best are given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "file/window.h"
#include "memory/filter.h"
#include "memory/index.h"
#include "text/query.h"
#include "text/words.h"

#pragma GCC visibility push(hidden)

struct ranked {
  struct item item; /* a copy */
  double score;
};

struct hit {
  uint32_t item; /* in the index */
  double score;
};

struct ranking {
  struct index *index;
  struct query *query; /* of a search */
  struct filter *filter;
  struct window window;
  struct buf decoded, folded;
  struct buf holders[QUERY_WORDS]; /* of each word: struct holder, the active items that hold it */
  uint64_t weights[QUERY_WORDS]; /* of the line that is looked at */
  struct buf hits; /* struct hit */
};

/* Is shown a text, folded, in ranking->folded. False: out of memory. */
typedef bool (*visitor)(struct ranking *ranking);

void ranking_begin(struct ranking *ranking, int fd, struct index *index, struct filter *filter);
/* Takes up the words of the items that came since the last time. False with errno. */
bool ranking_take_up(struct ranking *ranking);
/* Fills `ranked` with struct ranked of the hits that the filter lets pass, the best first, newer ones
 * first where that ties, up to its limit. False with errno. */
bool ranking_give(struct ranking *ranking, struct buf *ranked);
/* Frees all; whether all was `done`. errno stays as it is. */
bool ranking_end(struct ranking *ranking, bool done);

/* 1 and the line of an item, 0 if it is not there any more, -1 and errno. */
int ranking_line(struct ranking *ranking, size_t position, const char **line);
/* Shows the content and the tags of a line, of keys that are repeated the last. False: as above. */
bool ranking_visit(struct ranking *ranking, const char *line, visitor visit);
/* Leaves out the holders of a word that were forgotten. */
void ranking_leave_out_forgotten(struct ranking *ranking, size_t word);
/* How many words an item has on average; 1 where there are none. */
double ranking_mean_length(const struct ranking *ranking);
static inline struct holder *holders_of(struct ranking *ranking, size_t word, size_t *count)
{
  *count = BUF_COUNT(struct holder, &ranking->holders[word]);
  return BUF_ITEMS(struct holder, &ranking->holders[word]);
}
static inline struct hit *hits_of(const struct ranking *ranking, size_t *count)
{
  *count = BUF_COUNT(struct hit, &ranking->hits);
  return BUF_ITEMS(struct hit, &ranking->hits);
}

#pragma GCC visibility pop
