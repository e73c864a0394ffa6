/* items.h: items of a memory file as Lua tables. */
#ifndef AISH_LUA_ITEMS_H
#define AISH_LUA_ITEMS_H

#include "binding/binding.h"
#include "file/window.h"
#include "memory/filter.h"
#include "memory/index.h"
#include "memory/memory.h"

#pragma GCC visibility push(hidden)

/* Stops the collector, whose work while a large result is built is in vain, and tells whether it
 * was running; release_collector makes that so again. Lua 5.1 itself cannot tell, and counts as
 * running. For what is `large` the collector first ends the cycle it is in: while it sweeps
 * strings, Lua does not grow its table of them, and finding one takes ever longer. Finalizers may
 * run. [-0, +0, e]
 * What was built is all in use. So LuaJIT's collector is set going as one that has just ended a
 * cycle, unless there is so much that it might run out of memory before the next; Lua 5.1's begins
 * one. */
bool hold_collector(lua_State *L, bool large);
void release_collector(lua_State *L, bool was_running);

/* Reads the filter at `argument`, if there is one; the strings in it are left on the stack. `more`
 * is asked for options that are not the filter's: it answers whether it knows the one whose name
 * and value are on top of the stack; NULL: there are none. [-0, +2, e] */
void check_filter(lua_State *L, int argument, struct filter *filter,
                  bool (*more)(lua_State *L, int argument, const char *name, void *context),
                  void *context);

/* The making of an array of the active items that pass a filter, newest first. Since it may raise,
 * and what it reads from must then be freed, it is done in three steps:
 * 1. items_prepare pushes what is called, before the file is opened; [-0, +2, m]
 * 2. items_build calls it: 1 and the array; 0 and *failure; -1 and the error's value; [-2, +1, -]
 * 3. the caller frees what is its own, and raises the error if there is one. */
struct items_job {
  const int *fd; /* a finalizer may have a handle's file compacted before the job begins */
  struct index *index;
  struct filter *filter;
  struct window window;
  struct buf chosen; /* uint32_t: positions in the index, newest first */
  uint32_t *reading; /* places in `chosen`, in the order of the file */
  size_t count;
  bool was_running; /* the collector */
  bool held;
  bool failed; /* errno says why */
};

/* The memory of a handle that was opened a moment ago and is of the file as it is, the handle being
 * put into the stack's `place`; or NULL. [-0, +0, -] */
struct memory *opened_memory(lua_State *L, int place, const struct stat *st);

void items_prepare(lua_State *L, struct items_job *job);
int items_build(lua_State *L, struct items_job *job, struct failure *failure);

#pragma GCC visibility pop
#endif
