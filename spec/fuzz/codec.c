/* codec.c: random bytes as a JSON text, as the text of a number, as doubles and as a string: read
 * and written here and by the plain reading and strtod, brought through a Lua state, and shown. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "fuzz.h"
#include "plain.h"
#include "text/display.h"
#include "json/json.h"
#include "json/number.h"

enum { LARGEST = 1 << 16 };

int luaopen_aish_history(lua_State *L);

static bool same_bits(double a, double b)
{
  return memcmp(&a, &b, sizeof a) == 0;
}

/* A copy that ends as json.h wants it. */
static char *padded(const char *bytes, size_t size)
{
  char *text = fuzz_alloc(NULL, size + SPAN_PADDING);
  memcpy(text, bytes, size);
  memset(text + size, 0, SPAN_PADDING);
  return text;
}

/* ---- numbers ---- */

/* How few significant digits a double needs to be read back. */
static int digits_needed(double number)
{
  char text[64];
  for (int digits = 1; digits < 17; digits++) {
    snprintf(text, sizeof text, "%.*e", digits - 1, number);
    if (strtod(text, NULL) == number) return digits;
  }
  return 17;
}

/* How many significant digits a number's text has, without zeros at either end. */
static int digits_in(const char *text)
{
  int count = 0, zeros = 0;
  for (; *text != '\0' && *text != 'e'; text++) {
    if (*text < '0' || *text > '9' || (*text == '0' && count == 0)) continue;
    count += *text != '0' ? 1 + zeros : 0;
    zeros = *text == '0' ? zeros + 1 : 0;
  }
  return count;
}

static void check_double(double number)
{
  char text[NUMBER_SIZE + SPAN_PADDING] = {0};
  struct json_error error;
  if (number - number != 0) return;
  size_t length = number_print(number, text);
  CHECK(length > 0 && length < NUMBER_SIZE);
  memset(text + length, 0, sizeof text - length);
  CHECK(json_number(text, &error) == text + length);
  CHECK(same_bits(number_parse(text, text + length), number));
  CHECK(same_bits(strtod(text, NULL), number));
  if (number == floor(number) && fabs(number) <= 9007199254740992.0) {
    char plain[32];
    snprintf(plain, sizeof plain, "%.0f", number);
    CHECK(strcmp(text, plain) == 0);
  } else {
    CHECK(digits_in(text) <= digits_needed(number));
  }
}

static void check_doubles(const char *bytes, size_t size)
{
  for (size_t i = 0; i + sizeof(double) <= size && i < 16; i += sizeof(double)) {
    double number;
    memcpy(&number, bytes + i, sizeof number);
    check_double(number);
  }
}

/* Each byte as a byte of a number's text. */
static void check_number_text(const char *bytes, size_t size)
{
  static const char letters[] = "0123456789.eE+-05";
  struct json_error error;
  char *text = padded(bytes, size);
  for (size_t i = 0; i < size; i++)
    if (strchr("0123456789.eE+-", text[i]) == NULL || text[i] == '\0')
      text[i] = letters[(unsigned char)text[i] % 16];
  const char *end = json_number(text, &error);
  if (end != NULL) {
    char *copy = padded(text, (size_t)(end - text));
    double number = strtod(copy, NULL);
    CHECK(same_bits(number_parse(text, end), number));
    check_double(number);
    free(copy);
  }
  free(text);
}

/* ---- texts ---- */

/* Compares what json.h and number.h make of a string or number that the plain reading has found. */
static void compare_part(const struct plain_cursor *cursor)
{
  struct json_error error;
  const char *start = cursor->start, *end;
  bool escaped;
  if (cursor->type == '0') {
    end = json_number(start, &error);
    CHECK(end == cursor->p && same_bits(number_parse(start, end), cursor->number));
    return;
  }
  end = json_string(start + 1, &escaped, &error);
  CHECK(end == cursor->p);
  char *out = fuzz_alloc(NULL, (size_t)(end - start));
  size_t length = escape_decode_all(start + 1, end - 1, out);
  CHECK(length == cursor->string.length &&
        (length == 0 || memcmp(out, cursor->string.bytes, length) == 0));
  CHECK(escaped || length == (size_t)(end - start) - 2);
  free(out);
}

