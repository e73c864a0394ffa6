/* sort.h: sorting that is stable, takes n log n at most whatever the input, and is quick where it is
 * in order already; qsort(3) promises none of that. */
#pragma once

#include "base/std.h"

/* Whether the element at position a comes before the one at b. */
typedef bool (*sort_before)(const void *context, uint32_t a, uint32_t b);

/* The positions from 0 to count - 1, sorted so that before(context, b, a) is true of no neighbours a, b;
 * to be freed with sys_free; NULL with errno ENOMEM. */
uint32_t *sorted_positions(size_t count, sort_before before, const void *context);
/* Sorts the elements themselves, each of `size` bytes; `before` finds them by way of the context.
 * False with errno ENOMEM and the elements as they were. */
bool sort_elements(void *elements, size_t count, size_t size, sort_before before,
                   const void *context);
/* Moves the `most` elements that come first to the beginning, in any order, without sorting them all;
 * returns how many stand there. The others are lost. */
size_t sort_first(void *elements, size_t count, size_t size, size_t most, sort_before before,
                  const void *context);
