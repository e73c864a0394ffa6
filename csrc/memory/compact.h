/* compact.h: a memory file judged, and written anew without what was forgotten. */
#ifndef AISH_COMPACT_H
#define AISH_COMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/memory.h"

#pragma GCC visibility push(hidden)

/* What is wrong with a line. */
struct problem {
  uint64_t line, offset;
  const char *reason;
};

enum { PROBLEMS_AT_MOST = 1000 };

struct verify_report {
  uint64_t bytes;
  uint64_t lines; /* blank ones too */
  uint64_t records;
  uint64_t saved; /* of the records: those on damaged lines */
  uint64_t items, active, tombstones; /* of the records */
  uint64_t max_id;
  uint64_t torn; /* lines that are the beginning of an object */
  uint64_t damaged; /* other lines with something else than objects */
  struct buf problems; /* struct problem, in the order of the file; the first PROBLEMS_AT_MOST */
};

/* Reads the whole file and judges it. 0, or -1 and errno; free report->problems in either case. */
int verify(int fd, struct verify_report *report);

struct compaction {
  uint64_t before, after; /* sizes in bytes */
  uint64_t kept; /* active items */
  uint64_t dropped; /* items and tombstones */
  uint64_t damaged; /* lines */
};

/* Rewrites the file; with `dry_run` only says what that would do. The journal is durable in this
 * whatever its option says. On failure the file is as it was, or is the new one and only its
 * directory could not be synced. */
bool memory_compact(struct memory *memory, bool dry_run, struct compaction *result,
                    struct failure *failure);

#pragma GCC visibility pop
#endif
