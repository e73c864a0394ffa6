/* binding.h: what the files that speak to Lua share. Only these, the other files of this folder and aish_history.c, know
 * Lua; everything else in this directory does without.
 *
 * [-o, +p, e] after a function says, as in Lua's manual, what it pops, what it pushes, and whether
 * it may raise an error ("-": never, "m": for want of memory, "e": otherwise). */
#ifndef AISH_BINDING_H
#define AISH_BINDING_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/failure.h"
#include "base/sys.h"
#include "file/journal.h"
#include "memory/filter.h"
#include "json/json.h"

#pragma GCC visibility push(hidden)

#if LUA_VERSION_NUM >= 502
#define lua_objlen lua_rawlen
#define luaL_register(L, name, functions) luaL_setfuncs(L, functions, 0)
#endif

/* ---- args.c: arguments and results ---- */

/* A path: a string without NUL bytes. The argument's string; where it has a NUL byte, NULL with
 * the failure pushed by the caller's push_failure. [-0, +0, e] */
const char *check_path(lua_State *L, int argument, struct failure *failure);

/* Pushes `first` (nil, or false), the message, the number, and the process if there is one;
 * returns how many. [-0, +3 or 4, m] */
int push_nil_failure(lua_State *L, const struct failure *failure, const char *path);
int push_false_failure(lua_State *L, const struct failure *failure, const char *path);

/* sys_open_read with the failure that a caller reports; -1 if it failed. [-0, +0, -] */
int open_to_read(const char *path, struct stat *st, struct failure *failure);

/* Options of the module's functions. */
struct options {
  double wait;
  bool durable, shared, dry_run;
};

enum option { OPTION_SYNC = 1, OPTION_WAIT = 2, OPTION_SHARED = 4, OPTION_DRY_RUN = 8 };

/* A boolean option's value, on top of the stack. [-0, +0, e] */
bool read_boolean(lua_State *L, int argument, const char *name);
/* A time option: text, or seconds since 1970, on top of the stack. [-0, +0, e] */
void check_time(lua_State *L, int argument, const char *name, struct bound *bound);
/* The string that is the option's value, put into the stack's `place`, so that it lives on whatever
 * becomes of the table of options. */
const char *keep_text(lua_State *L, int argument, const char *name, int place, size_t *length);
/* A limit or an offset: a whole number from 0, on top of the stack. [-0, +0, e] */
size_t check_limit(lua_State *L, int argument, const char *name);
/* Reads the table at `argument`, if there is one, over the defaults in *options. `known` is the
 * sum of the options that the function has. [-0, +0, e] */
void check_options(lua_State *L, int argument, struct options *options, int known);

/* The name of the option whose value is on top of the stack, during lua_next: a string without NUL
 * bytes. [-0, +0, e] */
const char *option_name(lua_State *L, int argument);

/* Raises if there are more arguments than `most`. [-0, +0, e] */
void check_count(lua_State *L, int most);
/* As luaL_checklstring, but a number is no string. [-0, +0, e] */
const char *check_string(lua_State *L, int argument, const char *name, size_t *length);
/* luaL_argerror with a message of lua_pushfstring's form. [-0, +0, e] */
int argument_error(lua_State *L, int argument, const char *form, ...);
/* Raises the message as it is, without a position: the shell shows it. [-0, +0, e] */
int raise_plain(lua_State *L, const char *form, ...);

/* Pushes a whole number up to 2^53: from Lua 5.3 on as an integer. [-0, +1, -] */
static inline void push_whole(lua_State *L, uint64_t number)
{
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)number);
#else
  lua_pushnumber(L, (lua_Number)number);
#endif
}

/* Pushes a number as it is in JSON. [-0, +1, m] */
void push_number_text(lua_State *L, lua_Number number);
/* Whether a string with its length is this name. */
static inline bool is_name(const char *text, size_t length, const char *name)
{
  return strlen(name) == length && memcmp(text, name, length) == 0;
}

/* A buffer that the collector frees. [-0, +1, m] */
struct buf *new_buffer(lua_State *L);
/* Where something is put together that is to be written. While that is done the collector may run,
 * and with it a finalizer that calls us again: it finds this one in use and gets another. One that
 * an error has left in use is replaced and collected. */
