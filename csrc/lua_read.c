/* lua_read.c: scan, load and load_memory: files read without a handle. */
#include <string.h>

#include "binding.h"
#include "lua_items.h"
#include "reader.h"

static const char SCAN[] = "aish_history.scan";

/* A file that is being read line by line. */
struct lines {
  struct reader reader;
  struct block block;
  const char *next; /* in the block; NULL or its end: a new block is needed */
  uint64_t number; /* of the line handed out last */
  int fd;
};

/* One of them, without white space being a line. */
struct line {
  const char *text;
  uint64_t offset, number;
  bool hopeless;
};

static bool open_lines(struct lines *lines, const char *path, struct failure *failure)
{
  struct stat st;
  lines->fd = open_to_read(path, &st, failure);
  if (lines->fd < 0) return false;
  reader_open(&lines->reader, lines->fd, 0);
  return true;
}

static void close_lines(struct lines *lines)
{
  if (lines->fd < 0) return;
  reader_close(&lines->reader);
  sys_close(lines->fd);
  lines->fd = -1;
}

static bool is_blank(const char *text)
{
  return *json_space(text, text) == '\n';
}

/* 1 and the next line that is not blank, 0 at the end, -1 and errno. */
static int next_line(struct lines *lines, struct line *line)
{
  for (;;) {
    if (lines->next == NULL || lines->next >= lines->block.end) {
      if (lines->block.unfinished) return 0; /* what is added to this line later is not a line */
      int result = reader_next(&lines->reader, &lines->block);
      if (result <= 0) return result;
      lines->next = lines->block.start;
    }
    line->text = lines->next;
    line->hopeless = lines->block.hopeless;
    line->offset = lines->block.offset + (uint64_t)(line->text - lines->block.start);
    line->number = ++lines->number;
    if (line->hopeless) {
      lines->next = lines->block.end;
      return 1;
    }
    lines->next = (const char *)memchr(line->text, '\n', (size_t)(lines->block.end - line->text)) + 1;
    if (!is_blank(line->text)) return 1;
  }
}

/* ---- scan ---- */

struct scan {
  struct lines lines;
  bool malformed; /* bad lines are wanted too */
  bool busy; /* a line is being decoded, and a finalizer must not ask for the next one */
};

static int scan_gc(lua_State *L)
{
  struct scan *scan = luaL_checkudata(L, 1, SCAN);
  close_lines(&scan->lines);
  return 0;
}

static int push_bad_line(lua_State *L, const struct line *line, const char *reason)
{
  lua_pushnumber(L, (lua_Number)line->number);
  lua_pushnil(L);
  lua_pushnumber(L, (lua_Number)line->offset);
  lua_pushstring(L, reason);
  return 4;
}

/* The iterator: upvalue 1 is the scan, 2 the path. */
static int scan_next(lua_State *L)
{
  struct scan *scan = lua_touserdata(L, lua_upvalueindex(1));
  struct decoder decoder;
  struct line line;
  int result = 0;
  lua_settop(L, 0);
  if (scan->busy) return luaL_error(L, "scan: the iterator is in use");
  scan->busy = true;
  decoder_open(&decoder, L);
  int top = lua_gettop(L);
  while (scan->lines.fd >= 0 && (result = next_line(&scan->lines, &line)) > 0) {
    if (!line.hopeless && decode_line(&decoder, line.text, 0) != NULL) {
      scan->busy = false;
      lua_pushnumber(L, (lua_Number)line.number);
      lua_insert(L, -2);
      lua_pushnumber(L, (lua_Number)line.offset);
      return 3;
    }
    lua_settop(L, top);
    if (scan->malformed) {
      scan->busy = false;
      return push_bad_line(L, &line, line.hopeless ? "not an object" : decoder.error.reason);
    }
  }
  struct failure failure;
  fail(&failure, "read");
  scan->busy = false;
  close_lines(&scan->lines);
  if (result == 0) return 0;
  int count = push_nil_failure(L, &failure, lua_tostring(L, lua_upvalueindex(2)));
  return luaL_error(L, "%s", lua_tostring(L, 1 - count));
}

static bool check_scan_options(lua_State *L, int argument)
{
  bool malformed = false;
  if (lua_isnoneornil(L, argument)) return false;
  luaL_checktype(L, argument, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, argument) != 0; lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
    if (strcmp(name, "malformed") != 0) argument_error(L, argument, "unknown option \"%s\"", name);
    if (!lua_isboolean(L, -1))
      argument_error(L, argument, "option \"malformed\" must be a boolean, got %s", luaL_typename(L, -1));
    malformed = lua_toboolean(L, -1);
  }
  return malformed;
}

