/* seam.c: the system calls of the fault build: counted, recorded, and made to fail as a spec asks.
 *
 *   local seam = require("aish_history.seam") -- package.cpath: only the fault build's directory
 *
 * One call is chosen by its number and fails without being made; a write may be made in part
 * before. close and the release of a lock are made even so, as they are on every system.
 * Allocations are numbered apart, and so are those of a Lua state that seam.state makes. Sleeping
 * and syncing take no time here: the clock goes forward instead, and the disk is a model. */
#if defined(__linux__)
#define _GNU_SOURCE
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SEAM_ITSELF
#include "seam.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#if LUA_VERSION_NUM >= 505
#define lua_newstate(allocate, data) lua_newstate(allocate, data, 0) /* of what hashes begin with */
#endif

/* ---- what is to fail ---- */

enum after { AFTER_NOTHING, AFTER_SAME, AFTER_ALL };
enum part { PART_NONE, PART_ONE, PART_HALF, PART_MOST };

/* The call number `at` fails with `number`; `after` it all of the same name, or all. A write may
 * put a part of its bytes: then it is the next write that fails with `number`, or, if that is 0,
 * none. `truncates`: what every ftruncate from then on fails with. `ends`: a pread that is to fail
 * finds the end of the file instead, as if somebody had cut it short. `grows`: the pread that is
 * chosen fails not, but right behind it somebody appends the text `by` to the file of that name, and
 * before that cuts it to `cuts` bytes, if that is not 0; if there is `moves`, the file is then renamed,
 * with .1 at its end, and a new one with that text takes its name. */
static struct fault {
  long at;
  int number, truncates;
  bool ends;
  char *grows, *by, *moves;
  long cuts;
  enum after after;
  enum part part;
  const char *fired; /* the name of the call that was chosen, once it was made */
  bool next_write;
} fault;

static long calls;
static const char *called[8192]; /* of the calls since seam.arm */
static struct {
  long descriptors, blocks;
} live;
static struct timespec passed; /* while sleeping */

static bool is_chosen(const char *name)
{
  if ((size_t)calls < sizeof called / sizeof *called) called[calls] = name;
  calls++;
  if (fault.at == calls) {
    fault.fired = name;
    return true;
  }
  return fault.fired != NULL && (fault.after == AFTER_ALL ||
                                 (fault.after == AFTER_SAME && strcmp(name, fault.fired) == 0));
}

/* Whether this call fails; errno then says why. */
static bool fails(const char *name)
{
  if (!is_chosen(name)) return false;
  errno = fault.number;
  return true;
}

/* ---- what was done ---- */

struct entry {
  const char *name;
  char *path, *to, *bytes;
  size_t size; /* of bytes; of the file for a truncation */
  long offset;
  int fd;
  bool created, failed;
};

static struct {
  struct entry *entries;
  size_t count, capacity;
  bool on;
} record;

static char *copy_bytes(const void *bytes, size_t size)
{
  char *copy = malloc(size + 1);
  if (copy == NULL) abort();
  memcpy(copy, bytes, size);
  copy[size] = '\0';
  return copy;
}

static struct entry *add_entry(const char *name, const char *path)
{
  static struct entry ignored;
  if (!record.on) return &ignored;
  if (record.count == record.capacity) {
    record.capacity = record.capacity * 2 + 64;
    record.entries = realloc(record.entries, record.capacity * sizeof *record.entries);
    if (record.entries == NULL) abort();
  }
  struct entry *entry = &record.entries[record.count++];
  memset(entry, 0, sizeof *entry);
  entry->name = name;
  entry->fd = -1;
  if (path != NULL) entry->path = copy_bytes(path, strlen(path));
  return entry;
}

static void note_fd(const char *name, int fd, bool failed)
{
  struct entry *entry = add_entry(name, NULL);
  entry->fd = fd;
  entry->failed = failed;
}

static void clear_record(void)
{
  for (size_t i = 0; i < record.count; i++) {
    free(record.entries[i].path);
    free(record.entries[i].to);
    free(record.entries[i].bytes);
  }
  record.count = 0;
}

