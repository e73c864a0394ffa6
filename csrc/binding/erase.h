/* erase.h: taking text out of memories and sessions. */
#pragma once

#include "binding/compat.h"
#include "file/journal.h"

/* The handle of a method that is called: of a memory or of a session. */
struct eraser {
  const char *path; /* as the caller knows it */
  struct journal *journal;
  const bool *open; /* the caller's function may close it */
};

/* What the method `erase` of a handle does; its arguments are at 2 and 3. Returns how many results it has
 * pushed; 0: the handle is closed meanwhile. [-0, +p, e] */
int erase_by(lua_State *L, const struct eraser *eraser);

int erase_l(lua_State *L);
