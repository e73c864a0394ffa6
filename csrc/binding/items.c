/* items.c: from the index to tables.
 *
 * What is wanted is known before anything is made a Lua value. The lines are then read in the order
 * of the file, and each becomes a table at its place in the result. */
#include "binding/items.h"

#include "base/sort.h"
#include "base/sys.h"
#include "binding/class.h"
#include "binding/decode.h"
#include "base/hidden.h"

void hold_collector(lua_State *L, struct collector *collector, bool large)
{
  if (lua_gc(L, LUA_GCISRUNNING, 0) == 0) return;
  collector->rests = kept_block(L, KEPT_RESTS, sizeof(int));
  while (large && step_collector(L, 1 << 20) == 0 && LUA_SAYS_CYCLE) {
  }
  lua_gc(L, LUA_GCSTOP, 0);
  collector->before = lua_gc(L, LUA_GCCOUNT, 0);
  collector->held = true;
}

void release_collector(lua_State *L, const struct collector *collector)
{
  const int cycle_ended = -1; /* for LuaJIT; Lua begins a cycle */
  if (!collector->held) return;
  int now = lua_gc(L, LUA_GCCOUNT, 0), taken = now - collector->before, *rests = collector->rests;
  lua_gc(L, LUA_GCRESTART, cycle_ended);
  if (now >= *rests) *rests = 0;
  bool ended = taken > collector->before;
  if (!ended && *rests == 0) ended = step_collector(L, taken > 0 ? taken : 0) != 0;
  if (ended) *rests = 2 * lua_gc(L, LUA_GCCOUNT, 0);
}

/* ---- filters ---- */

static const char KIND[] = "a name or an array of names";

/* The value on top of the stack. */
static unsigned kind_bit(lua_State *L, int argument, const char *name)
{
  size_t length;
  if (lua_type(L, -1) != LUA_TSTRING) option_error(L, argument, name, KIND);
  const char *text = lua_tolstring(L, -1, &length);
  enum record_kind kind = record_kind(&(struct slice){text, text + length, false});
  if (!record_kind_is_item(kind)) argument_error(L, argument, "unknown kind \"%s\"", text);
  return 1U << kind;
}

static unsigned check_kinds(lua_State *L, int argument, const char *name)
{
  unsigned kinds = 1U << KIND_NONE; /* no item is of this kind: an empty array lets none pass */
  int count = (int)lua_objlen(L, -1);
  lua_pushnil(L);
  if (count == 0 && lua_next(L, -2) != 0)
    argument_error(L, argument, "option \"%s\" must be %s", name, KIND);
  if (count > 0) lua_pop(L, 1);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    kinds |= kind_bit(L, argument, name);
    lua_pop(L, 1);
  }
  return kinds;
}

void read_kinds(lua_State *L, int argument, const char *name, void *into)
{
  *(unsigned *)into =
      lua_istable(L, -1) ? check_kinds(L, argument, name) : kind_bit(L, argument, name);
}

/* The name and the value are on top of the stack. */
static struct wanted check_wanted(lua_State *L, int argument, const char *option)
{
  struct wanted wanted = {.type = '0'};
  if (lua_type(L, -2) != LUA_TSTRING)
    argument_error(L, argument, "option \"%s\": the name of a member must be a string, got %s",
                   option, luaL_typename(L, -2));
  wanted.name.start = lua_tolstring(L, -2, &wanted.name.length);
  int type = lua_type(L, -1);
  if (type == LUA_TSTRING) {
    wanted.type = '"';
    wanted.text.start = lua_tolstring(L, -1, &wanted.text.length);
  } else if (type == LUA_TBOOLEAN) {
    wanted.type = lua_toboolean(L, -1) ? 't' : 'f';
  } else if (type == LUA_TNUMBER) {
    wanted.number = lua_tonumber(L, -1);
  } else {
    argument_error(L, argument, "option \"%s\": \"%s\" must be a string, number or boolean, got %s",
                   option, wanted.name.start, lua_typename(L, type));
  }
  return wanted;
}

/* The table in whose place it leaves one of its own, so that names and texts live as long as the call:
 * at 0 the members, and after it what they are made of. */
void read_where(lua_State *L, int argument, const char *name, void *into)
{
  struct where *where = into;
  int given = lua_gettop(L), own = given + 1, count = 0;
  if (!lua_istable(L, given)) option_error(L, argument, name, "a table");
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, given) != 0; count++) {
    lua_rawseti(L, own, 2 * count + 2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, own, 2 * count + 1);
  }
  struct wanted *members = lua_newuserdata(L, (size_t)count * sizeof *members);
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, own, 2 * i + 1);
    lua_rawgeti(L, own, 2 * i + 2);
    members[i] = check_wanted(L, argument, name);
    lua_pop(L, 2);
  }
  lua_rawseti(L, own, 0);
  lua_replace(L, given);
  *where = (struct where){members, (size_t)count};
}

