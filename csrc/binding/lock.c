/* lock.c: what flock takes for a file. */
#include "binding/lock.h"

#include <sys/file.h>

#include "base/sys.h"
#include "binding/args.h"
#include "binding/budget.h"
#include "binding/class.h"
#include "binding/handle.h"
#include "binding/memory_handle.h"
#include "binding/session_handle.h"
#include "base/hidden.h"

static int check_number(lua_State *L, int argument)
{
  lua_Number number = lua_tonumber(L, argument);
  if (number >= -0x7fffffff && number <= 0x7fffffff && number == (lua_Number)(int)number)
    return (int)number;
  return argument_error(L, argument, "descriptor must be a whole number, got %f", number);
}

static const void *test_file(lua_State *L, int argument)
{
  int top = lua_gettop(L);
  luaL_getmetatable(L, LUA_FILEHANDLE);
  bool same = lua_type(L, argument) == LUA_TUSERDATA && lua_getmetatable(L, argument) &&
              lua_rawequal(L, -1, top + 1);
  lua_settop(L, top);
  return same ? lua_touserdata(L, argument) : NULL;
}

/* The descriptor that flock's first argument stands for, and the handle's journal or NULL. -1 with
 * EPERM: the handle is another process's, whose lock a forked child must not release. */
static int check_descriptor(lua_State *L, int argument, struct journal **journal)
{
  const struct common *handle = test_object(L, argument, &MEMORY_HANDLE);
  if (handle == NULL) handle = test_object(L, argument, &SESSION_HANDLE);
  *journal = handle != NULL ? handle->journal : NULL;
  if (handle != NULL) {
    if (!handle->open) return argument_error(L, argument, "closed handle");
    errno = EPERM;
    return handle->journal->owner == sys_pid() ? handle->journal->fd : -1;
  }
  errno = EBADF;
  if (lua_type(L, argument) == LUA_TNUMBER) return check_number(L, argument);
  const void *file = test_file(L, argument);
  if (file != NULL && lua_stream(file) == NULL) return argument_error(L, argument, "closed file");
  if (file != NULL) return sys_fileno(lua_stream(file));
  return argument_error(L, argument, "descriptor, file or handle expected, got %s",
                        luaL_typename(L, argument));
}

static int check_operation(lua_State *L, int argument)
{
  const int known = LOCK_SH | LOCK_EX | LOCK_NB | LOCK_UN;
  if (lua_type(L, argument) != LUA_TNUMBER)
    argument_error(L, argument, "op must be a number, got %s", luaL_typename(L, argument));
  lua_Number op = lua_tonumber(L, argument);
  if (!(op >= 0 && op <= known) || op != (lua_Number)(int)op)
    argument_error(L, argument, "op must be a sum of LOCK_*, got %f", op);
  return (int)op;
}

/* flock(file, op): flock(2). file: a descriptor, a Lua file or a handle. op: a sum of LOCK_SH,
 * LOCK_EX, LOCK_NB and LOCK_UN. A handle that writes takes its lock again, and gives it back if it
 * does not keep it. Returns true; or false, the system's reason, errno. */
int flock_l(lua_State *L)
{
  char text[128];
  struct journal *journal;
  struct stat st;
  check_count(L, 2);
  int op = check_operation(L, 2);
  int fd = check_descriptor(L, 1, &journal);
  int number = fd >= 0 ? 0 : errno;
  if (fd >= 0 && sys_fstat(fd, &st) == 0) budget_check_file(L, &st, "the file");
  if (fd >= 0 && sys_flock(fd, op) != 0) number = errno;
  if (number == 0 && journal != NULL) journal->locked = (op & LOCK_EX) != 0;
  lua_pushboolean(L, number == 0);
  if (number == 0) return 1;
  lua_pushstring(L, sys_reason(number, text, sizeof text));
  lua_pushinteger(L, number);
  return 3;
}
