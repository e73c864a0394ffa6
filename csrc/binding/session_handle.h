/* session_handle.h: the handle through which Lua programs write a session's file. */
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "file/journal.h"

#pragma GCC visibility push(hidden)

/* Whether the value is such a handle; *journal is then its file, or NULL if it is closed.
 * [-0, +0, -] */
bool test_session(lua_State *L, int index, struct journal **journal);

int session_open_l(lua_State *L);
int append_l(lua_State *L);

#pragma GCC visibility pop
