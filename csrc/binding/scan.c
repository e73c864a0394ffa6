/* scan.c: scan and follow: records one by one.
 *
 * The iterator is a userdata that is called, not a closure over one: LuaJIT's traces keep the
 * functions alive that they call, and would keep a file open that a loop has left. */
#include "binding/scan.h"

#include "binding/args.h"
#include "binding/class.h"
#include "binding/decode.h"
#include "file/follow.h"
#include "memory/kind.h"
#include "json/objects.h"
#include "base/hidden.h"

struct scan {
  struct follow follow;
  struct line line; /* the last one read */
  struct objects objects; /* what is left of it, if it is not one object alone */
  bool is_memory; /* when the file was as here: */
  struct stat asked; /* its st_ino is 0 where that was not asked for yet */
  bool follows; /* it goes on when the file does; otherwise it is over at the end of the file */
  bool malformed; /* damage is wanted too */
  bool busy; /* a line is being decoded; a finalizer must not ask for the next one */
  bool closed; /* there is no more */
  char path[];
};

static const struct object_class ITERATOR;

static void close_scan(struct scan *scan)
{
  follow_close(&scan->follow);
  memset(&scan->objects, 0, sizeof scan->objects);
  scan->closed = true;
}

static void release_scan(void *scan)
{
  close_scan(scan);
}

static int raise_read(lua_State *L, struct scan *scan)
{
  struct failure failure;
  fail(&failure, "read");
  close_scan(scan);
  int count = push_nil_failure(L, &failure, scan->path);
  return luaL_error(L, "%s", lua_tostring(L, 1 - count));
}

/* The record is on top of the stack. Returns how many values are there then: line number, record
 * and offset. */
static int push_record(lua_State *L, struct scan *scan, uint64_t offset)
{
  push_whole(L, scan->line.number);
  lua_insert(L, -2);
  push_whole(L, offset);
  return 3;
}

/* The same for damage: line number, nil, offset and reason; none if it is not wanted. */
static int push_damage(lua_State *L, const struct scan *scan, uint64_t offset, const char *reason)
{
  if (!scan->malformed) return 0;
  push_whole(L, scan->line.number);
  lua_pushnil(L);
  push_whole(L, offset);
  lua_pushstring(L, reason);
  return 4;
}

static int push_part(lua_State *L, struct scan *scan, struct decoder *decoder,
                     const struct part *part)
{
  int top = lua_gettop(L);
  uint64_t offset = scan->line.offset + (uint64_t)(part->start - scan->line.text);
  if (part->reason != NULL) return push_damage(L, scan, offset, part->reason);
  if (decode_record(decoder, part->start, 0) != NULL) return push_record(L, scan, offset);
  lua_settop(L, top);
  return push_damage(L, scan, offset, decoder->error.reason);
}

/* What a damaged line holds depends on whether the file is a memory, which another may be that has come to
 * its place, and which it may become when it grows. False and errno. */
static bool ask_kind(struct scan *scan)
{
  const struct stat *asked = &scan->asked;
  struct stat st;
  if (sys_fstat(scan->follow.fd, &st) != 0) return false;
  if (asked->st_ino == st.st_ino && asked->st_dev == st.st_dev && asked->st_size == st.st_size)
    return true;
  if (!file_is_memory(scan->follow.fd, &scan->is_memory)) return false;
  scan->asked = st;
  return true;
}

/* Pushes what there is of a line that is one object alone; otherwise leaves its parts to come.
 * Returns how much, or -1 and errno. */
static int push_line(lua_State *L, struct scan *scan, struct decoder *decoder)
{
  const struct line *line = &scan->line;
  int top = lua_gettop(L);
  if (line->hopeless) return push_damage(L, scan, line->offset, "not an object");
  if (decode_line(decoder, line->text, 0) != NULL) return push_record(L, scan, line->offset);
  lua_settop(L, top);
  if (!ask_kind(scan)) return -1;
  objects_begin(&scan->objects, line->text, line->newline, scan->is_memory);
  return 0;
}

static struct scan *check_idle(lua_State *L)
{
  struct scan *scan = check_object(L, &ITERATOR);
  if (scan->busy) luaL_error(L, "the iterator is in use");
  lua_settop(L, 1);
  return scan;
}

static int read_line(struct scan *scan)
{
  struct follow *follow = &scan->follow;
  if (scan->closed) return 0;
  return scan->follows ? follow_next(follow, &scan->line) : lines_next(&follow->lines, &scan->line);
}

