/* encode.h: writing Lua values as JSON text. */
#pragma once

#include "base/buf.h"
#include "binding/compat.h"

/* The buffers in which a state puts together what it writes next.
 * While it is filled, a function of the caller's or a finalizer may call us again: it finds this one in
 * use and gets another. So does whoever comes after an error that has left it in use: none of ours does,
 * but for one for want of memory. */
struct scratch {
  struct buf text, drafts;
  int redact; /* where on the stack the function stands through which strings go; 0: none */
  bool in_use;
};

/* The state's, which lives as long as the state. [-0, +0, m] */
struct scratch *kept_scratch(lua_State *L);
/* That, empty, or another in its place, which stays on the stack while it is used. [-0, +1, m] */
struct scratch *acquire_scratch(lua_State *L, struct scratch *kept);
void release_scratch(struct scratch *scratch);

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

/* Whether the value is null: NULL, as lua-cjson has it, or Neovim's vim.NIL. [-0, +0, m] */
bool is_null(lua_State *L, int index);

int encode_l(lua_State *L);
