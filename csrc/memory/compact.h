/* compact.h: rewriting a memory file without what was forgotten. */
#pragma once

#include "memory/memory.h"

struct compaction {
  uint64_t before, after; /* sizes in bytes */
  uint64_t kept; /* active items */
  uint64_t dropped; /* items and tombstones */
  uint64_t damaged; /* lines */
};

struct compact_options {
  bool dry_run; /* nothing is changed */
  bool tombstones; /* are kept */
};

/* Rewrites the file, or only says what that would do. The journal is durable in this whatever its
 * option says. On failure the file is as it was, or is the new one and only its directory could not
 * be synced. */
bool memory_compact(struct memory *memory, const struct compact_options *options,
                    struct compaction *result, struct failure *failure);