/* ---- files ---- */

/* The record has the path without symbolic links: that is where a new name stands. */
static void note_open(const char *path, int fd, bool created)
{
  if (!record.on) return;
  char *place = realpath(path, NULL);
  struct entry *entry = add_entry("open", place != NULL ? place : path);
  free(place);
  entry->fd = fd;
  entry->created = created;
}

int seam_open(const char *path, int flags, mode_t mode)
{
  struct stat st;
  if (fails("open")) return -1;
  bool was_there = stat(path, &st) == 0;
  int fd = open(path, flags, mode);
  if (fd < 0) return -1;
  live.descriptors++;
  note_open(path, fd, !was_there);
  return fd;
}

int seam_close(int fd)
{
  bool failed = is_chosen("close");
  int result = close(fd);
  live.descriptors--;
  note_fd("close", fd, false);
  if (!failed) return result;
  errno = fault.number;
  return -1;
}

int seam_stat(const char *path, struct stat *st)
{
  return fails("stat") ? -1 : stat(path, st);
}

int seam_lstat(const char *path, struct stat *st)
{
  return fails("lstat") ? -1 : lstat(path, st);
}

int seam_fstat(int fd, struct stat *st)
{
  return fails("fstat") ? -1 : fstat(fd, st);
}

int seam_fchmod(int fd, mode_t mode)
{
  return fails("fchmod") ? -1 : fchmod(fd, mode);
}

int seam_fchown(int fd, uid_t owner, gid_t group)
{
  return fails("fchown") ? -1 : fchown(fd, owner, group);
}

static void move_file(void)
{
  char moved[4096];
  int length = snprintf(moved, sizeof moved, "%s.1", fault.grows);
  size_t size = strlen(fault.moves);
  if (length >= (int)sizeof moved || rename(fault.grows, moved) != 0) abort();
  int fd = open(fault.grows, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd < 0 || write(fd, fault.moves, size) != (ssize_t)size || close(fd) != 0) abort();
}

static void grow_file(void)
{
  int fd = open(fault.grows, O_WRONLY | O_APPEND);
  size_t size = strlen(fault.by);
  if (fault.cuts != 0 && ftruncate(fd, fault.cuts) != 0) abort();
  if (fd < 0 || write(fd, fault.by, size) != (ssize_t)size || close(fd) != 0) abort();
}

ssize_t seam_pread(int fd, void *buffer, size_t size, off_t offset)
{
  bool failed = fails("pread");
  if (failed && fault.grows == NULL) return fault.ends ? 0 : -1;
  ssize_t got = pread(fd, buffer, size, offset);
  if (failed) grow_file();
  if (failed && fault.moves != NULL) move_file();
  return got;
}

static ssize_t put(int fd, const void *bytes, size_t size)
{
  struct stat st;
  if (fstat(fd, &st) != 0) return -1;
  ssize_t written = write(fd, bytes, size);
  if (written <= 0 || !record.on) return written;
  struct entry *entry = add_entry("write", NULL);
  entry->fd = fd;
  entry->offset = (long)st.st_size; /* every descriptor that is written to appends */
  entry->bytes = copy_bytes(bytes, (size_t)written);
  entry->size = (size_t)written;
  return written;
}

static size_t part_of(size_t size)
{
  if (fault.part == PART_ONE || size < 2) return 1;
  return fault.part == PART_HALF ? size / 2 : size - 1;
}

ssize_t seam_write(int fd, const void *bytes, size_t size)
{
  bool next = fault.next_write;
  fault.next_write = false;
  bool chosen = is_chosen("write");
  if (chosen && fault.part != PART_NONE && !next && fault.at == calls) {
    fault.next_write = fault.number != 0;
    return put(fd, bytes, part_of(size));
  }
  if (next || chosen) {
    errno = fault.number;
    return -1;
  }
  return put(fd, bytes, size);
}

