/* index.c: the single forward pass over a memory file, and what is asked of it.
 *
 * 1. Taking up a record looks at nothing but that record. As ids and times are given in file order,
 *    a file of ours comes sorted; the order is looked at, and tombstones are applied, when it is
 *    first asked for items. Opening a file and adding to it does not ask.
 * 2. Items that do not come sorted are sorted by id. Those that share one are read again, and told
 *    from their copies and from what a higher `rev` has replaced: see twins.c.
 * 3. A tombstone retires items wherever in the file they stand. Whether its `of` names an item is
 *    looked up in the item's line, in the order of the file. No two names are taken for equal
 *    without comparing them whole: an item that nobody forgot is never hidden. */
#include "memory/index.h"

#include "base/sort.h"
#include "base/sys.h"
#include "memory/twins.h"
#include "base/hidden.h"

/* A `when` from here on is no timestamp_key, but MOMENTS and a place in `moments`. */
static const int64_t MOMENTS = (int64_t)1 << 47;

void index_free(struct index *index)
{
  sys_free(index->order);
  words_free(&index->words);
  contents_free(&index->contents);
  tombstones_free(&index->tombstones);
  buf_free(&index->moments);
  sys_free(index->items);
  memset(index, 0, sizeof *index);
}

/* ---- times ---- */

/* A time that is not of our form is kept beside; *when says where. */
static bool keep_moment(struct index *index, const struct slice *ts, int64_t *when)
{
  struct buf unescaped = {NULL, 0, 0};
  struct bytes text;
  *when = MOMENTS + (int64_t)BUF_COUNT(struct moment, &index->moments);
  if (!slice_bytes(ts, &unescaped, &text)) return false;
  const struct moment moment = moment_of(text.start, text.length);
  buf_free(&unescaped);
  return BUF_PUSH(&index->moments, &moment);
}

struct moment item_moment(const struct index *index, const struct item *item)
{
  if (item->when < MOMENTS) return (struct moment){(int64_t)item->when, 0};
  return BUF_ITEMS(struct moment, &index->moments)[item->when - MOMENTS];
}

/* ---- taking up records ---- */

static bool reserve_item(struct index *index)
{
  if (index->count < index->capacity) return true;
  size_t larger = index->capacity < 16 ? 16 : index->capacity + index->capacity / 2;
  errno = ENOMEM;
  struct item *items =
      larger < UINT32_MAX ? sys_realloc(index->items, larger * sizeof *items) : NULL;
  if (items == NULL) return false;
  index->items = items;
  index->capacity = larger;
  return true;
}

/* Makes ready for an item for which there is no room, or whose time or offset is of another form. Out of
 * line, so that callers need not save registers for each item. */
__attribute__((noinline)) static bool prepare(struct index *index, const struct record *record,
                                              uint64_t offset, int64_t *when)
{
  errno = EFBIG;
  return offset <= ITEM_OFFSET_MAX && reserve_item(index) &&
         (*when >= 0 || keep_moment(index, &record->ts, when));
}

static inline bool add_item(struct index *index, const struct record *record, uint64_t offset,
                            uint32_t length)
{
  int64_t when = record->ts_key;
  bool plain = when >= 0 && offset <= ITEM_OFFSET_MAX && index->count < index->capacity;
  if (!plain && !prepare(index, record, offset, &when)) return false;
  const unsigned members = (unsigned)record->members;
  index->items[index->count++] = (struct item){
      .id = record->id & RECORD_ID_MAX,
      .kind = record->kind & 7,
      .members = members < ITEM_MEMBERS_MAX ? members & ITEM_MEMBERS_MAX : ITEM_MEMBERS_MAX,
      .when = (uint64_t)when & ITEM_OFFSET_MAX,
      .offset = offset & ITEM_OFFSET_MAX,
      .length_low = length & 0xffff,
      .length_high = (uint64_t)length >> 16 & 0xffff,
  };
  return true;
}

static inline bool add_record(struct index *index, const struct record *record, uint64_t offset,
                              uint32_t length)
{
  if (record->id > index->max_id) index->max_id = record->id;
  if (record_is_item(record)) return add_item(index, record, offset, length);
  /* A tombstone that targets its own id retires nothing. */
  return !record_is_tombstone(record) || record->target == record->id ||
         tombstones_add(&index->tombstones, record, index->max_id);
}

bool index_add(struct index *index, const struct record *record, uint64_t offset, uint32_t length)
{
  return add_record(index, record, offset, length);
}

void index_note_kind(struct index *index, const struct record *record, const char *text)
{
  if (index->kind < FILE_ITEMS) index->kind = record_file_kind(record, text);
}

