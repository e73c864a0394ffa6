/* encode.c: Lua values to JSON text. */
#include "binding/encode.h"

#include <math.h>

#include "binding/args.h"
#include "binding/class.h"
#include "binding/redact.h"
#include "json/json.h"
#include "json/number.h"
#include "json/objects.h"
#include "json/quote.h"
#include "base/hidden.h"

/* ---- scratches ---- */

static void free_scratch(void *object)
{
  struct scratch *scratch = object;
  buf_free(&scratch->text);
  buf_free(&scratch->drafts);
}

static const struct object_class SCRATCH = {.name = "scratch", .release = free_scratch};

struct scratch *kept_scratch(lua_State *L)
{
  push_kept(L, KEPT_SCRATCH);
  struct scratch *scratch = to_object(L, -1);
  if (scratch == NULL) {
    scratch = new_object(L, &SCRATCH, sizeof *scratch);
    keep(L, KEPT_SCRATCH);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return scratch;
}

struct scratch *acquire_scratch(lua_State *L, struct scratch *kept)
{
  struct scratch *scratch = kept;
  if (kept->in_use) scratch = new_object(L, &SCRATCH, sizeof *scratch);
  else lua_pushnil(L);
  scratch->in_use = true;
  scratch->redact = 0;
  return scratch;
}

void release_scratch(struct scratch *scratch)
{
  buf_reset(&scratch->text);
  buf_reset(&scratch->drafts);
  scratch->in_use = false;
}

/* ---- encoders ---- */

/* A table that is being encoded, and what led on from it. */
struct frame {
  const struct frame *above;
  const void *table;
  int key; /* where on the stack the key stands; 0: the element's number does instead */
  lua_Number number;
};

struct encoder {
  lua_State *L;
  struct scratch *scratch;
  struct buf *buf; /* of that */
  const char *root;
  const struct frame *frame;
  int depth;
  bool object; /* the outermost table must be one */
};

/* ---- what cannot be encoded ---- */

static bool is_identifier(const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++) {
    bool letter = (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z';
    bool digit = text[i] >= '0' && text[i] <= '9';
    if (!letter && text[i] != '_' && !(digit && i > 0)) return false;
  }
  return length > 0 && length <= 64;
}

/* Pushes the digits of an integer of Lua's, from 5.3 on. */
static bool push_integer_text(lua_State *L, int index)
{
#if LUA_VERSION_NUM >= 503
  if (!lua_isinteger(L, index)) return false;
  lua_pushvalue(L, index);
  lua_tolstring(L, -1, NULL);
  return true;
#else
  (void)L, (void)index;
  return false;
#endif
}

/* Pushes the text of a number. */
static void push_number(lua_State *L, int index)
{
  if (!push_integer_text(L, index)) push_number_text(L, lua_tonumber(L, index));
}

/* Pushes `.name`, `["a key"]`, `[1]`. */
static void push_step(lua_State *L, const struct frame *frame)
{
  int type = frame->key != 0 ? lua_type(L, frame->key) : LUA_TNONE;
  if (type == LUA_TSTRING) {
    size_t length;
    const char *text = lua_tolstring(L, frame->key, &length);
    lua_pushfstring(L, is_identifier(text, length) ? ".%s" : "[\"%s\"]", text);
    return;
  }
  if (type == LUA_TNONE) push_number_text(L, frame->number);
  else if (type == LUA_TNUMBER) push_number(L, frame->key);
  else lua_pushstring(L, lua_typename(L, type));
  lua_pushfstring(L, "[%s]", lua_tostring(L, -1));
  lua_remove(L, -2);
}

/* Puts the text on top of the stack before the one below it. */
static void prepend(lua_State *L)
{
  lua_insert(L, -2);
  lua_concat(L, 2);
}

/* Pushes the path to what is being encoded; of a deep one only its two ends. */
static void push_path(struct encoder *e)
{
  enum { SHOWN = 16 };
  lua_State *L = e->L;
  lua_pushliteral(L, "");
  int place = 0;
  for (const struct frame *frame = e->frame; frame != NULL; frame = frame->above, place++) {
    bool shown = place < SHOWN || e->depth - place <= SHOWN;
    if (shown) push_step(L, frame);
    else if (place == SHOWN) lua_pushliteral(L, "...");
    else continue;
    prepend(L);
  }
  lua_pushstring(L, e->root);
  prepend(L);
}

/* Pushes the message, and what it was made of below it. Returns false. */
static bool refuse(struct encoder *e, const char *reason)
{
  luaL_checkstack(e->L, LUA_MINSTACK, "encoding");
  push_path(e);
  lua_pushfstring(e->L, "%s: %s", lua_tostring(e->L, -1), reason);
  return false;
}

static bool refuse_type(struct encoder *e, int type)
{
  luaL_checkstack(e->L, 1, "encoding");
  return refuse(e, lua_pushfstring(e->L, "a %s cannot be stored", lua_typename(e->L, type)));
}

static bool refuse_memory(struct encoder *e)
{
  return refuse(e, "not enough memory");
}

static inline bool put_bytes(struct encoder *e, const char *text, size_t length)
{
  return buf_add(e->buf, text, length) || refuse_memory(e);
}

/* ---- strings and numbers ---- */

/* Puts the whole number whose text is on top of the stack; LuaJIT adds LL or ULL. */
static bool put_digits(struct encoder *e)
{
  const char *text = lua_tostring(e->L, -1);
  return put_bytes(e, text, strspn(text, "-0123456789"));
}

/* Pushes what a function of LuaJIT's FFI says to a type and the value. */
static bool ask_ffi(lua_State *L, int ffi, const char *function, const char *type, int index)
{
  lua_getfield(L, ffi, function);
  if (!lua_iscfunction(L, -1)) return false;
  lua_pushstring(L, type);
  lua_pushvalue(L, index);
  lua_call(L, 2, 1);
  return lua_toboolean(L, -1);
}

/* Pushes the digits of an int64_t or uint64_t of LuaJIT's FFI. The library is asked, as no function
 * of C tells them from other cdata; whoever has made one has it loaded. The cast is for references,
 * which it would show as addresses. */
static bool push_cdata(lua_State *L, int index)
{
  static const char *const types[] = {"int64_t", "uint64_t"};
  int ffi = lua_gettop(L) + 2;
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_getfield(L, -1, "ffi");
  for (int i = 0; i < 2 && lua_istable(L, ffi); i++)
    if (ask_ffi(L, ffi, "istype", types[i], index) && ask_ffi(L, ffi, "cast", types[i], index))
      return luaL_callmeta(L, -1, "__tostring");
  return false;
}

static bool put_number(struct encoder *e, int index)
{
  lua_Number number = lua_tonumber(e->L, index);
  if (push_integer_text(e->L, index)) return put_digits(e);
  if (isnan(number) || isinf(number)) return put_bytes(e, "null", 4);
  if (!buf_reserve(e->buf, NUMBER_SIZE)) return refuse_memory(e);
  e->buf->length += number_print(number, e->buf->data + e->buf->length);
  return true;
}

/* ---- tables ---- */

static bool put_other(struct encoder *e, int index, int type);

/* Whether the string is the value of a member that says what the record is. */
static bool is_plain_member(const struct encoder *e)
{
  const struct frame *frame = e->frame;
  if (e->depth != 1 || frame == NULL || lua_type(e->L, frame->key) != LUA_TSTRING) return false;
  size_t length;
  const char *name = lua_tolstring(e->L, frame->key, &length);
  for (int i = 0; i < PLAIN_OF_ALL; i++)
    if (is_name(name, length, PLAIN_MEMBERS[i])) return true;
  return false;
}

/* Not inlined: the registers that it needs would be saved for each string. */
__attribute__((noinline)) static bool redact(struct encoder *e, int index)
{
  if (is_plain_member(e) || redact_string(e->L, e->scratch, index)) return true;
  const char *got = luaL_typename(e->L, index);
  return refuse(e, lua_pushfstring(e->L, "redact must return a string, got %s", got));
}

static inline bool put_string(struct encoder *e, int index)
{
  size_t length;
  if (e->scratch->redact != 0 && !redact(e, index)) return false;
  const char *text = lua_tolstring(e->L, index, &length);
  return quote_text(e->buf, text, length) || refuse_memory(e);
}

/* The value is the topmost on the stack; what is put above it may stay. */
static inline bool put_value(struct encoder *e, int index)
{
  int type = lua_type(e->L, index);
  return type == LUA_TSTRING ? put_string(e, index) : put_other(e, index, type);
}

/* Whether lua-cjson, if it is loaded, has this value under this name. */
static bool is_cjson(lua_State *L, int index, const char *name)
{
  static const char *const modules[] = {"cjson", "cjson.safe"};
  bool found = false;
  int top = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  for (int i = 0; i < 2 && !found && lua_istable(L, top + 1); i++) {
    lua_getfield(L, top + 1, modules[i]);
    if (!lua_istable(L, -1)) continue;
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    found = !lua_isnil(L, -1) && lua_rawequal(L, -1, index);
  }
  lua_settop(L, top);
  return found;
}

/* Whether the registry has this value under this name, as Neovim and libmpack keep their marks there. */
static bool is_registered(lua_State *L, int index, const char *name)
{
  lua_getfield(L, LUA_REGISTRYINDEX, name);
  bool found = !lua_isnil(L, -1) && lua_rawequal(L, -1, index);
  lua_pop(L, 1);
  return found;
}

bool is_null(lua_State *L, int index)
{
  int type = lua_type(L, index);
  if (type == LUA_TLIGHTUSERDATA) return lua_touserdata(L, index) == NULL;
  return type == LUA_TUSERDATA && is_registered(L, index, "mpack.NIL");
}

enum shape { SHAPE_UNMARKED, SHAPE_ARRAY, SHAPE_OBJECT };

/* What the table's metatable says it is. */
static enum shape marked_shape(lua_State *L, int table)
{
  enum shape shape = SHAPE_UNMARKED;
  if (!lua_getmetatable(L, table)) return shape;
  int meta = lua_gettop(L);
  lua_pushliteral(L, "__jsontype");
  lua_rawget(L, meta);
  if (lua_type(L, -1) == LUA_TSTRING) {
    const char *type = lua_tostring(L, -1);
    if (strcmp(type, "array") == 0) shape = SHAPE_ARRAY;
    if (strcmp(type, "object") == 0) shape = SHAPE_OBJECT;
  } else if (is_cjson(L, meta, "array_mt") || is_cjson(L, meta, "empty_array_mt")) {
    shape = SHAPE_ARRAY;
  } else if (is_registered(L, meta, "mpack.empty_dict")) {
    shape = SHAPE_OBJECT;
  }
  lua_settop(L, meta - 1);
  return shape;
}

/* dkjson's rule: an array if all keys are positive integers and not most of it would be holes.
 * *length is its highest key. An empty table may be neither. Stack: unchanged. */
static enum shape find_shape(lua_State *L, int table, lua_Number *length)
{
  const lua_Number highest_index = 1U << 31; /* beyond it all would be holes */
  const lua_Number longest = 1 << 26; /* no mark makes gigabytes of null of a single element */
  lua_Number highest = 0, count = 0;
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    lua_Number key = lua_type(L, table + 1) == LUA_TNUMBER ? lua_tonumber(L, table + 1) : 0;
    bool is_index = key >= 1 && key <= highest_index && key == (lua_Number)(uint32_t)key;
    lua_settop(L, table + is_index);
    if (!is_index) return SHAPE_OBJECT;
    if (key > highest) highest = key;
    count++;
  }
  *length = highest;
  enum shape shape = marked_shape(L, table);
  if (count == 0 || (shape == SHAPE_ARRAY && highest <= longest)) return shape;
  return highest <= 10 || highest <= 2 * count ? SHAPE_ARRAY : SHAPE_OBJECT;
}

