/* twins.h: which of the records that share an id are items, and in what order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "file/window.h"
#include "memory/index.h"

#pragma GCC visibility push(hidden)

/* The items are sorted by id. Of those of one id there is left each that is no copy of another, and
 * that no record with the same name and a higher `rev` takes the place of; from the oldest to the
 * newest, then by uid, then by their bytes, which the window reads. *count is how many are left in
 * all. False with errno, and then the items are no longer what they were. */
bool twins_settle(const struct index *index, struct window *window, struct item *items,
                  size_t *count);

#pragma GCC visibility pop
