/* load.c: load and load_memory: whole files as Lua tables. */
#include "binding/load.h"

#include "base/sys.h"
#include "binding/args.h"
#include "binding/decode.h"
#include "binding/items.h"
#include "binding/memory_handle.h"
#include "file/lines.h"
#include "file/path.h"
#include "file/tail.h"
#include "json/objects.h"
#include "base/hidden.h"

/* ---- load ---- */

struct load {
  struct lines lines;
  struct tail tail;
  struct decoder *decoder;
  size_t last; /* how many turns are wanted, from the end; SIZE_MAX: all */
  size_t count; /* of them so far */
  bool all; /* records without role or content too */
  bool begun; /* the first record was met, which may be the meta */
  uint64_t head; /* the end of its line, up to which damage is counted */
  uint64_t meta_offset; /* of the line that the meta is in; UINT64_MAX: there is none */
  uint64_t damaged; /* lines */
  bool large;
  struct collector collector;
  bool failed; /* errno says why */
};

/* What is on build_turns' stack. */
enum { LOAD = 1, TURNS, META };

/* Whether the table on top of the stack has a member that is neither false nor null. */
static bool has(lua_State *L, const char *name)
{
  lua_getfield(L, -1, name);
  bool found = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return found;
}

static bool is_turn(lua_State *L)
{
  return has(L, "role") && has(L, "content");
}

/* The record on top of the stack is the first of the file. */
static bool is_meta(lua_State *L, struct load *load)
{
  if (load->begun) return false;
  load->begun = true;
  return has(L, "meta") && !is_turn(L);
}

/* Puts the record on top of the stack where it belongs, and pops it. */
static void place_record(lua_State *L, struct load *load, uint64_t offset)
{
  if (is_meta(L, load)) {
    load->meta_offset = offset;
    lua_getfield(L, -1, "meta");
    lua_replace(L, META);
    lua_pop(L, 1);
  } else if (load->all || is_turn(L)) {
    lua_rawseti(L, TURNS, (int)++load->count);
  } else {
    lua_pop(L, 1);
  }
}

/* Takes all records of a line that is not one object alone; returns whether it is damaged. */
static bool take_parts(lua_State *L, struct load *load, const char *text, const char *newline,
                       uint64_t offset)
{
  struct objects objects;
  struct part part;
  int top = lua_gettop(L);
  objects_begin(&objects, text, newline, false);
  while (objects_next(&objects, &part)) {
    bool good = part.reason == NULL && decode_record(load->decoder, part.start, 0) != NULL;
    if (good) place_record(L, load, offset);
    else lua_settop(L, top);
  }
  return objects.damage.start != NULL;
}

/* Takes what a line holds; returns whether it is damaged. */
static bool take_line(lua_State *L, struct load *load, const char *text, const char *newline,
                      uint64_t offset)
{
  int top = lua_gettop(L);
  if (decode_line(load->decoder, text, 0) != NULL) return place_record(L, load, offset), false;
  lua_settop(L, top);
  return take_parts(L, load, text, newline, offset);
}

/* Reads forward, to the end or only to the first record. */
static void read_forward(lua_State *L, struct load *load, bool only_first)
{
  struct line line;
  int result = 1;
  while (!(only_first && load->begun) && (result = lines_next(&load->lines, &line)) > 0)
    load->damaged += line.hopeless || take_line(L, load, line.text, line.newline, line.offset);
  load->failed = result < 0;
  load->head = load->lines.end;
}

/* Reverses a part of the turns. */
static void reverse(lua_State *L, size_t first, size_t last)
{
  for (; first < last; first++, last--) {
    lua_rawgeti(L, TURNS, (int)first);
    lua_rawgeti(L, TURNS, (int)last);
    lua_rawseti(L, TURNS, (int)first);
    lua_rawseti(L, TURNS, (int)last);
  }
}

/* Reads backward until there are enough turns; they are put in order afterwards. */
static void read_backward(lua_State *L, struct load *load)
{
  struct line line;
  int result = 1;
  while (load->count < load->last && (result = tail_next(&load->tail, &line)) > 0) {
    size_t before = load->count;
    load->begun = line.offset != load->meta_offset;
    bool damaged = line.hopeless || take_line(L, load, line.text, line.newline, line.offset);
    load->damaged += damaged && line.offset >= load->head;
    reverse(L, before + 1, load->count);
  }
  load->failed = result < 0;
  for (; load->count > load->last; load->count--) {
    lua_pushnil(L);
    lua_rawseti(L, TURNS, (int)load->count);
  }
  reverse(L, 1, load->count);
}

/* Finds the meta, and then the last turns. */
static void read_ends(lua_State *L, struct load *load)
{
  read_forward(L, load, true);
  lua_newtable(L);
  lua_replace(L, TURNS);
  load->count = 0;
  if (!load->failed) read_backward(L, load);
}

