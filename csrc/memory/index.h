/* index.h: what is in a memory file, in 24 bytes an item and 8 a tombstone. */
#ifndef AISH_INDEX_H
#define AISH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "file/reader.h"
#include "memory/record.h"
#include "text/words.h"

#pragma GCC visibility push(hidden)

/* An item, packed: a page of memory less for 170 items is a page fault less. */
struct item {
  uint64_t what; /* id: 53 bits; kind: 3; members, or the most: 7; a tombstone targets it: 1 */
  uint64_t when; /* the low 16 bits of the line's length; the time: 48, with a sign */
  uint64_t where; /* the high 16 bits of the length; the line's offset in the file: 48 */
};

enum { ITEM_MEMBERS_MAX = 127 };
#define ITEM_FORGOTTEN ((uint64_t)1 << 63)
#define ITEM_OFFSET_MAX (((uint64_t)1 << 48) - 1)

static inline uint64_t item_id(const struct item *item)
{
  return item->what & RECORD_ID_MAX;
}

static inline enum record_kind item_kind(const struct item *item)
{
  return (enum record_kind)(item->what >> 53 & 7);
}

static inline int item_members(const struct item *item)
{
  return (int)(item->what >> 56 & ITEM_MEMBERS_MAX);
}

static inline bool item_is_forgotten(const struct item *item)
{
  return (item->what & ITEM_FORGOTTEN) != 0;
}

/* A timestamp_key; below 0: ~ts is where the text stands among the odd ones. */
static inline int64_t item_ts(const struct item *item)
{
  return (int64_t)item->when >> 16;
}

static inline uint64_t item_offset(const struct item *item)
{
  return item->where >> 16;
}

/* Of the line, without its newline. */
static inline uint32_t item_length(const struct item *item)
{
  return (uint32_t)((item->where & 0xffff) << 16 | (item->when & 0xffff));
}

/* The items are sorted by id, one an id, once index_settle has run. */
struct index {
  struct item *items;
  size_t count, capacity;
  uint64_t *targets;
  size_t target_count, target_capacity;
  uint64_t highest_target;
  size_t settled_items, settled_targets; /* how many of each index_settle has seen */
  size_t active; /* items that are not forgotten */
  bool unsorted; /* the ids do not ascend */
  bool disordered; /* the times do not ascend with the ids */
  struct words words; /* of the items, as far as they were taken up for ranking */
  uint32_t *order; /* then: the items from the oldest to the newest, or NULL: not sorted yet */
  uint64_t max_id; /* of any record that has an id */
  bool has_records, is_memory; /* any at all; an item, a tombstone or a memory's first line */
  struct buf odd; /* times of other forms than ours, a length before each */
};

void index_free(struct index *index);

/* Takes up the records of a block of lines; index_settle is called after the last. *torn is where
 * the beginning of a line stands at its end, or block->end: every line that is an object counts,
 * also a last one without its newline. False with errno ENOMEM or EFBIG. */
bool index_take(struct index *index, const struct block *block, const char **torn);

/* Makes room for `count` more items or tombstones, so that index_add cannot fail. */
bool index_reserve(struct index *index, size_t count);
/* Takes up one line that was just written. Its time is a timestamp_key. */
void index_add(struct index *index, const struct record *record, int64_t ts, uint64_t offset,
               uint32_t length);
/* Sorts what is new and applies tombstones. False with errno ENOMEM. */
bool index_settle(struct index *index);

/* The first of `count` numbers in a row, from `id` on, that no tombstone targets. */
uint64_t index_untargeted(const struct index *index, uint64_t id, size_t count);

/* The active item of an id, or NULL. */
struct item *index_find(const struct index *index, uint64_t id);

/* An item's time as text of *length bytes; `text` has room for one of our form. */
const char *index_ts(const struct index *index, const struct item *item, char text[24],
                     size_t *length);

/* Whether an item is newer than another: by time, then by id. */
bool index_is_newer(const struct index *index, uint32_t a, uint32_t b);

/* Going over the active items, newest first. */
struct newest {
  const struct index *index;
  const uint32_t *order; /* NULL: they are in order */
  size_t left;
};

/* Sorts the items if they are not in order of time. False with errno ENOMEM. */
bool index_newest(struct index *index, struct newest *newest);
/* The next one, or NULL; until the index changes. */
const struct item *newest_next(struct newest *newest);

#pragma GCC visibility pop
#endif
