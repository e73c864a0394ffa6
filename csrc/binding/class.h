/* class.h: userdata that own something, and what a Lua state keeps for this module.
 *
 * Lua leaves a C function by longjmp when it raises an error, so whatever a function owns while it
 * calls Lua needs another owner. Memory and descriptors belong to an object of a class: it is made
 * first, while it owns nothing, and the collector frees what an error has left in it. A protected
 * call is for what must be undone at once (the collector is started again, an iterator is idle
 * again), and for what is so quick that an object would be a good part of it (memory:get).
 *
 * [-o, +p, e] after a function says, as in Lua's manual, what it pops, what it pushes, and whether
 * it may raise an error ("-": never, "m": out of memory, "e": otherwise). */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

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
void *check_object(lua_State *L);
/* The object at `index`; NULL if it is not of the class. [-0, +0, -] */
void *test_object(lua_State *L, int index, const struct object_class *class);
/* In __index: pushes the method whose name is the second argument, or nil. [-0, +1, -] */
void push_method(lua_State *L);

/* Pops a metatable; the userdata at `index`, or NULL if it has another. [-1, +0, -] */
void *test_userdata(lua_State *L, int index);

/* Pushes what the state keeps under the address of something constant, or nil. [-0, +1, -] */
void push_kept(lua_State *L, const void *key);
/* Keeps the value on top of the stack, and leaves it there. [-0, +0, m] */
void keep(lua_State *L, const void *key);
/* Memory that it keeps there for as long as it lives, zeros at first. [-0, +0, m] */
void *kept_block(lua_State *L, const void *key, size_t size);

#pragma GCC visibility pop
