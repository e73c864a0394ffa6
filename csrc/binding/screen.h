/* screen.h: text for people to see. */
#pragma once

#include "binding/compat.h"

#pragma GCC visibility push(hidden)

int display_l(lua_State *L);

#pragma GCC visibility pop
