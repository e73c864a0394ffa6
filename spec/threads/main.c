/* main.c: a script in several Lua states at once, each in a thread of its own, for ThreadSanitizer.
 *   threads SCRIPT DIRECTORY
 * The script gets the directory and the number of its thread. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 2 };

int luaopen_aish_history(lua_State *L);

struct run {
  pthread_t thread;
  const char *script, *directory;
  int number, failed;
};

static int script(lua_State *L)
{
  const struct run *run = lua_touserdata(L, 1);
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_aish_history);
  lua_setfield(L, -2, "aish_history");
  if (luaL_loadfile(L, run->script) != 0) return lua_error(L);
  lua_pushstring(L, run->directory);
  lua_pushinteger(L, run->number);
  lua_call(L, 2, 0);
  return 0;
}

static void *work(void *argument)
{
  struct run *run = argument;
  lua_State *L = luaL_newstate();
  run->failed = L == NULL || lua_cpcall(L, script, run) != 0;
  if (run->failed)
    fprintf(stderr, "thread %d: %s\n", run->number, L != NULL ? lua_tostring(L, -1) : "no memory");
  if (L != NULL) lua_close(L);
  return NULL;
}

int main(int argc, char **argv)
{
  struct run runs[THREADS] = {0};
  int failed = 0;
  if (argc != 3) {
    fprintf(stderr, "usage: %s SCRIPT DIRECTORY\n", argv[0]);
    return 2;
  }
  for (int i = 0; i < THREADS; i++) {
    runs[i].script = argv[1];
    runs[i].directory = argv[2];
    runs[i].number = i + 1;
    if (pthread_create(&runs[i].thread, NULL, work, &runs[i]) != 0) return 2;
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(runs[i].thread, NULL);
    failed |= runs[i].failed;
  }
  return failed;
}
