/* recall.c: BM25 over the terms of a text (see grams.h), of which any counts, among the active items. The
 * words that are kept tell which terms an item has, since a term stands within a word. */
#include "memory/recall.h"

#include "base/sys.h"
#include "text/bm25.h"
#include "text/grams.h"
#include "base/hidden.h"

struct recall {
  struct ranking ranking;
  struct grams grams; /* of the text */
  struct buf pairs; /* struct pair */
  double *scores; /* of each item */
};

/* A term and a word that has it; `next`: the next pair of that term, from 1 on, or 0. */
struct pair {
  uint32_t token, next;
};

/* Notes that a word has the terms that were found in it. */
static bool pair_up(struct recall *recall, uint32_t token, uint32_t *first)
{
  const struct grams *grams = &recall->grams;
  for (size_t i = 0; i < grams->found_count; i++)
    for (uint32_t times = grams->counts[grams->found[i]]; times > 0; times--) {
      const struct pair pair = {token, first[grams->found[i]]};
      if (!BUF_PUSH(&recall->pairs, &pair)) return false;
      first[grams->found[i]] = (uint32_t)BUF_COUNT(struct pair, &recall->pairs);
    }
  return true;
}

/* Finds the words that have each term; `first`: the first pair of each. */
static bool pair_all(struct recall *recall, uint32_t *first)
{
  const struct words *words = &recall->ranking.index->words;
  bool done = true;
  for (size_t i = 0; i < words->token_count && done; i++) {
    size_t length;
    const char *word = words_token(words, i, &length);
    grams_count(&recall->grams, word, length);
    done = pair_up(recall, (uint32_t)i, first);
    grams_clear(&recall->grams);
  }
  return done;
}

/* Adds what a term is worth to the scores of the items that have it. */
static bool score_term(struct recall *recall, uint32_t first)
{
  struct ranking *ranking = &recall->ranking;
  const struct pair *pairs = BUF_ITEMS(struct pair, &recall->pairs);
  struct words *words = &ranking->index->words;
  ranking->holders.length = 0;
  for (; first != 0; first = pairs[first - 1].next)
    if (!words_gather(words, pairs[first - 1].token, &ranking->holders)) return false;
  words_collect(words, &ranking->holders);
  ranking_leave_active(ranking);
  const struct holder *holders = BUF_ITEMS(struct holder, &ranking->holders);
  const size_t count = BUF_COUNT(struct holder, &ranking->holders);
  const double idf = bm25_term_idf((double)ranking->index->active, (double)count);
  for (size_t i = 0; i < count; i++)
    recall->scores[holders[i].item] +=
        bm25_term(idf, holders[i].count, words_in(words, holders[i].item) / ranking->mean);
  return true;
}

static bool score_terms(struct recall *recall)
{
  const size_t count = recall->grams.count, size = count * sizeof(uint32_t);
  uint32_t *first = count > 0 ? sys_realloc(NULL, size) : NULL;
  if (first == NULL) return count == 0;
  memset(first, 0, size);
  bool done = pair_all(recall, first);
  for (size_t i = 0; done && i < count; i++) done = score_term(recall, first[i]);
  sys_free(first);
  return done;
}

/* Makes hits of the items that have a score; of all active ones, if the text has no word. */
static bool take_scores(struct recall *recall, double half_life)
{
  const struct index *index = recall->ranking.index;
  const int64_t now = sys_time();
  for (size_t i = 0; i < index->count; i++) {
    struct hit hit = {(uint32_t)i, recall->scores[i]};
    if (index->items[i].forgotten || (hit.score <= 0 && recall->grams.count > 0)) continue;
    hit.score *= faded(half_life, now, moment_seconds(item_moment(index, &index->items[i])));
    if (!BUF_PUSH(&recall->ranking.hits, &hit)) return false;
  }
  return true;
}

static bool score_items(struct recall *recall, struct bytes text, double half_life)
{
  const size_t size = recall->ranking.index->count * sizeof *recall->scores;
  if (!grams_read(&recall->grams, text.start, text.length)) return false;
  recall->scores = sys_realloc(NULL, size + 1);
  if (recall->scores == NULL) return false;
  memset(recall->scores, 0, size);
  return score_terms(recall) && take_scores(recall, half_life);
}

int recall_items(int fd, struct index *index, struct bytes text, double half_life,
                 const struct filter *filter, struct buf *ranked)
{
  struct recall recall = {.pairs = {NULL, 0, 0}};
  bool done = ranking_begin(&recall.ranking, fd, index) && score_items(&recall, text, half_life);
  int result = ranking_end(&recall.ranking, done, filter, ranked);
  buf_free(&recall.pairs);
  grams_free(&recall.grams);
  sys_free(recall.scores);
  return result;
}
