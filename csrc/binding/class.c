/* class.c: an object begins with its class, by which methods know it. The metatable is not asked: that
 * would take three calls of Lua for each method.
 *
 * What a state keeps stands in one table, which is the environment of the module's functions; those that
 * they make inherit it. From Lua 5.2 on there are no environments, and it is looked up. */
#include "binding/class.h"

#include "binding/args.h"
#include "base/hidden.h"

/* What follows is aligned as Lua aligns userdata, also where pointers are small. */
struct header {
  _Alignas(8) const struct object_class *class;
};

/* The first upvalue of a method is its luaL_Reg; of a metamethod, the table of the methods. */
enum { UPVALUE_METHOD = 1, UPVALUE_METHODS = 1, UPVALUE_CLASS = 2 };

static const char STATE = 0; /* what a state keeps stands in the registry under its address */

static void push_address(lua_State *L, const void *address)
{
  /* NOLINTNEXTLINE(performance-no-int-to-ptr): Lua takes no pointer to what is constant */
  lua_pushlightuserdata(L, (void *)(uintptr_t)address);
}

void begin_state(lua_State *L)
{
  push_address(L, &STATE);
  lua_rawget(L, LUA_REGISTRYINDEX);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    push_address(L, &STATE);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
  }
#if LUA_VERSION_NUM < 502
  lua_replace(L, LUA_ENVIRONINDEX);
#else
  lua_pop(L, 1);
#endif
}

static void push_state(lua_State *L)
{
#if LUA_VERSION_NUM < 502
  lua_pushvalue(L, LUA_ENVIRONINDEX);
#else
  lua_rawgetp(L, LUA_REGISTRYINDEX, &STATE);
#endif
}

void push_kept(lua_State *L, enum kept what)
{
#if LUA_VERSION_NUM < 502
  lua_rawgeti(L, LUA_ENVIRONINDEX, (int)what);
#else
  push_state(L);
  lua_rawgeti(L, -1, (int)what);
  lua_remove(L, -2);
#endif
}

void keep(lua_State *L, enum kept what)
{
  push_state(L);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (int)what);
  lua_pop(L, 1);
}

void *kept_block(lua_State *L, enum kept what, size_t size)
{
  push_kept(L, what);
  void *block = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (block != NULL) return block;
  block = lua_newuserdata(L, size);
  memset(block, 0, size);
  keep(L, what);
  lua_pop(L, 1);
  return block;
}

/* ---- metatables ---- */

static int gc_l(lua_State *L)
{
  const struct object_class *class = lua_touserdata(L, lua_upvalueindex(UPVALUE_CLASS));
  class->release(check_object(L, class));
  return 0;
}

/* __close: as the method close, whose result nobody gets. */
static int close_l(lua_State *L)
{
  lua_settop(L, 1);
  lua_getfield(L, lua_upvalueindex(UPVALUE_METHODS), "close");
  lua_insert(L, 1);
  lua_call(L, 1, 0);
  return 0;
}

static const luaL_Reg CLOSING[] = {{"__close", close_l}, {NULL, NULL}};

/* A method: its function has the same upvalue, as it is called by C. */
static int method_l(lua_State *L)
{
  const luaL_Reg *method = lua_touserdata(L, lua_upvalueindex(UPVALUE_METHOD));
  return call_twice(L, method->func);
}

/* Pushes the table of the methods. */
static void push_methods(lua_State *L, const luaL_Reg *method)
{
  lua_newtable(L);
  for (; method != NULL && method->name != NULL; method++) {
    push_address(L, method);
    lua_pushcclosure(L, method_l, 1);
    lua_setfield(L, -2, method->name);
  }
}

/* Sets the metamethods of the metatable on top of the stack. */
static void set_events(lua_State *L, const luaL_Reg *event, int methods)
{
  for (; event != NULL && event->name != NULL; event++) {
    lua_pushvalue(L, methods);
    lua_pushcclosure(L, event->func, 1);
    lua_setfield(L, -2, event->name);
  }
}

/* Pushes the metatable. It is kept once it is whole, so that running out of memory leaves no half
 * of one behind; and hidden, so that nobody calls __gc as a method. */
static void push_metatable(lua_State *L, const struct object_class *class)
{
  int state = lua_gettop(L) + 1, methods = state + 1, metatable = state + 2;
  push_state(L);
  push_address(L, class);
  lua_rawget(L, state);
  if (lua_istable(L, -1)) {
    lua_remove(L, state);
    return;
  }
  lua_settop(L, state);
  push_methods(L, class->methods);
  lua_newtable(L);
  lua_pushvalue(L, methods);
  lua_setfield(L, metatable, "__index");
  set_events(L, class->metamethods, methods);
  if (LUA_CLOSES && class->methods != NULL) set_events(L, CLOSING, methods);
  lua_pushnil(L);
  push_address(L, class);
  lua_pushcclosure(L, gc_l, 2);
  lua_setfield(L, metatable, "__gc");
  lua_pushliteral(L, "aish_history");
  lua_setfield(L, metatable, "__metatable");
  push_address(L, class);
  lua_pushvalue(L, metatable);
  lua_rawset(L, state);
  lua_replace(L, state);
  lua_settop(L, state);
}

/* ---- objects ---- */

void *new_object(lua_State *L, const struct object_class *class, size_t size)
{
  push_metatable(L, class);
  struct header *header = lua_newuserdata(L, sizeof *header + size);
  memset(header, 0, sizeof *header + size);
  header->class = class;
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  return header + 1;
}

void *to_object(lua_State *L, int index)
{
  struct header *header = lua_touserdata(L, index);
  return header != NULL ? header + 1 : NULL;
}

/* Light userdata have no length. */
void *test_object(lua_State *L, int index, const struct object_class *class)
{
  struct header *header = lua_touserdata(L, index);
  bool same = header != NULL && lua_objlen(L, index) > sizeof *header && header->class == class;
  return same ? header + 1 : NULL;
}

static int refuse_object(lua_State *L, const struct object_class *class)
{
  const luaL_Reg *method = lua_touserdata(L, lua_upvalueindex(UPVALUE_METHOD));
  const char *got = luaL_typename(L, 1);
  if (method == NULL) return argument_error(L, 1, "%s expected, got %s", class->name, got);
  return argument_error(L, 1, "%s expected, got %s; use %s:%s, with a colon", class->name, got,
                        class->self, method->name);
}

void *check_object(lua_State *L, const struct object_class *class)
{
  void *object = test_object(L, 1, class);
  if (object == NULL) refuse_object(L, class);
  return object;
}

bool push_method(lua_State *L)
{
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(UPVALUE_METHODS));
  return !lua_isnil(L, -1);
}
