/* session_handle.c: the session handle, and appending without one. */
#include <string.h>

#include "binding/binding.h"
#include "file/journal.h"

static const char CLASS[] = "aish_history.session";

struct handle {
  struct journal journal;
  bool open;
  char path[]; /* as it was given */
};

/* ---- one record ---- */

/* Encodes the value at `index` as a line, behind the newline that journal_append wants. */
static void encode_line(lua_State *L, int index, struct buf *lines, const char *root)
{
  if (!buf_add(lines, "\n", 1)) luaL_error(L, "not enough memory");
  if (!encode(L, index, lines, root)) luaL_error(L, "%s", lua_tostring(L, -1));
  if (!buf_add(lines, "\n", 1)) luaL_error(L, "not enough memory");
}

static void encode_meta(lua_State *L, int index, struct buf *lines)
{
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, index);
  lua_setfield(L, -2, "meta");
  encode_line(L, lua_gettop(L), lines, "");
  lua_pop(L, 1);
}

/* Writes the line under the lock. `only_first`: not if there is anything in the file already. */
static bool write_line(struct journal *journal, const struct buf *lines, bool only_first,
                       struct failure *failure)
{
  uint64_t offset;
  if (!journal_attach(journal, true, failure)) return false;
  bool done = (only_first && journal->size > 0) || journal_append(journal, lines, &offset, failure);
  journal_detach(journal);
  return done;
}

static void check_record(lua_State *L, int argument, const char *name)
{
  if (!lua_istable(L, argument))
    argument_error(L, argument, "%s must be a table, got %s", name, luaL_typename(L, argument));
}

/* ---- opening and closing ---- */

static struct handle *check_handle(lua_State *L)
{
  return check_object(L, CLASS);
}

static int close_handle(struct handle *handle)
{
  if (!handle->open) return 0;
  handle->open = false;
  return journal_close(&handle->journal);
}

static struct handle *new_handle(lua_State *L, const char *path)
{
  size_t size = strlen(path) + 1;
  struct handle *handle = lua_newuserdata(L, sizeof *handle + size);
  memset(handle, 0, sizeof *handle);
  memcpy(handle->path, path, size);
  luaL_getmetatable(L, CLASS);
  lua_setmetatable(L, -2);
  return handle;
}

static bool open_handle(struct handle *handle, const struct options *options,
                        struct failure *failure)
{
  handle->open = true;
  if (!journal_init(&handle->journal, handle->path)) return fail(failure, "open");
  handle->journal.durable = options->durable;
  handle->journal.wait = options->wait;
  return journal_attach(&handle->journal, false, failure);
}

/* session(path [, meta [, opts]]): opens a session's file, or makes it.
 * path: string. meta: table, written as {"meta":...} in the first line if the file is new or
 * empty. opts: table of sync ("full" or "none"; "none") and wait (seconds for the lock, which is
 * taken for each write; 5).
 * Returns the handle; or nil, message, errno. Raises on wrong arguments. */
int session_open_l(lua_State *L)
{
  struct options options = {.wait = 5};
  struct failure failure;
  check_count(L, 3);
  const char *path = check_path(L, 1, &failure);
  bool has_meta = !lua_isnoneornil(L, 2);
  if (has_meta) check_record(L, 2, "meta");
  check_options(L, 3, &options, OPTION_SYNC | OPTION_WAIT);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct scratch *scratch = take_scratch(L);
  if (has_meta) encode_meta(L, 2, &scratch->text);
  struct handle *handle = new_handle(L, path);
  bool done = open_handle(handle, &options, &failure) &&
              (!has_meta || handle->journal.size > 0 ||
               write_line(&handle->journal, &scratch->text, true, &failure));
  give_scratch(scratch);
  if (done) return 1;
  close_handle(handle);
  return push_nil_failure(L, &failure, path);
}

/* session:close(): closes the handle. A second time does nothing.
 * Returns true; or nil, message, errno where the system reports a failure. */