void index_begin_parts(struct index *index, struct objects *objects, const char *line,
                       const char *newline)
{
  const enum file_kind kind =
      index_is_memory(index) ? FILE_UNKNOWN : line_file_kind(line, newline, FILE_ITEMS);
  if (kind > index->kind) index->kind = kind;
  objects_begin(objects, line, newline, index_is_memory(index) || index->as_memory);
  index->doubted = index->doubted || (objects->damage.start != NULL && !index_is_memory(index));
}

/* Takes up what a line holds that is not one object alone. Where it holds none, it may be the beginning
 * of a record: then false in *whole, and an unfinished one is read again with its rest. What was taken
 * up of it once would stay. */
static bool take_up_parts(struct index *index, const struct block *block, const char *line,
                          const char *newline, bool *whole)
{
  struct objects objects;
  struct part part;
  struct record record;
  index_begin_parts(index, &objects, line, newline);
  *whole = objects.damage.start == NULL;
  while (objects_next(&objects, &part)) {
    if (part.reason != NULL) continue;
    *whole = true;
    (void)record_parse_part(part.start, &record);
    const uint64_t offset = block->offset + (uint64_t)(part.start - block->start);
    if (!add_record(index, &record, offset, (uint32_t)(part.end - part.start))) return false;
  }
  return true;
}

bool index_take(struct index *index, const struct block *block, const char **torn)
{
  struct record record;
  const char *p = block->start;
  *torn = block->end;
  if (block->hopeless && block->unfinished) *torn = block->start;
  if (block->hopeless) return true;
  while (p < block->end) {
    const char *newline = record_parse(p, &record);
    if (newline != NULL) {
      index_note_kind(index, &record, p);
      const uint64_t offset = block->offset + (uint64_t)(p - block->start);
      if (!add_record(index, &record, offset, (uint32_t)(newline - p))) return false;
    } else {
      newline = memchr(p, '\n', (size_t)(block->end - p));
      bool whole;
      if (!take_up_parts(index, block, p, newline, &whole)) return false;
      if (!whole && block->unfinished && newline + 1 == block->end) *torn = p;
    }
    p = newline + 1;
  }
  return true;
}

/* ---- finding ---- */

