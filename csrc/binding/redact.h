/* redact.h: the caller's function from text to text, which sees each string before it is written. */
#pragma once

#include "binding/args.h"
#include "binding/compat.h"
#include "binding/encode.h"

/* Keeps the function at that place, if it is not 0, with the object on top of the stack.
 * [-0, +0, m] */
void keep_redact(lua_State *L, int place);
/* Pushes the function that the method's object keeps, which must keep one; returns its place.
 * [-0, +1, -] */
int push_redact(lua_State *L);

/* Replaces the string at `index` by what the scratch's function returns for it; false: that is no string.
 * What it raises is raised, the scratch being released. [-0, +0, e] */
bool redact_string(lua_State *L, struct scratch *scratch, int index);
/* Replaces the table at `index`, on top of the stack, by a copy, which the function cannot reach.
 * [-0, +0, m] */
void copy_table(lua_State *L, int index);
