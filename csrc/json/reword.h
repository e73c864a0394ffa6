/* reword.h: a record with other texts in its strings. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

struct reword {
  /* What is to be said instead of a text: *found is 0, and it stays, or how much of it is to go, and
   * *result is the new text, until the next call. False with errno. */
  bool (*change)(void *context, struct bytes text, struct bytes *result, uint64_t *found);
  void *context;
  /* It is also asked about what is not changed: keys, numbers, and the values of the record's own id, uid,
   * ts, kind, target, of and role. `result` is NULL then. */
  bool about_all;
  struct buf decoded; /* a string */
};

struct reworded {
  uint64_t found; /* in the strings that were changed */
  bool left; /* there is some in what is not changed */
};

/* Appends the record from `start` to `end`, a valid object; each string of it that is changed is written
 * anew, and every other byte stays. Adds to *result. False with errno. */
bool reword_record(struct reword *reword, const char *start, const char *end, struct buf *out,
                   struct reworded *result);
/* Gives the record at the place `start` of a buffer, which ends with it, a member `rev` of that number in
 * the place of the one that it has, or at its end. False with errno ENOMEM. */
bool reword_rev(struct buf *out, size_t start, uint64_t rev);

#pragma GCC visibility pop
