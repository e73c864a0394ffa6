/* screen.h: text for people to see. */
#ifndef AISH_SCREEN_H
#define AISH_SCREEN_H

#include <lua.h>

#pragma GCC visibility push(hidden)

int display_l(lua_State *L);

#pragma GCC visibility pop
#endif
