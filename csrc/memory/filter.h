/* filter.h: which items are wanted, judged before anything is made a Lua value. */
#ifndef AISH_FILTER_H
#define AISH_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/window.h"
#include "memory/index.h"

#pragma GCC visibility push(hidden)

/* A time as text, to be compared with others as bytes; empty: none. */
struct bound {
  char text[24];
  size_t length;
};

struct filter {
  unsigned kinds; /* a bit for each enum record_kind; 0: all */
  struct bytes tag, source; /* none: any */
  struct bound since, before;
  size_t limit; /* SIZE_MAX: none */
};

/* Reads a time: a date `YYYY-MM-DD`, with `THH:MM` or `THH:MM:SS` and a `Z` or without. */
bool bound_read(struct bound *bound, const char *text, size_t length);
/* The first whole second from this time on. */
void bound_from_seconds(struct bound *bound, double seconds);
/* Whether a time lies from `since` on and before `before`. */
bool bounds_hold(const struct bound *since, const struct bound *before, const char *ts,
                 size_t length);

/* 1: the item passes, 0: it does not, or is not there any more, -1 and errno: it could not be read.
 * The window is of the index's file; it is only looked into for tags and sources. */
int filter_item(const struct filter *filter, const struct index *index, const struct item *item,
                struct window *window);

#pragma GCC visibility pop
#endif
