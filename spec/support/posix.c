/* posix.c: what the specs use of luaposix, for a Lua that it is not packaged for: posix.unistd and so on,
 * with its names, arguments and results. A call that fails gives nil, the system's reason, errno.
 * The Makefile builds it beside the module for those. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

struct constant {
  const char *name;
  lua_Integer value;
};

#define CONSTANT(name)                                                                             \
  {                                                                                                \
#name, (lua_Integer)(name)                                                                     \
  }

static int open_table(lua_State *L, const luaL_Reg *functions, const struct constant *constants)
{
  lua_newtable(L);
  for (; functions->name != NULL; functions++) {
    lua_pushcfunction(L, functions->func);
    lua_setfield(L, -2, functions->name);
  }
  for (; constants != NULL && constants->name != NULL; constants++) {
    lua_pushinteger(L, constants->value);
    lua_setfield(L, -2, constants->name);
  }
  return 1;
}

static int push_failure(lua_State *L)
{
  int number = errno;
  lua_pushnil(L);
  lua_pushstring(L, strerror(number));
  lua_pushinteger(L, number);
  return 3;
}

/* What a call has returned: negative, if it has failed. */
static int push_result(lua_State *L, lua_Integer result)
{
  if (result < 0) return push_failure(L);
  lua_pushinteger(L, result);
  return 1;
}

static int push_text(lua_State *L, const char *text)
{
  if (text == NULL) return push_failure(L);
  lua_pushstring(L, text);
  return 1;
}

static int to_int(lua_State *L, int argument)
{
  return (int)luaL_checkinteger(L, argument);
}

static lua_Integer field(lua_State *L, int argument, const char *name)
{
  lua_getfield(L, argument, name);
  lua_Integer value = luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  return value;
}

static void set_field(lua_State *L, const char *name, lua_Integer value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* ---- posix.unistd ---- */

static int unistd_exit(lua_State *L)
{
  _exit(to_int(L, 1));
}

static int unistd_access(lua_State *L)
{
  const char *mode = luaL_optstring(L, 2, "f");
  int wanted = (strchr(mode, 'r') ? R_OK : 0) | (strchr(mode, 'w') ? W_OK : 0) |
               (strchr(mode, 'x') ? X_OK : 0);
  return push_result(L, access(luaL_checkstring(L, 1), wanted));
}

static int unistd_alarm(lua_State *L)
{
  return push_result(L, alarm((unsigned)to_int(L, 1)));
}

static int unistd_chdir(lua_State *L)
{
  return push_result(L, chdir(luaL_checkstring(L, 1)));
}

static int unistd_chown(lua_State *L)
{
  return push_result(L, chown(luaL_checkstring(L, 1), (uid_t)to_int(L, 2), (gid_t)to_int(L, 3)));
}

static int unistd_close(lua_State *L)
{
  return push_result(L, close(to_int(L, 1)));
}

static int unistd_dup(lua_State *L)
{
  return push_result(L, dup(to_int(L, 1)));
}

static int unistd_dup2(lua_State *L)
{
  return push_result(L, dup2(to_int(L, 1), to_int(L, 2)));
}

static int unistd_execp(lua_State *L)
{
  enum { WORDS = 64 };
  /* NOLINTNEXTLINE(performance-no-int-to-ptr): execvp takes no pointers to what is constant */
  char *words[WORDS] = {(char *)(size_t)luaL_checkstring(L, 1)};
  lua_settop(L, 2);
  for (int i = 1; i < WORDS - 1; i++) {
    lua_rawgeti(L, 2, i);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): execvp takes no pointers to what is constant */
    words[i] = (char *)(size_t)lua_tostring(L, -1);
    if (words[i] == NULL) break;
  }
  execvp(words[0], words);
  return push_failure(L);
}

static int unistd_fork(lua_State *L)
{
  return push_result(L, fork());
}

static int unistd_geteuid(lua_State *L)
{
  return push_result(L, geteuid());
}

