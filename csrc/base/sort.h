/* sort.h: the one sort of the module: stable, in n log n always, with a context, and quick where
 * the input is in order already, which qsort(3) promises none of. */
#ifndef AISH_SORT_H
#define AISH_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* Sorts positions so that before(context, b, a) is true of no neighbours a, b. False with errno
 * ENOMEM and the positions as they were. */
bool sort_positions(uint32_t *positions, size_t count,
                    bool (*before)(const void *context, uint32_t a, uint32_t b),
                    const void *context);

#pragma GCC visibility pop
#endif
