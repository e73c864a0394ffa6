/* scratch.c: a state keeps its buffers, so that they need not grow again for every record. */
#include "binding/scratch.h"

#include "binding/class.h"

static void free_scratch(void *object)
{
  struct scratch *scratch = object;
  buf_free(&scratch->text);
  buf_free(&scratch->drafts);
}

static const struct object_class SCRATCH = {.name = "scratch", .release = free_scratch};

struct scratch *kept_scratch(lua_State *L)
{
  push_kept(L, KEPT_SCRATCH);
  struct scratch *scratch = to_object(L, -1);
  if (scratch == NULL) {
    scratch = new_object(L, &SCRATCH, sizeof *scratch);
    keep(L, KEPT_SCRATCH);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return scratch;
}

struct scratch *acquire_scratch(lua_State *L, struct scratch *kept)
{
  struct scratch *scratch = kept;
  if (kept->in_use) scratch = new_object(L, &SCRATCH, sizeof *scratch);
  else lua_pushnil(L);
  scratch->in_use = true;
  scratch->redact = 0;
  return scratch;
}

void release_scratch(struct scratch *scratch)
{
  buf_reset(&scratch->text);
  buf_reset(&scratch->drafts);
  scratch->in_use = false;
}
