/* rank.c: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) over content
 * and tags, with k1, b and the inverse document frequency of SQLite FTS5's bm25():
 *
 *     score = sum over words of idf * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean length))
 *     idf   = ln((N - n + 0.5) / (n + 0.5)), at least 0.000001
 *
 * N being the active items, n those that hold the word, f how often an item does, and lengths
 * counted in words. Of both n and f, a whole word is 1, the beginning of one 1/8, an inside 1/32, and
 * an item counts for 1 at most. A word of the query with other characters in it than words have (`c++`) is
 * looked for in the lines of the items that hold a run of it.
 */
#include "memory/rank.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/sys.h"
#include "text/bm25.h"
#include "text/fold.h"

/* ---- the words of the items ---- */

/* Finds the holders of a word, or those that may be; without a run nothing is known. */
static bool find_by_words(struct ranking *ranking, size_t word)
{
  const struct needle *run = &ranking->query->words[word].run;
  if (run->length == 0) return true;
  if (!words_find(&ranking->index->words, run, &ranking->holders[word])) return false;
  ranking_leave_out_forgotten(ranking, word);
  return true;
}

/* ---- the words that are looked for in lines ---- */

static bool needs_lines(const struct word *word)
{
  return word->run.length < word->whole.length;
}

/* Turns those that may hold the word into marks. */
static void mark(struct ranking *ranking, size_t word, bool *marks)
{
  size_t count;
  const struct holder *holders = holders_of(ranking, word, &count);
  const struct index *index = ranking->index;
  if (ranking->query->words[word].run.length == 0)
    for (size_t i = 0; i < index->count; i++) marks[i] = !item_is_forgotten(&index->items[i]);
  for (size_t i = 0; i < count; i++) marks[holders[i].item] = true;
  ranking->holders[word].length = 0;
}

static bool count_in_text(struct ranking *ranking)
{
  const struct buf *folded = &ranking->folded;
  for (size_t i = 0; i < ranking->query->count; i++)
    if (needs_lines(&ranking->query->words[i]))
      ranking->weights[i] += query_weight(&ranking->query->words[i], folded->data, folded->length);
  return true;
}

static bool is_candidate(struct query *query, const char *line, size_t length)
{
  for (size_t i = 0; i < query->count; i++)
    if (needs_lines(&query->words[i]) &&
        query_line(query, &query->words[i], line, line + length + 1) != NULL)
      return true;
  return false;
}

static bool count_in_item(struct ranking *ranking, size_t position, const char *line)
{
  struct query *query = ranking->query;
  if (!is_candidate(query, line, item_length(&ranking->index->items[position]))) return true;
  memset(ranking->weights, 0, query->count * sizeof *ranking->weights);
  if (!ranking_visit(ranking, line, count_in_text)) return false;
  for (size_t i = 0; i < query->count; i++) {
    uint64_t weight = ranking->weights[i] < UINT32_MAX ? ranking->weights[i] : UINT32_MAX;
    const struct holder holder = {(uint32_t)position, (uint32_t)weight};
    if (weight > 0 && !BUF_PUSH(&ranking->holders[i], &holder)) return false;
  }
  return true;
}

static bool look_at_marked(struct ranking *ranking, const bool *marks)
{
  for (size_t i = 0; i < ranking->index->count; i++) {
    const char *line;
    if (!marks[i]) continue;
    int read = ranking_line(ranking, i, &line);
    if (read < 0 || (read > 0 && !count_in_item(ranking, i, line))) return false;
  }
  return true;
}

/* Reads each line once, whatever the number of such words. */
static bool find_in_lines(struct ranking *ranking)
{
  const struct query *query = ranking->query;
  bool *marks = NULL;
  for (size_t i = 0; i < query->count; i++) {
    if (!needs_lines(&query->words[i])) continue;
    if (marks == NULL) {
      marks = sys_realloc(NULL, ranking->index->count);
      if (marks == NULL) return false;
      memset(marks, false, ranking->index->count);
    }
    mark(ranking, i, marks);
  }
  bool done = marks == NULL || look_at_marked(ranking, marks);
  int reason = errno;
  sys_free(marks);
  errno = reason;
  return done;
}

static bool find_holders(struct ranking *ranking)
{
  for (size_t i = 0; i < ranking->query->count; i++)
    if (!find_by_words(ranking, i)) return false;
  return find_in_lines(ranking);
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
static void narrow(struct ranking *ranking, size_t word)
{
  struct member *members = BUF_ITEMS(struct member, &ranking->index->words.members);
  size_t holding, count, kept = 0;
  const struct holder *holders = holders_of(ranking, word, &holding);
  struct hit *hits = hits_of(ranking, &count);
  const double b = 0.75, mean = ranking_mean_length(ranking);
  const double idf = inverse_frequency(ranking->index->active, holders, holding);
  for (size_t i = 0; i < holding; i++) members[holders[i].item].count = holders[i].count;
  for (size_t i = 0; i < count; i++) {
    const struct member *member = &members[hits[i].item];
    if (member->count == 0) continue;
    hits[i].score += bm25(idf, member->count / (double)FOLD_WHOLE, member->words / mean, b);
    hits[kept++] = hits[i];
  }
  for (size_t i = 0; i < holding; i++) members[holders[i].item].count = 0;
  ranking->hits.length = kept * sizeof *hits;
}

static bool score(struct ranking *ranking)
{
  size_t count;
  const struct holder *holders = holders_of(ranking, 0, &count);
  for (size_t i = 0; i < count; i++) {
    const struct hit hit = {holders[i].item, 0};
    if (!BUF_PUSH(&ranking->hits, &hit)) return false;
  }
  for (size_t i = 0; i < ranking->query->count; i++) narrow(ranking, i);
  return true;
}

int rank_items(int fd, struct index *index, struct query *query, struct filter *filter,
               struct buf *ranked)
{
  struct ranking ranking;
  ranking_begin(&ranking, fd, index, filter);
  ranking.query = query;
  bool done = ranking_take_up(&ranking) && find_holders(&ranking) && score(&ranking) &&
              ranking_give(&ranking, ranked);
  return ranking_end(&ranking, done) ? 0 : -1;
}
