/* standing.h: the items of an index in the order in which they stand in the file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/index.h"

#pragma GCC visibility push(hidden)

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

#pragma GCC visibility pop