/* ---- building ---- */

/* The item that is read at a place. */
static const struct item *item_at(const struct items_job *job, size_t place)
{
  uint32_t result = job->reading[place];
  if (job->is_ranked) return &BUF_ITEMS(struct ranked, &job->ranked)[result].item;
  return &job->index->items[BUF_ITEMS(uint32_t, &job->chosen)[result]];
}

static bool is_read_before(const void *context, uint32_t a, uint32_t b)
{
  return item_at(context, a)->offset < item_at(context, b)->offset;
}

static bool choose_newest(struct items_job *job)
{
  if (!index_sort(job->index)) return false;
  for (size_t i = job->index->count; i > 0 && job->count < job->filter->limit; i--) {
    const struct item *item = index_sorted(job->index, i - 1);
    if (item->forgotten) continue;
    int wanted = filter_item(job->filter, job->index, item, &job->window);
    if (wanted < 0) return false;
    if (wanted == 0) continue;
    uint32_t position = (uint32_t)(item - job->index->items);
    if (!BUF_PUSH(&job->chosen, &position)) return false;
    job->count++;
  }
  return true;
}

static bool choose_items(struct items_job *job)
{
  job->count = BUF_COUNT(struct ranked, &job->ranked);
  if (!job->is_ranked && !choose_newest(job)) return false;
  job->reading = sys_realloc(NULL, job->count * sizeof *job->reading);
  if (job->reading == NULL) return false;
  for (size_t i = 0; i < job->count; i++) job->reading[i] = (uint32_t)(job->count - 1 - i);
  return sort_elements(job->reading, job->count, sizeof *job->reading, is_read_before, job);
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

/* Whether the record on top of the stack is that of a ranked item, and not another that has come to its
 * place. */
static bool has_its_id(lua_State *L, const struct item *item)
{
  lua_getfield(L, -1, "id");
  bool same = lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == (lua_Number)item->id;
  lua_pop(L, 1);
  return same;
}

static void set_score(lua_State *L, const struct items_job *job, size_t place)
{
  lua_pushnumber(L, BUF_ITEMS(struct ranked, &job->ranked)[place].score);
  lua_setfield(L, -2, "score");
}

/* Decodes what was chosen into the array at `result`. */
static void decode_chosen(lua_State *L, struct items_job *job, int result)
{
  struct decoder *decoder = acquire_decoder(L);
  bool holes = false;
  int top = lua_gettop(L);
  for (size_t i = 0; i < job->count; i++) {
    const struct item *item = item_at(job, i);
    const char *line = window_line(&job->window, item->offset, item_length(item));
    job->failed = line == NULL && errno != 0;
    if (job->failed) break;
    if (line != NULL && decode_record(decoder, line, item->members) != NULL &&
        (!job->is_ranked || has_its_id(L, item))) {
      if (job->scored) set_score(L, job, job->reading[i]);
      lua_rawseti(L, result, (int)job->reading[i] + 1);
    } else {
      lua_settop(L, top);
      holes = true;
    }
  }
  release_decoder(decoder);
  if (holes && !job->failed) close_holes(L, result, job->count);
}

/* Called with the job, protected. Returns the array. The collector is held before anything is
 * chosen: a finalizer may change the index, or have the file compacted in which what is ranked stands. */
static int build_items_l(lua_State *L)
{
  enum { LARGE = 10000 };
  struct items_job *job = lua_touserdata(L, 1);
  bool large = !job->is_ranked && job->index->active > LARGE && job->filter->limit > LARGE;
  const bool single = job->is_ranked && !job->scored;
  if (!single) hold_collector(L, &job->collector, large);
  if (job->memory != NULL) memory_window(job->memory, &job->window);
  else window_open(&job->window, job->fd);
  job->failed = !choose_items(job);
  if (job->failed) return 0;
  lua_createtable(L, (int)job->count, 0);
  decode_chosen(L, job, 2);
  lua_settop(L, 2);
  return 1;
}

void items_prepare(lua_State *L, struct items_job *job)
{
  memset(job, 0, sizeof *job);
  lua_pushcfunction(L, build_items_l);
  lua_pushlightuserdata(L, job);
}

int items_build(lua_State *L, struct items_job *job, struct failure *failure)
{
  int status = job->failed ? 0 : lua_pcall(L, 1, 1, 0);
  if (job->failed) fail(failure, "read");
  window_close(&job->window);
  buf_free(&job->chosen);
  buf_free(&job->ranked);
  sys_free(job->reading);
  if (status != 0) return -1;
  return job->failed ? 0 : 1;
}
