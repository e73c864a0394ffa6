/* search.c: a file is searched block by block for the rarest word; only lines that may hold every
 * word are parsed. Hits are kept as places and read again when they are asked for. */
#include "session/search.h"

#include "base/sort.h"
#include "base/hidden.h"

struct place {
  uint64_t offset, number; /* of the record, of its line */
  size_t length;
};

void search_free(struct search *search)
{
  query_free(&search->query);
  reader_close(&search->reader);
  window_close(&search->window);
  buf_free(&search->lines);
  buf_free(&search->matches);
  buf_free(&search->places);
  said_free(&search->said);
}

/* ---- records ---- */

static uint64_t offset_of(const struct search *search, const struct turn *turn)
{
  return search->line.offset + (uint64_t)(turn->start - search->line.text);
}

/* False: no further string is needed, or memory ran out, and then words are missing. */
static bool match_string(void *context, const struct slice *string)
{
  struct search *search = context;
  if (!said_take(&search->said, string)) return false;
  const char *folded = search->said.folded.data, *end = folded + search->said.folded.length;
  for (size_t i = 0; i < search->query.count; i++) {
    if ((search->missing >> i & 1) == 0 ||
        needle_find(&search->query.words[i].whole, folded, end) == NULL)
      continue;
    search->missing &= ~(1ULL << i);
    if (i == 0) search->text = *string;
  }
  return search->missing != 0;
}

static bool take_first(void *context, const struct turn *turn)
{
  struct search *search = context;
  search->first = offset_of(search, turn);
  return false;
}

/* Whether the record at `offset` is the first of the file, which is read again for that. 1, 0, or -1 and
 * errno. */
static int is_first(struct search *search, uint64_t offset)
{
  const struct line looked_at = search->line;
  struct lines lines;
  int result = 1;
  lines_open(&lines, search->window.fd, 0);
  while (search->first == UINT64_MAX && (result = lines_next(&lines, &search->line)) > 0)
    if (!search->line.hopeless)
      (void)turn_each(search->line.text, search->line.newline, take_first, search);
  lines_close(&lines);
  search->line = looked_at;
  return result < 0 ? -1 : search->first == offset;
}

/* Whether the record at `offset` holds all words and is of the role and the time; the session's meta
 * is not searched. 1: it matches, 0: it does not, -1 and errno. */
static int match(struct search *search, const struct turn *turn, uint64_t offset)
{
  int passes = turn_passes(turn, &search->filter, &search->said.decoded);
  if (passes <= 0) return passes;
  search->missing = UINT64_MAX >> (QUERY_WORDS - search->query.count);
  bool to_the_end = turn_strings(turn, match_string, search);
  if (search->missing != 0) return to_the_end ? 0 : -1;
  int first = turn->meta != NULL ? is_first(search, offset) : 0;
  return first < 0 ? -1 : !first;
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

/* Whether the bytes of a line rule no other word out than the rarest. */
static bool may_hold_others(struct query *query, const struct line *line)
{
  for (size_t i = 0; i < query->count; i++)
    if (i != query->rarest &&
        query_line(query, &query->words[i], line->text, line->newline + 1) == NULL)
      return false;
  return true;
}

/* Finds the lines of a block that may match. *number: how many lines there were before it. */
static bool find_lines(struct search *search, const struct block *block, uint64_t *number)
{
  struct query *query = &search->query;
  const char *counted = block->start, *p = block->start;
  search->lines.length = 0;
  while ((p = query_line(query, &query->words[query->rarest], p, block->end)) != NULL) {
    struct line line = {.text = p, .offset = block->offset + (uint64_t)(p - block->start)};
    line.newline = memchr(p, '\n', (size_t)(block->end - p));
    *number += count_newlines(counted, p);
    line.number = *number + 1;
    if (may_hold_others(query, &line) && !BUF_PUSH(&search->lines, &line)) return false;
    counted = p;
    p = line.newline + 1;
  }
  *number += count_newlines(counted, block->end);
  return true;
}

static bool match_record(void *context, const struct turn *turn)
{
  struct search *search = context;
  const struct place place = {offset_of(search, turn), search->line.number,
                              (size_t)(turn->end - turn->start)};
  int result = match(search, turn, place.offset);
  return result > 0 ? BUF_PUSH(&search->matches, &place) : result == 0;
}

static bool is_earlier(const void *places, uint32_t a, uint32_t b)
{
  return ((const struct place *)places)[a].offset < ((const struct place *)places)[b].offset;
}

/* Looks at the lines from the last on: of a word that is in each of them only the last are wanted. */
static bool search_block(struct search *search, const struct block *block, uint64_t *number)
{
  struct buf *matches = &search->matches;
  if (!find_lines(search, block, number)) return false;
  matches->length = 0;
  for (size_t i = BUF_COUNT(struct line, &search->lines); i-- > 0;) {
    if (BUF_COUNT(struct place, matches) >= search->limit) break;
    search->line = BUF_ITEMS(struct line, &search->lines)[i];
    if (!turn_each(search->line.text, search->line.newline, match_record, search)) return false;
  }
  const struct place *places = BUF_ITEMS(struct place, matches);
  size_t count = BUF_COUNT(struct place, matches);
  if (!sort_elements(matches->data, count, sizeof *places, is_earlier, places)) return false;
  for (size_t i = 0; i < count; i++)
    if (!keep_place(search, &places[i])) return false;
  return true;
}

bool search_file(struct search *search, int fd)
{
  struct reader *reader = &search->reader;
  struct block block;
  uint64_t number = 0;
  int result;
  bool done = true;
  search->found = search->places.length = 0;
  search->first = UINT64_MAX;
  window_close(&search->window);
  window_open(&search->window, fd);
  reader_restart(reader, fd, 0);
  while (done && (result = reader_next(reader, &block)) > 0) {
    if (block.hopeless) number++;
    else done = search_block(search, &block, &number);
  }
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
  if (!said_take(&search->said, &search->text)) return false;
  const char *folded = search->said.folded.data, *end = folded + search->said.folded.length;
  const char *found = needle_find(&search->query.words[0].whole, folded, end);
  hit->text = said_excerpt(&search->said, found != NULL ? (size_t)(found - folded) : 0);
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