static int unistd_getpid(lua_State *L)
{
  return push_result(L, getpid());
}

static int unistd_link(lua_State *L)
{
  const char *target = luaL_checkstring(L, 1), *name = luaL_checkstring(L, 2);
  return push_result(L, lua_toboolean(L, 3) ? symlink(target, name) : link(target, name));
}

static int unistd_pipe(lua_State *L)
{
  int ends[2];
  if (pipe(ends) != 0) return push_failure(L);
  lua_pushinteger(L, ends[0]);
  lua_pushinteger(L, ends[1]);
  return 2;
}

static int unistd_read(lua_State *L)
{
  char text[65536];
  size_t size = (size_t)luaL_checkinteger(L, 2);
  ssize_t length = read(to_int(L, 1), text, size < sizeof text ? size : sizeof text);
  if (length < 0) return push_failure(L);
  lua_pushlstring(L, text, (size_t)length);
  return 1;
}

static int unistd_readlink(lua_State *L)
{
  char text[4096];
  ssize_t length = readlink(luaL_checkstring(L, 1), text, sizeof text);
  if (length < 0) return push_failure(L);
  lua_pushlstring(L, text, (size_t)length);
  return 1;
}

static int unistd_setpid(lua_State *L)
{
  const char *what = luaL_checkstring(L, 1);
  int id = to_int(L, 2);
  return push_result(L, *what == 'u' ? setuid((uid_t)id) : setgid((gid_t)id));
}

static int unistd_sleep(lua_State *L)
{
  return push_result(L, sleep((unsigned)to_int(L, 1)));
}

static int unistd_write(lua_State *L)
{
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  return push_result(L, write(to_int(L, 1), text, length));
}

int luaopen_posix_unistd(lua_State *L);
int luaopen_posix_unistd(lua_State *L)
{
  static const luaL_Reg functions[] = {{"_exit", unistd_exit},      {"access", unistd_access},
                                       {"alarm", unistd_alarm},     {"chdir", unistd_chdir},
                                       {"chown", unistd_chown},     {"close", unistd_close},
                                       {"dup", unistd_dup},         {"dup2", unistd_dup2},
                                       {"execp", unistd_execp},     {"fork", unistd_fork},
                                       {"geteuid", unistd_geteuid}, {"getpid", unistd_getpid},
                                       {"link", unistd_link},       {"pipe", unistd_pipe},
                                       {"read", unistd_read},       {"readlink", unistd_readlink},
                                       {"setpid", unistd_setpid},   {"sleep", unistd_sleep},
                                       {"write", unistd_write},     {NULL, NULL}};
  static const struct constant constants[] = {
      CONSTANT(STDOUT_FILENO), CONSTANT(STDERR_FILENO), {NULL, 0}};
  return open_table(L, functions, constants);
}

/* ---- posix.sys.stat ---- */

static int push_stat(lua_State *L, int result, const struct stat *st)
{
  if (result != 0) return push_failure(L);
  lua_newtable(L);
  set_field(L, "st_dev", (lua_Integer)st->st_dev);
  set_field(L, "st_ino", (lua_Integer)st->st_ino);
  set_field(L, "st_mode", st->st_mode);
  set_field(L, "st_nlink", (lua_Integer)st->st_nlink);
  set_field(L, "st_uid", st->st_uid);
  set_field(L, "st_gid", st->st_gid);
  set_field(L, "st_size", st->st_size);
  set_field(L, "st_mtime", st->st_mtime);
  set_field(L, "st_blocks", st->st_blocks);
  return 1;
}

static int stat_stat(lua_State *L)
{
  struct stat st;
  return push_stat(L, stat(luaL_checkstring(L, 1), &st), &st);
}

static int stat_lstat(lua_State *L)
{
  struct stat st;
  return push_stat(L, lstat(luaL_checkstring(L, 1), &st), &st);
}

static int stat_chmod(lua_State *L)
{
  return push_result(L, chmod(luaL_checkstring(L, 1), (mode_t)to_int(L, 2)));
}

