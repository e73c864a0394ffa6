/* scan.h: iterators over the records of a file, and over those that it still gets. */
#pragma once

#include "binding/compat.h"

int scan_l(lua_State *L);
int follow_l(lua_State *L);
