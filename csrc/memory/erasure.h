/* erasure.h: text taken out of a memory or any other file of lines. */
#pragma once

#include "base/std.h"
#include "file/purge.h"

/* Takes the text out of the file and of what stands beside it, as purge_locked. The journal's lock is taken
 * for that. */
bool erase_file(struct purge *purge, struct journal *journal, struct failure *failure);
