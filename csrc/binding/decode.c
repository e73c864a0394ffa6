/* decode.c: JSON text to Lua values.
 *
 * Keys are made strings once: most of a file's keys are the same few. */
#include "binding/decode.h"

#include "base/escape.h"
#include "base/utf8.h"
#include "base/word.h"
#include "binding/args.h"
#include "binding/class.h"
#include "json/number.h"
#include "base/hidden.h"

/* The places of a decoder's table; the keys stand at 1 and following. */
enum { SLOT_DECODER = 0, SLOT_OBJECT = DECODER_KEYS + 1, SLOT_ARRAY };

enum { KEY_LONGEST = 16 };

enum { FEW = 4 }; /* members or elements, where it is not known how many there are */

static void free_decoder(void *object)
{
  struct decoder *decoder = object;
  buf_free(&decoder->unescaped);
}

static const struct object_class DECODER = {.name = "decoder", .release = free_decoder};

/* Pushes a metatable that marks an empty object, or an array with holes, so that it encodes to the same
 * text again. */
static void push_mark(lua_State *L, enum kept mark, const char *type)
{
  push_kept(L, mark);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, type);
  lua_setfield(L, -2, "__jsontype");
  keep(L, mark);
}

/* Pushes the table of a new decoder. */
static struct decoder *new_decoder(lua_State *L)
{
  lua_createtable(L, SLOT_ARRAY, 1);
  struct decoder *decoder = new_object(L, &DECODER, sizeof *decoder);
  lua_rawseti(L, -2, SLOT_DECODER);
  push_mark(L, KEPT_OBJECT_MARK, "object");
  lua_rawseti(L, -2, SLOT_OBJECT);
  push_mark(L, KEPT_ARRAY_MARK, "array");
  lua_rawseti(L, -2, SLOT_ARRAY);
  return decoder;
}

/* Pushes the table of the state's decoder. */
static struct decoder *kept_decoder(lua_State *L)
{
  push_kept(L, KEPT_DECODER);
  if (!lua_istable(L, -1)) return NULL;
  lua_rawgeti(L, -1, SLOT_DECODER);
  struct decoder *decoder = to_object(L, -1);
  lua_pop(L, 1);
  return decoder;
}

struct decoder *acquire_decoder(lua_State *L)
{
  luaL_checkstack(L, LUA_MINSTACK, "decoding");
  struct decoder *decoder = kept_decoder(L);
  if (decoder == NULL || decoder->in_use) {
    lua_pop(L, 1);
    decoder = new_decoder(L);
    keep(L, KEPT_DECODER);
  }
  decoder->in_use = true;
  decoder->L = L;
  decoder->table = lua_gettop(L);
  return decoder;
}

void release_decoder(struct decoder *decoder)
{
  decoder->in_use = false;
}

static const char *fail_at(struct decoder *d, const char *reason, const char *at)
{
  return json_fail(&d->error, reason, at);
}

/* ---- strings ---- */

static void push_unescaped(struct decoder *d, const char *start, const char *end)
{
  struct buf *buf = &d->unescaped;
  if (!buf_reserve(buf, (size_t)(end - start))) raise_no_memory(d->L);
  size_t length = escape_decode_all(start, end, buf->data);
  lua_pushlstring(d->L, buf->data, length);
  buf_reset(buf);
}

static inline const char *decode_string(struct decoder *d, const char *p)
{
  bool escaped;
  const char *start = p + 1;
  p = json_string(start, &escaped, &d->error);
  if (p == NULL) return NULL;
  if (escaped) push_unescaped(d, start, p - 1);
  else lua_pushlstring(d->L, start, (size_t)(p - 1 - start));
  return p;
}

