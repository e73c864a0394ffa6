/* table.c: open addressing with linear probing. A hash, scaled to the number of slots, says where the search
 * begins. It is short while about two in three are used at most. */
#include "base/table.h"

#include "base/sys.h"
#include "base/hidden.h"

void table_free(struct table *table)
{
  sys_free(table->slots);
  *table = (struct table){NULL, 0, 0};
}

struct probe table_probe(const struct table *table, uint32_t hash)
{
  return (struct probe){.hash = hash, .next = (size_t)((uint64_t)hash * table->slot_count >> 32)};
}

bool probe_next(struct probe *probe, const struct table *table)
{
  while (table->slot_count > 0 && table->slots[probe->next] != 0) {
    probe->slot = probe->next++;
    if (probe->next == table->slot_count) probe->next = 0;
    probe->number = (uint32_t)table->slots[probe->slot] - 1;
    if (table->slots[probe->slot] >> 32 == probe->hash) return true;
  }
  return false;
}

/* There is room. */
static void put_slot(struct table *table, uint64_t slot)
{
  struct probe probe = table_probe(table, (uint32_t)(slot >> 32));
  while (probe_next(&probe, table)) {
  }
  table->slots[probe.next] = slot;
}

static bool grow(struct table *table)
{
  struct table larger = *table;
  larger.slot_count = table->slot_count < 16 ? 16 : table->slot_count / 4 * 5;
  larger.slots = sys_realloc(NULL, larger.slot_count * sizeof *larger.slots);
  if (larger.slots == NULL) return false;
  memset(larger.slots, 0, larger.slot_count * sizeof *larger.slots);
  for (size_t i = 0; i < table->slot_count; i++)
    if (table->slots[i] != 0) put_slot(&larger, table->slots[i]);
  sys_free(table->slots);
  *table = larger;
  return true;
}

static inline uint64_t to_slot(uint32_t hash, uint32_t number)
{
  return (uint64_t)hash << 32 | (number + 1);
}

bool table_put(struct table *table, uint32_t hash, uint32_t number)
{
  if (table->used >= table->slot_count / 3 * 2 && !grow(table)) return false;
  put_slot(table, to_slot(hash, number));
  table->used++;
  return true;
}

void table_replace(struct table *table, const struct probe *probe, uint32_t number)
{
  table->slots[probe->slot] = to_slot(probe->hash, number);
}
