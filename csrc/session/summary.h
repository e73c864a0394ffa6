/* summary.h: what a list of sessions shows of each, read from its file. */
#pragma once

#include "base/buf.h"

enum {
  SUMMARY_FIRST = 200, /* bytes of the first user turn's text that are kept */
  SUMMARY_HEAD = 1 << 20 /* bytes of a file within which that turn is looked for */
};

struct summary {
  uint64_t turns;
  struct buf meta; /* its JSON text with SPAN_PADDING bytes after it, or empty */
  struct buf first; /* the first user turn's text, cut between characters */
  struct buf last_ts; /* the time of the last turn that has one, or empty */
  bool has_first, has_meta;
  bool begun; /* the file's first record was met */
};

/* Reads a session's file of `size` bytes from its start until `turns` turns have been met
 * (UINT64_MAX: all are counted), and the first user turn or SUMMARY_HEAD bytes; then its last
 * lines, for last_ts. 0, or -1 and errno; summary_free in either case. */
int summary_read(struct summary *summary, int fd, uint64_t size, uint64_t turns);
void summary_free(struct summary *summary);
