/* standing.c: sorted by offset, for a pass over the file. */
#include "memory/standing.h"

#include "base/sort.h"
#include "base/sys.h"

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
