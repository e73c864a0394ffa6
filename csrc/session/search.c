/* search.c: a file is searched block by block for the rarest word; only lines that may hold every
 * word are parsed. Hits are kept as places and read again when they are asked for. */
#include "session/search.h"

#include <errno.h>
#include <string.h>

#include "file/lines.h"
#include "session/turn.h"
#include "text/fold.h"
#include "json/walk.h"

struct place {
  uint64_t offset, number; /* of the record, of its line */
  size_t length;
};

void search_free(struct search *search)
{
  query_free(&search->query);
  window_close(&search->window);
  buf_free(&search->places);
  buf_free(&search->decoded);
  buf_free(&search->folded);
}

/* ---- records ---- */

static bool decode_and_fold(struct search *search, const struct slice *string)
{
  search->decoded.length = search->folded.length = 0;
  return slice_append(string, &search->decoded) &&
         fold(&search->folded, search->decoded.data, search->decoded.length);
}

/* False: no further string is needed, or memory ran out, and then words are missing. */
static bool match_string(void *context, const struct slice *string)
{
  struct search *search = context;
  if (!decode_and_fold(search, string)) return false;
  for (size_t i = 0; i < search->query.count; i++) {
    if ((search->missing >> i & 1) == 0 ||
        query_find(&search->query.words[i], search->folded.data, search->folded.length) == NULL)
      continue;
    search->missing &= ~(1ULL << i);
    if (i == 0) search->text = *string;
  }
  return search->missing != 0;
}

/* Whether the record at `offset` holds all words and is of the role and the time; the session's meta
 * is not searched. 1: it matches, 0: it does not, -1: out of memory. */
static int match(struct search *search, const struct turn *turn, uint64_t offset)
{
  if (offset == search->first && turn->meta != NULL) return 0;
  int passes = turn_passes(turn, &search->filter, &search->decoded);
  if (passes <= 0) return passes;
  search->missing = UINT64_MAX >> (QUERY_WORDS - search->query.count);
  bool to_the_end = turn_strings(turn, match_string, search);
  if (search->missing == 0) return 1;
  return to_the_end ? 0 : -1;
}

/* ---- files ---- */

static bool keep_place(struct search *search, const struct place *place)
{
  size_t at = search->found++ % search->limit * sizeof *place;
  if (at == search->places.length)
    return buf_add(&search->places, (const char *)place, sizeof *place);
  memcpy(search->places.data + at, place, sizeof *place);
  return true;
}

/* Whether the bytes of a line rule no word out. */
static bool may_hold_all(struct query *query, const char *line, const char *end)
{
  for (size_t i = 0; i < query->count; i++)
    if (query_line(query, &query->words[i], line, end) == NULL) return false;
  return true;
}

/* A line of a block. */
struct looked {
  struct search *search;
  const struct block *block;
  uint64_t number;
};

static uint64_t offset_of(const struct looked *looked, const struct turn *turn)
{
  return looked->block->offset + (uint64_t)(turn->start - looked->block->start);
}

static bool search_record(void *context, const struct turn *turn)
{
  const struct looked *looked = context;
  uint64_t offset = offset_of(looked, turn);
  int result = match(looked->search, turn, offset);
  if (result <= 0) return result == 0;
  const struct place place = {offset, looked->number, (size_t)(turn->end - turn->start)};
  return keep_place(looked->search, &place);
}

/* *number: how many lines there were before this block. */
static bool search_block(struct search *search, const struct block *block, uint64_t *number)
{
  const struct word *rarest = &search->query.words[search->query.rarest];
  const char *counted = block->start, *line = block->start;
  while ((line = query_line(&search->query, rarest, line, block->end)) != NULL) {
    const char *newline = memchr(line, '\n', (size_t)(block->end - line));
    *number += count_newlines(counted, line);
    struct looked looked = {search, block, *number + 1};
    if (may_hold_all(&search->query, line, newline + 1) &&
        !turn_each(line, newline, search_record, &looked))
      return false;
    counted = line;
    line = newline + 1;
  }
  *number += count_newlines(counted, block->end);
  return true;
}

static bool take_first(void *context, const struct turn *turn)
{
  const struct looked *looked = context;
  looked->search->first = offset_of(looked, turn);
  return false;
}

static void find_first(struct search *search, const struct block *block)
{
  struct looked looked = {search, block, 0};
  const char *newline;
  for (const char *p = block->start; p < block->end; p = newline + 1) {
    newline = memchr(p, '\n', (size_t)(block->end - p));
    if (!turn_each(p, newline, take_first, &looked)) return;
  }
}

bool search_file(struct search *search, int fd)
{
  struct reader reader;
  struct block block;
  uint64_t number = 0;
  int result;
  bool done = true;
  search->found = search->places.length = 0;
  search->first = UINT64_MAX;
  window_close(&search->window);
  window_open(&search->window, fd);
  reader_open(&reader, fd, 0);
  while (done && (result = reader_next(&reader, &block)) > 0) {
    if (block.hopeless) {
      number++;
      continue;
    }
    if (search->first == UINT64_MAX) find_first(search, &block);
    done = search_block(search, &block, &number);
  }
  int reason = errno;
  reader_close(&reader);
  errno = reason;
  return done && result == 0;
}

/* ---- hits ---- */

size_t search_count(const struct search *search)
{
  return search->found < search->limit ? search->found : search->limit;
}

/* Gives a hit the text around the first word. False: out of memory. */
static bool cut_text(struct search *search, struct hit *hit)
{
  if (!decode_and_fold(search, &search->text)) return false;
  const char *text = search->decoded.data, *folded = search->folded.data;
  const char *found = query_find(&search->query.words[0], folded, search->folded.length);
  size_t length = search->decoded.length;
  size_t place = found != NULL ? fold_source(text, length, (size_t)(found - folded)) : 0;
  hit->text = turn_excerpt(text, length, place);
  return true;
}

int search_hit(struct search *search, size_t index, struct hit *hit)
{
  struct place place;
  struct turn turn;
  size_t at = (search->found - 1 - index) % search->limit;
  memcpy(&place, search->places.data + at * sizeof place, sizeof place);
  hit->number = place.number;
  hit->record = window_line(&search->window, place.offset, place.length);
  if (hit->record == NULL) return errno == 0 ? 0 : -1;
  if (!turn_parse(hit->record, &turn) || turn.end != hit->record + place.length) return 0;
  int result = match(search, &turn, place.offset);
  return result > 0 && !cut_text(search, hit) ? -1 : result;
}