static int session_close_l(lua_State *L)
{
  struct handle *handle = check_handle(L);
  struct failure failure;
  check_count(L, 1);
  if (close_handle(handle) != 0) {
    fail(&failure, "close");
    return push_nil_failure(L, &failure, handle->path);
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int session_gc(lua_State *L)
{
  close_handle(check_handle(L));
  return 0;
}

/* ---- writing ---- */

static int push_closed(lua_State *L)
{
  lua_pushboolean(L, 0);
  lua_pushliteral(L, "session closed");
  return 2;
}

/* session:append(turn): appends a turn, in one write.
 * turn: table. Returns true; false and "session closed"; or false, message, errno. Raises on
 * wrong arguments, and on a value that JSON cannot hold, with the path to it. */
static int session_append_l(lua_State *L)
{
  struct handle *handle = check_handle(L);
  struct failure failure;
  if (!handle->open) return push_closed(L);
  check_count(L, 2);
  check_record(L, 2, "turn");
  struct scratch *scratch = take_scratch(L);
  encode_line(L, 2, &scratch->text, "turn");
  if (!handle->open) return push_closed(L); /* by a finalizer, meanwhile */
  bool done = write_line(&handle->journal, &scratch->text, false, &failure);
  give_scratch(scratch);
  if (!done) return push_false_failure(L, &failure, handle->path);
  lua_pushboolean(L, 1);
  return 1;
}

/* session:sync(): everything appended so far reaches the disk. Returns true; false and "session
 * closed"; or false, message, errno. */
static int session_sync_l(lua_State *L)
{
  struct handle *handle = check_handle(L);
  struct failure failure;
  if (!handle->open) return push_closed(L);
  check_count(L, 1);
  if (!journal_sync_all(&handle->journal, &failure))
    return push_false_failure(L, &failure, handle->path);
  lua_pushboolean(L, 1);
  return 1;
}

/* append(path, value [, opts]): appends one record to a file of JSON lines, under its lock.
 * path: string. value: table. opts: as session's.
 * Returns true; or nil, message, errno. Raises as session:append. */
int append_l(lua_State *L)
{
  struct options options = {.wait = 5};
  struct failure failure;
  check_count(L, 3);
  const char *path = check_path(L, 1, &failure);
  check_record(L, 2, "value");
  check_options(L, 3, &options, OPTION_SYNC | OPTION_WAIT);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct scratch *scratch = take_scratch(L);
  encode_line(L, 2, &scratch->text, "value");
  struct handle *handle = new_handle(L, path);
  bool done = open_handle(handle, &options, &failure) &&
              write_line(&handle->journal, &scratch->text, false, &failure);
  give_scratch(scratch);
  close_handle(handle); /* if that fails, the record is in the file and cannot be taken back */
  if (!done) return push_nil_failure(L, &failure, path);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- fields ---- */

/* Besides the methods, which look at the handle themselves: path, fd and closed. */
static int session_index(lua_State *L)
{
  push_method(L);
  if (!lua_isnil(L, -1) || lua_type(L, 2) != LUA_TSTRING) return 1;
  const struct handle *handle = check_handle(L);
  size_t length;
  const char *name = lua_tolstring(L, 2, &length);
  if (is_name(name, length, "path")) lua_pushstring(L, handle->path);
  else if (is_name(name, length, "closed")) lua_pushboolean(L, !handle->open);
  else if (is_name(name, length, "fd") && handle->open && handle->journal.fd >= 0)
    lua_pushinteger(L, handle->journal.fd);
  else lua_pushnil(L);
  return 1;
}

static int session_tostring(lua_State *L)
{
  const struct handle *handle = check_handle(L);
  lua_pushfstring(L, "aish_history.session (%s, %s)", handle->path,
                  handle->open ? "open" : "closed");
  return 1;
}

bool session_journal(lua_State *L, int index, struct journal **journal)
{
  struct handle *handle = test_userdata(L, index, CLASS);
  if (handle != NULL) *journal = handle->open ? &handle->journal : NULL;
  return handle != NULL;
}

void session_setup(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"append", session_append_l},
      {"sync", session_sync_l},
      {"close", session_close_l},
      {NULL, NULL},
  };
  static const luaL_Reg metamethods[] = {
      {"__index", session_index},
      {"__tostring", session_tostring},
      {"__gc", session_gc},
      {NULL, NULL},
  };
  new_class(L, CLASS, methods, metamethods);
}
