/* sessions.h: the sessions of a directory, as tables. */
#ifndef AISH_SESSIONS_H
#define AISH_SESSIONS_H

#include <lua.h>

#pragma GCC visibility push(hidden)

int list_l(lua_State *L);
int sessions_l(lua_State *L);

#pragma GCC visibility pop
#endif
