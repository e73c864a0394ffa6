/* contents.h: finds an item by its kind and content, in 12 to 15 bytes an item. */
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "base/table.h"
#include "file/window.h"
#include "memory/record.h"

struct index;

struct contents {
  struct table table; /* of the numbers of items in an index */
  struct hash_key key; /* of hashes, set by whoever begins */
  size_t count; /* of the index's items, so many were taken up */
};

void contents_free(struct contents *contents);

/* Takes up the active items of an index, its file in the window, that came since the last time, with a
 * buffer to decode in. False with errno; the next time goes on. */
bool contents_take_up(struct index *index, struct window *window, struct buf *scratch);

uint32_t contents_hash(const struct contents *contents, enum record_kind kind,
                       struct bytes content);

/* Puts one of the index's items, in the place of one of the same hash that was forgotten. */
bool contents_put_item(struct index *index, uint32_t hash, uint32_t number);

/* 1: the item is active and has this kind and content, 0: it has not; -1 and errno. */
int contents_compare(const struct index *index, uint32_t number, struct window *window,
                     enum record_kind kind, struct bytes content, struct buf *scratch);
