/* args.c: arguments, options and results, in the words that all functions share. */
#include "binding/args.h"

#include <math.h>
#include <stdarg.h>

#include "binding/budget.h"
#include "memory/filter.h"
#include "json/number.h"
#include "base/hidden.h"

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

int raise_no_memory(lua_State *L)
{
  return luaL_error(L, "not enough memory");
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

void set_whole(lua_State *L, const char *name, uint64_t number)
{
  push_whole(L, number);
  lua_setfield(L, -2, name);
}

/* ---- failures of the environment ---- */

const char *check_path(lua_State *L, int argument, struct failure *failure)
{
  size_t length;
  const char *path = check_string(L, argument, "path", &length);
  if (strlen(path) == length) return budget_check(L, path), path;
  fail_because(failure, EINVAL, "open", "path has a NUL byte");
  return NULL;
}

/* What the file with the lock is called: its name, unless it has another. */
static const char *called(const struct failure *failure, const char *path)
{
  const char *slash = strrchr(path, '/');
  if (failure->doing != NULL) return failure->doing;
  return slash != NULL ? slash + 1 : path;
}

static void push_message(lua_State *L, const struct failure *failure, const char *path)
{
  char text[128];
  if (failure->path[0] != '\0') path = failure->path;
  const char *reason =
      failure->reason != NULL ? failure->reason : sys_reason(failure->number, text, sizeof text);
  if (failure->held)
    lua_pushfstring(L, "%s held by another aish process (%s)", called(failure, path), reason);
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

/* The `count` results, on top of the stack, are those of push_failure; behind them may be a report. Where
 * that has files that are changed, no second call would tell of them. */
static bool lacks_descriptors(lua_State *L, int count)
{
  if (count < 3 || lua_toboolean(L, -count) || lua_type(L, 2 - count) != LUA_TNUMBER) return false;
  lua_Integer number = lua_tointeger(L, 2 - count);
  if (number != EMFILE && number != ENFILE) return false;
  if (!lua_istable(L, -1)) return true;
  lua_getfield(L, -1, "files");
  bool changed = lua_tointeger(L, -1) > 0;
  lua_pop(L, 1);
  return !changed;
}

int call_twice(lua_State *L, lua_CFunction function)
{
  int arguments = lua_gettop(L), count = function(L);
  if (!lacks_descriptors(L, count)) return count;
  lua_settop(L, arguments);
  bool stopped = lua_gc(L, LUA_GCISRUNNING, 0) == 0;
  lua_gc(L, LUA_GCCOLLECT, 0);
  if (stopped) lua_gc(L, LUA_GCSTOP, 0);
  return function(L);
}

int push_true(lua_State *L)
{
  lua_pushboolean(L, 1);
  return 1;
}

int push_done(lua_State *L, bool done, const struct failure *failure, const char *path)
{
  return done ? push_true(L) : push_nil_failure(L, failure, path);
}

/* ---- options ---- */

int option_error(lua_State *L, int argument, const char *name, const char *expected)
{
  return argument_error(L, argument, "option \"%s\" must be %s, got %s", name, expected,
                        luaL_typename(L, -1));
}

static void check_type_of_option(lua_State *L, int argument, const char *name, int type,
                                 const char *expected)
{
  if (lua_type(L, -1) != type) option_error(L, argument, name, expected);
}

void read_boolean(lua_State *L, int argument, const char *name, void *into)
{
  check_type_of_option(L, argument, name, LUA_TBOOLEAN, "a boolean");
  *(bool *)into = lua_toboolean(L, -1);
}

static lua_Number from_zero(lua_State *L, int argument, const char *name, const char *expected)
{
  check_type_of_option(L, argument, name, LUA_TNUMBER, expected);
  lua_Number number = lua_tonumber(L, -1);
  if (!(number >= 0)) argument_error(L, argument, "option \"%s\" must not be negative", name);
  return number;
}

void read_limit(lua_State *L, int argument, const char *name, void *into)
{
  lua_Number limit = from_zero(L, argument, name, "a number");
  if (limit != floor(limit))
    argument_error(L, argument, "option \"%s\" must be a whole number", name);
  *(size_t *)into = limit < 1e15 ? (size_t)limit : SIZE_MAX - 1; /* SIZE_MAX: no limit is given */
}

void read_text(lua_State *L, int argument, const char *name, void *into)
{
  struct bytes *text = into;
  check_type_of_option(L, argument, name, LUA_TSTRING, "a string");
  text->start = lua_tolstring(L, -1, &text->length);
}

void read_time(lua_State *L, int argument, const char *name, void *into)
{
  size_t length;
  lua_Number seconds = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
  if (isnan(seconds)) argument_error(L, argument, "option \"%s\" is not a time", name);
  if (lua_type(L, -1) == LUA_TNUMBER) {
    bound_from_seconds(into, seconds);
    return;
  }
  check_type_of_option(L, argument, name, LUA_TSTRING, "a time");
  const char *text = lua_tolstring(L, -1, &length);
  if (!bound_read(into, text, length))
    argument_error(L, argument, "option \"%s\" is not a time: \"%s\"", name, text);
}

void read_sync(lua_State *L, int argument, const char *name, void *into)
{
  size_t length;
  check_type_of_option(L, argument, name, LUA_TSTRING, "\"full\" or \"none\"");
  const char *sync = lua_tolstring(L, -1, &length);
  *(bool *)into = is_name(sync, length, "full");
  if (!*(bool *)into && !is_name(sync, length, "none"))
    argument_error(L, argument, "option \"%s\" must be \"full\" or \"none\", got \"%s\"", name,
                   sync);
}

void read_wait(lua_State *L, int argument, const char *name, void *into)
{
  *(double *)into = from_zero(L, argument, name, "a number of seconds");
}

void read_amount(lua_State *L, int argument, const char *name, void *into)
{
  *(double *)into = from_zero(L, argument, name, "a number");
}

void read_function(lua_State *L, int argument, const char *name, void *into)
{
  check_type_of_option(L, argument, name, LUA_TFUNCTION, "a function");
  *(int *)into = lua_gettop(L) - 1;
}

/* Finds the option whose name and value are on top of the stack, during lua_next. */
static const struct option *check_option(lua_State *L, int argument, const struct option *known)
{
  if (lua_type(L, -2) != LUA_TSTRING)
    argument_error(L, argument, "the name of an option must be a string, got %s",
                   luaL_typename(L, -2));
  size_t length;
  const char *name = lua_tolstring(L, -2, &length);
  while (known->name != NULL && !is_name(name, length, known->name)) known++;
  if (known->name == NULL)
    argument_error(L, argument, "unknown option \"%s\"%s", name,
                   strlen(name) == length ? "" : " and a NUL byte");
  return known;
}

void check_options(lua_State *L, int argument, const struct option *known)
{
  if (lua_isnoneornil(L, argument)) return;
  luaL_checktype(L, argument, LUA_TTABLE);
  luaL_checkstack(L, 2 * LUA_MINSTACK, "options");
  int place = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, argument) != 0; lua_pop(L, 1)) {
    const struct option *option = check_option(L, argument, known);
    option->read(L, argument, option->name, option->into);
    lua_pushvalue(L, -1);
    lua_insert(L, ++place);
  }
}
