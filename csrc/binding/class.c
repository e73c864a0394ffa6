/* class.c: metatables, each kept under the address of its class. The functions of a class have its
 * metatable and its address as upvalues, so that a method needs no look-up to know its object. */
#include "binding/class.h"

#include <stdint.h>
#include <string.h>

#include "binding/args.h"

enum { UPVALUE_METATABLE = 1, UPVALUE_CLASS, UPVALUE_METHODS, UPVALUES = UPVALUE_METHODS };
enum { UPVALUE_FUNCTION = UPVALUES + 1 }; /* of a method */

static void push_address(lua_State *L, const void *address)
{
  /* NOLINTNEXTLINE(performance-no-int-to-ptr): Lua takes no pointer to what is constant */
  lua_pushlightuserdata(L, (void *)(uintptr_t)address);
}

void push_kept(lua_State *L, const void *key)
{
  push_address(L, key);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

void keep(lua_State *L, const void *key)
{
  push_address(L, key);
  lua_pushvalue(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
}

void *kept_block(lua_State *L, const void *key, size_t size)
{
  push_kept(L, key);
  void *block = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (block != NULL) return block;
  block = lua_newuserdata(L, size);
  memset(block, 0, size);
  keep(L, key);
  lua_pop(L, 1);
  return block;
}

/* ---- metatables ---- */

static int gc_l(lua_State *L)
{
  const struct object_class *class = lua_touserdata(L, lua_upvalueindex(UPVALUE_CLASS));
  class->release(check_object(L));
  return 0;
}

/* A method: its function has the same upvalues, as it is called by C. */
static int method_l(lua_State *L)
{
  return call_twice(L, lua_tocfunction(L, lua_upvalueindex(UPVALUE_FUNCTION)));
}

/* Adds functions to the table on top of the stack; `metatable` is where the upvalues start. */
static void put_functions(lua_State *L, int metatable, const luaL_Reg *functions, bool methods)
{
  for (; functions != NULL && functions->name != NULL; functions++) {
    for (int i = 0; i < UPVALUES; i++) lua_pushvalue(L, metatable + i);
    if (methods) lua_pushcfunction(L, functions->func);
    lua_pushcclosure(L, methods ? method_l : functions->func, UPVALUES + methods);
    lua_setfield(L, -2, functions->name);
  }
}

/* Pushes the metatable. It is kept once it is whole, so that running out of memory leaves no half
 * of one behind; and hidden, so that nobody calls __gc as a method. */
static void push_metatable(lua_State *L, const struct object_class *class)
{
  static const luaL_Reg gc[] = {{"__gc", gc_l}, {NULL, NULL}};
  push_kept(L, class);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_newtable(L);
  int metatable = lua_gettop(L);
  push_address(L, class);
  lua_newtable(L);
  put_functions(L, metatable, class->methods, true);
  lua_pushvalue(L, -1);
  lua_setfield(L, metatable, "__index");
  lua_pushvalue(L, metatable);
  put_functions(L, metatable, class->metamethods, false);
  put_functions(L, metatable, gc, false);
  lua_pushliteral(L, "aish_history");
  lua_setfield(L, metatable, "__metatable");
  lua_settop(L, metatable);
  keep(L, class);
}

/* ---- objects ---- */

void *new_object(lua_State *L, const struct object_class *class, size_t size)
{
  push_metatable(L, class);
  void *object = lua_newuserdata(L, size);
  memset(object, 0, size);
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  return object;
}

void *test_userdata(lua_State *L, int index)
{
  int metatable = lua_gettop(L);
  bool same = lua_type(L, index) == LUA_TUSERDATA && lua_getmetatable(L, index) &&
              lua_rawequal(L, -1, metatable);
  lua_settop(L, metatable - 1);
  return same ? lua_touserdata(L, index) : NULL;
}

void *test_object(lua_State *L, int index, const struct object_class *class)
{
  push_kept(L, class);
  return test_userdata(L, index);
}

/* The name of the method that is running; NULL: it is a metamethod. */
static const char *running_method(lua_State *L, const struct object_class *class)
{
  lua_CFunction running = lua_tocfunction(L, lua_upvalueindex(UPVALUE_FUNCTION));
  const luaL_Reg *method = class->methods;
  while (method != NULL && method->name != NULL && method->func != running) method++;
  return method != NULL ? method->name : NULL;
}

static int refuse_object(lua_State *L)
{
  const struct object_class *class = lua_touserdata(L, lua_upvalueindex(UPVALUE_CLASS));
  const char *method = running_method(L, class), *got = luaL_typename(L, 1);
  if (method == NULL) return argument_error(L, 1, "%s expected, got %s", class->name, got);
  return argument_error(L, 1, "%s expected, got %s; use %s:%s, with a colon", class->name, got,
                        class->self, method);
}

void *check_object(lua_State *L)
{
  if (lua_getmetatable(L, 1)) {
    bool same = lua_rawequal(L, -1, lua_upvalueindex(UPVALUE_METATABLE));
    lua_pop(L, 1);
    if (same) return lua_touserdata(L, 1);
  }
  refuse_object(L);
  return NULL;
}

void push_method(lua_State *L)
{
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(UPVALUE_METHODS));
}
