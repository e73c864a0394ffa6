/* redact.c: a handle keeps its function in a table that belongs to it. A reference in the registry
 * would keep the handle, too, where the function uses it, and neither would ever be collected. */
#include "binding/redact.h"
#include "base/hidden.h"

void keep_redact(lua_State *L, int place)
{
  if (place == 0) return;
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, place);
  lua_rawseti(L, -2, 1);
  lua_setuservalue(L, -2);
}

int push_redact(lua_State *L)
{
  lua_getuservalue(L, 1);
  lua_rawgeti(L, -1, 1);
  lua_replace(L, -2);
  return lua_gettop(L);
}

bool redact_string(lua_State *L, struct scratch *scratch, int index)
{
  lua_pushvalue(L, scratch->redact);
  lua_pushvalue(L, index);
  if (lua_pcall(L, 1, 1, 0) != 0) {
    release_scratch(scratch);
    lua_error(L);
  }
  lua_replace(L, index);
  return lua_type(L, index) == LUA_TSTRING;
}

void copy_table(lua_State *L, int index)
{
  const int copy = index + 1;
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, index) != 0;) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, copy);
  }
  if (lua_getmetatable(L, index)) lua_setmetatable(L, copy);
  lua_replace(L, index);
}
