/* budget.c: costs are asked for in a protected call, as the function is the caller's. */
#include "binding/budget.h"

#include "binding/class.h"
#include "session/retrieve.h"
#include "base/hidden.h"

/* At most; without a function, so many results or the limit are looked at. */
enum { COST_CALLS = 1000 };

void budget_begin(lua_State *L, struct budget *budget, size_t *limit)
{
  budget->limit = *limit;
  if (budget->bytes >= 0 && (budget->cost != 0 || *limit < COST_CALLS)) *limit = COST_CALLS;
  if (budget->cost != 0) lua_pushvalue(L, budget->cost);
  else lua_pushnil(L);
}

/* What a cost is asked about, by the innermost of the calls that ask. */
struct costing {
  const struct costing *outer;
  dev_t device; /* of what the results are of: a file or a directory; */
  ino_t inode; /* 0: none */
  const struct buf *sources; /* struct source: the files in the directory, or NULL */
};

const struct costing **kept_costing(lua_State *L)
{
  return kept_block(L, KEPT_COSTING, sizeof(struct costing *));
}

static bool is_about(const struct costing *costing, const struct stat *st)
{
  const struct buf *sources = costing->sources;
  if (costing->inode == st->st_ino && costing->device == st->st_dev) return true;
  for (size_t i = 0; sources != NULL && i < BUF_COUNT(struct source, sources); i++) {
    const struct source *source = &BUF_ITEMS(struct source, sources)[i];
    if (source->inode == st->st_ino && source->device == st->st_dev) return true;
  }
  return false;
}

void budget_check_file(lua_State *L, const struct stat *st, const char *name)
{
  for (const struct costing *costing = *kept_costing(L); costing != NULL; costing = costing->outer)
    if (is_about(costing, st)) raise_plain(L, "%s must not be used within cost", name);
}

void budget_check(lua_State *L, const char *path)
{
  struct stat st;
  if (*kept_costing(L) != NULL && sys_stat(path, &st) == 0) budget_check_file(L, &st, path);
}

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

void budget_fit(lua_State *L, const struct budget *budget, const char *member, const char *path,
                const struct buf *sources)
{
  int cost = lua_gettop(L) - 1, results = cost + 1;
  const struct costing **place = kept_costing(L);
  struct costing costing = {.outer = *place, .sources = sources};
  struct stat st;
  if (sys_stat(path, &st) == 0) {
    costing.device = st.st_dev;
    costing.inode = st.st_ino;
  }
  lua_pushcfunction(L, fit_l);
  lua_pushvalue(L, results);
  lua_pushnumber(L, budget->bytes);
  lua_pushnumber(L, (lua_Number)budget->limit);
  lua_pushstring(L, member);
  lua_pushvalue(L, cost); /* the last that may raise */
  *place = &costing;
  int status = lua_pcall(L, 5, 1, 0);
  *place = costing.outer;
  if (status != 0) lua_error(L);
  lua_replace(L, results);
}
