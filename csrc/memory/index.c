/* index.c: the single forward pass over a memory file, and what is asked of it.
 *
 * Items stand in an array that is sorted by id. As ids are given in file order this is the order
 * they come in, and nothing is sorted or looked up while a file of ours is read; files that were
 * merged or edited by hand are sorted once, in index_settle. */
#include "memory/index.h"

#include <errno.h>
#include <string.h>

#include "base/sort.h"
#include "base/sys.h"
#include "base/timestamp.h"
#include "json/objects.h"

static const int64_t NO_TS = -((int64_t)1 << 47); /* the lowest that an item holds */

static void forget_order(struct index *index)
{
  sys_free(index->order);
  index->order = NULL;
}

void index_free(struct index *index)
{
  forget_order(index);
  words_free(&index->words);
  sys_free(index->items);
  sys_free(index->targets);
  buf_free(&index->odd);
  memset(index, 0, sizeof *index);
}

/* ---- growing ---- */

static void *grow_array(void *array, size_t *capacity, size_t needed, size_t size)
{
  if (needed > UINT32_MAX) {
    errno = ENOMEM;
    return NULL;
  }
  size_t larger = *capacity + *capacity / 2;
  if (larger < needed) larger = needed;
  if (larger < 16) larger = 16;
  void *grown = sys_realloc(array, larger * size);
  if (grown != NULL) *capacity = larger;
  return grown;
}

static bool reserve_items(struct index *index, size_t more)
{
  if (index->capacity - index->count >= more) return true;
  struct item *items =
      grow_array(index->items, &index->capacity, index->count + more, sizeof *items);
  if (items != NULL) index->items = items;
  return items != NULL;
}

static bool reserve_targets(struct index *index, size_t more)
{
  if (index->target_capacity - index->target_count >= more) return true;
  uint64_t *targets = grow_array(index->targets, &index->target_capacity,
                                 index->target_count + more, sizeof *targets);
  if (targets != NULL) index->targets = targets;
  return targets != NULL;
}

bool index_reserve(struct index *index, size_t count)
{
  return reserve_items(index, count) && reserve_targets(index, count);
}

/* ---- times ---- */

/* Keeps a time that is not of our form; its place is given as a number below 0. */
static bool keep_odd(struct index *index, const struct slice *ts, int64_t *key)
{
  size_t raw = (size_t)(ts->end - ts->start);
  uint32_t length = 0;
  if (!buf_reserve(&index->odd, sizeof length + raw)) return false;
  char *place = index->odd.data + index->odd.length;
  char *text = place + sizeof length;
  length = (uint32_t)json_unescape(ts->start, ts->end, text);
  if (length == TIMESTAMP_LENGTH && (*key = timestamp_key(text)) >= 0) return true;
  memcpy(place, &length, sizeof length);
  *key = ~(int64_t)index->odd.length;
  index->odd.length += sizeof length + length;
  return true;
}

static bool ts_key(struct index *index, const struct record *record, int64_t *key)
{
  const struct slice *ts = &record->ts;
  if ((*key = record->ts_key) >= 0) return true;
  *key = NO_TS;
  return ts->start == NULL || keep_odd(index, ts, key);
}

const char *index_ts(const struct index *index, const struct item *item, char text[24],
                     size_t *length)
{
  *length = 0;
  int64_t ts = item_ts(item);
  if (ts == NO_TS) return "";
  if (ts >= 0) {
    *length = TIMESTAMP_LENGTH;
    timestamp_text(ts, text);
    return text;
  }
  uint32_t size;
  const char *place = index->odd.data + ~ts;
  memcpy(&size, place, sizeof size);
  *length = size;
  return place + sizeof size;
}

