/* upkeep.h: the result of a compaction as a Lua table. */
#ifndef AISH_LUA_COMPACT_H
#define AISH_LUA_COMPACT_H

#include "binding/binding.h"
#include "memory/compact.h"
#include "memory/verify.h"

#pragma GCC visibility push(hidden)

/* [-0, +1, m]; returns 1. */
int push_compaction(lua_State *L, const struct compaction *result);

#pragma GCC visibility pop
#endif