/* Called with the load, protected. Returns the turns, the meta and how many lines are damaged. */
static int build_turns_l(lua_State *L)
{
  struct load *load = lua_touserdata(L, LOAD);
  hold_collector(L, &load->collector, load->large);
  lua_newtable(L);
  lua_pushnil(L);
  load->decoder = acquire_decoder(L);
  if (load->last == SIZE_MAX) read_forward(L, load, false);
  else read_ends(L, load);
  release_decoder(load->decoder);
  lua_settop(L, META);
  push_whole(L, load->damaged);
  return 3;
}

/* load(path [, opts]): the turns of a session's file.
 * path: string. opts: table of last (only the last so many turns, read from the end; all of them)
 * and all (boolean; false: records without role or content, such as calls of tools with
 * "content":null, are passed over).
 * Returns an array of the turns in the order of the file; the meta, or nil; and how many damaged
 * lines were met. nil, message, errno where it cannot be read. */
int load_l(lua_State *L)
{
  enum { LARGE = 1 << 21 };
  struct failure failure;
  struct load load = {.last = SIZE_MAX, .meta_offset = UINT64_MAX};
  struct stat st;
  const struct option known[] = {
      {"last", read_limit, &load.last}, {"all", read_boolean, &load.all}, {NULL, NULL, NULL}};
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_options(L, 2, known);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  lua_pushcfunction(L, build_turns_l);
  lua_pushlightuserdata(L, &load);
  int fd = open_to_read(path, &st, &failure);
  if (fd < 0) return push_nil_failure(L, &failure, path);
  lines_open(&load.lines, fd, 0);
  tail_open(&load.tail, fd, (uint64_t)st.st_size);
  load.large = st.st_size > LARGE && load.last == SIZE_MAX;
  int status = lua_pcall(L, 1, 3, 0);
  if (load.failed) fail(&failure, "read");
  lines_close(&load.lines);
  tail_close(&load.tail);
  sys_close(fd);
  release_collector(L, &load.collector);
  if (status != 0) return lua_error(L);
  return load.failed ? push_nil_failure(L, &failure, path) : 3;
}

/* ---- load_memory ---- */

/* Reads the file's index, which is then of the file at one time. */
static bool read_index(struct index *index, struct extent *known, int fd, bool lock,
                       struct failure *failure)
{
  if (lock && !journal_share_lock(fd, failure)) return false;
  return (memory_read(index, known, fd, lock) == 0 && index_settle(index, fd)) ||
         fail(failure, "read");
}

/* Whether the file still has what was read of it. */
static bool holds(const struct extent *known, int fd)
{
  uint64_t place;
  return extent_compare(known, fd, &place) && place == known->size;
}

/* load_memory, once its arguments are two. It starts over where a write that it has seen was undone
 * meanwhile, or a finalizer did something to the handle whose index was taken; that of a handle is
 * taken only the first time. lost: how many times it has, as of memory_refresh. */
static int load_items(lua_State *L, int lost)
{
  struct failure failure;
  struct index own; /* of the file, unless a handle has one */
  struct extent known;
  struct memory *opened = NULL;
  struct stat st;
  struct filter filter = {.limit = SIZE_MAX};
  const struct option options[] = {FILTER_OPTIONS(&filter), {NULL, NULL, NULL}};
  struct items_job job;
  const char *path = check_path(L, 1, &failure);
  check_options(L, 2, options);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  lua_pushnil(L); /* the place of a handle */
  int place = lua_gettop(L);
  items_prepare(L, &job);
  memset(&own, 0, sizeof own);
  memset(&known, 0, sizeof known);
  int fd = open_to_read(path, &st, &failure);
  if (fd < 0 && failure.number == ENOENT) return lua_newtable(L), 1;
  if (fd < 0) return push_nil_failure(L, &failure, path);
  if (lost == 0) opened = opened_memory(L, place, &st);
  job.memory = opened;
  job.fd = fd;
  job.index = opened != NULL ? &opened->index : &own;
  job.filter = &filter;
  bool lock = lost >= MEMORY_TRIES;
  bool read = opened != NULL ? memory_settle(opened, &failure)
                             : read_index(&own, &known, fd, lock, &failure);
  int result = read ? items_build(L, &job, &failure) : 0;
  bool held = opened != NULL ? memory_is_of(opened, &st) : lock || holds(&known, fd);
  index_free(&own);
  extent_free(&known);
  sys_close(fd);
  release_collector(L, &job.collector);
  if (result < 0) return lua_error(L);
  if (!held && result > 0) return lua_settop(L, 2), load_items(L, lost + 1);
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
  return load_items(L, 0);
}