static int stat_mkdir(lua_State *L)
{
  return push_result(L, mkdir(luaL_checkstring(L, 1), (mode_t)luaL_optinteger(L, 2, 0777)));
}

static int stat_mkfifo(lua_State *L)
{
  return push_result(L, mkfifo(luaL_checkstring(L, 1), (mode_t)luaL_optinteger(L, 2, 0777)));
}

static int stat_umask(lua_State *L)
{
  return push_result(L, umask((mode_t)to_int(L, 1)));
}

int luaopen_posix_sys_stat(lua_State *L);
int luaopen_posix_sys_stat(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"stat", stat_stat},     {"lstat", stat_lstat}, {"chmod", stat_chmod}, {"mkdir", stat_mkdir},
      {"mkfifo", stat_mkfifo}, {"umask", stat_umask}, {NULL, NULL}};
  return open_table(L, functions, NULL);
}

/* ---- posix.signal ---- */

/* Handlers of Lua run at the next instruction of the state that has set the last one. */
static lua_State *signalled;
static volatile sig_atomic_t pending[NSIG];
static const char HANDLERS[] = "posix.handlers"; /* the registry's name of the table of them */

static void run_handlers(lua_State *L, lua_Debug *debug)
{
  (void)debug;
  lua_sethook(L, NULL, 0, 0);
  for (int number = 1; number < NSIG; number++) {
    for (; pending[number] > 0; pending[number]--) {
      lua_getfield(L, LUA_REGISTRYINDEX, HANDLERS);
      lua_rawgeti(L, -1, number);
      lua_pushinteger(L, number);
      lua_call(L, 1, 0);
      lua_pop(L, 1);
    }
  }
}

static void note_signal(int number)
{
  pending[number]++;
  lua_sethook(signalled, run_handlers, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

enum { DEFAULT = 0, IGNORE = 1 };

static int signal_signal(lua_State *L)
{
  struct sigaction action = {.sa_handler = note_signal};
  int number = to_int(L, 1);
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TNUMBER) action.sa_handler = to_int(L, 2) == IGNORE ? SIG_IGN : SIG_DFL;
  lua_getfield(L, LUA_REGISTRYINDEX, HANDLERS);
  lua_insert(L, 2);
  lua_rawseti(L, 2, number);
  signalled = L;
  return push_result(L, sigaction(number, &action, NULL));
}

static int signal_kill(lua_State *L)
{
  return push_result(L, kill((pid_t)to_int(L, 1), (int)luaL_optinteger(L, 2, SIGTERM)));
}

int luaopen_posix_signal(lua_State *L);
int luaopen_posix_signal(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"signal", signal_signal}, {"kill", signal_kill}, {NULL, NULL}};
  static const struct constant constants[] = {
      CONSTANT(SIGHUP),    CONSTANT(SIGINT),  CONSTANT(SIGIO),   CONSTANT(SIGKILL),
      CONSTANT(SIGTERM),   CONSTANT(SIGUSR1), CONSTANT(SIGXFSZ), {"SIG_DFL", DEFAULT},
      CONSTANT(SIGCHLD),   CONSTANT(SIGURG),  CONSTANT(SIGSTOP), CONSTANT(SIGCONT),
      {"SIG_IGN", IGNORE}, {NULL, 0}};
  lua_newtable(L);
  lua_setfield(L, LUA_REGISTRYINDEX, HANDLERS);
  return open_table(L, functions, constants);
}

/* ---- posix.sys.wait, posix.sys.resource, posix.sys.socket ---- */

static int wait_wait(lua_State *L)
{
  int status;
  pid_t pid = waitpid((pid_t)luaL_optinteger(L, 1, -1), &status, 0);
  if (pid < 0) return push_failure(L);
  lua_pushinteger(L, pid);
  lua_pushstring(L, WIFEXITED(status) ? "exited" : "killed");
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  return 3;
}