int seam_ftruncate(int fd, off_t size)
{
  if (fails("ftruncate")) return -1;
  if (fault.fired != NULL && fault.truncates != 0) {
    errno = fault.truncates;
    return -1;
  }
  int result = ftruncate(fd, size);
  if (result == 0) {
    struct entry *entry = add_entry("ftruncate", NULL);
    entry->fd = fd;
    entry->size = (size_t)size;
  }
  return result;
}

/* Nothing is synced: what a sync is worth, spec/faults/disk.lua judges. */
int seam_fdatasync(int fd)
{
  bool failed = fails("fdatasync");
  note_fd("fdatasync", fd, failed);
  return failed ? -1 : 0;
}

int seam_fsync(int fd)
{
  bool failed = fails("fsync");
  note_fd("fsync", fd, failed);
  return failed ? -1 : 0;
}

/* A release that fails other than by a signal has released: flock(2) names no other reason that a
 * descriptor of ours could give. */
int seam_flock(int fd, int operation)
{
  if (!fails("flock")) return flock(fd, operation);
  if (operation == LOCK_UN && errno != EINTR) {
    flock(fd, operation);
    errno = fault.number;
  }
  return -1;
}

/* ---- names ---- */

int seam_rename(const char *from, const char *to)
{
  if (fails("rename")) return -1;
  int result = rename(from, to);
  if (result == 0) {
    struct entry *entry = add_entry("rename", from);
    if (record.on) entry->to = copy_bytes(to, strlen(to));
  }
  return result;
}

int seam_unlink(const char *path)
{
  if (fails("unlink")) return -1;
  int result = unlink(path);
  if (result == 0) add_entry("unlink", path);
  return result;
}

int seam_mkdir(const char *path, mode_t mode)
{
  if (fails("mkdir")) return -1;
  int result = mkdir(path, mode);
  if (result == 0) add_entry("mkdir", path);
  return result;
}

char *seam_realpath(const char *path, char *resolved)
{
  if (fails("realpath")) return NULL;
  char *place = realpath(path, resolved);
  if (place != NULL) live.blocks++;
  return place;
}

DIR *seam_opendir(const char *path)
{
  if (fails("opendir")) return NULL;
  DIR *directory = opendir(path);
  if (directory != NULL) live.descriptors++;
  return directory;
}

struct dirent *seam_readdir(DIR *directory)
{
  return fails("readdir") ? NULL : readdir(directory);
}

int seam_closedir(DIR *directory)
{
  live.descriptors--;
  return closedir(directory);
}

FILE *seam_fopen(const char *path, const char *mode)
{
  if (fails("fopen")) return NULL;
  FILE *file = fopen(path, mode);
  if (file != NULL) live.descriptors++;
  return file;
}

int seam_fclose(FILE *file)
{
  live.descriptors--;
  return fclose(file);
}

/* ---- time ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): it is time(2)'s */
time_t seam_time(time_t *now)
{
  (void)now;
  return 1767323045; /* 2026-01-02T03:04:05Z */
}

/* Time passes with each look at the clock too, so that no waiting is for ever. */
static void pass_time(const struct timespec *time)
{
  passed.tv_sec += time->tv_sec;
  passed.tv_nsec += time->tv_nsec;
  if (passed.tv_nsec < 1000000000) return;
  passed.tv_sec++;
  passed.tv_nsec -= 1000000000;
}

int seam_clock_gettime(clockid_t clock, struct timespec *now)
{
  static const struct timespec moment = {0, 1000};
  (void)clock;
  pass_time(&moment);
  *now = passed;
  return 0;
}

int seam_nanosleep(const struct timespec *pause, struct timespec *left)
{
  (void)left;
  if (fails("nanosleep")) return -1;
  pass_time(pause);
  return 0;
}

/* ---- chance ---- */

ssize_t seam_getrandom(void *bytes, size_t size, unsigned flags)
{
  return fails("getrandom") ? -1 : getrandom(bytes, size, flags);
}

/* ---- memory ---- */

/* Allocations of one kind: number `at` is refused, and if it lasts, all behind it too. */
struct refusal {
  long count, at;
  bool lasting;
};

static struct refusal refusal, state_refusal;

static bool is_refused(struct refusal *of)
{
  of->count++;
  return of->at == of->count || (of->lasting && of->at > 0 && of->count > of->at);
}