/* A short string that is likely to come again. */
static void push_key(struct decoder *d, const char *start, size_t length)
{
  bool wide = length >= 8;
  uint64_t first = wide ? word_load(start) : word_load_few(start, length);
  uint64_t last = wide ? word_load(start + length - 8) : 0;
  unsigned slot = (unsigned)((first + last * 3 + length) * 0x9e3779b97f4a7c15U >> 58);
  if (d->keys[slot].first == first && d->keys[slot].last == last &&
      d->keys[slot].length == length) {
    lua_rawgeti(d->L, d->table, (int)slot + 1);
    return;
  }
  lua_pushlstring(d->L, start, length);
  lua_pushvalue(d->L, -1);
  lua_rawseti(d->L, d->table, (int)slot + 1);
  d->keys[slot].first = first;
  d->keys[slot].last = last;
  d->keys[slot].length = length;
}

static inline const char *decode_key(struct decoder *d, const char *p)
{
  const char *start = p + 1, *end = span_plain(start);
  size_t length = (size_t)(end - start);
  if (*end != '"' || length == 0 || length > KEY_LONGEST) return decode_string(d, p);
  push_key(d, start, length);
  return end + 1;
}

/* ---- numbers ---- */

/* How many digits a whole number may have that is pushed without number_parse. */
enum { WHOLE_DIGITS = LUA_VERSION_NUM >= 503 ? 19 : 15 };

/* False: it is beyond Lua's integers, or the -0 that they do not have. */
static inline bool push_integer(lua_State *L, uint64_t value, bool negative)
{
#if LUA_VERSION_NUM >= 503
  if (value > (uint64_t)INT64_MAX + negative || (negative && value == 0)) return false;
  lua_pushinteger(L, (lua_Integer)(negative ? 0 - value : value));
#else
  lua_pushnumber(L, negative ? -(lua_Number)value : (lua_Number)value);
#endif
  return true;
}

static const char *decode_number(struct decoder *d, const char *p)
{
  const char *start = p, *first = p + (*p == '-');
  uint64_t value = 0;
  for (p = first; is_digit(*p); p++) value = value * 10 + (uint64_t)(*p - '0');
  bool whole = p > first && p - first <= WHOLE_DIGITS && (*first != '0' || p == first + 1);
  if (whole && *p != '.' && *p != 'e' && *p != 'E' && push_integer(d->L, value, first > start))
    return p;
  p = json_number(start, &d->error);
  if (p != NULL) lua_pushnumber(d->L, number_parse(start, p));
  return p;
}

/* ---- arrays and objects ---- */

static const char *decode_value(struct decoder *d, const char *p, const char *limit, int depth,
                                int members);

/* Inlined, what follows is compiled for arrays and for objects by itself. */
#define FOR_EACH_KIND __attribute__((always_inline)) static inline

/* Pushes an element, or a key and its value; *null becomes true if that is null. */
FOR_EACH_KIND const char *decode_part(struct decoder *d, const char *p, const char *limit,
                                      int depth, bool object, bool *null)
{
  if (object) {
    if (*p != '"') return fail_at(d, "key expected", p);
    p = decode_key(d, p);
    if (p == NULL) return NULL;
    p = json_space(p, limit);
    if (*p != ':') return fail_at(d, "':' expected", p);
    p = json_space(p + 1, limit);
    if (*p == '"') return decode_string(d, p);
  }
  *null = *null || *p == 'n';
  return decode_value(d, p, limit, depth + 1, 0);
}

/* Marks the table on top of the stack if it would not encode as it was read: an array with holes, or
 * an object without members. */
static void mark_table(struct decoder *d, bool object)
{
  lua_State *L = d->L;
  int table = lua_gettop(L);
  if (object) lua_pushnil(L);
  bool marked = !object || lua_next(L, table) == 0;
  lua_settop(L, table);
  if (!marked) return;
  lua_rawgeti(L, d->table, object ? SLOT_OBJECT : SLOT_ARRAY);
  lua_setmetatable(L, table);
}

/* What comes between the parts, or after the last one. */
FOR_EACH_KIND const char *pass_comma(struct decoder *d, const char *p, const char *limit,
                                     bool object, bool *more)
{
  p = json_space(p, limit);
  *more = *p == ',';
  if (*more) return json_space(p + 1, limit);
  if (*p == (object ? '}' : ']')) return p + 1;
  return fail_at(d, object ? "',' or '}' expected" : "',' or ']' expected", p);
}

