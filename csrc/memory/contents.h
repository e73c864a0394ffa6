/* contents.h: finds an item by its kind and content, in 12 to 15 bytes an item. */
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "file/window.h"
#include "memory/record.h"

struct index;

/* A hash table of numbers: of items in an index, or of whatever else has kinds and contents. Those of one
 * hash may be of others: they are compared by whoever asks. */
struct contents {
  uint64_t *slots; /* the hash, and the number and 1; 0: none */
  size_t slot_count, used;
  struct hash_key key; /* of hashes, set by whoever begins */
  size_t count; /* of the index's items, so many were taken up */
};

void contents_free(struct contents *contents);

/* Takes up the active items of an index, its file in the window, that came since the last time, with a
 * buffer to decode in. False with errno; the next time goes on. */
bool contents_take_up(struct index *index, struct window *window, struct buf *scratch);

uint32_t contents_hash(const struct contents *contents, enum record_kind kind,
                       struct bytes content);

/* Going over the numbers of a hash. */
struct probe {
  uint32_t hash, number;
  size_t slot, next; /* where the number stands, and where the next may */
};

struct probe contents_probe(const struct contents *contents, uint32_t hash);
/* Goes to the next number; false at the end. */
bool probe_next(struct probe *probe, const struct contents *contents);

/* Fetches the place of a hash that will be asked for. */
static inline void contents_expect(const struct contents *contents, uint32_t hash)
{
  if (contents->slot_count > 0)
    __builtin_prefetch(&contents->slots[(uint64_t)hash * contents->slot_count >> 32]);
}

/* Puts a number. False with errno ENOMEM. */
bool contents_put(struct contents *contents, uint32_t hash, uint32_t number);
/* Puts one of the index's items, in the place of one of the same hash that was forgotten. */
bool contents_put_item(struct index *index, uint32_t hash, uint32_t number);

/* 1: the item is active and has this kind and content, 0: it has not; -1 and errno. */
int contents_compare(const struct index *index, uint32_t number, struct window *window,
                     enum record_kind kind, struct bytes content, struct buf *scratch);