int luaopen_posix_sys_wait(lua_State *L);
int luaopen_posix_sys_wait(lua_State *L)
{
  static const luaL_Reg functions[] = {{"wait", wait_wait}, {NULL, NULL}};
  return open_table(L, functions, NULL);
}

static int resource_getrlimit(lua_State *L)
{
  struct rlimit limit;
  if (getrlimit((unsigned)to_int(L, 1), &limit) != 0) return push_failure(L);
  lua_newtable(L);
  set_field(L, "rlim_cur", (lua_Integer)limit.rlim_cur);
  set_field(L, "rlim_max", (lua_Integer)limit.rlim_max);
  return 1;
}

static int resource_setrlimit(lua_State *L)
{
  struct rlimit limit = {.rlim_cur = (rlim_t)field(L, 2, "rlim_cur"),
                         .rlim_max = (rlim_t)field(L, 2, "rlim_max")};
  return push_result(L, setrlimit((unsigned)to_int(L, 1), &limit));
}

int luaopen_posix_sys_resource(lua_State *L);
int luaopen_posix_sys_resource(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"getrlimit", resource_getrlimit}, {"setrlimit", resource_setrlimit}, {NULL, NULL}};
  static const struct constant constants[] = {
      CONSTANT(RLIMIT_FSIZE), CONSTANT(RLIMIT_NOFILE), CONSTANT(RLIM_INFINITY), {NULL, 0}};
  return open_table(L, functions, constants);
}

static int socket_socket(lua_State *L)
{
  return push_result(L, socket(to_int(L, 1), to_int(L, 2), to_int(L, 3)));
}

static int socket_bind(lua_State *L)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  lua_getfield(L, 2, "path");
  snprintf(address.sun_path, sizeof address.sun_path, "%s", luaL_checkstring(L, -1));
  return push_result(L, bind(to_int(L, 1), (const struct sockaddr *)&address, sizeof address));
}

int luaopen_posix_sys_socket(lua_State *L);
int luaopen_posix_sys_socket(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"socket", socket_socket}, {"bind", socket_bind}, {NULL, NULL}};
  static const struct constant constants[] = {CONSTANT(AF_UNIX), CONSTANT(SOCK_STREAM), {NULL, 0}};
  return open_table(L, functions, constants);
}

/* ---- posix.fcntl, posix.stdio, posix.utime ---- */

static int fcntl_fcntl(lua_State *L)
{
  return push_result(L, fcntl(to_int(L, 1), to_int(L, 2), (int)luaL_optinteger(L, 3, 0)));
}

static int fcntl_open(lua_State *L)
{
  return push_result(
      L, open(luaL_checkstring(L, 1), to_int(L, 2), (mode_t)luaL_optinteger(L, 3, 0777)));
}

int luaopen_posix_fcntl(lua_State *L);
int luaopen_posix_fcntl(lua_State *L)
{
  static const luaL_Reg functions[] = {{"fcntl", fcntl_fcntl}, {"open", fcntl_open}, {NULL, NULL}};
  static const struct constant constants[] = {CONSTANT(FD_CLOEXEC), CONSTANT(F_GETFD),
                                              CONSTANT(F_WRLCK),    CONSTANT(O_CREAT),
                                              CONSTANT(O_RDWR),     {NULL, 0}};
  return open_table(L, functions, constants);
}

static int stdio_fileno(lua_State *L)
{
  FILE *const *file = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  return push_result(L, fileno(*file));
}

int luaopen_posix_stdio(lua_State *L);
int luaopen_posix_stdio(lua_State *L)
{
  static const luaL_Reg functions[] = {{"fileno", stdio_fileno}, {NULL, NULL}};
  return open_table(L, functions, NULL);
}

static int utime_utime(lua_State *L)
{
  struct utimbuf times = {.modtime = (time_t)luaL_checkinteger(L, 2),
                          .actime = (time_t)luaL_checkinteger(L, 3)};
  return push_result(L, utime(luaL_checkstring(L, 1), &times));
}