/* As bytes, which for times of our form is as their keys. */
static int compare_ts(const struct index *index, const struct item *a, const struct item *b)
{
  int64_t a_key = item_ts(a), b_key = item_ts(b);
  if (a_key >= 0 && b_key >= 0) return (a_key > b_key) - (a_key < b_key);
  char a_text[24], b_text[24];
  size_t a_length, b_length;
  const char *a_ts = index_ts(index, a, a_text, &a_length);
  const char *b_ts = index_ts(index, b, b_text, &b_length);
  int order = memcmp(a_ts, b_ts, a_length < b_length ? a_length : b_length);
  return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* ---- taking up lines ---- */

static void put_item(struct index *index, const struct record *record, int64_t ts, uint64_t offset,
                     uint32_t length)
{
  struct item *item = &index->items[index->count++];
  int members = record->members < ITEM_MEMBERS_MAX ? record->members : ITEM_MEMBERS_MAX;
  if (index->count > 1) {
    int64_t before = item_ts(&item[-1]);
    index->unsorted |= record->id <= item_id(&item[-1]);
    index->disordered |= ts < before || before < 0;
  }
  item->what = record->id | (uint64_t)record->kind << 53 | (uint64_t)members << 56;
  item->when = (uint64_t)ts << 16 | (length & 0xffff);
  item->where = offset << 16 | length >> 16;
}

static void put_target(struct index *index, uint64_t target)
{
  index->targets[index->target_count++] = target;
}

void index_add(struct index *index, const struct record *record, int64_t ts, uint64_t offset,
               uint32_t length)
{
  index->is_memory = true;
  if (record->kind == KIND_FORGET) put_target(index, record->target);
  else put_item(index, record, ts, offset, length);
  if (record->id > index->max_id) index->max_id = record->id;
}

static bool take_up(struct index *index, const struct record *record, const char *text,
                    uint64_t offset, uint32_t length)
{
  index->has_records = true;
  if (!index->is_memory)
    index->is_memory =
        record_is_item(record) || record_is_tombstone(record) || record_is_meta(text);
  if (record->id > index->max_id) index->max_id = record->id;
  if (record_is_item(record)) {
    int64_t ts;
    if (offset > ITEM_OFFSET_MAX) {
      errno = EFBIG;
      return false;
    }
    if (!reserve_items(index, 1) || !ts_key(index, record, &ts)) return false;
    put_item(index, record, ts, offset, length);
  } else if (record_is_tombstone(record)) {
    if (!reserve_targets(index, 1)) return false;
    put_target(index, record->target);
  }
  return true;
}

/* Takes up what a line holds that is not one object alone. Of one that is unfinished, what is damage
 * may be the beginning of a record: then false in *whole, and it is read again with its rest. */
static bool take_up_parts(struct index *index, const struct block *block, const char *line,
                          const char *newline, bool *whole)
{
  struct objects objects;
  struct part part;
  struct record record;
  struct json_error error;
  objects_begin(&objects, line, newline, true);
  *whole = objects.damage.start == NULL;
  while (objects_next(&objects, &part)) {
    if (part.reason != NULL) continue;
    (void)record_parse_part(part.start, &record, &error);
    if (!take_up(index, &record, part.start, block->offset + (uint64_t)(part.start - block->start),
                 (uint32_t)(part.end - part.start)))
      return false;
  }
  return true;
}

bool index_take(struct index *index, const struct block *block, const char **torn)
{
  struct record record;
  struct json_error error;
  const char *p = block->start;
  *torn = block->end;
  if (block->hopeless && block->unfinished) *torn = block->start;
  if (block->hopeless) return true;
  while (p < block->end) {
    const char *newline = record_parse(p, &record, &error);
    if (newline != NULL) {
      if (!take_up(index, &record, p, block->offset + (uint64_t)(p - block->start),
                   (uint32_t)(newline - p)))
        return false;
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

/* ---- order, duplicates, tombstones ---- */

/* Where an item would be if ids had been given at an even rate. */
static size_t guess_place(const struct index *index, uint64_t id)
{
  const struct item *first = index->items, *last = first + index->count - 1;
  uint64_t lowest = item_id(first), highest = item_id(last);
  if (id <= lowest) return 0;
  if (id >= highest) return index->count - 1;
  return (size_t)((double)(id - lowest) * (double)(index->count - 1) / (double)(highest - lowest));
}

/* Ids are given one after the other, so that an id tells about where its item is. From there the
 * steps grow until the id is passed; between the last two it is found by halving. */
static struct item *find_item(const struct index *index, uint64_t id)
{
  const struct item *items = index->items;
  if (index->count == 0) return NULL;
  size_t guess = guess_place(index, id), low = 0, high = index->count,
         step = 4; /* it is in [low, high) */
  if (item_id(&items[guess]) < id) {
    for (low = guess + 1; low + step < high && item_id(&items[low + step]) < id; step *= 2)
      low += step + 1;
    if (low + step < high) high = low + step + 1;
  } else {
    for (high = guess + 1; high > step && item_id(&items[high - 1 - step]) > id; step *= 2)
      high -= step + 1;
    if (high > step) low = high - 1 - step;
  }
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (item_id(&items[middle]) < id) low = middle + 1;
    else high = middle;
  }
  return low < index->count && item_id(&items[low]) == id ? &index->items[low] : NULL;
}

struct item *index_find(const struct index *index, uint64_t id)
{
  struct item *item = find_item(index, id);
  return item != NULL && !item_is_forgotten(item) ? item : NULL;
}

uint64_t index_untargeted(const struct index *index, uint64_t id, size_t count)
{
  bool moved = id <= index->highest_target;
  while (moved) {
    moved = false;
    for (size_t i = 0; i < index->target_count; i++) {
      if (index->targets[i] < id || index->targets[i] - id >= count) continue;
      id = index->targets[i] + 1;
      moved = true;
    }
  }
  return id;
}

static bool id_before(const void *context, uint32_t a, uint32_t b)
{
  const struct item *items = context;
  return item_id(&items[a]) < item_id(&items[b]);
}

static uint32_t *all_positions(size_t count)
{
  uint32_t *positions = sys_realloc(NULL, count * sizeof *positions);
  if (positions == NULL) return NULL;
  for (size_t i = 0; i < count; i++) positions[i] = (uint32_t)i;
  return positions;
}

/* Sorts the items by id and keeps the last in the file of each. All tombstones are to be applied
 * again. */
static bool sort_items(struct index *index)
{
  uint32_t *positions = all_positions(index->count);
  struct item *sorted = sys_realloc(NULL, index->count * sizeof *sorted);
  bool done = positions != NULL && sorted != NULL &&
              sort_positions(positions, index->count, id_before, index->items);
  if (done) {
    size_t count = 0;
    for (size_t i = 0; i < index->count; i++) {
      const struct item *item = &index->items[positions[i]];
      if (count > 0 && item_id(&sorted[count - 1]) == item_id(item)) count--;
      sorted[count] = *item;
      sorted[count++].what &= ~ITEM_FORGOTTEN;
    }
    memcpy(index->items, sorted, count * sizeof *sorted);
    index->count = count;
    index->active = index->settled_items = index->settled_targets = 0;
    index->disordered = false;
    words_free(&index->words);
  }
  int reason = errno;
  sys_free(positions);
  sys_free(sorted);
  errno = reason;
  return done;
}

static bool was_targeted(const struct index *index, uint64_t id)
{
  if (id > index->highest_target) return false;
  for (size_t i = 0; i < index->settled_targets; i++)
    if (index->targets[i] == id) return true;
  return false;
}

static bool times_ascend(const struct index *index)
{
  for (size_t i = 1; i < index->count; i++)
    if (item_ts(&index->items[i]) < item_ts(&index->items[i - 1]) ||
        item_ts(&index->items[i - 1]) < 0)
      return false;
  return true;
}

bool index_settle(struct index *index)
{
  if (index->unsorted) {
    if (!sort_items(index)) return false;
    index->unsorted = false;
    index->disordered = !times_ascend(index);
  }
  if (index->settled_items < index->count) forget_order(index);
  index->active += index->count - index->settled_items;
  for (size_t i = index->settled_items; i < index->count && index->settled_targets > 0; i++) {
    if (!was_targeted(index, item_id(&index->items[i]))) continue;
    index->items[i].what |= ITEM_FORGOTTEN;
    index->active--;
  }
  enum {
    AHEAD = 16
  }; /* the items stand all over the memory: fetching several at once hides the wait */
  for (size_t i = index->settled_targets; i < index->target_count; i++) {
    if (i + AHEAD < index->target_count && index->count > 0)
      __builtin_prefetch(&index->items[guess_place(index, index->targets[i + AHEAD])]);
    struct item *item = index_find(index, index->targets[i]);
    if (item != NULL) {
      item->what |= ITEM_FORGOTTEN;
      index->active--;
      words_drop(&index->words, (size_t)(item - index->items));
    }
    if (index->targets[i] > index->highest_target) index->highest_target = index->targets[i];
  }
  index->settled_items = index->count;
  index->settled_targets = index->target_count;
  return true;
}

bool index_is_newer(const struct index *index, uint32_t a, uint32_t b)
{
  int order = compare_ts(index, &index->items[a], &index->items[b]);
  return order != 0 ? order > 0 : item_id(&index->items[a]) > item_id(&index->items[b]);
}

static bool older(const void *context, uint32_t a, uint32_t b)
{
  return index_is_newer(context, b, a);
}

bool index_newest(struct index *index, struct newest *newest)
{
  if (index->disordered && index->order == NULL) {
    index->order = all_positions(index->count);
    if (index->order == NULL) return false;
    if (!sort_positions(index->order, index->count, older, index)) {
      forget_order(index);
      return false;
    }
  }
  *newest = (struct newest){index, index->order, index->count};
  return true;
}

const struct item *newest_next(struct newest *newest)
{
  while (newest->left > 0) {
    size_t place = --newest->left;
    const struct item *item =
        &newest->index->items[newest->order != NULL ? newest->order[place] : place];
    if (!item_is_forgotten(item)) return item;
  }
  return NULL;
}
