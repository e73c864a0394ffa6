/* ranking.c: what words the items hold is kept with the index, so that only the first time reads all of
 * the text. */
#include "memory/ranking.h"

#include <errno.h>
#include <string.h>

#include "base/sort.h"
#include "text/fold.h"
#include "json/walk.h"

/* ---- the text of an item ---- */

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

bool ranking_visit(struct ranking *ranking, const char *line, visitor visit)
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

int ranking_line(struct ranking *ranking, size_t position, const char **line)
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

bool ranking_take_up(struct ranking *ranking)
{
  struct index *index = ranking->index;
  while (index->words.count < index->count) {
    const char *line;
    size_t position = index->words.count;
    int read =
        item_is_forgotten(&index->items[position]) ? 0 : ranking_line(ranking, position, &line);
    if (read < 0 || !words_begin(&index->words)) return false;
    if (read > 0 && !ranking_visit(ranking, line, add_words)) return false;
  }
  return true;
}

void ranking_leave_out_forgotten(struct ranking *ranking, size_t word)
{
  size_t count, kept = 0;
  struct holder *holders = holders_of(ranking, word, &count);
  for (size_t i = 0; i < count; i++)
    if (!item_is_forgotten(&ranking->index->items[holders[i].item])) holders[kept++] = holders[i];
  ranking->holders[word].length = kept * sizeof *holders;
}

double ranking_mean_length(const struct ranking *ranking)
{
  const struct index *index = ranking->index;
  return index->words.total > 0 ? (double)index->words.total / (double)index->active : 1;
}

/* ---- the most relevant ---- */

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

static bool more_relevant(const void *context, uint32_t a, uint32_t b)
{
  const struct ranking *ranking = context;
  size_t count;
  const struct hit *hits = hits_of(ranking, &count);
  if (hits[a].score != hits[b].score) return hits[a].score > hits[b].score;
  return index_is_newer(ranking->index, hits[a].item, hits[b].item);
}

bool ranking_give(struct ranking *ranking, struct buf *ranked)
{
  size_t count;
  if (!filter_hits(ranking)) return false;
  struct hit *hits = hits_of(ranking, &count);
  count = sort_first(hits, count, sizeof *hits, ranking->filter->limit, more_relevant, ranking);
  if (!sort_elements(hits, count, sizeof *hits, more_relevant, ranking)) return false;
  for (size_t i = 0; i < count; i++) {
    const struct ranked one = {ranking->index->items[hits[i].item], hits[i].score};
    if (!BUF_PUSH(ranked, &one)) return false;
  }
  return true;
}

/* ---- beginning and end ---- */

void ranking_begin(struct ranking *ranking, int fd, struct index *index, struct filter *filter)
{
  memset(ranking, 0, sizeof *ranking);
  ranking->index = index;
  ranking->filter = filter;
  window_open(&ranking->window, fd);
}

bool ranking_end(struct ranking *ranking, bool done)
{
  int reason = errno;
  if (!done) words_free(&ranking->index->words); /* they may be half an item's */
  window_close(&ranking->window);
  buf_free(&ranking->decoded);
  buf_free(&ranking->folded);
  buf_free(&ranking->hits);
  for (size_t i = 0; i < QUERY_WORDS; i++) buf_free(&ranking->holders[i]);
  errno = reason;
  return done;
}
