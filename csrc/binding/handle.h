/* handle.h: what the handles of memories and of sessions have in common. */
#pragma once

#include "binding/budget.h"
#include "binding/class.h"
#include "binding/compat.h"
#include "binding/encode.h"
#include "file/journal.h"

/* What each begins with. */
struct common {
  struct journal *journal; /* its file */
  struct scratch *scratch; /* the state's */
  const struct costing **costing; /* the state's */
  bool open;
  bool redacts; /* it keeps a function for that */
  const char *path; /* as it was given */
};

/* Pushes a handle of `size` bytes that is closed, with the journal at an offset. `redact`: where on the
 * stack its function for that stands; 0: it has none. [-0, +1, m] */
void *new_handle(lua_State *L, const struct object_class *class, size_t size, size_t journal,
                 const char *path, int redact);
/* Raises while a cost is asked of results of the handle's file. [-0, +0, e] */
static inline void check_cost(lua_State *L, const struct common *handle)
{
  if (*handle->costing != NULL) budget_check(L, handle->journal->place);
}
/* Acquires the scratch, for what the handle's function redacts, if it has one. [-0, +2, m] */
struct scratch *handle_scratch(lua_State *L, const struct common *handle);
/* In __index, after push_method: pushes one of the fields path, closed and fd; false, and nothing: it is
 * none of them. [-1, +0 or 1, e] */
bool push_common(lua_State *L, const struct object_class *class);
/* Pushes what tostring is to say of a handle that is `how` if it is open. [-0, +1, e] */
int push_description(lua_State *L, const struct object_class *class, const char *how);
