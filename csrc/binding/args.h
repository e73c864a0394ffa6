/* args.h: reading the arguments and options of the module's functions, and pushing their results.
 *
 * [-o, +p, e]: see class.h. */
#pragma once

#include "base/buf.h"
#include "base/failure.h"
#include "base/sys.h"
#include "binding/compat.h"

/* ---- arguments ---- */

/* Raises if there are more arguments than `most`. [-0, +0, e] */
void check_count(lua_State *L, int most);
/* As luaL_checklstring, but a number is no string. [-0, +0, e] */
const char *check_string(lua_State *L, int argument, const char *name, size_t *length);
/* A path: a string. NULL and *failure if it has a NUL byte. [-0, +0, e] */
const char *check_path(lua_State *L, int argument, struct failure *failure);
/* luaL_argerror with a message of lua_pushfstring's form. [-0, +0, e] */
__attribute__((cold)) int argument_error(lua_State *L, int argument, const char *form, ...);
/* Raises the message as it is, without a position: the shell shows it. [-0, +0, e] */
__attribute__((cold)) int raise_plain(lua_State *L, const char *form, ...);

/* Raises that memory ran out. [-0, +0, e] */
__attribute__((cold)) int raise_no_memory(lua_State *L);

/* Whether a string with its length is this name. */
static inline bool is_name(const char *text, size_t length, const char *name)
{
  return strlen(name) == length && memcmp(text, name, length) == 0;
}

/* ---- options ---- */

/* Reads the value on top of the stack, which belongs to the option of that name. [-0, +0, e] */
typedef void option_reader(lua_State *L, int argument, const char *name, void *into);

/* An option that a function has: its name, what reads its value, and where that is put. A function
 * lists its options in an array that ends in {NULL, NULL, NULL}. */
struct option {
  const char *name;
  option_reader *read;
  void *into;
};

option_reader read_boolean; /* bool */
option_reader read_limit; /* size_t: a whole number from 0 */
option_reader read_text; /* struct bytes */
option_reader read_time; /* struct bound: text, or seconds since 1970 */
option_reader read_sync; /* bool: "full" is true, "none" false */
option_reader read_wait; /* double: seconds from 0 */
option_reader read_amount; /* double: from 0 */
option_reader read_function; /* int: where it stands when check_options has returned */

/* Reads the table at `argument`, if there is one, over the defaults that stand where the options are
 * put. The values stay on the stack, so that what was read lives as long as the call, whatever
 * becomes of the table. [-0, +n, e] */
void check_options(lua_State *L, int argument, const struct option *known);
/* Raises that the value on top of the stack is not what the option must be. [-0, +0, e] */
int option_error(lua_State *L, int argument, const char *name, const char *expected);

/* ---- results ---- */

/* Push nil or false, the message, the number, and the process if there is one; return how many.
 * [-0, +3 or 4, m] */
__attribute__((cold)) int push_nil_failure(lua_State *L, const struct failure *failure,
                                           const char *path);
__attribute__((cold)) int push_false_failure(lua_State *L, const struct failure *failure,
                                             const char *path);
/* Calls a function that Lua has called, with its arguments. If it fails as no descriptor is left, those
 * of handles that were dropped are collected, and it is called once more: so everything that opens a
 * file is called in this way. */
int call_twice(lua_State *L, lua_CFunction function);
/* Pushes true; returns 1. [-0, +1, -] */
int push_true(lua_State *L);
/* Pushes true; or, where it is not done, as push_nil_failure. [-0, +1, 3 or 4, m] */
int push_done(lua_State *L, bool done, const struct failure *failure, const char *path);

/* Sets a member of the table on top of the stack. [-0, +0, m] */
void set_whole(lua_State *L, const char *name, uint64_t number);
/* Pushes a number as it is in JSON. [-0, +1, m] */
void push_number_text(lua_State *L, lua_Number number);
