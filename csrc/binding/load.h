/* load.h: whole files as Lua tables. */
#pragma once

#include "binding/compat.h"

int load_l(lua_State *L);
int load_memory_l(lua_State *L);
