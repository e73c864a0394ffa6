/* memory_handle.h: the handle through which Lua programs use a memory file. */
#pragma once

#include "base/sys.h"
#include "binding/class.h"
#include "binding/compat.h"
#include "memory/memory.h"

/* The memory of a handle that was opened a moment ago and is of the file as it is, the handle being
 * put into the stack's `place`; or NULL. [-0, +0, -] */
struct memory *opened_memory(lua_State *L, int place, const struct stat *st);

extern const struct object_class MEMORY_HANDLE;

int memory_open_l(lua_State *L);
