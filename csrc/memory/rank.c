/* rank.c: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) over content
 * and tags, with k1, b and the inverse document frequency of SQLite FTS5's bm25():
 *
 *     score = sum over words of idf * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean length))
 *     idf   = ln((N - n + 0.5) / (n + 0.5)), at least 0.000001
 *
 * N being the active items, n those that hold the word, f how often an item does, and lengths
 * counted in words. Of both n and f, a whole word is 1, the beginning of one 1/8, an inside 1/32, and
 * an item counts for 1 at most. What words the items hold is kept with the index, so that only the first search
 * reads all of the text. A word of the query with other characters in it than words have (`c++`) is
 * looked for in the lines of the items that hold a run of it.
 *
 * A text is recalled by its terms (see grams.h), of which any counts: the same score over terms in
 * place of words, with b = 0.4 and
 *
 *     idf   = ln((N + 1) / (n + 0.5))
 *
 * The words that are kept tell which terms an item has, since a term stands within a word. */
#include "memory/rank.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/sort.h"
#include "base/sys.h"
#include "file/window.h"
#include "text/fold.h"
#include "text/grams.h"
#include "text/words.h"
#include "json/walk.h"

static const double K1 = 1.2, B = 0.75;

struct ranking {
  struct index *index;
  struct query *query;
  struct filter *filter;
  struct window window;
  struct buf decoded, folded;
  struct buf holders[QUERY_WORDS]; /* of each word: struct holder, the active items that hold it */
  uint64_t weights[QUERY_WORDS]; /* of the line that is looked at */
  struct grams grams; /* of a text that is recalled by */
  struct buf pairs; /* struct pair */
  double *scores; /* of each item */
  struct buf hits; /* struct hit */
};

/* A term and a word that has it; `next`: the next pair of that term, from 1 on, or 0. */
struct pair {
  uint32_t token, next;
};

struct hit {
  uint32_t item; /* in the index */
  double score;
};

static struct holder *holders_of(struct ranking *ranking, size_t word, size_t *count)
{
  struct buf *holders = &ranking->holders[word];
  *count = BUF_COUNT(struct holder, holders);
  return BUF_ITEMS(struct holder, holders);
}

static struct hit *hits_of(const struct ranking *ranking, size_t *count)
{
  *count = BUF_COUNT(struct hit, &ranking->hits);
  return BUF_ITEMS(struct hit, &ranking->hits);
}

/* ---- the text of an item ---- */

/* Is shown a text, folded, in ranking->folded. False: out of memory. */
typedef bool (*visitor)(struct ranking *ranking);

static bool visit_string(struct ranking *ranking, const struct slice *string, visitor visit)
{
  struct bytes text;
  ranking->folded.length = 0;
  return slice_bytes(string, &ranking->decoded, &text) &&
         fold(&ranking->folded, text.start, text.length) && visit(ranking);
}

static bool visit_tags(struct ranking *ranking, const char *value, visitor visit)
{
  struct walk tags;
  struct slice tag;
  if (*value != '[') return true;
  for (walk_begin(&tags, value); walk_next(&tags);)
    if (walk_string(&tags, &tag) && !visit_string(ranking, &tag, visit)) return false;
  return true;
}

/* Shows the content and the tags, of keys that are repeated the last. */
static bool visit_text(struct ranking *ranking, const char *line, visitor visit)
{
  struct walk members;
  struct slice content = {NULL, NULL, false};
  const char *tags = NULL;
  for (walk_begin(&members, line); walk_next(&members);) {
    if (walk_key_is(&members, "content")) {
      if (!walk_string(&members, &content)) content.start = NULL;
    } else if (walk_key_is(&members, "tags")) {
      tags = members.value;
    }
  }
  return (content.start == NULL || visit_string(ranking, &content, visit)) &&
         (tags == NULL || visit_tags(ranking, tags, visit));
}

