/* encode.h: writing Lua values as JSON text. */
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "binding/scratch.h"

#pragma GCC visibility push(hidden)

/* Appends the JSON text of the value at `index` to the scratch's. `depth` is how many objects it will
 * stand in, which counts: 1 for a member of a record, since a record that is nested too deeply could
 * not be read. `object`: a table must be one, {} is an empty one, and an array fails. On failure
 * false, with a message on the stack that gives the path to what cannot be encoded, beginning with
 * `root`.
 * Where the scratch has a function to redact, each string value is written as what that returns for
 * it, except a record's own PLAIN_MEMBERS (`depth` is 0). The function may raise; it may change the
 * value, but not a table that is being encoded. [-0, +0 or 1, e] */
bool encode(lua_State *L, int index, struct scratch *scratch, const char *root, int depth,
            bool object);

/* Whether the value is null: NULL, as lua-cjson has it, or Neovim's vim.NIL. [-0, +0, -] */
bool is_null(lua_State *L, int index);

int encode_l(lua_State *L);

#pragma GCC visibility pop
