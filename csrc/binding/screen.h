/* screen.h: text for people to see. */
#pragma once

#include "binding/compat.h"

int display_l(lua_State *L);
