/* twins.h: which of the records that share an id are items, and in what order. */
#pragma once

#include "file/window.h"
#include "memory/index.h"

/* The items are sorted by id. Of those of one id there is left each that is no copy of another, and
 * that no record with the same name and a higher `rev` takes the place of; from the oldest to the
 * newest, then by uid, then by their bytes, which the window reads. False with errno, and then some
 * ids still have all of theirs. */
bool twins_settle(struct index *index, struct window *window);
