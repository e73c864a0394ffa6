/* session_handle.h: the handle through which Lua programs write a session's file. */
#pragma once

#include "binding/class.h"
#include "binding/compat.h"

extern const struct object_class SESSION_HANDLE;

int session_open_l(lua_State *L);
int append_l(lua_State *L);
