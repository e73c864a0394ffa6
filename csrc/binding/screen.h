/* screen.h: text for people to see. */
#pragma once

#include <lua.h>

#pragma GCC visibility push(hidden)

int display_l(lua_State *L);

#pragma GCC visibility pop
