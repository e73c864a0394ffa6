/* lua_items.h: items of a memory file as Lua tables. */
#ifndef AISH_LUA_ITEMS_H
#define AISH_LUA_ITEMS_H

#include "binding.h"
#include "index.h"

#pragma GCC visibility push(hidden)

/* Stops the collector, whose work while a large result is built is in vain, and tells whether it
 * was running; release_collector makes that so again. Lua 5.1 itself cannot tell, and counts as
 * running. */
bool hold_collector(lua_State *L);
void release_collector(lua_State *L, bool was_running);

/* Pushes an array of the active items, newest first. False, and nothing pushed, where the file
 * cannot be read. Raises only for want of memory, everything being freed. [-0, +1, m] */
bool push_items(lua_State *L, int fd, const struct index *index, struct failure *failure);

#pragma GCC visibility pop
#endif
