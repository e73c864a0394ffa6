/* index.h: what is in a memory file, in 24 bytes an item and 16 a tombstone: which items there are,
 * which of them are active, and their order. */
#pragma once

#include "base/buf.h"
#include "base/timestamp.h"
#include "file/reader.h"
#include "file/window.h"
#include "memory/contents.h"
#include "memory/kind.h"
#include "memory/tombstones.h"
#include "text/words.h"
#include "json/objects.h"

enum { ITEM_MEMBERS_MAX = 127 };
#define ITEM_OFFSET_MAX (((uint64_t)1 << 48) - 1)

/* A page of memory less for 170 items is a page fault less. */
struct item {
  uint64_t forgotten : 1; /* a tombstone retires it */
  uint64_t members : 7; /* of the line's object, or the most */
  uint64_t kind : 3, id : 53; /* enum record_kind */
  uint64_t length_low : 16, when : 48; /* see item_length, item_moment */
  uint64_t length_high : 16, offset : 48; /* of the line, in the file */
};

/* Of the line, without its newline. */
static inline uint32_t item_length(const struct item *item)
{
  return (uint32_t)(item->length_high << 16 | item->length_low);
}

/* Records are taken up as they come. index_settle makes of them the items, each once, sorted by id,
 * those of one id from the oldest to the newest; whatever looks at items needs that. */
struct index {
  struct item *items;
  size_t count, capacity;
  size_t settled; /* how many of the items are; all of them are sorted */
  size_t active; /* items that are not forgotten */
  struct tombstones tombstones;
  struct buf moments; /* struct moment: times that are no timestamp_key */
  bool disordered; /* the times do not ascend with the ids */
  uint32_t *order; /* then: the items from the oldest to the newest, or NULL: not sorted yet */
  struct words words; /* of the items, as far as they were taken up for ranking */
  struct contents contents; /* and as far as they were for `unique` */
  uint64_t max_id; /* of any record that has an id */
  enum file_kind kind; /* by the records so far */
  bool as_memory; /* so damaged lines were taken up before it was known what the file is: */
  bool doubted; /* there were such */
};

void index_free(struct index *index);

static inline bool index_is_memory(const struct index *index)
{
  return index->kind >= FILE_ITEMS;
}

/* Takes up the records of a block of lines. *torn is where the beginning of a line stands at its end,
 * or block->end: every line that is an object counts, also a last one without its newline. False with
 * errno: ENOMEM, or EFBIG where the file is too large. */
bool index_take(struct index *index, const struct block *block, const char **torn);
/* Notes what a record that stands at `text` tells of what the file is. */
void index_note_kind(struct index *index, const struct record *record, const char *text);
/* Begins with what a line holds that is not one object alone: a memory's, if that is what the file is, or
 * is supposed to be. */
void index_begin_parts(struct index *index, struct objects *objects, const char *line,
                       const char *newline);
/* Takes up one record, in a line, or a part of one, of `length` bytes at `offset`. False as above. */
bool index_add(struct index *index, const struct record *record, uint64_t offset, uint32_t length);

/* Sorts the items and applies the tombstones, if anything was taken up since the last time. The file
 * is read where ids are shared, and where an item that a tombstone's `of` may name is to be looked
 * at. False with errno; the next time begins anew. */
bool index_settle(struct index *index, int fd);

/* The newest active item of an id, or the next one behind another of that; NULL: there is none. */
const struct item *index_find(const struct index *index, uint64_t id, const struct item *newer);
/* Whether an item, active or not, shares its id with another. */
bool index_shares_id(const struct index *index, size_t place);

/* 1 and an item's line, as window_line has it; 0: it is not there any more; -1 and errno. */
int item_line(const struct item *item, struct window *window, const char **line);

struct moment item_moment(const struct index *index, const struct item *item);
/* Whether an item comes before another in the order of results. */
bool index_is_newer(const struct index *index, uint32_t a, uint32_t b);

/* Sorts the items by time, where their ids are in another order. False with errno ENOMEM. */
bool index_sort(struct index *index);

/* The item at a place in that order: the newest is the last. */
static inline const struct item *index_sorted(const struct index *index, size_t place)
{
  return &index->items[index->order != NULL ? index->order[place] : place];
}

/* The items in the order in which they stand in the file. */
struct standing {
  const struct index *index;
  uint32_t *positions; /* in the index */
  size_t next; /* up to which they were asked for */
};

/* Of a settled index, which must not change meanwhile. False with errno ENOMEM. */
bool standing_begin(struct standing *standing, const struct index *index);
void standing_end(struct standing *standing);
/* The item whose record, or whose line, if it is alone on that, stands over an offset, or NULL; asked in the
 * order of the file. */
const struct item *standing_at(struct standing *standing, uint64_t offset);
