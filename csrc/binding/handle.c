/* handle.c: a handle is closed when it is made, so that it owns nothing before it can be collected. */
#include "binding/handle.h"

#include "binding/args.h"
#include "binding/redact.h"
#include "base/hidden.h"

void *new_handle(lua_State *L, const struct object_class *class, size_t size, size_t journal,
                 const char *path, int redact)
{
  struct scratch *scratch = kept_scratch(L);
  const struct costing **costing = kept_costing(L);
  size_t length = strlen(path) + 1;
  char *handle = new_object(L, class, size + length);
  *(struct common *)(void *)handle =
      (struct common){.journal = (struct journal *)(void *)(handle + journal),
                      .scratch = scratch,
                      .costing = costing,
                      .redacts = redact != 0,
                      .path = memcpy(handle + size, path, length)};
  keep_redact(L, redact);
  return handle;
}

struct scratch *handle_scratch(lua_State *L, const struct common *handle)
{
  int redact = handle->redacts ? push_redact(L) : 0;
  if (redact == 0) lua_pushnil(L);
  struct scratch *scratch = acquire_scratch(L, handle->scratch);
  scratch->redact = redact;
  return scratch;
}

bool push_common(lua_State *L, const struct object_class *class)
{
  size_t length;
  lua_settop(L, 2);
  const struct common *handle = check_object(L, class);
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &length) : NULL;
  if (name == NULL) return false;
  if (is_name(name, length, "path")) lua_pushstring(L, handle->path);
  else if (is_name(name, length, "closed")) lua_pushboolean(L, !handle->open);
  else if (is_name(name, length, "fd") && handle->open && handle->journal->fd >= 0)
    lua_pushinteger(L, handle->journal->fd);
  else return false;
  return true;
}

int push_description(lua_State *L, const struct object_class *class, const char *how)
{
  const struct common *handle = check_object(L, class);
  lua_pushfstring(L, "aish_history.%s (%s, %s)", class->self, handle->path,
                  handle->open ? how : "closed");
  return 1;
}