/* scan(path [, opts]): reads a file of JSON lines, in constant memory.
 * path: string. opts: table of malformed (boolean; false: lines that are no object are passed over).
 * Returns an iterator that gives line number, record and the line's offset in bytes; for a bad
 * line its number, nil, its offset and the reason. nil, message, errno where the file cannot be
 * opened; a read error on the way raises. */
int scan_l(lua_State *L)
{
  struct failure failure;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  bool malformed = check_scan_options(L, 2);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct scan *scan = lua_newuserdata(L, sizeof *scan);
  memset(scan, 0, sizeof *scan);
  scan->lines.fd = -1;
  scan->malformed = malformed;
  luaL_getmetatable(L, SCAN);
  lua_setmetatable(L, -2);
  if (!open_lines(&scan->lines, path, &failure)) return push_nil_failure(L, &failure, path);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, scan_next, 2);
  return 1;
}

void scan_setup(lua_State *L)
{
  static const luaL_Reg methods[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", scan_gc}, {NULL, NULL}};
  new_class(L, SCAN, methods, metamethods);
}

/* ---- load ---- */

/* Whether the table on top of the stack has a member that is neither false nor null. */
static bool has(lua_State *L, const char *name)
{
  lua_getfield(L, -1, name);
  bool found = lua_toboolean(L, -1) && !(lua_islightuserdata(L, -1) && lua_touserdata(L, -1) == NULL);
  lua_pop(L, 1);
  return found;
}

struct load {
  struct lines lines;
  bool failed; /* errno says why */
};

/* Called with the load, protected. Returns the turns and the meta of the first line. */
static int build_turns(lua_State *L)
{
  struct load *load = lua_touserdata(L, 1);
  struct decoder decoder;
  struct line line;
  int result, count = 0;
  bool first = true;
  lua_newtable(L);
  lua_pushnil(L); /* the meta's place */
  int turns = lua_gettop(L) - 1, meta = turns + 1;
  decoder_open(&decoder, L);
  int top = lua_gettop(L);
  for (; (result = next_line(&load->lines, &line)) > 0; first = false) {
    lua_settop(L, top);
    if (line.hopeless || decode_line(&decoder, line.text, 0) == NULL) continue;
    if (first && has(L, "meta")) {
      lua_getfield(L, -1, "meta");
      lua_replace(L, meta);
    } else if (has(L, "role") && has(L, "content")) {
      lua_rawseti(L, turns, ++count);
    }
  }
  load->failed = result < 0;
  lua_settop(L, meta);
  return 2;
}

/* load(path): the turns of a session's file.
 * path: string. Returns an array of the turns, the records with role and content, in the order of
 * the file, and the meta of its first line, or nil; nil, message, errno where it cannot be read. */
int load_l(lua_State *L)
{
  struct failure failure;
  struct load load;
  check_count(L, 1);
  const char *path = check_path(L, 1, &failure);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  memset(&load, 0, sizeof load);
  lua_pushcfunction(L, build_turns);
  lua_pushlightuserdata(L, &load);
  if (!open_lines(&load.lines, path, &failure)) return push_nil_failure(L, &failure, path);
  bool was_running = hold_collector(L);
  int status = lua_pcall(L, 1, 2, 0);
  release_collector(L, was_running);
  if (load.failed) fail(&failure, "read");
  close_lines(&load.lines);
  if (status != 0) return lua_error(L);
  return load.failed ? push_nil_failure(L, &failure, path) : 2;
}

/* ---- load_memory ---- */

/* load_memory(path): the active items of a memory file.
 * path: string. Returns an array of items, newest first, which is empty if there is no such file;
 * nil, message, errno where it cannot be read. */
int load_memory_l(lua_State *L)
{
  struct failure failure;
  struct index index;
  struct stat st;
  check_count(L, 1);
  const char *path = check_path(L, 1, &failure);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  memset(&index, 0, sizeof index);
  int fd = open_to_read(path, &st, &failure);
  if (fd < 0 && failure.number == ENOENT) return lua_newtable(L), 1;
  bool done = fd >= 0;
  if (done && index_read(&index, fd) != 0) done = fail(&failure, "read");
  done = done && push_items(L, fd, &index, &failure);
  index_free(&index);
  if (fd >= 0) sys_close(fd);
  return done ? 1 : push_nil_failure(L, &failure, path);
}
