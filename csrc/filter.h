/* filter.h: which items are wanted, judged before anything is made a Lua value. */
#ifndef AISH_FILTER_H
#define AISH_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "index.h"

#pragma GCC visibility push(hidden)

/* A time as text, to be compared with others as bytes; empty: none. */
struct bound {
  char text[24];
  size_t length;
};

struct filter {
  unsigned kinds; /* a bit for each enum record_kind; 0: all */
  const char *tag, *source; /* NULL: any */
  size_t tag_length, source_length;
  struct bound since, before;
  size_t limit; /* SIZE_MAX: none */
  struct buf unescaped;
};

/* Reads a time: a date `YYYY-MM-DD`, with `THH:MM` or `THH:MM:SS` and a `Z` or without. */
bool bound_read(struct bound *bound, const char *text, size_t length);
/* The first whole second from this time on. */
void bound_from_seconds(struct bound *bound, double seconds);
/* Whether a time lies from `since` on and before `before`. */
bool bounds_hold(const struct bound *since, const struct bound *before, const char *ts,
                 size_t length);

/* The kind and the time of an item. */
bool filter_item(const struct filter *filter, const struct index *index, const struct item *item);
/* Whether a line has to be looked at too. */
static inline bool filter_reads(const struct filter *filter)
{
  return filter->tag != NULL || filter->source != NULL;
}
/* The tag and the source of an item, in its line, which is a JSON object. */
bool filter_line(struct filter *filter, const char *line);

#pragma GCC visibility pop
#endif
