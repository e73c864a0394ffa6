/* lua_args.c: arguments that are checked and results that are pushed in more than one file. */
#include <stdarg.h>
#include <string.h>

#include "binding.h"
#include "sys.h"

/* ---- errors of the caller ---- */

int argument_error(lua_State *L, int argument, const char *form, ...)
{
  va_list arguments;
  va_start(arguments, form);
  const char *message = lua_pushvfstring(L, form, arguments);
  va_end(arguments);
  return luaL_argerror(L, argument, message);
}

int raise_plain(lua_State *L, const char *form, ...)
{
  va_list arguments;
  va_start(arguments, form);
  lua_pushvfstring(L, form, arguments);
  va_end(arguments);
  return lua_error(L);
}

void check_count(lua_State *L, int most)
{
  if (lua_gettop(L) > most)
    argument_error(L, most + 1, "no more than %d argument%s expected", most, most == 1 ? "" : "s");
}

const char *check_string(lua_State *L, int argument, const char *name, size_t *length)
{
  if (lua_type(L, argument) != LUA_TSTRING)
    argument_error(L, argument, "%s must be a string, got %s", name, luaL_typename(L, argument));
  return lua_tolstring(L, argument, length);
}

/* ---- failures of the world ---- */

const char *check_path(lua_State *L, int argument, struct failure *failure)
{
  size_t length;
  const char *path = check_string(L, argument, "path", &length);
  if (strlen(path) == length) return path;
  fail_because(failure, EINVAL, "open", "the path has a NUL byte");
  return NULL;
}

static void push_message(lua_State *L, const struct failure *failure, const char *path)
{
  char text[128];
  const char *reason = failure->reason != NULL ? failure->reason : sys_reason(failure->number, text, sizeof text);
  if (failure->held) lua_pushfstring(L, "memory.jsonl held by another aish process (%s)", reason);
  else if (failure->hint != NULL) lua_pushfstring(L, "%s %s: %s: %s", failure->doing, path, reason, failure->hint);
  else lua_pushfstring(L, "%s %s: %s", failure->doing, path, reason);
}

static int push_failure(lua_State *L, const struct failure *failure, const char *path)
{
  push_message(L, failure, path);
  lua_pushinteger(L, failure->number);
  if (failure->process == 0) return 3;
  lua_pushinteger(L, failure->process);
  return 4;
}

int push_nil_failure(lua_State *L, const struct failure *failure, const char *path)
{
  lua_pushnil(L);
  return push_failure(L, failure, path);
}

int push_false_failure(lua_State *L, const struct failure *failure, const char *path)
{
  lua_pushboolean(L, 0);
  return push_failure(L, failure, path);
}

/* ---- options ---- */

static void wrong_type(lua_State *L, int argument, const char *option, const char *expected)
{
  argument_error(L, argument, "option \"%s\" must be %s, got %s", option, expected, luaL_typename(L, -1));
}

/* The option's value is on top of the stack. */
static bool read_option(lua_State *L, int argument, const char *name, struct options *options, bool shared)
{
  if (strcmp(name, "sync") == 0) {
    if (lua_type(L, -1) != LUA_TSTRING) wrong_type(L, argument, name, "\"full\" or \"none\"");
    const char *sync = lua_tostring(L, -1);
    options->durable = strcmp(sync, "full") == 0;
    if (!options->durable && strcmp(sync, "none") != 0)
      argument_error(L, argument, "option \"sync\" must be \"full\" or \"none\", got \"%s\"", sync);
  } else if (strcmp(name, "wait") == 0) {
    if (lua_type(L, -1) != LUA_TNUMBER) wrong_type(L, argument, name, "a number of seconds");
    options->wait = lua_tonumber(L, -1);
    if (!(options->wait >= 0)) argument_error(L, argument, "option \"wait\" must not be negative");
  } else if (shared && strcmp(name, "shared") == 0) {
    if (lua_type(L, -1) != LUA_TBOOLEAN) wrong_type(L, argument, name, "a boolean");
    options->shared = lua_toboolean(L, -1);
  } else {
    return false;
  }
  return true;
}

void check_options(lua_State *L, int argument, struct options *options, bool shared)
{
  if (lua_isnoneornil(L, argument)) return;
  luaL_checktype(L, argument, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, argument) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING)
      argument_error(L, argument, "the name of an option must be a string, got %s", luaL_typename(L, -2));
    const char *name = lua_tostring(L, -2);
    if (!read_option(L, argument, name, options, shared)) argument_error(L, argument, "unknown option \"%s\"", name);
    lua_pop(L, 1);
  }
}

/* ---- userdata ---- */

static const char BUFFER[] = "aish_history.buffer";

static int buffer_gc(lua_State *L)
{
  buf_free(lua_touserdata(L, 1));
  return 0;
}

struct buf *new_buffer(lua_State *L)
{
  struct buf *buf = lua_newuserdata(L, sizeof *buf);
  memset(buf, 0, sizeof *buf);
  if (luaL_newmetatable(L, BUFFER)) {
    lua_pushcfunction(L, buffer_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return buf;
}

/* Each metamethod is a closure over the table of methods, for the sake of __index. The metatable is
 * hidden, so that nobody calls __gc as a method. */
void new_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods)
{
  if (luaL_newmetatable(L, name)) {
    lua_pushliteral(L, "aish_history");
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    luaL_register(L, NULL, methods);
    for (; metamethods->name != NULL; metamethods++) {
      lua_pushvalue(L, -1);
      lua_pushcclosure(L, metamethods->func, 1);
      lua_setfield(L, -3, metamethods->name);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void *test_userdata(lua_State *L, int index, const char *class)
{
  void *userdata = lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
  if (userdata == NULL || !lua_getmetatable(L, index)) return NULL;
  luaL_getmetatable(L, class);
  if (!lua_rawequal(L, -1, -2)) userdata = NULL;
  lua_pop(L, 2);
  return userdata;
}
