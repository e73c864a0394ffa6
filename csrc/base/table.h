/* table.h: a hash table of numbers, each under a hash of what it is the number of. Different things may have
 * the same hash: the caller compares them. */
#pragma once

#include "base/std.h"

struct table {
  uint64_t *slots; /* the hash in the upper half, the number plus 1 in the lower; 0: none */
  size_t slot_count, used;
};

/* Going over the numbers of a hash. */
struct probe {
  uint32_t hash, number;
  size_t slot, next; /* where the number stands, and where the next may */
};

void table_free(struct table *table);
/* Puts a number, below UINT32_MAX. False with errno ENOMEM. */
bool table_put(struct table *table, uint32_t hash, uint32_t number);
/* Puts another in the place of the one that a probe has come to. */
void table_replace(struct table *table, const struct probe *probe, uint32_t number);

struct probe table_probe(const struct table *table, uint32_t hash);
/* Goes to the next number; false at the end. */
bool probe_next(struct probe *probe, const struct table *table);

/* Prefetches the slot of a hash that will be asked for. */
static inline void table_expect(const struct table *table, uint32_t hash)
{
  if (table->slot_count > 0)
    __builtin_prefetch(&table->slots[(uint64_t)hash * table->slot_count >> 32]);
}
