/* rank.c: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) over content
 * and tags, with k1, b and the inverse document frequency of SQLite FTS5's bm25():
 *
 *     score = sum over words of idf * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean length))
 *     idf   = ln((N - n + 0.5) / (n + 0.5)), at least 0.000001
 *
 * N being the active items, n those that hold the word, f how often an item does, and lengths
 * counted in words. Word counts are kept with the index, so that only the first search reads all
 * of the text; later ones read the lines and decode those that are not ruled out. */
#include "rank.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "fold.h"
#include "sort.h"
#include "sys.h"
#include "walk.h"
#include "window.h"

static const double K1 = 1.2, B = 0.75;

struct ranking {
  struct index *index;
  const struct query *query;
  struct filter *filter;
  struct window window;
  struct buf decoded, folded;
  size_t counts[QUERY_WORDS]; /* of the item that is looked at */
  size_t holding[QUERY_WORDS]; /* items that hold each word */
  struct buf hits; /* struct found */
  struct buf hit_counts; /* uint32_t: for each hit, how often it holds each word */
};

struct found {
  uint32_t item; /* in the index */
  double score;
};

/* ---- the text of an item ---- */

typedef bool (*visitor)(struct ranking *ranking, const struct slice *string);

static bool visit_tags(struct ranking *ranking, const char *value, visitor visit)
{
  struct walk tags;
  struct slice tag;
  if (*value != '[') return true;
  for (walk_begin(&tags, value); walk_next(&tags);)
    if (walk_string(&tags, &tag) && !visit(ranking, &tag)) return false;
  return true;
}

/* Shows the content and the tags, of keys that are repeated the last; false: out of memory. */
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
  return (content.start == NULL || visit(ranking, &content)) &&
         (tags == NULL || visit_tags(ranking, tags, visit));
}

static bool decode(struct ranking *ranking, const struct slice *string)
{
  ranking->decoded.length = 0;
  return slice_append(string, &ranking->decoded);
}

static bool count_text(struct ranking *ranking, const struct slice *string)
{
  if (!decode(ranking, string)) return false;
  ranking->counts[0] += fold_words(ranking->decoded.data, ranking->decoded.length);
  return true;
}

static bool find_words(struct ranking *ranking, const struct slice *string)
{
  size_t first;
  ranking->folded.length = 0;
  if (!decode(ranking, string)) return false;
  if (!fold(&ranking->folded, ranking->decoded.data, ranking->decoded.length)) return false;
  for (size_t i = 0; i < ranking->query->count; i++)
    ranking->counts[i] += query_count(&ranking->query->words[i], ranking->folded.data,
                                      ranking->folded.length, &first);
  return true;
}

/* 1 and the item's line, 0 if it is not there any more, -1 and errno. */
static int read_item(struct ranking *ranking, const struct item *item, const char **line)
{
  *line = window_line(&ranking->window, item->offset, item->length);
  if (*line != NULL) return 1;
  return errno == 0 ? 0 : -1;
}

/* ---- the lengths of items ---- */

static bool count_words(struct ranking *ranking)
{
  struct index *index = ranking->index;
  if (index->words_counted == index->count) return true;
  uint16_t *words = sys_realloc(index->words, index->count * sizeof *words);
  if (words == NULL) return false;
  index->words = words;
  for (size_t i = index->words_counted; i < index->count; i++) {
    const char *line;
    int read = index->items[i].forgotten ? 0 : read_item(ranking, &index->items[i], &line);
    ranking->counts[0] = 0;
    if (read < 0 || (read > 0 && !visit_text(ranking, line, count_text))) return false;
    words[i] = (uint16_t)(ranking->counts[0] < UINT16_MAX ? ranking->counts[0] : UINT16_MAX);
    index->words_counted = i + 1;
  }
  return true;
}

static double mean_length(const struct index *index)
{
  uint64_t words = 0;
  for (size_t i = 0; i < index->count; i++)
    if (!index->items[i].forgotten) words += index->words[i];
  return index->active > 0 ? (double)words / (double)index->active : 0;
}

/* ---- finding ---- */

static bool is_candidate(const struct query *query, const char *line, size_t length)
{
  for (size_t i = 0; i < query->count; i++)
    if (query_candidate(&query->words[i], line, line + length + 1) != NULL) return true;
  return false;
}