/* The first item of an id or of a higher one. */
static size_t place_of(const struct index *index, uint64_t id)
{
  size_t low = 0, high = index->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (index->items[middle].id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Whether there is an item of this id at a place. */
static bool has_id(const struct index *index, size_t place, uint64_t id)
{
  return place < index->count && index->items[place].id == id;
}

const struct item *index_find(const struct index *index, uint64_t id, const struct item *newer)
{
  size_t place = newer != NULL ? (size_t)(newer - index->items) : place_of(index, id + 1);
  while (place-- > 0 && index->items[place].id == id)
    if (!index->items[place].forgotten) return &index->items[place];
  return NULL;
}

bool index_shares_id(const struct index *index, size_t place)
{
  uint64_t id = index->items[place].id;
  return has_id(index, place + 1, id) || (place > 0 && has_id(index, place - 1, id));
}

int item_line(const struct item *item, struct window *window, const char **line)
{
  *line = window_line(window, item->offset, item_length(item));
  if (*line != NULL) return 1;
  return errno == 0 ? 0 : -1;
}

/* ---- settling: which items there are ---- */

/* An item that one of the tombstones of its id retires if it has the name. */
struct asked {
  uint32_t item;
  struct targeting targeting;
};

struct settling {
  struct index *index;
  struct window window;
  struct buf asked; /* struct asked */
  struct buf name;
};

/* None of the items is settled. */
static void unsettle(struct index *index)
{
  words_free(&index->words);
  contents_free(&index->contents);
  for (size_t i = 0; i < index->settled; i++) index->items[i].forgotten = false;
  index->settled = index->active = 0;
  index->disordered = false;
  index->tombstones.settled = 0;
}

static bool id_before(const void *items, uint32_t a, uint32_t b)
{
  return ((const struct item *)items + a)->id < ((const struct item *)items + b)->id;
}

/* Whether all new items have higher ids than the ones before; notes whether they have later times. */
static bool note_order(struct index *index)
{
  bool sorted = true;
  for (size_t i = index->settled > 0 ? index->settled : 1; i < index->count; i++) {
    const struct item *item = &index->items[i];
    sorted &= item->id > item[-1].id;
    index->disordered |= item->when < item[-1].when || item->when >= MOMENTS;
  }
  return sorted;
}

static bool sort_new(struct settling *settling)
{
  struct index *index = settling->index;
  if (index->settled < index->count) {
    sys_free(index->order);
    index->order = NULL;
  }
  if (!note_order(index)) {
    unsettle(index);
    if (!sort_elements(index->items, index->count, sizeof *index->items, id_before, index->items) ||
        !twins_settle(index, &settling->window))
      return false;
    (void)note_order(index);
  }
  index->active += index->count - index->settled;
  return true;
}

/* ---- settling: which are active ---- */

static void retire(struct index *index, size_t place)
{
  index->items[place].forgotten = true;
  index->active--;
  words_drop(&index->words, place);
}

static bool ask(struct settling *settling, size_t place, const struct targeting *targeting)
{
  const struct asked asked = {(uint32_t)place, *targeting};
  if (settling->index->items[place].forgotten) return true;
  if (!targeting->all) return BUF_PUSH(&settling->asked, &asked);
  retire(settling->index, place);
  return true;
}

/* What the new tombstones say to all items; and all of them, where one may be of a new item. */
static bool ask_all(struct settling *settling)
{
  struct index *index = settling->index;
  struct tombstones *tombstones = &index->tombstones;
  struct targeting targeting;
  const size_t settled = index->settled;
  if (settled < index->count && index->items[settled].id <= tombstones->highest)
    tombstones->settled = 0;
  if (!tombstones_sort(tombstones)) return false;
  for (size_t at = tombstones->settled; tombstones_next(tombstones, at, &targeting);
       at = targeting.to)
    for (size_t i = place_of(index, targeting.target); has_id(index, i, targeting.target); i++)
      if (!ask(settling, i, &targeting)) return false;
  return true;
}

static const struct item *item_asked(const struct settling *settling, size_t place)
{
  return &settling->index->items[BUF_ITEMS(struct asked, &settling->asked)[place].item];
}

static bool asked_before(const void *context, uint32_t a, uint32_t b)
{
  return item_asked(context, a)->offset < item_asked(context, b)->offset;
}

/* Looks up the name of an item, and retires it if it is asked for. */
static bool answer(struct settling *settling, const struct asked *asked)
{
  struct index *index = settling->index;
  struct record record;
  struct bytes name;
  const char *line;
  int read = item_line(&index->items[asked->item], &settling->window, &line);
  if (read <= 0) return read == 0;
  if (record_parse_part(line, &record) == NULL) return true;
  if (!slice_bytes(record_name(&record), &settling->name, &name)) return false;
  if (tombstones_retire(&index->tombstones, &asked->targeting, name)) retire(index, asked->item);
  return true;
}

static bool answer_all(struct settling *settling)
{
  struct asked *asked = BUF_ITEMS(struct asked, &settling->asked);
  size_t count = BUF_COUNT(struct asked, &settling->asked);
  if (!sort_elements(asked, count, sizeof *asked, asked_before, settling)) return false;
  for (size_t i = 0; i < count; i++)
    if (!answer(settling, &asked[i])) return false;
  return true;
}

bool index_settle(struct index *index, int fd)
{
  struct tombstones *tombstones = &index->tombstones;
  const size_t count = tombstones_count(tombstones);
  if (index->settled == index->count && tombstones->settled == count) return true;
  struct settling settling = {.index = index};
  window_open(&settling.window, fd);
  bool done = sort_new(&settling) && ask_all(&settling) && answer_all(&settling);
  index->settled = index->count; /* of all of them unsettle clears the marks */
  tombstones->settled = count;
  if (!done) unsettle(index);
  window_close(&settling.window);
  buf_free(&settling.asked);
  buf_free(&settling.name);
  return done;
}

/* ---- order ---- */

/* Items that are of one time stand in order in the index. */
bool index_is_newer(const struct index *index, uint32_t a, uint32_t b)
{
  int order =
      moment_compare(item_moment(index, &index->items[a]), item_moment(index, &index->items[b]));
  return order != 0 ? order > 0 : a > b;
}

static bool item_older(const void *context, uint32_t a, uint32_t b)
{
  return index_is_newer(context, b, a);
}

bool index_sort(struct index *index)
{
  if (!index->disordered || index->order != NULL) return true;
  index->order = sorted_positions(index->count, item_older, index);
  return index->order != NULL;
}

/* ---- in the order of the file ---- */

static bool stands_before(const void *context, uint32_t a, uint32_t b)
{
  const struct item *items = context;
  return items[a].offset < items[b].offset;
}

bool standing_begin(struct standing *standing, const struct index *index)
{
  uint32_t *positions = sorted_positions(index->count, stands_before, index->items);
  *standing = (struct standing){.index = index, .positions = positions};
  return positions != NULL;
}

void standing_end(struct standing *standing)
{
  sys_free(standing->positions);
  standing->positions = NULL;
}

const struct item *standing_at(struct standing *standing, uint64_t offset)
{
  const struct index *index = standing->index;
  for (; standing->next < index->count; standing->next++) {
    const struct item *item = &index->items[standing->positions[standing->next]];
    if (item->offset + item_length(item) > offset) return item->offset <= offset ? item : NULL;
  }
  return NULL;
}
