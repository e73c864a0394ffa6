/* sessions.h: the sessions of a directory, as tables. */
#pragma once

#include "binding/compat.h"

int list_l(lua_State *L);
int sessions_l(lua_State *L);