void *seam_realloc(void *block, size_t size)
{
  if (is_refused(&refusal)) {
    fault.fired = "realloc";
    errno = ENOMEM;
    return NULL;
  }
  void *grown = realloc(block, size);
  if (grown != NULL && block == NULL) live.blocks++;
  return grown;
}

void seam_free(void *block)
{
  if (block != NULL) live.blocks--;
  free(block);
}

/* lua_Alloc. Shrinking is never refused: Lua relies on that. */
static void *allocate(void *unused, void *block, size_t old, size_t size)
{
  (void)unused;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if ((block == NULL || size > old) && is_refused(&state_refusal)) return NULL;
  return realloc(block, size);
}

/* ---- for Lua ---- */

static long field(lua_State *L, const char *name)
{
  lua_getfield(L, 1, name);
  long value = (long)lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static char *text_field(lua_State *L, const char *name)
{
  lua_getfield(L, 1, name);
  const char *text = lua_tostring(L, -1);
  char *copy = text != NULL ? copy_bytes(text, strlen(text)) : NULL;
  lua_pop(L, 1);
  return copy;
}

static void clear_fault(void)
{
  free(fault.grows);
  free(fault.by);
  free(fault.moves);
  memset(&fault, 0, sizeof fault);
}

static int option(lua_State *L, const char *name, const char *const names[])
{
  lua_getfield(L, 1, name);
  int value = lua_isnil(L, -1) ? 0 : luaL_checkoption(L, -1, NULL, names);
  lua_pop(L, 1);
  return value;
}

/* arm{at=, number=, [part = "one", "half" or "most"], [after = "same" or "all"], [truncates=],
 * [ends = 1], [grows=, by=, [cuts=], [moves=]]}: see struct fault. Calls are numbered from here, beginning with 1. */
static int arm_l(lua_State *L)
{
  static const char *const parts[] = {"none", "one", "half", "most", NULL};
  static const char *const afters[] = {"nothing", "same", "all", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  calls = 0;
  clear_fault();
  fault = (struct fault){.at = field(L, "at"),
                         .number = (int)field(L, "number"),
                         .truncates = (int)field(L, "truncates"),
                         .ends = field(L, "ends") != 0,
                         .grows = text_field(L, "grows"),
                         .by = text_field(L, "by"),
                         .cuts = field(L, "cuts"),
                         .moves = text_field(L, "moves"),
                         .part = (enum part)option(L, "part", parts),
                         .after = (enum after)option(L, "after", afters)};
  return 0;
}

/* disarm(): nothing fails any more. Returns the name of the call that failed, or nil. */
static int disarm_l(lua_State *L)
{
  lua_pushstring(L, fault.fired);
  clear_fault();
  refusal.at = 0;
  return 1;
}

/* fired(): the name of the call that was made to fail, or nil. */
static int fired_l(lua_State *L)
{
  lua_pushstring(L, fault.fired);
  return 1;
}

/* refuse(at [, lasting]), refuse_state(at [, lasting]): the at-th allocation from now on, of the
 * module or of the Lua state that `state` made, fails. 0: none. Returns how many there were since
 * the last time. disarm ends refuse too. */
static int refuse(lua_State *L, struct refusal *of)
{
  long count = of->count;
  *of = (struct refusal){.at = (long)luaL_checknumber(L, 1), .lasting = lua_toboolean(L, 2)};
  lua_pushnumber(L, (lua_Number)count);
  return 1;
}

static int refuse_l(lua_State *L)
{
  return refuse(L, &refusal);
}

static int refuse_state_l(lua_State *L)
{
  return refuse(L, &state_refusal);
}

/* calls(): the names of the calls since arm, in order. */
static int calls_l(lua_State *L)
{
  lua_newtable(L);
  for (long i = 0; i < calls && (size_t)i < sizeof called / sizeof *called; i++) {
    lua_pushstring(L, called[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* live(): how many descriptors are open and blocks allocated, of the module's. */
static int live_l(lua_State *L)
{
  lua_pushnumber(L, (lua_Number)live.descriptors);
  lua_pushnumber(L, (lua_Number)live.blocks);
  return 2;
}

/* record(on): forgets the record and begins a new one, or none. */
static int record_l(lua_State *L)
{
  clear_record();
  record.on = lua_toboolean(L, 1);
  return 0;
}

/* recorded(): how many calls are in the record. */
static int recorded_l(lua_State *L)
{
  lua_pushnumber(L, (lua_Number)record.count);
  return 1;
}

static void set_text(lua_State *L, const char *name, const char *text, size_t size)
{
  if (text == NULL) return;
  lua_pushlstring(L, text, size);
  lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double number)
{
  lua_pushnumber(L, number);
  lua_setfield(L, -2, name);
}

/* log(): the record, an array of tables {name=, path=, to=, fd=, bytes=, offset=, size=, created=,
 * failed=}: calls that changed something, and syncs. */
static int log_l(lua_State *L)
{
  lua_newtable(L);
  for (size_t i = 0; i < record.count; i++) {
    const struct entry *entry = &record.entries[i];
    lua_newtable(L);
    set_text(L, "name", entry->name, strlen(entry->name));
    if (entry->path != NULL) set_text(L, "path", entry->path, strlen(entry->path));
    if (entry->to != NULL) set_text(L, "to", entry->to, strlen(entry->to));
    set_text(L, "bytes", entry->bytes, entry->size);
    set_number(L, "fd", entry->fd);
    set_number(L, "offset", (double)entry->offset);
    set_number(L, "size", (double)entry->size);
    lua_pushboolean(L, entry->created);
    lua_setfield(L, -2, "created");
    lua_pushboolean(L, entry->failed);
    lua_setfield(L, -2, "failed");
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* state(code, ...): runs Lua code with string arguments in a Lua state of its own, whose
 * allocations refuse_state makes fail. Returns true and its first result, a string or nil; false
 * and the error; nothing where the interpreter cannot make a state with an allocator of ours. */
static int state_l(lua_State *L)
{
  const char *code = luaL_checkstring(L, 1);
  int count = lua_gettop(L) - 1;
  memset(&state_refusal, 0, sizeof state_refusal);
  lua_State *state = lua_newstate(allocate, NULL);
  if (state == NULL) return 0;
  luaL_openlibs(state);
  int status = luaL_loadstring(state, code);
  if (status == 0) {
    for (int i = 2; i <= count + 1; i++) lua_pushstring(state, lua_tostring(L, i));
    status = lua_pcall(state, count, 1, 0);
  }
  memset(&state_refusal, 0, sizeof state_refusal);
  lua_pushboolean(L, status == 0);
  lua_pushstring(L, lua_tostring(state, -1));
  lua_close(state);
  return 2;
}

__attribute__((visibility("default"))) int luaopen_aish_history_seam(lua_State *L);

int luaopen_aish_history_seam(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"arm", arm_l},
      {"disarm", disarm_l},
      {"fired", fired_l},
      {"refuse", refuse_l},
      {"refuse_state", refuse_state_l},
      {"calls", calls_l},
      {"live", live_l},
      {"record", record_l},
      {"recorded", recorded_l},
      {"log", log_l},
      {"state", state_l},
      {NULL, NULL},
  };
  static const struct {
    const char *name;
    int number;
  } numbers[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
                 {"EDQUOT", EDQUOT}, {"EMFILE", EMFILE}, {"EACCES", EACCES},
                 {"EAGAIN", EAGAIN}, {"ENOLCK", ENOLCK}, {"EINVAL", EINVAL},
                 {"ENOMEM", ENOMEM}, {"ENOSYS", ENOSYS}, {"EOPNOTSUPP", EOPNOTSUPP},
                 {"EPERM", EPERM},   {"EROFS", EROFS}};
  lua_newtable(L);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    set_number(L, numbers[i].name, numbers[i].number);
  for (const luaL_Reg *function = functions; function->name != NULL; function++) {
    lua_pushcfunction(L, function->func);
    lua_setfield(L, -2, function->name);
  }
  return 1;
}
