/* args.c: arguments that are checked and results that are pushed in more than one file. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "binding/binding.h"
#include "json/number.h"

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

/* A method's own object is not counted, as in luaL_argerror. */
static bool is_method(lua_State *L)
{
  lua_Debug call;
  return lua_getstack(L, 0, &call) && lua_getinfo(L, "n", &call) &&
         strcmp(call.namewhat, "method") == 0;
}

void check_count(lua_State *L, int most)
{
  if (lua_gettop(L) <= most) return;
  int counted = most - is_method(L);
  argument_error(L, most + 1, "no more than %d argument%s expected", counted,
                 counted == 1 ? "" : "s");
}

const char *check_string(lua_State *L, int argument, const char *name, size_t *length)
{
  if (lua_type(L, argument) != LUA_TSTRING)
    argument_error(L, argument, "%s must be a string, got %s", name, luaL_typename(L, argument));
  return lua_tolstring(L, argument, length);
}

void push_number_text(lua_State *L, lua_Number number)
{
  char text[NUMBER_SIZE];
  if (isnan(number)) lua_pushliteral(L, "nan");
  else if (isinf(number)) lua_pushstring(L, number > 0 ? "inf" : "-inf");
  else lua_pushlstring(L, text, number_print(number, text));
}

/* ---- failures of the world ---- */

const char *check_path(lua_State *L, int argument, struct failure *failure)
{
  size_t length;
  const char *path = check_string(L, argument, "path", &length);
  if (strlen(path) == length) return path;
  fail_because(failure, EINVAL, "open", "path has a NUL byte");
  return NULL;
}

static void push_message(lua_State *L, const struct failure *failure, const char *path)
{
  char text[128];
  const char *reason =
      failure->reason != NULL ? failure->reason : sys_reason(failure->number, text, sizeof text);
  if (failure->held) lua_pushfstring(L, "memory.jsonl held by another aish process (%s)", reason);
  else if (failure->process != 0)
    lua_pushfstring(L, "%s %s: %s (it was opened by process %d)", failure->doing, path, reason,
                    (int)failure->process);
  else if (failure->hint != NULL)
    lua_pushfstring(L, "%s %s: %s: %s", failure->doing, path, reason, failure->hint);
  else lua_pushfstring(L, "%s %s: %s", failure->doing, path, reason);
}

static int push_failure(lua_State *L, const struct failure *failure, const char *path)
{
  push_message(L, failure, path);
  lua_pushinteger(L, failure->number);
  if (!failure->held || failure->process == 0) return 3;
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
  argument_error(L, argument, "option \"%s\" must be %s, got %s", option, expected,
                 luaL_typename(L, -1));
}

/* The readers below find the option's value on top of the stack. */

static void read_sync(lua_State *L, int argument, struct options *options)
{
  size_t length = 0;
  if (lua_type(L, -1) != LUA_TSTRING) wrong_type(L, argument, "sync", "\"full\" or \"none\"");
  const char *sync = lua_tolstring(L, -1, &length);
  options->durable = is_name(sync, length, "full");
  if (!options->durable && !is_name(sync, length, "none"))
    argument_error(L, argument, "option \"sync\" must be \"full\" or \"none\", got \"%s\"", sync);
}

static void read_wait(lua_State *L, int argument, struct options *options)
{
  if (lua_type(L, -1) != LUA_TNUMBER) wrong_type(L, argument, "wait", "a number of seconds");
  options->wait = lua_tonumber(L, -1);
  if (!(options->wait >= 0)) argument_error(L, argument, "option \"wait\" must not be negative");
}

const char *keep_text(lua_State *L, int argument, const char *name, int place, size_t *length)
{
  if (lua_type(L, -1) != LUA_TSTRING)
    argument_error(L, argument, "option \"%s\" must be a string, got %s", name,
                   luaL_typename(L, -1));
  lua_pushvalue(L, -1);
  lua_replace(L, place);
  return lua_tolstring(L, place, length);
}

bool read_boolean(lua_State *L, int argument, const char *name)
{
  if (lua_type(L, -1) != LUA_TBOOLEAN) wrong_type(L, argument, name, "a boolean");
  return lua_toboolean(L, -1);
}

const char *option_name(lua_State *L, int argument)
{
  if (lua_type(L, -2) != LUA_TSTRING)
    argument_error(L, argument, "the name of an option must be a string, got %s",
                   luaL_typename(L, -2));
  size_t length;
  const char *name = lua_tolstring(L, -2, &length);
  if (strlen(name) != length)
    argument_error(L, argument, "unknown option \"%s\" and a NUL byte", name);
  return name;
}

static bool read_option(lua_State *L, int argument, const char *name, struct options *options,
                        int known)
{
  if ((known & OPTION_SYNC) && strcmp(name, "sync") == 0) read_sync(L, argument, options);
  else if ((known & OPTION_WAIT) && strcmp(name, "wait") == 0) read_wait(L, argument, options);
  else if ((known & OPTION_SHARED) && strcmp(name, "shared") == 0)
    options->shared = read_boolean(L, argument, name);
  else if ((known & OPTION_DRY_RUN) && strcmp(name, "dry_run") == 0)
    options->dry_run = read_boolean(L, argument, name);
  else return false;
  return true;
}

