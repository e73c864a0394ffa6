/* scan.c: scan and follow: records one by one.
 *
 * Both are userdata that are called, not closures over one: LuaJIT's traces keep the functions
 * alive that they call, and would keep a file open that a loop has left. */
#include "binding/scan.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "binding/args.h"
#include "binding/class.h"
#include "binding/decode.h"
#include "file/lines.h"

enum { TAIL = 32 };

struct scan {
  struct lines lines;
  struct stat st; /* of the open file */
  int fd; /* -1: none */
  bool malformed; /* bad lines are wanted too */
  bool busy; /* a line is being decoded; a finalizer must not ask for the next one */
  bool closed; /* by its user */
  uint64_t from, number; /* follow: where to read on, and how many lines there are before it */
  char tail[TAIL]; /* and the bytes before it, which tell an append from another text */
  size_t tail_length;
  char path[];
};

static void close_scan(struct scan *scan)
{
  if (scan->fd < 0) return;
  lines_close(&scan->lines);
  sys_close(scan->fd);
  scan->fd = -1;
}

static bool open_scan(struct scan *scan, uint64_t from, struct failure *failure)
{
  scan->fd = open_to_read(scan->path, &scan->st, failure);
  if (scan->fd >= 0) lines_open(&scan->lines, scan->fd, from);
  return scan->fd >= 0;
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

/* Pushes line number, record and offset; or, for a bad line, its number, nil, its offset and the
 * reason; returns how many. 0: a bad line that is not wanted. */
static int push_line(lua_State *L, struct scan *scan, struct decoder *decoder,
                     const struct line *line)
{
  int top = lua_gettop(L);
  bool good = !line->hopeless && decode_line(decoder, line->text, 0) != NULL;
  if (!good) lua_settop(L, top);
  if (!good && !scan->malformed) return 0;
  if (!good) lua_pushnil(L);
  push_whole(L, line->number);
  lua_insert(L, top + 1);
  push_whole(L, line->offset);
  if (!good) lua_pushstring(L, line->hopeless ? "not an object" : decoder->error.reason);
  return good ? 3 : 4;
}

static struct scan *check_idle(lua_State *L)
{
  struct scan *scan = check_object(L);
  if (scan->busy) luaL_error(L, "the iterator is in use");
  lua_settop(L, 1);
  return scan;
}

/* Calls `step` with the iterator, and lets no finalizer call that meanwhile. */
static int call_alone(lua_State *L, lua_CFunction step)
{
  struct scan *scan = check_idle(L);
  lua_pushcfunction(L, step);
  lua_insert(L, 1);
  scan->busy = true;
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  scan->busy = false;
  return status == 0 ? lua_gettop(L) : lua_error(L);
}

/* ---- scan ---- */

static int scan_step_l(lua_State *L)
{
  struct scan *scan = lua_touserdata(L, 1);
  struct line line;
  int result = 0, pushed = 0;
  struct decoder *decoder = acquire_decoder(L);
  while (pushed == 0 && scan->fd >= 0 && (result = lines_next(&scan->lines, &line)) > 0)
    pushed = push_line(L, scan, decoder, &line);
  release_decoder(decoder);
  if (pushed > 0) return pushed;
  if (result < 0) return raise_read(L, scan);
  close_scan(scan);
  return 0;
}

static int scan_call_l(lua_State *L)
{
  return call_alone(L, scan_step_l);
}

/* iterator:close(): closes the file; there is no more then. */
static int scan_close_l(lua_State *L)
{
  close_scan(check_idle(L));
  return 0;
}

static const luaL_Reg scan_methods[] = {{"close", scan_close_l}, {NULL, NULL}};
static const luaL_Reg scan_metamethods[] = {{"__call", scan_call_l}, {NULL, NULL}};
static const struct class SCAN = {"iterator", "iterator", release_scan, scan_methods,
                                  scan_metamethods};

/* Into a uint64_t, cut to what pread(2) takes, which is beyond any file's end. */
static void read_offset(lua_State *L, int argument, const char *name, void *into)
{
  const uint64_t most = (uint64_t)1 << 62;
  size_t offset;
  read_limit(L, argument, name, &offset);
  *(uint64_t *)into = offset < most ? offset : most;
}

static void check_scan_options(lua_State *L, int argument, bool *malformed, uint64_t *from)
{
  const struct option known[] = {
      {"malformed", read_boolean, malformed}, {"from", read_offset, from}, {NULL, NULL, NULL}};
  check_options(L, argument, known);
}

static struct scan *new_scan(lua_State *L, const char *path, const struct class *class)
{
  size_t size = strlen(path) + 1;
  struct scan *scan = new_object(L, class, sizeof *scan + size);
  memcpy(scan->path, path, size);
  scan->fd = -1;
  return scan;
}

/* scan(path [, opts]): reads a file of JSON lines, in constant memory.
 * path: string. opts: table of malformed (boolean; false: lines that are no object are passed over)
 * and from (an offset that an earlier scan gave; 0: its line has the number 1).
 * Returns an iterator that gives line number, record and the line's offset in bytes; for a bad
 * line its number, nil, its offset and the reason. nil, message, errno where the file cannot be
 * opened; a read error on the way raises. */
int scan_l(lua_State *L)
{
  struct failure failure;
  bool malformed = false;
  uint64_t from = 0;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_scan_options(L, 2, &malformed, &from);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct scan *scan = new_scan(L, path, &SCAN);
  scan->malformed = malformed;
  return open_scan(scan, from, &failure) ? 1 : push_nil_failure(L, &failure, path);
}

/* ---- follow ---- */

static bool was_rewritten(const struct scan *scan)
{
  char tail[TAIL];
  if (scan->tail_length == 0) return false;
  ssize_t got = sys_read_at(scan->fd, tail, scan->tail_length, scan->from - scan->tail_length);
  return got >= 0 &&
         ((size_t)got < scan->tail_length || memcmp(tail, scan->tail, scan->tail_length) != 0);
}

/* Whether the path leads to another file now, or the file has become shorter than what was read. */
static bool is_other_file(const struct scan *scan)
{
  struct stat st;
  if (sys_stat(scan->path, &st) != 0) return false; /* gone; another may come */
  return st.st_dev != scan->st.st_dev || st.st_ino != scan->st.st_ino ||
         (uint64_t)st.st_size < scan->from;
}

/* Opens the file, or reads on in it from the last whole line; false: there is none. */
static bool reopen_follow(struct scan *scan)
{
  struct failure ignored;
  bool other = scan->fd < 0 || is_other_file(scan);
  if (other && scan->fd >= 0) {
    close_scan(scan);
    scan->from = scan->number = scan->tail_length = 0;
  }
  if (scan->fd < 0) {
    if (!open_scan(scan, scan->from, &ignored)) return false;
  } else {
    lines_close(&scan->lines);
    lines_open(&scan->lines, scan->fd, scan->from);
  }
  scan->lines.number = scan->number;
  return true;
}

/* Reads on behind a line that was handed out. */
static void pass(struct scan *scan, const struct line *line)
{
  size_t mark = line->offset == 0 ? 3 : 0; /* a byte order mark does not show in the text */
  size_t size = line->hopeless ? 0 : (size_t)(scan->lines.end - line->offset);
  scan->from = scan->lines.end;
  scan->number = line->number;
  scan->tail_length = size < mark ? 0 : size - mark < TAIL ? size - mark : TAIL;
  memcpy(scan->tail, line->text + size - scan->tail_length, scan->tail_length);
}

/* As lines_next, but begins anew where what is read does not go on with what was read before: that
 * is looked at behind each reading, so that it holds for what was read. */
static int next_line(struct scan *scan, struct line *line)
{
  uint64_t position = scan->lines.reader.position;
  int result = lines_next(&scan->lines, line);
  if (result < 0 || (result > 0 && scan->lines.reader.position == position)) return result;
  if (!was_rewritten(scan)) return result;
  scan->from = scan->number = scan->tail_length = 0;
  lines_close(&scan->lines);
  lines_open(&scan->lines, scan->fd, 0);
  return lines_next(&scan->lines, line);
}

/* Pushes the next whole line of the open file; returns how much, 0 at its end, or -1 and errno. */
static int follow_on(lua_State *L, struct scan *scan, struct decoder *decoder)
{
  struct line line;
  int result = 0, pushed = 0;
  while (pushed == 0 && scan->fd >= 0 && (result = next_line(scan, &line)) > 0 &&
         !line.unfinished) {
    pass(scan, &line);
    pushed = push_line(L, scan, decoder, &line);
  }
  return result < 0 ? -1 : pushed;
}

static int follow_step_l(lua_State *L)
{
  struct scan *scan = lua_touserdata(L, 1);
  struct decoder *decoder = acquire_decoder(L);
  int pushed = follow_on(L, scan, decoder);
  if (pushed == 0 && !scan->closed && reopen_follow(scan)) pushed = follow_on(L, scan, decoder);
  release_decoder(decoder);
  return pushed < 0 ? raise_read(L, scan) : pushed;
}

static int follow_call_l(lua_State *L)
{
  return call_alone(L, follow_step_l);
}

static int follow_close_l(lua_State *L)
{
  struct scan *scan = check_idle(L);
  close_scan(scan);
  scan->closed = true;
  return 0;
}

static const luaL_Reg follow_methods[] = {{"close", follow_close_l}, {NULL, NULL}};
static const luaL_Reg follow_metamethods[] = {{"__call", follow_call_l}, {NULL, NULL}};
static const struct class FOLLOW = {"iterator", "iterator", release_scan, follow_methods,
                                    follow_metamethods};

/* follow(path [, opts]): an iterator over what a file of JSON lines has and gets: at the end of the
 * file it gives nil, and asked again what was added since. A file that was cut short or replaced is
 * read from its start; one that is missing gives nil until there is one. A last line without its
 * newline is not given before it has one.
 * path: string. opts: as scan's. Returns the iterator, which gives what scan's does, with a method
 * close; a read error raises. */
int follow_l(lua_State *L)
{
  struct failure failure;
  bool malformed = false;
  uint64_t from = 0;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_scan_options(L, 2, &malformed, &from);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct scan *scan = new_scan(L, path, &FOLLOW);
  scan->malformed = malformed;
  scan->from = from;
  if (open_scan(scan, from, &failure) || failure.number == ENOENT) return 1;
  return push_nil_failure(L, &failure, path);
}
