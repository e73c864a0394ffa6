/* verify.h: what is in a memory file, line by line, and what is wrong with it. */
#pragma once

#include "base/buf.h"

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
  uint64_t twins; /* items that share their id with another, active or not */
  uint64_t saved; /* of the records: those on damaged lines */
  uint64_t items, active; /* copies of one are one */
  uint64_t tombstones; /* of the records */
  uint64_t max_id;
  uint64_t torn; /* lines that are the beginning of an object */
  uint64_t damaged; /* other lines with something else than objects */
  struct buf problems; /* struct problem, in the order of the file; the first PROBLEMS_AT_MOST */
};

/* Reads the whole file and judges it. 0, or -1 and errno; free report->problems in either case. */
int verify(int fd, struct verify_report *report);
