/* erasure.h: text taken out of a memory. */
#pragma once

#include <stdbool.h>

#include "file/purge.h"
#include "memory/memory.h"

#pragma GCC visibility push(hidden)

/* Takes the text out of the memory's file and of what stands beside it, as purge_locked. */
bool memory_erase(struct memory *memory, struct purge *purge, struct failure *failure);

#pragma GCC visibility pop