/* Whether it is a JSON text. */
static bool check_text(const char *text, size_t size)
{
  struct json_error error;
  const char *limit = text + size;
  struct plain_cursor cursor = {.p = text, .end = limit, .newlines = true, .visit = compare_part};
  bool valid = plain_json(&cursor);
  const char *end = json_value(json_space(text, limit), limit, 0, &error);
  if (end != NULL) end = json_space(end, limit);
  CHECK(valid == (end == limit));
  if (end == NULL) CHECK(error.reason != NULL && error.at >= text && error.at <= limit);
  free(cursor.string.bytes);
  return valid;
}

/* ---- values ---- */

static bool has_infinity(lua_State *L, int index)
{
  luaL_checkstack(L, 4, "depth");
  if (lua_type(L, index) == LUA_TNUMBER) return isinf(lua_tonumber(L, index));
  if (lua_type(L, index) != LUA_TTABLE) return false;
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    if (!has_infinity(L, lua_gettop(L))) continue;
    lua_pop(L, 2);
    return true;
  }
  return false;
}

static size_t members(lua_State *L, int index)
{
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) count++;
  return count;
}

static bool same(lua_State *L, int a, int b)
{
  luaL_checkstack(L, 8, "depth");
  if (lua_type(L, a) != lua_type(L, b)) return false;
  if (lua_type(L, a) == LUA_TNUMBER) return same_bits(lua_tonumber(L, a), lua_tonumber(L, b));
  if (lua_type(L, a) != LUA_TTABLE) return lua_rawequal(L, a, b);
  for (lua_pushnil(L); lua_next(L, a) != 0; lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_rawget(L, b);
    bool equal = same(L, lua_gettop(L) - 1, lua_gettop(L));
    lua_pop(L, 1);
    if (equal) continue;
    lua_pop(L, 2);
    return false;
  }
  return members(L, a) == members(L, b);
}

/* Replaces the value on top by what decode, or encode, makes of it. False: nil. */
static bool through(lua_State *L, const char *function)
{
  lua_getfield(L, 1, function);
  lua_insert(L, -2);
  int top = lua_gettop(L) - 2;
  lua_call(L, 1, LUA_MULTRET);
  int results = lua_gettop(L) - top;
  CHECK(results == 1 || (results == 2 && lua_isnil(L, -2) && lua_isstring(L, -1)));
  lua_settop(L, top + 1);
  return results == 1;
}

/* decode -> encode -> decode; the value is left on the stack, and the text's length returned. */
static size_t round_trip(lua_State *L, int value)
{
  lua_pushvalue(L, value);
  CHECK(through(L, "encode"));
  size_t length = lua_objlen(L, -1);
  size_t size;
  const char *bytes = lua_tolstring(L, -1, &size);
  char *text = padded(bytes, size);
  CHECK(check_text(text, size));
  free(text);
  CHECK(through(L, "decode"));
  return length;
}

static void check_value(lua_State *L, const char *bytes, size_t size, bool valid)
{
  lua_pushlstring(L, bytes, size);
  CHECK(through(L, "decode") == valid);
  if (!valid) return;
  int value = lua_gettop(L);
  if (has_infinity(L, value)) { /* written as null, and so gone */
    round_trip(L, value);
    lua_replace(L, value);
  }
  size_t length = round_trip(L, value), again = round_trip(L, value + 1);
  CHECK(same(L, value, value + 1) && same(L, value + 1, value + 2));
  CHECK(length == again);
}

static void check_string(lua_State *L, const char *bytes, size_t size)
{
  struct plain_text plain = {NULL, 0, 0};
  plain_quote(&plain, bytes, size);
  lua_pushlstring(L, bytes, size);
  lua_pushvalue(L, -1);
  CHECK(through(L, "encode"));
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  CHECK(length == plain.length && memcmp(text, plain.bytes, length) == 0);
  free(plain.bytes);
  CHECK(through(L, "decode"));
  CHECK(lua_rawequal(L, -1, -2));
}

