/* reword.h: a record with other texts in its strings. */
#pragma once

#include "base/buf.h"

struct reword {
  /* What is to be said instead of a text: *found is 0, and it stays, or how much of it is to go, and
   * *result, if it is wanted, is the new text until the next call. False with errno. */
  bool (*change)(void *context, struct bytes text, struct bytes *result, uint64_t *found);
  void *context;
  /* It is also asked about what is not changed: keys, numbers, and the values of the record's own id, uid,
   * ts, kind, target, of and role. */
  bool about_all;
  struct buf decoded; /* a string */
};

struct reworded {
  uint64_t found; /* in the strings that were changed */
  bool left; /* there is some in what is not changed */
};

/* Appends the record from `start` to `end`, a valid object; each string of it that is changed is written
 * anew, and every other byte stays. If any was, or `revise`, and `rev` is not 0, it is the value of the
 * member of that name, which is added where there is none. Adds to *result. False with errno. */
bool reword_record(struct reword *reword, const char *start, const char *end, uint64_t rev,
                   bool revise, struct buf *out, struct reworded *result);
