/* encode.h: writing Lua values as JSON text. */
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

/* Appends the JSON text of the value at `index`. `depth` is how many objects it will stand in, which
 * counts: 1 for a member of a record, since a record that is nested too deeply could not be read.
 * `object`: a table must be one, {} is an empty one, and an array fails. On failure false, with a
 * message on the stack that gives the path to what cannot be encoded, beginning with `root`.
 * [-0, +0 or 1, m] */
bool encode(lua_State *L, int index, struct buf *buf, const char *root, int depth, bool object);

int encode_l(lua_State *L);

#pragma GCC visibility pop
