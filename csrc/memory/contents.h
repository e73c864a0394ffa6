/* contents.h: finds an item by its kind and content, in 16 to 19 bytes an item. */
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "base/table.h"
#include "file/window.h"
#include "memory/record.h"

struct index;

struct contents {
  struct table table; /* of the numbers of an index's items, of those of one hash the last */
  struct buf older; /* uint32_t, of each item: the number of the one before it, and 1; 0: none */
  struct hash_key key; /* of hashes, set by whoever begins */
};

void contents_free(struct contents *contents);

/* Takes up the active items of an index, its file in the window, that came since the last time, with a
 * buffer to decode in. False with errno; the next time goes on. */
bool contents_take_up(struct index *index, struct window *window, struct buf *scratch);

uint32_t contents_hash(const struct contents *contents, enum record_kind kind,
                       struct bytes content);

/* How many of the index's items were taken up. */
static inline size_t contents_count(const struct contents *contents)
{
  return BUF_COUNT(uint32_t, &contents->older);
}

/* Takes up the next one. False with errno ENOMEM. */
bool contents_put(struct index *index, uint32_t hash);
/* The number of the last item of a hash, and 1; 0: there is none. */
uint32_t contents_last(const struct contents *contents, uint32_t hash);
/* The same of the one before an item. */
static inline uint32_t contents_before(const struct contents *contents, uint32_t number)
{
  return BUF_ITEMS(uint32_t, &contents->older)[number];
}

/* 1: the item is active and has this kind and content, 0: it has not; -1 and errno. */
int contents_compare(const struct index *index, uint32_t number, struct window *window,
                     enum record_kind kind, struct bytes content, struct buf *scratch);
