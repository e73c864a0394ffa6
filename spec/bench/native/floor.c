/* floor.c: what it costs to build the tables and strings of a memory file, and nothing else.
 *
 * plan(items, path) writes down, in the order of the array, what each item is made of. build(path)
 * reads that into memory and then, which is what it times, makes the same array again: every
 * position, length and type known, text unescaped, numbers parsed, tables of the right size, each
 * key made a string once, the collector stopped. A reader of JSON cannot do less through Lua's API. */
#define _GNU_SOURCE
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_KEYS = 32 };

/* What stands in a plan: a letter, then its operand. */
enum { STRING = 's', NUMBER = 'n', ARRAY = 'a', OBJECT = 'o' };

/* ---- writing a plan ---- */

struct plan {
  FILE *file;
  char keys[MOST_KEYS][32];
  int key_count;
};

static int key_number(lua_State *L, struct plan *plan, int index)
{
  const char *key = lua_tostring(L, index);
  for (int i = 0; i < plan->key_count; i++)
    if (strcmp(plan->keys[i], key) == 0) return i;
  if (plan->key_count == MOST_KEYS || strlen(key) > 31)
    return luaL_error(L, "a key too many: %s", key);
  memcpy(plan->keys[plan->key_count], key, strlen(key) + 1);
  return plan->key_count++;
}

static void put_head(struct plan *plan, int type, size_t size)
{
  uint32_t length = (uint32_t)size;
  putc(type, plan->file);
  fwrite(&length, sizeof length, 1, plan->file);
}

static void put_value(lua_State *L, struct plan *plan, int index);

static void put_table(lua_State *L, struct plan *plan, int index)
{
  size_t count = lua_objlen(L, index), members = 0;
  if (count > 0) {
    put_head(plan, ARRAY, count);
    for (size_t i = 1; i <= count; i++) {
      lua_rawgeti(L, index, (int)i);
      put_value(L, plan, lua_gettop(L));
      lua_pop(L, 1);
    }
    return;
  }
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) members++;
  put_head(plan, OBJECT, members);
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    putc(key_number(L, plan, lua_gettop(L) - 1), plan->file);
    put_value(L, plan, lua_gettop(L));
  }
}

static void put_value(lua_State *L, struct plan *plan, int index)
{
  if (lua_type(L, index) == LUA_TTABLE) {
    put_table(L, plan, index);
  } else if (lua_type(L, index) == LUA_TNUMBER) {
    double number = lua_tonumber(L, index);
    putc(NUMBER, plan->file);
    fwrite(&number, sizeof number, 1, plan->file);
  } else {
    size_t length;
    const char *text = luaL_checklstring(L, index, &length);
    put_head(plan, STRING, length);
    fwrite(text, 1, length, plan->file);
  }
}

static int plan_l(lua_State *L)
{
  static struct plan plan;
  luaL_checktype(L, 1, LUA_TTABLE);
  memset(&plan, 0, sizeof plan);
  plan.file = fopen(luaL_checkstring(L, 2), "wb");
  if (plan.file == NULL) return luaL_error(L, "cannot write the plan");
  lua_settop(L, 1);
  fwrite(plan.keys, sizeof plan.keys, 1, plan.file);
  put_table(L, &plan, 1);
  rewind(plan.file);
  fwrite(plan.keys, sizeof plan.keys, 1, plan.file);
  fclose(plan.file);
  return 0;
}

/* ---- building from it ---- */

static uint32_t operand(const char **p)
{
  uint32_t value;
  memcpy(&value, *p, sizeof value);
  *p += sizeof value;
  return value;
}

/* The keys are at 1 and following. Pushes the value at p; returns what is behind it. */
static const char *build(lua_State *L, const char *p)
{
  int type = (unsigned char)*p++;
  if (type == NUMBER) {
    double number;
    memcpy(&number, p, sizeof number);
    lua_pushnumber(L, number);
    return p + sizeof number;
  }
  uint32_t count = operand(&p);
  if (type == STRING) {
    lua_pushlstring(L, p, count);
    return p + count;
  }
  lua_createtable(L, type == ARRAY ? (int)count : 0, type == ARRAY ? 0 : (int)count);
  for (uint32_t i = 1; i <= count; i++) {
    if (type == OBJECT) {
      lua_pushvalue(L, 1 + *p++);
      p = build(L, p);
      lua_rawset(L, -3);
    } else {
      p = build(L, p);
      lua_rawseti(L, -2, (int)i);
    }
  }
  return p;
}

static char *read_plan(lua_State *L, const char *path)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) luaL_error(L, "cannot read the plan");
  size_t size = (size_t)ftell(file);
  char *bytes = malloc(size);
  rewind(file);
  if (bytes == NULL || fread(bytes, 1, size, file) != size) luaL_error(L, "cannot read the plan");
  fclose(file);
  return bytes;
}

static double seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* build(path): the array, and the seconds of this process that it took. */
static int build_l(lua_State *L)
{
  char *bytes = read_plan(L, luaL_checkstring(L, 1));
  lua_settop(L, 0);
  luaL_checkstack(L, MOST_KEYS + LUA_MINSTACK, "keys");
  lua_gc(L, LUA_GCCOLLECT, 0); /* a table of strings does not grow while a cycle sweeps it */
  double start = seconds();
  lua_gc(L, LUA_GCSTOP, 0);
  for (int i = 0; i < MOST_KEYS; i++) lua_pushstring(L, bytes + 32 * i);
  build(L, bytes + (size_t)32 * MOST_KEYS);
  lua_gc(L, LUA_GCRESTART, 0);
  lua_pushnumber(L, seconds() - start);
  free(bytes);
  return 2;
}

__attribute__((visibility("default"))) int luaopen_floor(lua_State *L);

int luaopen_floor(lua_State *L)
{
  lua_newtable(L);
  lua_pushcfunction(L, plan_l);
  lua_setfield(L, -2, "plan");
  lua_pushcfunction(L, build_l);
  lua_setfield(L, -2, "build");
  return 1;
}
