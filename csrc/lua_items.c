/* lua_items.c: from the index to tables.
 *
 * What is wanted is known before anything is made a Lua value. The lines are then read in the order
 * of the file, and each becomes a table at its place in the result. */
#include "lua_items.h"

#include "sort.h"
#include "sys.h"
#include "window.h"

#ifndef LUA_GCISRUNNING
#define LUA_GCISRUNNING 9
#endif

bool hold_collector(lua_State *L)
{
  bool was_running = lua_gc(L, LUA_GCISRUNNING, 0) != 0; /* -1 under Lua 5.1 */
  if (was_running) lua_gc(L, LUA_GCSTOP, 0);
  return was_running;
}

void release_collector(lua_State *L, bool was_running)
{
  if (was_running) lua_gc(L, LUA_GCRESTART, 0);
}

/* Which items go where. */
struct plan {
  const struct index *index;
  struct window window;
  uint32_t *positions; /* in the index, newest first */
  uint32_t *reading; /* places in `positions`, in the order of the file */
  size_t count;
  bool failed; /* errno says why */
};

static bool offset_before(const void *context, uint32_t a, uint32_t b)
{
  const struct plan *plan = context;
  const struct item *items = plan->index->items;
  return items[plan->positions[a]].offset < items[plan->positions[b]].offset;
}

static bool make_plan(struct plan *plan)
{
  plan->positions = index_newest_first(plan->index, &plan->count);
  if (plan->positions == NULL) return false;
  plan->reading = sys_realloc(NULL, plan->count * sizeof *plan->reading);
  if (plan->reading == NULL) return false;
  for (size_t i = 0; i < plan->count; i++) plan->reading[i] = (uint32_t)(plan->count - 1 - i);
  return sort_positions(plan->reading, plan->count, offset_before, plan);
}

/* Closes the holes that lines leave which are no longer there. */
static void close_holes(lua_State *L, int table, size_t count)
{
  int kept = 0;
  for (int i = 1; i <= (int)count; i++) {
    lua_rawgeti(L, table, i);
    if (lua_isnil(L, -1)) lua_pop(L, 1);
    else lua_rawseti(L, table, ++kept);
  }
  for (int i = kept + 1; i <= (int)count; i++) {
    lua_pushnil(L);
    lua_rawseti(L, table, i);
  }
}

/* Called with the plan, protected. Returns the array. */
static int build_items(lua_State *L)
{
  struct plan *plan = lua_touserdata(L, 1);
  struct decoder decoder;
  bool holes = false;
  lua_createtable(L, (int)plan->count, 0);
  int result = lua_gettop(L);
  decoder_open(&decoder, L);
  int top = lua_gettop(L);
  for (size_t i = 0; i < plan->count; i++) {
    uint32_t place = plan->reading[i];
    const struct item *item = &plan->index->items[plan->positions[place]];
    const char *line = window_line(&plan->window, item->offset, item->length);
    plan->failed = line == NULL && errno != 0;
    if (plan->failed) return 0;
    if (line != NULL && decode_line(&decoder, line, item->members) != NULL) {
      lua_rawseti(L, result, (int)place + 1);
    } else {
      lua_settop(L, top);
      holes = true;
    }
  }
  if (holes) close_holes(L, result, plan->count);
  lua_settop(L, result);
  return 1;
}

bool push_items(lua_State *L, int fd, const struct index *index, struct failure *failure)
{
  struct plan plan = {.index = index};
  luaL_checkstack(L, LUA_MINSTACK, "items");
  window_open(&plan.window, fd);
  lua_pushcfunction(L, build_items);
  lua_pushlightuserdata(L, &plan);
  int status = 0;
  plan.failed = !make_plan(&plan);
  if (!plan.failed) {
    bool was_running = hold_collector(L);
    status = lua_pcall(L, 1, 1, 0);
    release_collector(L, was_running);
  } else {
    lua_pop(L, 1);
  }
  if (plan.failed) fail(failure, "read");
  window_close(&plan.window);
  sys_free(plan.positions);
  sys_free(plan.reading);
  if (status != 0) lua_error(L);
  if (plan.failed) lua_pop(L, 1);
  return !plan.failed;
}