void check_options(lua_State *L, int argument, struct options *options, int known)
{
  if (lua_isnoneornil(L, argument)) return;
  luaL_checktype(L, argument, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, argument) != 0; lua_pop(L, 1)) {
    const char *name = option_name(L, argument);
    if (!read_option(L, argument, name, options, known))
      argument_error(L, argument, "unknown option \"%s\"", name);
  }
}

void check_time(lua_State *L, int argument, const char *name, struct bound *bound)
{
  size_t length;
  if (lua_type(L, -1) == LUA_TNUMBER) {
    lua_Number seconds = lua_tonumber(L, -1);
    if (isnan(seconds)) argument_error(L, argument, "option \"%s\" is not a time", name);
    bound_from_seconds(bound, seconds);
    return;
  }
  if (lua_type(L, -1) != LUA_TSTRING)
    argument_error(L, argument, "option \"%s\" must be a time, got %s", name, luaL_typename(L, -1));
  const char *text = lua_tolstring(L, -1, &length);
  if (!bound_read(bound, text, length))
    argument_error(L, argument, "option \"%s\" is not a time: \"%s\"", name, text);
}

size_t check_limit(lua_State *L, int argument, const char *name)
{
  if (lua_type(L, -1) != LUA_TNUMBER)
    argument_error(L, argument, "option \"%s\" must be a number, got %s", name,
                   luaL_typename(L, -1));
  lua_Number limit = lua_tonumber(L, -1);
  if (!(limit >= 0)) argument_error(L, argument, "option \"%s\" must not be negative", name);
  if (limit != floor(limit))
    argument_error(L, argument, "option \"%s\" must be a whole number", name);
  return limit < 1e15 ? (size_t)limit : SIZE_MAX - 1; /* SIZE_MAX stands for none given */
}

/* ---- userdata ---- */

bool begin_class(lua_State *L, const char *name)
{
  luaL_getmetatable(L, name);
  if (!lua_isnil(L, -1)) return false;
  lua_pop(L, 1);
  lua_newtable(L);
  return true;
}

void end_class(lua_State *L, const char *name)
{
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, name);
}

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
  if (begin_class(L, BUFFER)) {
    lua_pushcfunction(L, buffer_gc);
    lua_setfield(L, -2, "__gc");
    end_class(L, BUFFER);
  }
  lua_setmetatable(L, -2);
  return buf;
}

static const char SCRATCH[] = "aish_history.scratch";

static int scratch_gc(lua_State *L)
{
  struct scratch *scratch = lua_touserdata(L, 1);
  buf_free(&scratch->text);
  buf_free(&scratch->drafts);
  return 0;
}

void push_address(lua_State *L, const void *address)
{
  /* NOLINTNEXTLINE(performance-no-int-to-ptr): Lua takes no pointer to what is constant */
  lua_pushlightuserdata(L, (void *)(uintptr_t)address);
}

/* The state's scratch is in the registry, under the address of its name. */
struct scratch *take_scratch(lua_State *L)
{
  push_address(L, SCRATCH);
  lua_rawget(L, LUA_REGISTRYINDEX);
  struct scratch *scratch = lua_touserdata(L, -1);
  if (scratch == NULL || scratch->in_use) {
    lua_pop(L, 1);
    scratch = lua_newuserdata(L, sizeof *scratch);
    memset(scratch, 0, sizeof *scratch);
    if (begin_class(L, SCRATCH)) {
      lua_pushcfunction(L, scratch_gc);
      lua_setfield(L, -2, "__gc");
      end_class(L, SCRATCH);
    }
    lua_setmetatable(L, -2);
    push_address(L, SCRATCH);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
  }
  scratch->in_use = true;
  return scratch;
}

void give_scratch(struct scratch *scratch)
{
  buf_reset(&scratch->text);
  buf_reset(&scratch->drafts);
  scratch->in_use = false;
}

/* Fills the table on top of the stack with functions that have the values at `class` and behind it,
 * the metatable and the table of methods, as their upvalues. */
static void put_functions(lua_State *L, int class, const luaL_Reg *functions)
{
  for (; functions->name != NULL; functions++) {
    lua_pushvalue(L, class);
    lua_pushvalue(L, class + 1);
    lua_pushcclosure(L, functions->func, 2);
    lua_setfield(L, -2, functions->name);
  }
}

/* The metatable is hidden, so that nobody calls __gc as a method. */
void new_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods)
{
  if (begin_class(L, name)) {
    int class = lua_gettop(L);
    lua_pushliteral(L, "aish_history");
    lua_setfield(L, class, "__metatable");
    lua_newtable(L);
    put_functions(L, class, methods);
    lua_pushvalue(L, class);
    put_functions(L, class, metamethods);
    lua_settop(L, class);
    end_class(L, name);
  }
  lua_pop(L, 1);
}

void *check_object(lua_State *L, const char *class)
{
  if (lua_getmetatable(L, 1)) {
    bool same = lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_pop(L, 1);
    if (same) return lua_touserdata(L, 1);
  }
  return luaL_checkudata(L, 1, class);
}

void push_method(lua_State *L)
{
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(2));
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
