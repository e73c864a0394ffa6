/* screen.h: text for people to see. */
#pragma once

#include <lua.h>

int display_l(lua_State *L);