/* 1 and the item's line, 0 if it is not there any more, -1 and errno. */
static int read_item(struct ranking *ranking, size_t position, const char **line)
{
  const struct item *item = &ranking->index->items[position];
  *line = window_line(&ranking->window, item_offset(item), item_length(item));
  if (*line != NULL) return 1;
  return errno == 0 ? 0 : -1;
}

/* ---- the words of the items ---- */

static bool add_words(struct ranking *ranking)
{
  return words_add(&ranking->index->words, ranking->folded.data, ranking->folded.length);
}

/* Takes up the items that came since the last search. */
static bool take_up_items(struct ranking *ranking)
{
  struct index *index = ranking->index;
  while (index->words.count < index->count) {
    const char *line;
    size_t position = index->words.count;
    int read = item_is_forgotten(&index->items[position]) ? 0 : read_item(ranking, position, &line);
    if (read < 0 || !words_begin(&index->words)) return false;
    if (read > 0 && !visit_text(ranking, line, add_words)) return false;
  }
  return true;
}

static void leave_out_forgotten(struct ranking *ranking, size_t word)
{
  size_t count, kept = 0;
  struct holder *holders = holders_of(ranking, word, &count);
  for (size_t i = 0; i < count; i++)
    if (!item_is_forgotten(&ranking->index->items[holders[i].item])) holders[kept++] = holders[i];
  ranking->holders[word].length = kept * sizeof *holders;
}