static bool put_array(struct encoder *e, int table, lua_Number length, struct frame *frame)
{
  if (!put_bytes(e, "[", 1)) return false;
  for (int i = 1; i <= (int)length; i++) {
    frame->number = i;
    lua_rawgeti(e->L, table, i);
    if (i > 1 && !put_bytes(e, ",", 1)) return false;
    if (!put_value(e, table + 1)) return false;
    lua_settop(e->L, table);
  }
  return put_bytes(e, "]", 1);
}

/* Stack: as in put_object. A string that is the number's text is looked up, since both would be
 * the same key. */
static bool put_number_key(struct encoder *e, char before, int table)
{
  lua_State *L = e->L;
  int key = table + 1;
  if (lua_type(L, key) != LUA_TNUMBER) return refuse(e, "a key must be a string or a number");
  if (isinf(lua_tonumber(L, key))) return refuse(e, "a key must not be infinite");
  push_number(L, key);
  lua_pushvalue(L, -1);
  lua_rawget(L, table);
  if (!lua_isnil(L, -1)) return refuse(e, "the number and the string are the same key");
  lua_pop(L, 1);
  const char *text = lua_pushfstring(L, "%c\"%s\":", before, lua_tostring(L, -1));
  bool done = put_bytes(e, text, strlen(text));
  lua_settop(L, table + 2);
  return done;
}

