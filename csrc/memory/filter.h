/* filter.h: which items are wanted, judged before anything is made a Lua value. */
#pragma once

#include "base/timestamp.h"
#include "file/window.h"
#include "memory/index.h"

/* A member of a record, and the value that it must have; what is not there has none. */
struct wanted {
  struct bytes name;
  char type; /* its first byte: `"`, `t`, `f`; `[` of an array with the text; `0` of any number */
  struct bytes text;
  double number;
};

struct where {
  const struct wanted *members;
  size_t count;
};

struct filter {
  unsigned kinds; /* a bit for each enum record_kind; 0: all */
  struct bytes tag, source; /* none: any */
  struct where where;
  struct bound since, before;
  size_t limit; /* SIZE_MAX: none */
};

/* 1: the item passes, 0: it does not, or is not there any more, -1 and errno: it could not be read.
 * The window is of the index's file; it is only looked into for what the index does not know. */
int filter_item(const struct filter *filter, const struct index *index, const struct item *item,
                struct window *window);