/* The input in steps of text that is not ASCII, so that it comes to lie anywhere in one. */
static void check_long_string(lua_State *L, const char *bytes, size_t size)
{
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (int i = 0; i < 3; i++) {
    for (size_t j = 0; j < 20 + size % 32; j++) luaL_addstring(&text, "\xd1\x8f");
    luaL_addlstring(&text, bytes, size);
  }
  luaL_pushresult(&text);
  size_t length;
  const char *whole = lua_tolstring(L, -1, &length);
  check_string(L, whole, length);
}

/* ---- what is shown ---- */

/* Whether the character at p, of `size` bytes, must not be in what is shown. */
static bool is_control(const unsigned char *p, size_t size)
{
  if (size == 1) return *p < 0x20 || *p == 0x7f;
  if (size == 2) return *p == 0xc2 && p[1] < 0xa0;
  return memcmp(p, "\xe2\x80\xa8", 3) >= 0 && memcmp(p, "\xe2\x80\xae", 3) <= 0;
}

static void check_shown(const char *text, size_t size)
{
  for (size_t i = 0, length; i < size; i += length) {
    const unsigned char *p = (const unsigned char *)text + i;
    length = plain_character(p, size - i);
    CHECK(length > 0 && !is_control(p, length));
  }
}

static bool equal_text(const struct buf *a, const struct buf *b, size_t length)
{
  return length == 0 || memcmp(a->data, b->data, length) == 0;
}

/* Whole, and cut at as many columns as the first byte says. */
static void check_display(const char *text, size_t size)
{
  struct buf whole = {NULL, 0, 0}, cut = {NULL, 0, 0}, again = {NULL, 0, 0};
  size_t width = size > 0 ? (unsigned char)text[0] : 0, all, some, same;
  CHECK(display(&whole, text, size, SIZE_MAX, &all));
  CHECK(display(&cut, text, size, width, &some));
  check_shown(whole.data, whole.length);
  CHECK(some <= width && some <= all && cut.length <= 124 * some);
  CHECK((all <= width) == (cut.length == whole.length));
  CHECK(cut.length <= whole.length && equal_text(&cut, &whole, cut.length));
  CHECK(display(&again, whole.data, whole.length, SIZE_MAX, &same));
  CHECK(same == all && again.length == whole.length && equal_text(&again, &whole, whole.length));
  again.length = 0;
  CHECK(display(&again, cut.data, cut.length, SIZE_MAX, &same));
  CHECK(same == some && again.length == cut.length && equal_text(&again, &cut, cut.length));
  buf_free(&whole);
  buf_free(&cut);
  buf_free(&again);
}

struct input {
  const char *bytes;
  size_t size;
  bool valid;
};

static int check_in_lua(lua_State *L)
{
  const struct input *input = lua_touserdata(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, "aish_history");
  lua_replace(L, 1);
  check_value(L, input->bytes, input->size, input->valid);
  lua_settop(L, 1);
  check_string(L, input->bytes, input->size);
  check_long_string(L, input->bytes, input->size);
  return 0;
}

static int load_module(lua_State *L)
{
  luaL_openlibs(L);
  lua_pushcfunction(L, luaopen_aish_history);
  lua_pushliteral(L, "aish_history");
  lua_call(L, 1, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "aish_history");
  return 0;
}

/* One state for many inputs, as making one takes longer than using it. */
static lua_State *state(void)
{
  static lua_State *L;
  static unsigned inputs;
  if (L == NULL) {
    L = luaL_newstate();
    CHECK(L != NULL && lua_cpcall(L, load_module, NULL) == 0);
  }
  if (++inputs % 64 == 0) lua_gc(L, LUA_GCCOLLECT, 0);
  return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size > LARGEST) return 0;
  char *text = padded((const char *)data, size);
  struct input input = {text, size, check_text(text, size)};
  check_number_text(text, size);
  check_doubles(text, size);
  check_display(text, size);
  lua_State *L = state();
  int status = lua_cpcall(L, check_in_lua, &input);
  if (status != 0) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(status == 0 && lua_gettop(L) == 0);
  free(text);
  return 0;
}