/* Puts a byte, the key and a colon. Stack: as in put_object. */
static inline bool put_key(struct encoder *e, char before, int table)
{
  const int key = table + 1;
  if (lua_type(e->L, key) != LUA_TSTRING) return put_number_key(e, before, table);
  size_t length;
  const char *text = lua_tolstring(e->L, key, &length);
  if (!buf_reserve(e->buf, length + QUOTE_SPARE)) return refuse_memory(e);
  buf_put(e->buf, before);
  if (!quote_reserved(e->buf, text, length)) return refuse_memory(e);
  buf_put(e->buf, ':');
  return true;
}

/* Stack: the first key and its value, above the table. */
static bool put_object(struct encoder *e, int table, struct frame *frame)
{
  char before = '{';
  frame->key = table + 1;
  do {
    if (!put_key(e, before, table) || !put_value(e, table + 2)) return false;
    lua_settop(e->L, table + 1);
    before = ',';
  } while (lua_next(e->L, table) != 0);
  return put_bytes(e, "}", 1);
}

/* A table whose first key is a string is an object; any other is looked through before. */
static bool put_contents(struct encoder *e, int table, struct frame *frame)
{
  lua_State *L = e->L;
  lua_Number length = 0;
  lua_pushnil(L);
  bool empty = lua_next(L, table) == 0;
  if (!empty && lua_type(L, table + 1) == LUA_TSTRING) return put_object(e, table, frame);
  lua_settop(L, table);
  enum shape shape = find_shape(L, table, &length);
  bool object = e->object && frame->above == NULL;
  if (object && shape == SHAPE_ARRAY) {
    e->frame = NULL; /* no step leads to the root */
    return refuse(e, "an object expected, got an array");
  }
  if (empty) return put_bytes(e, object || shape == SHAPE_OBJECT ? "{}" : "[]", 2);
  if (shape == SHAPE_ARRAY) return put_array(e, table, length, frame);
  lua_pushnil(L);
  lua_next(L, table);
  return put_object(e, table, frame);
}

