/* lock.h: the system's advisory locks, for the caller's own use. */
#pragma once

#include "binding/compat.h"

int flock_l(lua_State *L);
