/* rank.c: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) over content
 * and tags, with k1, b and the inverse document frequency of SQLite FTS5's bm25():
 *
 *     score = sum over words of idf * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean length))
 *     idf   = ln((N - n + 0.5) / (n + 0.5)), at least 0.000001
 *
 * N being the active items, n those that hold the word, f how often an item does, and lengths
 * counted in words. Of both n and f, a whole word is 1, the beginning of one 1/8, an inside 1/32, and
 * an item counts for 1 at most. What words the items have is kept with the index, so that only the
 * first time reads all of the text. A word of the query with other characters in it than words have
 * (`c++`) is looked for in the lines of the items that hold a run of it.
 */
#include "memory/rank.h"

#include <math.h>

#include "base/sort.h"
#include "text/bm25.h"
#include "text/fold.h"
#include "json/walk.h"
#include "base/hidden.h"

/* ---- the texts of an item ---- */

/* Is shown a text, folded; false with errno. */
typedef bool (*visitor)(void *context, struct bytes text);

static bool visit_string(struct ranking *ranking, const struct slice *string, visitor visit,
                         void *context)
{
  struct bytes text;
  struct buf *folded = &ranking->folded;
  folded->length = 0;
  return slice_bytes(string, &ranking->decoded, &text) && fold(folded, text.start, text.length) &&
         visit(context, (struct bytes){folded->data, folded->length});
}

/* Shows the content and the tags of a line, of keys that are repeated the last. */
static bool visit_texts(struct ranking *ranking, const char *line, visitor visit, void *context)
{
  struct walk members;
  struct slice text = {NULL, NULL, false};
  const char *tags = NULL;
  for (walk_begin(&members, line); walk_next(&members);) {
    if (walk_key_is(&members, "content")) {
      if (!walk_string(&members, &text)) text.start = NULL;
    } else if (walk_key_is(&members, "tags")) {
      tags = *members.value == '[' ? members.value : NULL;
    }
  }
  if (text.start != NULL && !visit_string(ranking, &text, visit, context)) return false;
  if (tags == NULL) return true;
  for (walk_begin(&members, tags); walk_next(&members);)
    if (walk_string(&members, &text) && !visit_string(ranking, &text, visit, context)) return false;
  return true;
}

/* ---- the words of the items ---- */

static bool add_words(void *words, struct bytes text)
{
  return words_add(words, text.start, text.length);
}

static bool take_up_words(struct ranking *ranking)
{
  struct index *index = ranking->index;
  const bool first = index->words.count == 0;
  while (index->words.count < index->count) {
    const struct item *item = &index->items[index->words.count];
    const char *line;
    int read = item->forgotten ? 0 : item_line(item, &ranking->window, &line);
    if (read < 0 || !words_begin(&index->words)) return false;
    if (read > 0 && !visit_texts(ranking, line, add_words, &index->words)) return false;
  }
  return !first || words_trim(&index->words);
}

bool ranking_begin(struct ranking *ranking, int fd, struct index *index)
{
  memset(ranking, 0, sizeof *ranking);
  ranking->index = index;
  window_open(&ranking->window, fd);
  if (!take_up_words(ranking)) return false;
  const double total = (double)index->words.total;
  ranking->mean = total > 0 ? total / (double)index->active : 1;
  return true;
}

void ranking_leave_active(struct ranking *ranking)
{
  struct holder *holders = BUF_ITEMS(struct holder, &ranking->holders);
  size_t count = BUF_COUNT(struct holder, &ranking->holders), kept = 0;
  for (size_t i = 0; i < count; i++)
    if (!ranking->index->items[holders[i].item].forgotten) holders[kept++] = holders[i];
  ranking->holders.length = kept * sizeof *holders;
}

/* ---- the most relevant ---- */

static bool filter_hits(struct ranking *ranking, const struct filter *filter)
{
  struct hit *hits = BUF_ITEMS(struct hit, &ranking->hits);
  size_t count = BUF_COUNT(struct hit, &ranking->hits), kept = 0;
  for (size_t i = 0; i < count; i++) {
    const struct item *item = &ranking->index->items[hits[i].item];
    int wanted = filter_item(filter, ranking->index, item, &ranking->window);
    if (wanted < 0) return false;
    if (wanted > 0) hits[kept++] = hits[i];
  }
  ranking->hits.length = kept * sizeof *hits;
  return true;
}

static bool more_relevant(const void *context, uint32_t a, uint32_t b)
{
  const struct ranking *ranking = context;
  const struct hit *hits = BUF_ITEMS(struct hit, &ranking->hits);
  if (hits[a].score != hits[b].score) return hits[a].score > hits[b].score;
  return index_is_newer(ranking->index, hits[a].item, hits[b].item);
}

static bool give_best(struct ranking *ranking, const struct filter *filter, struct buf *ranked)
{
  if (!filter_hits(ranking, filter)) return false;
  struct hit *hits = BUF_ITEMS(struct hit, &ranking->hits);
  size_t count = BUF_COUNT(struct hit, &ranking->hits);
  count = sort_first(hits, count, sizeof *hits, filter->limit, more_relevant, ranking);
  if (!sort_elements(hits, count, sizeof *hits, more_relevant, ranking)) return false;
  for (size_t i = 0; i < count; i++) {
    const struct ranked one = {ranking->index->items[hits[i].item], hits[i].score};
    if (!BUF_PUSH(ranked, &one)) return false;
  }
  return true;
}

