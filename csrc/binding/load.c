/* load.c: load and load_memory: whole files as Lua tables. */
#include <string.h>

#include "base/sys.h"
#include "binding/binding.h"
#include "binding/items.h"
#include "file/lines.h"
#include "file/tail.h"

/* ---- load ---- */

struct load {
  int fd;
  struct lines lines;
  struct tail tail;
  size_t last; /* how many turns are wanted, from the end; SIZE_MAX: all */
  bool all; /* records without role or content too */
  uint64_t meta_offset; /* of the line that the meta is in; UINT64_MAX: there is none */
  bool large;
  bool held, was_running; /* the collector */
  bool failed; /* errno says why */
};

/* Whether the table on top of the stack has a member that is neither false nor null. */
static bool has(lua_State *L, const char *name)
{
  lua_getfield(L, -1, name);
  bool found = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return found;
}

static bool is_wanted(lua_State *L, const struct load *load)
{
  return load->all || (has(L, "role") && has(L, "content"));
}

/* Puts the meta of the first line, on top of the stack, in its place. */
static void keep_meta(lua_State *L, int meta)
{
  lua_getfield(L, -1, "meta");
  lua_replace(L, meta);
}

/* Reads forward, to the end or only the first line. Stack: turns, meta, the decoder's. */
static void read_forward(lua_State *L, struct load *load, struct decoder *decoder, int turns,
                         bool only_first)
{
  struct line line;
  int result, count = 0, top = lua_gettop(L);
  bool first = true;
  for (; (result = lines_next(&load->lines, &line)) > 0; first = false) {
    lua_settop(L, top);
    if (only_first && !first) break;
    if (line.hopeless || decode_line(decoder, line.text, 0) == NULL) continue;
    if (first && has(L, "meta")) {
      keep_meta(L, turns + 1);
      load->meta_offset = line.offset;
    } else if (!only_first && is_wanted(L, load)) lua_rawseti(L, turns, ++count);
  }
  load->failed = result < 0;
  lua_settop(L, top);
}

/* Reads backward until there are enough turns; they are put in order afterwards. */
static void read_backward(lua_State *L, struct load *load, struct decoder *decoder, int turns)
{
  struct tail_line line;
  int result = 1, count = 0, top = lua_gettop(L);
  while ((size_t)count < load->last && (result = tail_next(&load->tail, &line)) > 0) {
    lua_settop(L, top);
    if (decode_line(decoder, line.text, 0) == NULL || line.offset == load->meta_offset) continue;
    if (is_wanted(L, load)) lua_rawseti(L, turns, ++count);
  }
  load->failed = result < 0;
  lua_settop(L, top);
  for (int low = 1, high = count; low < high; low++, high--) {
    lua_rawgeti(L, turns, low);
    lua_rawgeti(L, turns, high);
    lua_rawseti(L, turns, low);
    lua_rawseti(L, turns, high);
  }
}

/* Called with the load, protected. Returns the turns and the meta of the first line. */
static int build_turns(lua_State *L)
{
  struct load *load = lua_touserdata(L, 1);
  load->was_running = hold_collector(L, load->large);
  load->held = true;
  lua_newtable(L);
  lua_pushnil(L); /* the meta's place */
  int turns = lua_gettop(L) - 1;
  struct decoder *decoder = take_decoder(L);
  read_forward(L, load, decoder, turns, load->last != SIZE_MAX);
  if (!load->failed && load->last != SIZE_MAX) read_backward(L, load, decoder, turns);
  give_decoder(decoder);
  lua_settop(L, turns + 1);
  return 2;
}

static void check_load_options(lua_State *L, int argument, struct load *load)
{
  memset(load, 0, sizeof *load);
  load->last = SIZE_MAX;
  load->meta_offset = UINT64_MAX;
  if (lua_isnoneornil(L, argument)) return;
  luaL_checktype(L, argument, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, argument) != 0; lua_pop(L, 1)) {
    const char *name = option_name(L, argument);
    if (strcmp(name, "last") == 0) load->last = check_limit(L, argument, name);
    else if (strcmp(name, "all") == 0) load->all = read_boolean(L, argument, name);
    else argument_error(L, argument, "unknown option \"%s\"", name);
  }
}

/* load(path [, opts]): the turns of a session's file.
 * path: string. opts: table of last (only the last so many turns, read from the end; all of them)
 * and all (boolean; false: records without role or content, such as calls of tools with
 * "content":null, are passed over).
 * Returns an array of the turns in the order of the file, and the meta of its first line, or nil;
 * nil, message, errno where it cannot be read. */
int load_l(lua_State *L)
{
  enum { LARGE = 1 << 21 };
  struct failure failure;
  struct load load;
  struct stat st;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_load_options(L, 2, &load);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  lua_pushcfunction(L, build_turns);
  lua_pushlightuserdata(L, &load);
  load.fd = open_to_read(path, &st, &failure);
  if (load.fd < 0) return push_nil_failure(L, &failure, path);
  lines_open(&load.lines, load.fd, 0);
  load.failed = load.last != SIZE_MAX && !tail_open(&load.tail, load.fd, (uint64_t)st.st_size);
  load.large = st.st_size > LARGE && load.last == SIZE_MAX;
  int status = load.failed ? 0 : lua_pcall(L, 1, 2, 0);
  if (load.failed) fail(&failure, "read");
  if (load.held) release_collector(L, load.was_running);
  lines_close(&load.lines);
  tail_close(&load.tail);
  sys_close(load.fd);
  if (status != 0) return lua_error(L);
  return load.failed ? push_nil_failure(L, &failure, path) : 2;
}

/* ---- load_memory ---- */

/* load_memory, once its arguments are two; `anew`: whatever the state's handles know. */
static int load_items(lua_State *L, bool anew)
{
  struct failure failure;
  struct index own; /* of the file, unless a handle has one */
  struct memory *opened = NULL;
  struct stat st;
  struct filter filter;
  struct items_job job;
  const char *path = check_path(L, 1, &failure);
  check_filter(L, 2, &filter, NULL, NULL);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  lua_pushnil(L); /* the place of a handle */
  int place = lua_gettop(L);
  items_prepare(L, &job);
  memset(&own, 0, sizeof own);
  int fd = open_to_read(path, &st, &failure);
  if (fd < 0 && failure.number == ENOENT) return lua_newtable(L), 1;
  if (fd < 0) return push_nil_failure(L, &failure, path);
  if (!anew) opened = opened_memory(L, place, &st);
  job.fd = &fd;
  job.index = opened != NULL ? &opened->index : &own;
  job.filter = &filter;
  bool read = ((opened != NULL || index_read(&own, fd) == 0) && index_settle(job.index, fd)) ||
              fail(&failure, "read");
  int result = read ? items_build(L, &job, &failure) : 0;
  bool lost = opened != NULL && !memory_is_of(opened, &st); /* by what a finalizer did */
  index_free(&own);
  sys_close(fd);
  if (result < 0) return lua_error(L);
  if (lost) return lua_settop(L, 2), load_items(L, true);
  return result > 0 ? 1 : push_nil_failure(L, &failure, path);
}

/* load_memory(path [, filter]): the active items of a memory file. If it was opened in this state a
 * moment ago, and not written to since, its lines are not looked through again.
 * path: string. filter: as memory:items'. Returns an array of items, newest first, which is empty
 * if there is no such file; nil, message, errno where it cannot be read. */
int load_memory_l(lua_State *L)
{
  check_count(L, 2);
  lua_settop(L, 2);
  return load_items(L, false);
}
