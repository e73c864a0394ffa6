/* class.h: userdata that own something, and what a Lua state keeps for this module.
 *
 * Lua leaves a C function by longjmp when it raises an error, so whatever a function owns while it
 * calls Lua needs another owner. Memory and descriptors belong to an object of a class: it is made
 * first, while it owns nothing, and the collector frees what an error has left in it. A protected
 * call is for what must be undone at once (the collector is started again, an iterator is idle
 * again), and for what is so quick that an object would be a good part of it (memory:get).
 *
 * The name of a lua_CFunction ends in _l. [-o, +p, e] after a function says, as in Lua's manual, what
 * it pops, what it pushes, and whether it may raise an error ("-": never, "m": out of memory, "e":
 * otherwise). */
#pragma once

#include "base/std.h"
#include "binding/compat.h"

/* A kind of userdata. Its metatable is made when its first object is. */
struct object_class {
  const char *name; /* in messages: "memory handle" */
  const char *self; /* what its methods are called on in the documentation: "memory" */
  void (*release)(void *object); /* frees what the object owns; may be called again */
  const luaL_Reg *methods, *metamethods; /* without __gc; NULL: none */
};

/* Pushes an object of `size` zero bytes. [-0, +1, m] */
void *new_object(lua_State *L, const struct object_class *class, size_t size);
/* In a method or metamethod: its object, which is the first argument. [-0, +0, e] */
void *check_object(lua_State *L, const struct object_class *class);
/* The object at `index`; NULL if it is not of the class. [-0, +0, -] */
void *test_object(lua_State *L, int index, const struct object_class *class);
/* The same of a value that is an object, or nil. [-0, +0, -] */
void *to_object(lua_State *L, int index);
/* In __index: pushes the method whose name is the second argument; or nil, and false. [-0, +1, -] */
bool push_method(lua_State *L);

/* What a state keeps for the module, besides metatables. */
enum kept {
  KEPT_SCRATCH = 1,
  KEPT_DECODER,
  KEPT_OBJECT_MARK,
  KEPT_ARRAY_MARK,
  KEPT_RESTS,
  KEPT_HANDLES,
  KEPT_COSTING
};

/* Called once before the module's functions are made. [-0, +0, m] */
void begin_state(lua_State *L);
/* Pushes what is kept, or nil. [-0, +1, -] */
void push_kept(lua_State *L, enum kept what);
/* Keeps the value on top of the stack, and leaves it there. [-0, +0, m] */
void keep(lua_State *L, enum kept what);
/* Memory that is kept for as long as the state lives, zeros at first. [-0, +0, m] */
void *kept_block(lua_State *L, enum kept what, size_t size);
