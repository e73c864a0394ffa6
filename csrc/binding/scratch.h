/* scratch.h: the buffers in which a Lua state puts together what it writes next. */
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

/* While it is filled the collector may run, and with it a finalizer that calls us again: it finds
 * this one in use and gets another. One that an error has left in use is replaced, and collected. */
struct scratch {
  struct buf text, drafts;
  int redact; /* where on the stack the function stands through which strings go; 0: none */
  bool in_use;
};

/* An empty one, which stays on the stack while it is used. [-0, +1, m] */
struct scratch *acquire_scratch(lua_State *L);
void release_scratch(struct scratch *scratch);

#pragma GCC visibility pop
