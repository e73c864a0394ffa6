/* lock.h: the system's advisory locks, for the caller's own use. */
#pragma once

#include "binding/compat.h"

#pragma GCC visibility push(hidden)

int flock_l(lua_State *L);

#pragma GCC visibility pop