int luaopen_posix_utime(lua_State *L);
int luaopen_posix_utime(lua_State *L)
{
  static const luaL_Reg functions[] = {{"utime", utime_utime}, {NULL, NULL}};
  return open_table(L, functions, NULL);
}

/* ---- posix.stdlib, posix.time ---- */

static int stdlib_getenv(lua_State *L)
{
  lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
  return 1;
}

static int stdlib_setenv(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1), *value = luaL_optstring(L, 2, NULL);
  return push_result(L, value != NULL ? setenv(name, value, 1) : unsetenv(name));
}

static int stdlib_mkdtemp(lua_State *L)
{
  char name[4096];
  snprintf(name, sizeof name, "%s", luaL_checkstring(L, 1));
  return push_text(L, mkdtemp(name));
}

static int stdlib_realpath(lua_State *L)
{
  char *path = realpath(luaL_checkstring(L, 1), NULL);
  int count = push_text(L, path);
  free(path);
  return count;
}

int luaopen_posix_stdlib(lua_State *L);
int luaopen_posix_stdlib(lua_State *L)
{
  static const luaL_Reg functions[] = {{"getenv", stdlib_getenv},
                                       {"setenv", stdlib_setenv},
                                       {"mkdtemp", stdlib_mkdtemp},
                                       {"realpath", stdlib_realpath},
                                       {NULL, NULL}};
  return open_table(L, functions, NULL);
}

static int time_nanosleep(lua_State *L)
{
  struct timespec span = {.tv_sec = (time_t)field(L, 1, "tv_sec"),
                          .tv_nsec = (long)field(L, 1, "tv_nsec")};
  return push_result(L, nanosleep(&span, NULL));
}

static int time_clock_gettime(lua_State *L)
{
  struct timespec now;
  if (clock_gettime((clockid_t)to_int(L, 1), &now) != 0) return push_failure(L);
  lua_newtable(L);
  set_field(L, "tv_sec", now.tv_sec);
  set_field(L, "tv_nsec", now.tv_nsec);
  return 1;
}

int luaopen_posix_time(lua_State *L);
int luaopen_posix_time(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"nanosleep", time_nanosleep}, {"clock_gettime", time_clock_gettime}, {NULL, NULL}};
  static const struct constant constants[] = {
      CONSTANT(CLOCK_MONOTONIC), CONSTANT(CLOCK_REALTIME), {NULL, 0}};
  return open_table(L, functions, constants);
}

/* ---- posix.errno ---- */

static int errno_errno(lua_State *L)
{
  int number = (int)luaL_optinteger(L, 1, errno);
  lua_pushstring(L, strerror(number));
  lua_pushinteger(L, number);
  return 2;
}

int luaopen_posix_errno(lua_State *L);
int luaopen_posix_errno(lua_State *L)
{
  static const luaL_Reg functions[] = {{"errno", errno_errno}, {NULL, NULL}};
  static const struct constant constants[] = {
      CONSTANT(EACCES),     CONSTANT(EAGAIN),  CONSTANT(EBADF),   CONSTANT(EEXIST),
      CONSTANT(EFBIG),      CONSTANT(EINTR),   CONSTANT(EINVAL),  CONSTANT(EIO),
      CONSTANT(EISDIR),     CONSTANT(ELOOP),   CONSTANT(EMFILE),  CONSTANT(ENAMETOOLONG),
      CONSTANT(ENOENT),     CONSTANT(ENOLCK),  CONSTANT(ENOMEM),  CONSTANT(ENOSPC),
      CONSTANT(ENOSYS),     CONSTANT(ENOTDIR), CONSTANT(ENOTSUP), CONSTANT(EOVERFLOW),
      CONSTANT(EPERM),      CONSTANT(EROFS),   CONSTANT(EDQUOT),  CONSTANT(ESTALE),
      CONSTANT(EOPNOTSUPP), {NULL, 0}};
  return open_table(L, functions, constants);
}
