/* read.c: random bytes as the file of a session and of memories, brought through the functions of
 * the module that read it. read.lua compares them with each other and with a plain reading.
 *
 * An input is one byte of options, one that says how long the query is, the query, and the file. */
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"

enum { LARGEST = 1 << 14, QUERY = 24 };

int luaopen_aish_history(lua_State *L);

struct input {
  const char *path, *query, *bytes;
  size_t query_size, size;
  unsigned options;
};

static int load_modules(lua_State *L)
{
  luaL_openlibs(L);
  lua_pushcfunction(L, luaopen_aish_history);
  lua_pushliteral(L, "aish_history");
  lua_call(L, 1, 1);
  if (luaL_loadfile(L, "spec/fuzz/read.lua") != 0) lua_error(L);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "read");
  return 0;
}

/* One state for many inputs, as making one takes longer than using it. */
static lua_State *state(void)
{
  static lua_State *L;
  if (L != NULL) return L;
  L = luaL_newstate();
  CHECK(L != NULL);
  int status = lua_cpcall(L, load_modules, NULL);
  if (status != 0) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(status == 0);
  return L;
}

static int trace(lua_State *L)
{
  lua_getfield(L, LUA_GLOBALSINDEX, "debug");
  lua_getfield(L, -1, "traceback");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int call(lua_State *L, const struct input *input)
{
  lua_pushcfunction(L, trace);
  lua_getfield(L, LUA_REGISTRYINDEX, "read");
  lua_pushstring(L, fuzz_directory());
  lua_pushstring(L, input->path);
  lua_pushlstring(L, input->bytes, input->size);
  lua_pushlstring(L, input->query, input->query_size);
  lua_pushinteger(L, (lua_Integer)input->options);
  return lua_pcall(L, 5, 0, 1);
}

static void write_file(const struct input *input)
{
  int fd = open(input->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0 && write(fd, input->bytes, input->size) == (ssize_t)input->size);
  close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char path[4200];
  static const size_t blocks[] = {256 * 1024, 16, 61, 16 * 1024};
  if (size < 2 || size > LARGEST) return 0;
  size_t query = data[1] % QUERY;
  if (query > size - 2) query = size - 2;
  const char *bytes = (const char *)data + 2;
  snprintf(path, sizeof path, "%s/session.jsonl", fuzz_directory());
  const struct input input = {path, bytes, bytes + query, query, size - 2 - query, data[0] >> 2};
  fuzz_empty_directory();
  write_file(&input);
  lua_State *L = state();
  int descriptor = fuzz_next_descriptor();
  fuzz_block = blocks[data[0] % 4];
  int status = call(L, &input);
  if (status != 0) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(status == 0);
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT, 0);
  CHECK(fuzz_next_descriptor() == descriptor);
  return 0;
}
