/* limits.c: what the hardware and the kernel allow, as loops in C, and the clocks.
 *
 * Each function does the least that its job needs: no parsing, no checks beyond an error. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int fail(lua_State *L, const char *what)
{
  return luaL_error(L, "%s: %s", what, strerror(errno));
}

static int push_clock(lua_State *L, clockid_t id)
{
  struct timespec now;
  clock_gettime(id, &now);
  lua_pushnumber(L, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
  return 1;
}

/* clock(): seconds on the wall. */
static int clock_l(lua_State *L)
{
  return push_clock(L, CLOCK_MONOTONIC);
}

/* cpu(): seconds that this process has computed, in user and kernel mode. */
static int cpu_l(lua_State *L)
{
  return push_clock(L, CLOCK_PROCESS_CPUTIME_ID);
}

/* count_lines(path): reads blocks of 256 KiB and finds every newline with memchr. */
static int count_lines(lua_State *L)
{
  static char block[256 * 1024];
  size_t lines = 0;
  ssize_t got;
  int fd = open(luaL_checkstring(L, 1), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(L, "open");
  while ((got = read(fd, block, sizeof block)) > 0) {
    const char *end = block + got;
    for (const char *p = block; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) lines++;
  }
  close(fd);
  lua_pushnumber(L, (lua_Number)lines);
  return 1;
}

/* open_append(path): a descriptor. */
static int open_append(lua_State *L)
{
  int fd = open(luaL_checkstring(L, 1), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(L, "open");
  lua_pushinteger(L, fd);
  return 1;
}

static int close_l(lua_State *L)
{
  close((int)luaL_checkinteger(L, 1));
  return 0;
}

enum mode { LOOKED, SYNCED, LOCKED };

/* Which file a path leads to, and its size. */
static int look(const char *path)
{
#ifdef STATX_INO
  struct statx st;
  return statx(AT_FDCWD, path, 0, STATX_INO | STATX_SIZE, &st);
#else
  struct stat st;
  return stat(path, &st);
#endif
}

static int write_once(int fd, const char *bytes, size_t size, enum mode mode, const char *path)
{
  if (mode == LOOKED && look(path) != 0) return -1;
  if (mode == LOCKED && flock(fd, LOCK_EX) != 0) return -1;
  if (write(fd, bytes, size) != (ssize_t)size) return -1;
  if (mode == SYNCED && fdatasync(fd) != 0) return -1;
  return mode == LOCKED ? flock(fd, LOCK_UN) : 0;
}

/* (fd, bytes, count, path): that many writes of those bytes. */
static int write_loop(lua_State *L, enum mode mode)
{
  size_t size;
  int fd = (int)luaL_checkinteger(L, 1);
  const char *bytes = luaL_checklstring(L, 2, &size), *path = luaL_checkstring(L, 4);
  for (lua_Integer count = luaL_checkinteger(L, 3); count > 0; count--)
    if (write_once(fd, bytes, size, mode, path) != 0) return fail(L, "write");
  return 0;
}

static int write_looked(lua_State *L)
{
  return write_loop(L, LOOKED);
}

static int write_synced(lua_State *L)
{
  return write_loop(L, SYNCED);
}

static int write_locked(lua_State *L)
{
  return write_loop(L, LOCKED);
}

static int compare_names(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static int is_session(const char *name)
{
  size_t length = strlen(name);
  return name[0] != '.' && length >= 6 && memcmp(name + length - 6, ".jsonl", 6) == 0;
}

/* list(dir): reads the names that end in .jsonl and sorts them; how many. */
static int list(lua_State *L)
{
  char **names = NULL;
  size_t count = 0, capacity = 0;
  DIR *dir = opendir(luaL_checkstring(L, 1));
  if (dir == NULL) return fail(L, "opendir");
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (!is_session(entry->d_name)) continue;
    if (count == capacity) {
      capacity = capacity * 2 + 64;
      char **more = realloc(names, capacity * sizeof *names);
      if (more == NULL) abort();
      names = more;
    }
    names[count++] = strdup(entry->d_name);
  }
  closedir(dir);
  if (count > 0) qsort(names, count, sizeof *names, compare_names);
  for (size_t i = 0; i < count; i++) free(names[i]);
  free(names);
  lua_pushnumber(L, (lua_Number)count);
  return 1;
}

static int mkdir_l(lua_State *L)
{
  if (mkdir(luaL_checkstring(L, 1), 0700) != 0 && errno != EEXIST) return fail(L, "mkdir");
  return 0;
}

/* run(program, argument...): the seconds on the wall from before the process is started until it
 * has ended, its exit status, and the seconds that it computed, in user and kernel mode. Its
 * standard output is thrown away. */
static int run(lua_State *L)
{
  char *arguments[16] = {0};
  struct timespec before, after;
  struct rusage used;
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status, count = lua_gettop(L);
  if (count < 1 || count > 15) return luaL_error(L, "no arguments, or too many");
  for (int i = 0; i < count; i++)
    arguments[i] =
        (char *)(size_t)luaL_checkstring(L, i + 1); /* NOLINT(performance-no-int-to-ptr) */
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  clock_gettime(CLOCK_MONOTONIC, &before);
  errno = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (errno != 0) return fail(L, arguments[0]);
  while (wait4(child, &status, 0, &used) < 0)
    if (errno != EINTR) return fail(L, "wait4");
  clock_gettime(CLOCK_MONOTONIC, &after);
  lua_pushnumber(L, (double)(after.tv_sec - before.tv_sec) +
                        (double)(after.tv_nsec - before.tv_nsec) / 1e9);
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  lua_pushnumber(L, (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                        (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
  return 3;
}

__attribute__((visibility("default"))) int luaopen_limits(lua_State *L);

int luaopen_limits(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"clock", clock_l},
      {"cpu", cpu_l},
      {"count_lines", count_lines},
      {"open_append", open_append},
      {"close", close_l},
      {"write_looked", write_looked},
      {"write_synced", write_synced},
      {"write_locked", write_locked},
      {"list", list},
      {"mkdir", mkdir_l},
      {"run", run},
      {NULL, NULL},
  };
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