FOR_EACH_KIND const char *decode_table(struct decoder *d, const char *p, const char *limit,
                                       int depth, bool object, int members)
{
  lua_State *L = d->L;
  int table = lua_gettop(L) + 1;
  if (!lua_checkstack(L, LUA_MINSTACK)) return fail_at(d, "nested too deeply for the Lua stack", p);
  if (object) lua_createtable(L, 0, members > 0 ? members : FEW);
  else lua_createtable(L, FEW, 0);
  p = json_space(p + 1, limit);
  bool more = *p != (object ? '}' : ']'), nulls = object && !more;
  if (!more) p++;
  for (int i = 1; more; i++) {
    p = decode_part(d, p, limit, depth, object, &nulls);
    if (p == NULL || (p = pass_comma(d, p, limit, object, &more)) == NULL) return NULL;
    if (object) lua_rawset(L, table);
    else lua_rawseti(L, table, i);
  }
  if (nulls) mark_table(d, object);
  return p;
}

static const char *decode_literal(struct decoder *d, const char *p)
{
  if (strncmp(p, "true", 4) == 0) return lua_pushboolean(d->L, 1), p + 4;
  if (strncmp(p, "false", 5) == 0) return lua_pushboolean(d->L, 0), p + 5;
  if (strncmp(p, "null", 4) == 0) return lua_pushnil(d->L), p + 4;
  return fail_at(d, "value expected", p);
}

static const char *decode_value(struct decoder *d, const char *p, const char *limit, int depth,
                                int members)
{
  switch (*p) {
  case '"':
    return decode_string(d, p);
  case '{':
  case '[':
    if (depth >= JSON_DEPTH) return fail_at(d, "more than 1000 levels", p);
    return *p == '{' ? decode_table(d, p, limit, depth, true, members)
                     : decode_table(d, p, limit, depth, false, 0);
  default:
    return *p == '-' || is_digit(*p) ? decode_number(d, p) : decode_literal(d, p);
  }
}

const char *decode(struct decoder *decoder, const char *p, const char *limit, int members)
{
  return decode_value(decoder, p, limit, 0, members);
}

const char *decode_record(struct decoder *decoder, const char *p, int members)
{
  p = json_space(p, p);
  if (*p != '{') return fail_at(decoder, "not an object", p);
  return decode_value(decoder, p, p, 0, members);
}

const char *decode_line(struct decoder *decoder, const char *p, int members)
{
  p = decode_record(decoder, p, members);
  if (p == NULL) return NULL;
  p = json_space(p, p);
  return *p == '\n' ? p : fail_at(decoder, "text after the object", p);
}

/* ---- decode ---- */

static int push_decode_error(lua_State *L, struct decoder *decoder, const char *text)
{
  const struct json_error *error = &decoder->error;
  release_decoder(decoder);
  lua_pushnil(L);
  lua_pushfstring(L, "%s at byte %d", error->reason, (int)(error->at - text) + 1);
  return 2;
}

/* decode(text): the value of a JSON text (RFC 8259), null being nil; nil, message. A lone surrogate
 * from \udc80 to \udcff is a byte, any other its three bytes (WTF-8), and bytes that are not UTF-8
 * are read as they are. A number that no double is reads as the nearest one, beyond the largest as
 * infinity; from Lua 5.3 on, a whole number of 64 bits as an integer. */
int decode_l(lua_State *L)
{
  size_t length;
  const char *source = check_string(L, 1, "text", &length);
  check_count(L, 1);
  char *text = lua_newuserdata(L, length + SPAN_PADDING);
  memcpy(text, source, length);
  memset(text + length, 0, SPAN_PADDING);
  struct decoder *decoder = acquire_decoder(L);
  const char *end = text + length, *p = decode(decoder, json_space(text, end), end, 0);
  if (p == NULL) return push_decode_error(L, decoder, text);
  p = json_space(p, end);
  if (p < end) {
    json_fail(&decoder->error, "text after the value", p);
    return push_decode_error(L, decoder, text);
  }
  release_decoder(decoder);
  return 1;
}
