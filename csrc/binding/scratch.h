/* scratch.h: the buffers in which a Lua state puts together what it writes next. */
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

/* While it is filled, a function of the caller's or a finalizer may call us again: it finds this one in
 * use and gets another. So does whoever comes after an error that has left it in use: none of ours does,
 * but for one for want of memory. */
struct scratch {
  struct buf text, drafts;
  int redact; /* where on the stack the function stands through which strings go; 0: none */
  bool in_use;
};

/* The state's, which lives as long as the state. [-0, +0, m] */
struct scratch *kept_scratch(lua_State *L);
/* That, empty, or another in its place, which stays on the stack while it is used. [-0, +1, m] */
struct scratch *acquire_scratch(lua_State *L, struct scratch *kept);
void release_scratch(struct scratch *scratch);

#pragma GCC visibility pop