static bool keep(struct ranking *ranking, uint32_t position)
{
  const struct found found = {position, 0};
  if (!buf_add(&ranking->hits, (const char *)&found, sizeof found)) return false;
  for (size_t i = 0; i < ranking->query->count; i++) {
    uint32_t count = (uint32_t)ranking->counts[i];
    if (!buf_add(&ranking->hit_counts, (const char *)&count, sizeof count)) return false;
  }
  return true;
}

static bool look_at(struct ranking *ranking, uint32_t position, const char *line)
{
  const struct query *query = ranking->query;
  const struct item *item = &ranking->index->items[position];
  bool all = true;
  if (!is_candidate(query, line, item->length)) return true;
  memset(ranking->counts, 0, query->count * sizeof *ranking->counts);
  if (!visit_text(ranking, line, find_words)) return false;
  for (size_t i = 0; i < query->count; i++) {
    ranking->holding[i] += ranking->counts[i] > 0;
    all = all && ranking->counts[i] > 0;
  }
  if (!all || !filter_item(ranking->filter, ranking->index, item)) return true;
  if (filter_reads(ranking->filter) && !filter_line(ranking->filter, line)) return true;
  return keep(ranking, position);
}

static bool find_items(struct ranking *ranking)
{
  const struct index *index = ranking->index;
  for (size_t i = 0; i < index->count; i++) {
    const char *line;
    if (index->items[i].forgotten) continue;
    int read = read_item(ranking, &index->items[i], &line);
    if (read < 0 || (read > 0 && !look_at(ranking, (uint32_t)i, line))) return false;
  }
  return true;
}

/* ---- ranking ---- */

static double inverse_frequency(size_t items, size_t holding)
{
  double idf = log(((double)items - (double)holding + 0.5) / ((double)holding + 0.5));
  return idf > 0 ? idf : 1e-6;
}

static void score(struct ranking *ranking)
{
  const struct index *index = ranking->index;
  struct found *hits = (struct found *)(void *)ranking->hits.data;
  size_t count = ranking->hits.length / sizeof *hits, words = ranking->query->count;
  double mean = mean_length(index);
  for (size_t i = 0; i < count; i++) {
    double length = mean > 0 ? index->words[hits[i].item] / mean : 1;
    for (size_t word = 0; word < words; word++) {
      uint32_t often;
      memcpy(&often, ranking->hit_counts.data + (i * words + word) * sizeof often, sizeof often);
      hits[i].score += inverse_frequency(index->active, ranking->holding[word]) * often * (K1 + 1) /
                       (often + K1 * (1 - B + B * length));
    }
  }
}

static bool more_relevant(const void *context, uint32_t a, uint32_t b)
{
  const struct ranking *ranking = context;
  const struct found *hits = (const struct found *)(const void *)ranking->hits.data;
  if (hits[a].score != hits[b].score) return hits[a].score > hits[b].score;
  return index_is_newer(ranking->index, hits[a].item, hits[b].item);
}

static bool give(struct ranking *ranking, struct buf *ranked)
{
  const struct found *hits = (const struct found *)(const void *)ranking->hits.data;
  size_t count = ranking->hits.length / sizeof *hits;
  uint32_t *order = sys_realloc(NULL, count * sizeof *order);
  if (order == NULL) return false;
  for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
  bool done = sort_positions(order, count, more_relevant, ranking);
  for (size_t i = 0; done && i < count && i < ranking->filter->limit; i++) {
    const struct ranked one = {ranking->index->items[hits[order[i]].item], hits[order[i]].score};
    done = buf_add(ranked, (const char *)&one, sizeof one);
  }
  sys_free(order);
  return done;
}

int rank_items(int fd, struct index *index, const struct query *query, struct filter *filter,
               struct buf *ranked)
{
  struct ranking ranking;
  memset(&ranking, 0, sizeof ranking);
  ranking.index = index;
  ranking.query = query;
  ranking.filter = filter;
  window_open(&ranking.window, fd);
  bool done = count_words(&ranking) && find_items(&ranking);
  if (done) {
    score(&ranking);
    done = give(&ranking, ranked);
  }
  int reason = errno;
  window_close(&ranking.window);
  buf_free(&ranking.decoded);
  buf_free(&ranking.folded);
  buf_free(&ranking.hits);
  buf_free(&ranking.hit_counts);
  errno = reason;
  return done ? 0 : -1;
}