struct scratch {
  struct buf text, drafts;
  bool in_use;
};

/* An empty one, which stays on the stack while it is used. [-0, +1, m] */
struct scratch *take_scratch(lua_State *L);
void give_scratch(struct scratch *scratch);
/* Pushes a key of ours for the registry: the address of something constant. [-0, +1, -] */
void push_address(lua_State *L, const void *address);

/* Pushes the metatable `name`; true: it is new, and to be filled before end_class keeps it, so that
 * running out of memory leaves no half of one behind. [-0, +1, m] */
bool begin_class(lua_State *L, const char *name);
/* Keeps the metatable on top of the stack, which is whole now. [-0, +0, m] */
void end_class(lua_State *L, const char *name);
/* Makes the metatable `name` of a kind of userdata and leaves nothing on the stack. Each function's
 * upvalues are the metatable and the table of methods. [-0, +0, m] */
void new_class(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods);
/* In a function of a class: its object, which is the first argument. As luaL_checkudata, but does
 * not look the class up by its name. [-0, +0, e] */
void *check_object(lua_State *L, const char *class);
/* In __index: pushes the method of the name that is the second argument, or nil. [-0, +1, -] */
void push_method(lua_State *L);

/* ---- encode.c ---- */

/* Appends the JSON text of the value at `index` to the buffer. On failure false, with a message on
 * the stack that gives the path to what cannot be encoded, beginning with `root`. [-0, +0 or 1, m]
 */
bool encode(lua_State *L, int index, struct buf *buf, const char *root);
/* The same for the value of a record's member: one level less is left for it, so that the record
 * can be read. */
bool encode_member(lua_State *L, int index, struct buf *buf, const char *root);
/* Appends a string as JSON. False: out of memory. [-0, +0, -] */
bool encode_string(struct buf *buf, const char *text, size_t length);

/* ---- decode.c ---- */

enum { DECODER_KEYS = 64 };

/* What decoding needs, besides a table of the keys that were met last. A state keeps it, so that it
 * is not made anew for every line. */
struct decoder {
  lua_State *L;
  int table; /* where on the stack its table is */
  struct buf unescaped;
  struct json_error error;
  struct {
    uint64_t first, last;
    size_t length; /* 0: none */
  } keys[DECODER_KEYS]; /* which strings the table's places hold */
  bool in_use; /* see struct scratch */
};

/* The state's decoder, or a new one; its table stays on the stack while it is used. [-0, +1, m] */
struct decoder *take_decoder(lua_State *L);
void give_decoder(struct decoder *decoder);
/* Pushes the value at p and returns the byte behind it. On failure NULL, decoder->error, and any
 * number of values on the stack. `members` is how many an object at p has, or 0 where that is not
 * known. [-0, +1, m] */
const char *decode(struct decoder *decoder, const char *p, const char *limit, int members);
/* Pushes the object that is all of the line at p, and returns the newline; NULL as above, also
 * for a line that is anything else. [-0, +1, m] */
const char *decode_line(struct decoder *decoder, const char *p, int members);
/* Makes the marks of empty objects and of arrays with holes. [-0, +0, m] */
void decoder_setup(lua_State *L);

/* ---- the functions of the module that have files of their own ---- */

int memory_open_l(lua_State *L);
int session_open_l(lua_State *L);
int append_l(lua_State *L);
int scan_l(lua_State *L);
int follow_l(lua_State *L);
int load_l(lua_State *L);
int load_memory_l(lua_State *L);
int sessions_l(lua_State *L);
int search_l(lua_State *L);
int verify_l(lua_State *L);
int compact_l(lua_State *L);

/* Make the classes of handles. [-0, +0, m] */
void memory_setup(lua_State *L);
void session_setup(lua_State *L);
void scan_setup(lua_State *L);

/* Whether the value is a handle of the class; *journal is then its file, or NULL if it is closed.
 */
bool memory_journal(lua_State *L, int index, struct journal **journal);
bool session_journal(lua_State *L, int index, struct journal **journal);
/* As luaL_checkudata, but answers NULL instead of raising. [-0, +0, -] */
void *test_userdata(lua_State *L, int index, const char *class);

#pragma GCC visibility pop
#endif