static bool is_cycle(const struct encoder *e, const void *table)
{
  for (const struct frame *frame = e->frame; frame != NULL; frame = frame->above)
    if (frame->table == table) return true;
  return false;
}

static bool put_table(struct encoder *e, int table)
{
  lua_State *L = e->L;
  struct frame frame = {e->frame, lua_topointer(L, table), 0, 0};
  if (is_cycle(e, frame.table)) return refuse(e, "a cycle cannot be stored");
  if (e->depth >= JSON_DEPTH) return refuse(e, "more than 1000 levels cannot be stored");
  if (!lua_checkstack(L, LUA_MINSTACK)) return refuse_memory(e);
  if (e->scratch->redact != 0) copy_table(L, table);
  e->frame = &frame;
  e->depth++;
  bool done = put_contents(e, table, &frame);
  e->frame = frame.above;
  e->depth--;
  return done;
}

static bool put_other(struct encoder *e, int index, int type)
{
  lua_State *L = e->L;
  switch (type) {
  case LUA_TNIL:
    return put_bytes(e, "null", 4);
  case LUA_TBOOLEAN:
    return lua_toboolean(L, index) ? put_bytes(e, "true", 4) : put_bytes(e, "false", 5);
  case LUA_TNUMBER:
    return put_number(e, index);
  case LUA_TTABLE:
    return put_table(e, index);
  case LUA_TLIGHTUSERDATA:
  case LUA_TUSERDATA:
    if (is_null(L, index)) return put_bytes(e, "null", 4);
    if (is_cjson(L, index, "empty_array")) return put_bytes(e, "[]", 2);
    return refuse_type(e, type);
  default:
    if (type > LUA_TTHREAD && push_cdata(L, index)) return put_digits(e);
    return refuse_type(e, type);
  }
}

bool encode(lua_State *L, int index, struct scratch *scratch, const char *root, int depth,
            bool object)
{
  struct encoder encoder = {.L = L,
                            .scratch = scratch,
                            .buf = &scratch->text,
                            .root = root,
                            .depth = depth,
                            .object = object};
  int top = lua_gettop(L);
  lua_pushvalue(L, index);
  bool done = put_value(&encoder, top + 1);
  if (!done) lua_replace(L, top + 1); /* by the message */
  lua_settop(L, top + !done);
  return done;
}

/* encode(value): its JSON text, in valid UTF-8: each byte of a string that is no part of that is the
 * lone surrogate from \udc80 to \udcff that decode reads as the byte. Integers of 64 bits, LuaJIT's
 * int64_t and uint64_t among them, are written to the last digit; Neovim's vim.NIL is null and its
 * vim.empty_dict() {}. nil, message with the path to what JSON cannot hold: also to a key that is there as
 * a number and as a string. */
int encode_l(lua_State *L)
{
  luaL_checkany(L, 1);
  check_count(L, 1);
  struct scratch *scratch = acquire_scratch(L, kept_scratch(L));
  bool done = encode(L, 1, scratch, "value", 0, false);
  if (done) lua_pushlstring(L, scratch->text.data, scratch->text.length);
  release_scratch(scratch);
  if (done) return 1;
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}