/* Called with the iterator, protected. */
static int step_l(lua_State *L)
{
  struct scan *scan = to_object(L, 1);
  struct part part;
  int result = 1, pushed = 0;
  struct decoder *decoder = acquire_decoder(L);
  while (pushed == 0 && result > 0) {
    if (objects_next(&scan->objects, &part)) pushed = push_part(L, scan, decoder, &part);
    else if ((result = read_line(scan)) > 0) pushed = push_line(L, scan, decoder);
  }
  if (pushed < 0) result = -1;
  release_decoder(decoder);
  if (pushed > 0) return pushed;
  if (result < 0) return raise_read(L, scan);
  if (!scan->follows) close_scan(scan);
  return 0;
}

/* iterator(): the next record, see scan and follow. No finalizer can call it meanwhile. */
static int scan_call_l(lua_State *L)
{
  struct scan *scan = check_idle(L);
  lua_pushcfunction(L, step_l);
  lua_insert(L, 1);
  scan->busy = true;
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  scan->busy = false;
  return status == 0 ? lua_gettop(L) : lua_error(L);
}

/* iterator:close(): closes the file; there is no more then. */
static int scan_close_l(lua_State *L)
{
  close_scan(check_idle(L));
  return 0;
}

static const luaL_Reg METHODS[] = {{"close", scan_close_l}, {NULL, NULL}};
static const luaL_Reg METAMETHODS[] = {{"__call", scan_call_l}, {NULL, NULL}};
static const struct object_class ITERATOR = {"iterator", "iterator", release_scan, METHODS,
                                             METAMETHODS};

/* ---- opening ---- */

/* Into a uint64_t, cut to what pread(2) takes, which is beyond any file's end. */
static void read_offset(lua_State *L, int argument, const char *name, void *into)
{
  const uint64_t most = (uint64_t)1 << 62;
  size_t offset;
  read_limit(L, argument, name, &offset);
  *(uint64_t *)into = offset < most ? offset : most;
}

static struct scan *new_scan(lua_State *L, const char *path, uint64_t from)
{
  size_t size = strlen(path) + 1;
  struct scan *scan = new_object(L, &ITERATOR, sizeof *scan + size);
  memcpy(scan->path, path, size);
  follow_init(&scan->follow, scan->path, from);
  return scan;
}

/* The results, the iterator being on top of the stack: where for closes its fourth value, four. */
static int push_iteration(lua_State *L)
{
  if (!LUA_CLOSES) return 1;
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, -3);
  return 4;
}

static int open_scan(lua_State *L, bool follows)
{
  struct failure failure;
  bool malformed = false;
  uint64_t from = 0;
  const struct option known[] = {
      {"malformed", read_boolean, &malformed}, {"from", read_offset, &from}, {NULL, NULL, NULL}};
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_options(L, 2, known);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct scan *scan = new_scan(L, path, from);
  scan->follows = follows;
  scan->malformed = malformed;
  if (follow_open(&scan->follow, &failure) || (follows && failure.number == ENOENT))
    return push_iteration(L);
  return push_nil_failure(L, &failure, path);
}

/* scan(path [, opts]): reads a file of JSON lines, in constant memory.
 * path: string. opts: table of malformed (boolean; false: what is damaged is passed over) and from
 * (the offset of a line's start; 0: its line has the number 1).
 * Returns an iterator, with a method close, that gives line number, record and its offset in bytes;
 * for what is damaged of a line, its number, nil, the offset and the reason. Records that share a
 * line have its number, each its own offset. From Lua 5.4 on, nil, nil and the iterator follow it, so
 * that for closes it. nil, message, errno where the file cannot be opened; a read error on the way
 * raises. */
int scan_l(lua_State *L)
{
  return open_scan(L, false);
}

/* follow(path [, opts]): an iterator over what a file of JSON lines has and gets: at the end of the
 * file it gives nil, and asked again what was added since. A file that was cut short or rewritten is
 * read from the first line that is not as it was given (from its start, if that is farther back than
 * 8,192 lines), and one that was replaced to its end, and then the new one from its
 * start, or where the old one ended if it was erased from (once: after two erasures between calls,
 * from its start); one that is missing gives nil until there is one. A last line without its newline
 * is not given before it has one, or the path has left its file.
 * path: string. opts: as scan's. Returns the iterator, which is as scan's. */
int follow_l(lua_State *L)
{
  return open_scan(L, true);
}
