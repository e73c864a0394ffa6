/* budget.c: costs are asked for in a protected call, as the function is the caller's. */
#include "binding/budget.h"

#include <string.h>

#include "binding/class.h"

enum {
  COST_CALLS = 1000
}; /* at most; without a function, so many results or the limit are looked at */

void read_cost(lua_State *L, int argument, const char *name, void *into)
{
  if (!lua_isfunction(L, -1)) option_error(L, argument, name, "a function");
  *(bool *)into = true;
}

void budget_begin(lua_State *L, struct budget *budget, size_t *limit)
{
  budget->limit = *limit;
  if (budget->bytes >= 0 && (budget->has_cost || *limit < COST_CALLS)) *limit = COST_CALLS;
  lua_pushliteral(L, "cost");
  if (budget->has_cost) lua_rawget(L, 3);
  else lua_pushnil(L);
}

bool *budget_asked(lua_State *L)
{
  return kept_block(L, KEPT_COST_ASKED, sizeof(bool));
}

void budget_check(lua_State *L, const bool *asked, const char *path)
{
  size_t length;
  if (!*asked) return;
  push_kept(L, KEPT_COST_PATH);
  const char *kept = lua_tolstring(L, -1, &length);
  if (kept != NULL && strncmp(path, kept, length) == 0 &&
      (path[length] == '\0' || path[length] == '/'))
    raise_plain(L, "%s must not be used within cost", path);
  lua_pop(L, 1);
}

/* ---- what fits ---- */

/* Of fit_l: its arguments, and what it makes. */
enum { RESULTS = 1, BUDGET, LIMIT, MEMBER, COST, FITTING };

/* What the result on top of the stack costs. */
static lua_Number cost_of(lua_State *L)
{
  lua_Number cost;
  if (lua_isnil(L, COST)) {
    lua_pushvalue(L, MEMBER);
    lua_rawget(L, -2);
    cost = lua_type(L, -1) == LUA_TSTRING ? (lua_Number)lua_objlen(L, -1) : 0;
  } else {
    lua_pushvalue(L, COST);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1);
    cost = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (!(cost >= 0)) luaL_error(L, "cost must return a number, not negative");
  }
  lua_pop(L, 1);
  return cost;
}

static int fit_l(lua_State *L)
{
  lua_Number left = lua_tonumber(L, BUDGET), most = lua_tonumber(L, LIMIT);
  int given = 0;
  lua_newtable(L);
  for (int i = 1; given < most; i++) {
    lua_settop(L, FITTING);
    lua_rawgeti(L, RESULTS, i);
    if (lua_isnil(L, -1)) break;
    lua_Number cost = cost_of(L);
    if (cost > left) continue;
    left -= cost;
    lua_rawseti(L, FITTING, ++given);
  }
  lua_settop(L, FITTING);
  return 1;
}

/* Keeps the string, or nil, on top of the stack as the path, and pops it. */
static void keep_path(lua_State *L)
{
  *budget_asked(L) = lua_isstring(L, -1);
  keep(L, KEPT_COST_PATH);
  lua_pop(L, 1);
}

void budget_fit(lua_State *L, const struct budget *budget, const char *member, const char *path,
                bool *asked)
{
  int cost = lua_gettop(L) - 1, results = cost + 1;
  push_kept(L, KEPT_COST_PATH);
  lua_pushcfunction(L, fit_l);
  lua_pushvalue(L, results);
  lua_pushnumber(L, budget->bytes);
  lua_pushnumber(L, (lua_Number)budget->limit);
  lua_pushstring(L, member);
  lua_pushvalue(L, cost);
  lua_pushstring(L, path);
  keep_path(L); /* the last that may raise */
  *asked = true;
  int status = lua_pcall(L, 5, 1, 0);
  *asked = false;
  lua_replace(L, results);
  keep_path(L);
  if (status != 0) lua_error(L);
}
