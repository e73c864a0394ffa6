/* load.h: whole files as Lua tables. */
#pragma once

#include "binding/compat.h"

#pragma GCC visibility push(hidden)

int load_l(lua_State *L);
int load_memory_l(lua_State *L);

#pragma GCC visibility pop
