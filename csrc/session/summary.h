/* summary.h: what a list of sessions shows of each. */
#ifndef AISH_SUMMARY_H
#define AISH_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

enum { SUMMARY_FIRST = 200 };

/* A session is not read whole if it is larger than this. */
#define SESSION_LARGEST ((uint64_t)4 << 30)

struct summary {
  uint64_t turns; /* if they were counted */
  struct buf
      meta; /* the JSON text of the first line's meta, SPAN_PADDING bytes behind it; or empty */
  struct buf first; /* the first user turn's text, cut to SUMMARY_FIRST bytes between characters */
  struct buf last_ts; /* the time of the last turn that has one; or empty */
  bool has_first, has_meta;
};

/* Reads a session's file of `size` bytes: all of it to count the turns, otherwise only its head and
 * its tail. 0, or -1 and errno; summary_free in either case. */
int summary_read(struct summary *summary, int fd, uint64_t size, bool count);
void summary_free(struct summary *summary);

#pragma GCC visibility pop
#endif