int ranking_end(struct ranking *ranking, bool done, const struct filter *filter, struct buf *ranked)
{
  done = done && give_best(ranking, filter, ranked);
  if (!done) words_free(&ranking->index->words); /* they may be half an item's */
  window_close(&ranking->window);
  buf_free(&ranking->decoded);
  buf_free(&ranking->folded);
  buf_free(&ranking->holders);
  buf_free(&ranking->hits);
  return done ? 0 : -1;
}

/* ---- the items that hold a word ---- */

/* Those that hold the run of a word that is looked for in lines; without a run, all. */
static bool find_holders(struct ranking *ranking, const struct needle *run)
{
  struct index *index = ranking->index;
  ranking->holders.length = 0;
  if (run->length > 0 && !words_find(&index->words, run, &ranking->holders)) return false;
  for (size_t i = 0; run->length == 0 && i < index->count; i++) {
    const struct holder holder = {(uint32_t)i, 0};
    if (!BUF_PUSH(&ranking->holders, &holder)) return false;
  }
  ranking_leave_active(ranking);
  return true;
}

/* A word, and what it weighs in an item. */
struct weighing {
  struct query *query;
  const struct word *word;
  uint64_t weight;
};

static bool weigh_text(void *context, struct bytes text)
{
  struct weighing *weighing = context;
  weighing->weight += query_weight(weighing->word, text.start, text.length);
  return true;
}

static bool weigh_item(struct ranking *ranking, struct weighing *weighing, const struct item *item)
{
  const char *line;
  int read = item_line(item, &ranking->window, &line);
  weighing->weight = 0;
  if (read <= 0) return read == 0;
  return query_line(weighing->query, weighing->word, line, line + item_length(item) + 1) == NULL ||
         visit_texts(ranking, line, weigh_text, weighing);
}

static bool holder_before(const void *holders, uint32_t a, uint32_t b)
{
  return ((const struct holder *)holders)[a].item < ((const struct holder *)holders)[b].item;
}

/* Leaves the holders whose lines have the word, read in their order. */
static bool look_in_lines(struct ranking *ranking, struct query *query, const struct word *word)
{
  struct holder *holders = BUF_ITEMS(struct holder, &ranking->holders);
  size_t count = BUF_COUNT(struct holder, &ranking->holders), kept = 0;
  struct weighing weighing = {query, word, 0};
  if (!sort_elements(holders, count, sizeof *holders, holder_before, holders)) return false;
  for (size_t i = 0; i < count; i++) {
    if (!weigh_item(ranking, &weighing, &ranking->index->items[holders[i].item])) return false;
    uint32_t weight = weighing.weight < UINT32_MAX ? (uint32_t)weighing.weight : UINT32_MAX;
    if (weight > 0) holders[kept++] = (struct holder){holders[i].item, weight};
  }
  ranking->holders.length = kept * sizeof *holders;
  return true;
}

/* ---- the items that hold all words ---- */

/* An item that holds a word in part counts for as much of one as its occurrences weigh. */
static double inverse_frequency(size_t items, const struct holder *holders, size_t count)
{
  double holding = 0;
  for (size_t i = 0; i < count; i++)
    holding += holders[i].count < FOLD_WHOLE ? holders[i].count / (double)FOLD_WHOLE : 1;
  double idf = log(((double)items - holding + 0.5) / (holding + 0.5));
  return idf > 0 ? idf : 1e-6;
}

/* Leaves the hits that hold the word too, and adds to their scores. */
static void narrow(struct ranking *ranking)
{
  struct member *members = BUF_ITEMS(struct member, &ranking->index->words.members);
  const struct holder *holders = BUF_ITEMS(struct holder, &ranking->holders);
  struct hit *hits = BUF_ITEMS(struct hit, &ranking->hits);
  size_t holding = BUF_COUNT(struct holder, &ranking->holders);
  size_t count = BUF_COUNT(struct hit, &ranking->hits), kept = 0;
  const double b = 0.75, idf = inverse_frequency(ranking->index->active, holders, holding);
  for (size_t i = 0; i < holding; i++) members[holders[i].item].count = holders[i].count;
  for (size_t i = 0; i < count; i++) {
    const struct member *member = &members[hits[i].item];
    if (member->count == 0) continue;
    hits[i].score +=
        bm25(idf, member->count / (double)FOLD_WHOLE, member->words / ranking->mean, b);
    hits[kept++] = hits[i];
  }
  for (size_t i = 0; i < holding; i++) members[holders[i].item].count = 0;
  ranking->hits.length = kept * sizeof *hits;
}

/* The holders of the first word. */
static bool begin_hits(struct ranking *ranking)
{
  const struct holder *holders = BUF_ITEMS(struct holder, &ranking->holders);
  for (size_t i = 0; i < BUF_COUNT(struct holder, &ranking->holders); i++) {
    const struct hit hit = {holders[i].item, 0};
    if (!BUF_PUSH(&ranking->hits, &hit)) return false;
  }
  return true;
}

static bool score_hits(struct ranking *ranking, struct query *query)
{
  for (size_t i = 0; i < query->count; i++) {
    const struct word *word = &query->words[i];
    if (!find_holders(ranking, &word->run)) return false;
    if (word->run.length < word->whole.length && !look_in_lines(ranking, query, word)) return false;
    if (i == 0 && !begin_hits(ranking)) return false;
    narrow(ranking);
  }
  return true;
}

int rank_items(int fd, struct index *index, struct query *query, const struct filter *filter,
               struct buf *ranked)
{
  struct ranking ranking;
  bool done = ranking_begin(&ranking, fd, index) && score_hits(&ranking, query);
  return ranking_end(&ranking, done, filter, ranked);
}