/* Finds the holders of a word, or those that may be; without a run nothing is known. */
static bool find_by_words(struct ranking *ranking, size_t word)
{
  const struct needle *run = &ranking->query->words[word].run;
  if (run->length == 0) return true;
  if (!words_find(&ranking->index->words, run, &ranking->holders[word])) return false;
  leave_out_forgotten(ranking, word);
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
  if (!visit_text(ranking, line, count_in_text)) return false;
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
    int read = read_item(ranking, i, &line);
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

/* What a word or a term adds to the score of an item that has it `count` times; of the item's `words`,
 * in an index whose items have `mean` of them, the part b counts. */
static double worth(double idf, double count, uint16_t words, double mean, double b)
{
  const double length = mean > 0 ? words / mean : 1;
  return idf * count * (K1 + 1) / (count + K1 * (1 - b + b * length));
}

static double mean_length(const struct index *index)
{
  return index->active > 0 ? (double)index->words.total / (double)index->active : 0;
}

/* Leaves the hits that hold the word too, and adds to their scores. */
static void narrow(struct ranking *ranking, size_t word)
{
  struct member *members = ranking->index->words.members;
  size_t holding, count, kept = 0;
  const struct holder *holders = holders_of(ranking, word, &holding);
  struct hit *hits = hits_of(ranking, &count);
  const double mean = mean_length(ranking->index);
  const double idf = inverse_frequency(ranking->index->active, holders, holding);
  for (size_t i = 0; i < holding; i++) members[holders[i].item].count = holders[i].count;
  for (size_t i = 0; i < count; i++) {
    const struct member *member = &members[hits[i].item];
    if (member->count == 0) continue;
    hits[i].score += worth(idf, member->count / (double)FOLD_WHOLE, member->words, mean, B);
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

/* ---- the items that bear on a text ---- */

/* Of a long text, the bytes in the middle are left out: what is asked stands before or after what was
 * pasted. */
enum { RECALL_TEXT = 32 * 1024 };

static bool read_grams(struct ranking *ranking, struct bytes text)
{
  struct buf *folded = &ranking->folded;
  size_t half = text.length > RECALL_TEXT ? RECALL_TEXT / 2 : text.length;
  size_t rest = text.length > half ? half : 0;
  folded->length = 0;
  return fold(folded, text.start, half) && (rest == 0 || buf_add(folded, " ", 1)) &&
         fold(folded, text.start + text.length - rest, rest) &&
         grams_read(&ranking->grams, folded->data, folded->length);
}

/* Finds the words that have each term; `first`: the first pair of each. */
static bool pair_up(struct ranking *ranking, uint32_t *first)
{
  const struct words *words = &ranking->index->words;
  struct buf *found = &ranking->decoded;
  for (size_t i = 0; i < words->token_count; i++) {
    size_t length;
    const char *word = words_token(words, i, &length);
    found->length = 0;
    if (!grams_find(&ranking->grams, word, length, found)) return false;
    const uint32_t *terms = BUF_ITEMS(uint32_t, found);
    for (size_t j = 0; j < BUF_COUNT(uint32_t, found); j++) {
      const struct pair pair = {(uint32_t)i, first[terms[j]]};
      if (!BUF_PUSH(&ranking->pairs, &pair)) return false;
      first[terms[j]] = (uint32_t)BUF_COUNT(struct pair, &ranking->pairs);
    }
  }
  return true;
}

/* Adds what a term is worth to the scores of the items that have it. */
static bool score_term(struct ranking *ranking, uint32_t first)
{
  const double b = 0.4, items = (double)ranking->index->active, mean = mean_length(ranking->index);
  const struct pair *pairs = BUF_ITEMS(struct pair, &ranking->pairs);
  struct words *words = &ranking->index->words;
  size_t count;
  ranking->holders[0].length = 0;
  for (; first != 0; first = pairs[first - 1].next)
    if (!words_gather(words, pairs[first - 1].token, &ranking->holders[0])) return false;
  words_collect(words, &ranking->holders[0]);
  leave_out_forgotten(ranking, 0);
  const struct holder *holders = holders_of(ranking, 0, &count);
  const double idf = log((items + 1) / ((double)count + 0.5));
  for (size_t i = 0; i < count; i++) {
    const struct holder holder = holders[i];
    ranking->scores[holder.item] +=
        worth(idf, holder.count, words->members[holder.item].words, mean, b);
  }
  return true;
}

static bool score_terms(struct ranking *ranking)
{
  const size_t count = ranking->grams.count;
  if (count == 0) return true;
  uint32_t *first = sys_realloc(NULL, count * sizeof *first);
  if (first == NULL) return false;
  memset(first, 0, count * sizeof *first);
  bool done = pair_up(ranking, first);
  for (size_t i = 0; done && i < count; i++) done = score_term(ranking, first[i]);
  int reason = errno;
  sys_free(first);
  errno = reason;
  return done;
}

/* How much of a score is left after the time since then; nothing, where that is not known. */
static double faded(const struct ranking *ranking, uint32_t item, double half_life, int64_t now)
{
  const struct moment moment = item_moment(ranking->index, &ranking->index->items[item]);
  if (half_life <= 0) return 1;
  if (moment.second == MOMENT_NONE) return 0;
  double age = (double)(now - moment_seconds(moment));
  return age > 0 ? exp2(-age / half_life) : 1;
}

/* Makes hits of the items that have a score; of all active ones, if the text has no word. */
static bool take_scores(struct ranking *ranking, double half_life)
{
  const struct index *index = ranking->index;
  const int64_t now = sys_time();
  for (size_t i = 0; i < index->count; i++) {
    struct hit hit = {(uint32_t)i, ranking->scores[i]};
    if (item_is_forgotten(&index->items[i]) || (hit.score <= 0 && ranking->grams.count > 0))
      continue;
    hit.score *= faded(ranking, hit.item, half_life, now);
    if (!BUF_PUSH(&ranking->hits, &hit)) return false;
  }
  return true;
}

static bool recall(struct ranking *ranking, struct bytes text, double half_life)
{
  const size_t size = ranking->index->count * sizeof *ranking->scores;
  if (!read_grams(ranking, text)) return false;
  ranking->scores = sys_realloc(NULL, size + 1);
  if (ranking->scores == NULL) return false;
  memset(ranking->scores, 0, size);
  return score_terms(ranking) && take_scores(ranking, half_life);
}

static bool filter_hits(struct ranking *ranking)
{
  size_t count, kept = 0;
  struct hit *hits = hits_of(ranking, &count);
  for (size_t i = 0; i < count; i++) {
    const struct item *item = &ranking->index->items[hits[i].item];
    int wanted = filter_item(ranking->filter, ranking->index, item, &ranking->window);
    if (wanted < 0) return false;
    if (wanted > 0) hits[kept++] = hits[i];
  }
  ranking->hits.length = kept * sizeof *hits;
  return true;
}

/* ---- the most relevant ---- */

static bool more_relevant(const void *context, uint32_t a, uint32_t b)
{
  const struct ranking *ranking = context;
  size_t count;
  const struct hit *hits = hits_of(ranking, &count);
  if (hits[a].score != hits[b].score) return hits[a].score > hits[b].score;
  return index_is_newer(ranking->index, hits[a].item, hits[b].item);
}

/* Puts the hit on top of a heap, which has the least relevant one there, into its place. */
static void sift(struct ranking *ranking, size_t top, size_t size)
{
  size_t count;
  struct hit *hits = hits_of(ranking, &count);
  for (size_t child; (child = 2 * top + 1) < size; top = child) {
    if (child + 1 < size && more_relevant(ranking, (uint32_t)child, (uint32_t)child + 1)) child++;
    if (!more_relevant(ranking, (uint32_t)top, (uint32_t)child)) break;
    const struct hit hit = hits[top];
    hits[top] = hits[child];
    hits[child] = hit;
  }
}

/* Leaves the `limit` most relevant hits, in any order, without sorting them all. */
static void select_best(struct ranking *ranking, size_t limit)
{
  size_t count;
  struct hit *hits = hits_of(ranking, &count);
  if (limit == 0) ranking->hits.length = 0;
  if (limit == 0 || count <= limit) return;
  for (size_t i = limit / 2; i-- > 0;) sift(ranking, i, limit);
  for (size_t i = limit; i < count; i++) {
    if (!more_relevant(ranking, (uint32_t)i, 0)) continue;
    hits[0] = hits[i];
    sift(ranking, 0, limit);
  }
  ranking->hits.length = limit * sizeof *hits;
}

static bool give(struct ranking *ranking, struct buf *ranked)
{
  size_t count;
  select_best(ranking, ranking->filter->limit);
  struct hit *hits = hits_of(ranking, &count);
  if (!sort_elements(hits, count, sizeof *hits, more_relevant, ranking)) return false;
  for (size_t i = 0; i < count; i++) {
    const struct ranked one = {ranking->index->items[hits[i].item], hits[i].score};
    if (!BUF_PUSH(ranked, &one)) return false;
  }
  return true;
}

static void begin_ranking(struct ranking *ranking, int fd, struct index *index,
                          struct filter *filter)
{
  memset(ranking, 0, sizeof *ranking);
  ranking->index = index;
  ranking->filter = filter;
  window_open(&ranking->window, fd);
}

/* The result of rank_items. */
static int end_ranking(struct ranking *ranking, bool done)
{
  int reason = errno;
  if (!done) words_free(&ranking->index->words); /* they may be half an item's */
  window_close(&ranking->window);
  buf_free(&ranking->decoded);
  buf_free(&ranking->folded);
  buf_free(&ranking->hits);
  buf_free(&ranking->pairs);
  grams_free(&ranking->grams);
  sys_free(ranking->scores);
  for (size_t i = 0; i < QUERY_WORDS; i++) buf_free(&ranking->holders[i]);
  errno = reason;
  return done ? 0 : -1;
}

int rank_items(int fd, struct index *index, struct query *query, struct filter *filter,
               struct buf *ranked)
{
  struct ranking ranking;
  begin_ranking(&ranking, fd, index, filter);
  ranking.query = query;
  bool done = take_up_items(&ranking) && find_holders(&ranking) && score(&ranking) &&
              filter_hits(&ranking) && give(&ranking, ranked);
  return end_ranking(&ranking, done);
}

int rank_recall(int fd, struct index *index, struct bytes text, double half_life,
                struct filter *filter, struct buf *ranked)
{
  struct ranking ranking;
  begin_ranking(&ranking, fd, index, filter);
  bool done = take_up_items(&ranking) && recall(&ranking, text, half_life) &&
              filter_hits(&ranking) && give(&ranking, ranked);
  return end_ranking(&ranking, done);
}
