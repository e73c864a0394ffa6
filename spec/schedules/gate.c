/* gate.c: the system calls of the build for spec/schedules: each waits until the schedule lets it go.
 *
 *   local gate = require("aish_history.gate") -- package.cpath: only that build's directory
 *
 * Processes that gate.fork makes share a piece of memory. One of them has the turn; it gives it away
 * where the next call is somebody else's, so that calls are made one after the other and in between
 * nobody runs. They are numbered in the order in which they are made: the steps. Who has the turn
 * keeps it until it sleeps or ends, and then the next one that can go on gets it; a move of the
 * schedule says that at a step another one goes on, or that the call at that step fails.
 *
 * Sleeping takes no time: a sleeper goes on when a lock was given back, or when nobody else can; the
 * clock, of which all see the same, goes forward only then. Nothing is synced. */
#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEAM_ITSELF
#include "seam.h"

#include <lauxlib.h>
#include <lua.h>

/* ---- what the processes share ---- */

/* Every call that is a step, what it looks at or changes, and the number that it fails with. What a
 * call does to a file and what it does to a lock commute; and so do looks. The books are the log:
 * that one call ended before another began is what the oracle judges by. */
#define CALLS(X)                                                                                   \
  X(open, FILES, LOOKS, EMFILE)                                                                    \
  X(create, FILES, CHANGES, EMFILE)                                                                \
  X(close, LOCKS, CHANGES, EIO)                                                                    \
  X(stat, FILES, LOOKS, EIO)                                                                       \
  X(fstat, FILES, LOOKS, EIO)                                                                      \
  X(pread, FILES, LOOKS, EIO)                                                                      \
  X(write, FILES, CHANGES, ENOSPC)                                                                 \
  X(ftruncate, FILES, CHANGES, EIO)                                                                \
  X(fdatasync, FILES, LOOKS, EIO)                                                                  \
  X(fsync, FILES, LOOKS, EIO)                                                                      \
  X(flock, LOCKS, CHANGES, ENOLCK)                                                                 \
  X(unlock, LOCKS, CHANGES, EIO)                                                                   \
  X(rename, FILES, CHANGES, EACCES)                                                                \
  X(unlink, FILES, CHANGES, EACCES)                                                                \
  X(mkdir, FILES, CHANGES, EACCES)                                                                 \
  X(opendir, FILES, LOOKS, EMFILE)                                                                 \
  X(begin, BOOKS, LOOKS, 0)                                                                        \
  X(end, BOOKS, CHANGES, 0)                                                                        \
  X(time, BOOKS, CHANGES, 0)

#define CALL_ENUM(name, object, effect, number) CALL_##name,
#define CALL_ROW(name, object, effect, number) {#name, object, effect, number},

enum object { FILES, LOCKS, BOOKS, OBJECTS };
enum effect { LOOKS, CHANGES };
enum call { CALLS(CALL_ENUM) };

static const struct {
  const char *name;
  enum object object;
  enum effect effect;
  int number;
} calls[] = {CALLS(CALL_ROW)};

/* FAIL: the call is not made. SHORT: a write or a read does half, and says so. HALF: so does a write,
 * and the next one finds the disk full. STUCK: the file cannot be cut either, ever. SPLIT: a read does
 * its second half as another step, as the kernel copies page by page. KILL: the process is killed
 * before the call. */
enum fault { NONE, FAIL, SHORT, HALF, STUCK, SPLIT, KILL };
static const char *const faults[] = {"none",  "fail",  "short", "half",
                                     "stuck", "split", "kill",  NULL};

enum {
  MOST_PROCESSES = 16,
  MOST_STEPS = 1024,
  MOST_MOVES = 64,
  MOST_FILES = 64,
  LOG_SIZE = 1 << 20,
  NOBODY = -1,
  EPOCH = 1767323045 /* 2026-01-02T03:04:05Z */
};

/* STOOD_BY: of a foreign program, which begins only where a move says so. LAST: goes on when all others
 * have ended. */
enum state { ABSENT, STOOD_BY, READY, ASLEEP, LAST, ENDED };

struct move {
  int at, process;
  enum fault fault;
};

struct step {
  int process;
  enum call call;
  enum fault fault;
  unsigned int ready; /* a bit for each process that could have gone on */
  bool was_free; /* who made the step before could not go on */
  uint64_t past; /* the state before it, see remember() */
};

struct shared {
  sem_t turn[MOST_PROCESSES];
  enum state state[MOST_PROCESSES];
  int own, processes; /* without and with foreign programs, for which no call fails */
  int steps, moves, last; /* who had the turn last */
  int decided; /* the step for which `current` was chosen */
  int current, preempted; /* by a foreign program, at whose end it goes on */
  bool begun, was_free;
  unsigned int ready;
  uint64_t before; /* the next step; see remember() */
  struct move move[MOST_MOVES];
  struct step step[MOST_STEPS];
  double clock;
  struct {
    ino_t inode;
    time_t changed;
  } file[MOST_FILES]; /* of which the calls here changed something */
  int files;
  uint64_t past[MOST_PROCESSES], changed[OBJECTS], looked[OBJECTS];
  size_t logged;
  char log[LOG_SIZE];
};

static struct shared *shared;
static int me = NOBODY; /* the number of this process */
static bool disk_is_full, cannot_cut; /* of this process, by a fault */
static bool is_alone; /* all others have ended */
static uint64_t drawn; /* what was given last as chance would */

static void give_up(const char *reason)
{
  (void)fprintf(stderr, "spec/schedules/gate.c: %s\n", reason);
  abort();
}

/* ---- the log: what was said, each entry behind a head ---- */

struct head {
  int process, step;
  bool is_write; /* of a file, by the module or a foreign program; else gate.say */
  size_t size;
};

static void add_to_log(bool is_write, const void *bytes, size_t size)
{
  const struct head head = {me, shared->steps, is_write, size};
  if (shared->logged + sizeof head + size > LOG_SIZE) give_up("the log is full");
  memcpy(shared->log + shared->logged, &head, sizeof head);
  memcpy(shared->log + shared->logged + sizeof head, bytes, size);
  shared->logged += sizeof head + size;
}

/* ---- the state that a schedule has led to ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
  uint64_t h = (a ^ (b * UINT64_C(0x9e3779b97f4a7c15))) + UINT64_C(0x9e3779b97f4a7c15);
  h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
  return h ^ (h >> 31);
}

/* What a process has come to follows from its calls and from what each of them could see: the last
 * change before it, and for a change the looks since. Two schedules in which these are the same, if
 * not the order of calls that commute, have led to the same state (Musuvathi and Qadeer,
 * "Partial-Order Reduction for Context-Bounded State Exploration", 2007). */
static void remember(enum call call, enum fault fault)
{
  enum object object = calls[call].object;
  uint64_t seen = mix(mix(shared->past[me], (uint64_t)call * 16 + fault), shared->changed[object]);
  if (calls[call].effect == CHANGES) {
    seen = mix(seen, shared->looked[object]);
    shared->changed[object] = seen;
    shared->looked[object] = 0;
  } else shared->looked[object] += seen;
  shared->past[me] = seen;
}

static uint64_t all_past(void)
{
  uint64_t past = (uint64_t)(unsigned int)shared->preempted;
  for (int i = 0; i < shared->processes; i++)
    past = mix(past, mix(shared->past[i], shared->state[i]));
  return past;
}

/* ---- whose turn it is ---- */

static void wait_for_turn(void)
{
  while (sem_wait(&shared->turn[me]) != 0)
    if (errno != EINTR) give_up("sem_wait");
}

static const struct move *move_at(int step, bool is_fault)
{
  for (int i = 0; i < shared->moves; i++)
    if (shared->move[i].at == step && (shared->move[i].fault != NONE) == is_fault)
      return &shared->move[i];
  return NULL;
}

static bool is_ready(int process)
{
  return process >= 0 && process < shared->processes && shared->state[process] == READY;
}

static void wake(enum state state)
{
  for (int i = 0; i < shared->processes; i++)
    if (shared->state[i] == state) shared->state[i] = READY;
}

static unsigned int all_ready(void)
{
  unsigned int ready = 0;
  for (int i = 0; i < shared->processes; i++) ready |= (unsigned int)is_ready(i) << i;
  return ready;
}

/* Without a move: who had the turn, whom a foreign program has interrupted, or the next one. */
static int choose_by_itself(void)
{
  int next = is_ready(shared->last) ? shared->last : shared->preempted;
  if (next == shared->preempted) shared->preempted = NOBODY;
  for (int i = 1; !is_ready(next) && i <= shared->processes; i++)
    next = (shared->last + i) % shared->processes;
  return is_ready(next) ? next : NOBODY;
}

static int choose_by_move(void)
{
  const struct move *move = move_at(shared->steps, false);
  if (move == NULL || move->process >= shared->processes) return NOBODY;
  if (shared->state[move->process] == STOOD_BY) {
    shared->state[move->process] = READY;
    shared->preempted = shared->last;
  }
  return is_ready(move->process) ? move->process : NOBODY;
}

/* Nobody is ready: who sleeps has slept long enough. */
static void let_time_pass(void)
{
  shared->clock += 10; /* seconds: longer than anybody waits for a lock */
  wake(ASLEEP);
  if (all_ready() == 0) wake(LAST);
}

/* Chooses who makes the next step; once for each step, but for who ends or sleeps before it. */
static void choose(void)
{
  if (shared->decided == shared->steps && is_ready(shared->current)) return;
  if (all_ready() == 0) let_time_pass();
  shared->ready = all_ready();
  shared->was_free = !is_ready(shared->last);
  shared->before = all_past();
  int chosen = choose_by_move();
  shared->current = chosen != NOBODY ? chosen : choose_by_itself();
  if (shared->current != NOBODY) shared->last = shared->current;
  shared->decided = shared->steps;
}

/* Gives the turn to whom the schedule says, and comes back with it. */
static void hand_over(void)
{
  choose();
  if (shared->current == me) return;
  sem_post(&shared->turn[shared->current]);
  wait_for_turn();
}

/* ---- steps ---- */

/* Waits for the turn, and counts the call. What is to happen to it. */
static enum fault next_step(enum call call)
{
  if (me == NOBODY || !shared->begun || is_alone) return NONE;
  hand_over();
  if (shared->steps == MOST_STEPS) give_up("no end of calls");
  const struct move *move = move_at(shared->steps, true);
  enum fault fault = move != NULL && me < shared->own ? move->fault : NONE;
  shared->step[shared->steps] =
      (struct step){me, call, fault, shared->ready, shared->was_free, shared->before};
  remember(call, fault);
  shared->steps++;
  if (fault == KILL) (void)raise(SIGKILL);
  if (fault == FAIL) errno = calls[call].number;
  return fault;
}

static bool fails(enum call call)
{
  return next_step(call) == FAIL;
}

/* ---- times of files: the clock's ---- */

static void touch(int fd)
{
  struct stat st;
  int i = 0;
  if (me == NOBODY || fstat(fd, &st) != 0) return;
  while (i < shared->files && shared->file[i].inode != st.st_ino) i++;
  if (i == MOST_FILES) give_up("too many files");
  if (i == shared->files) shared->files++;
  shared->file[i].inode = st.st_ino;
  shared->file[i].changed = EPOCH + (time_t)shared->clock;
}

/* What nobody has changed yet is older than a minute. */
static int set_time(struct stat *st, int result)
{
  if (result != 0 || me == NOBODY) return result;
  st->st_ctim = (struct timespec){EPOCH - 60, 0};
  for (int i = 0; i < shared->files; i++)
    if (shared->file[i].inode == st->st_ino) st->st_ctim.tv_sec = shared->file[i].changed;
  return result;
}

/* ---- the calls: files ---- */

int seam_open(const char *path, int flags, mode_t mode)
{
  if (fails((flags & O_CREAT) ? CALL_create : CALL_open)) return -1;
  int fd = open(path, flags, mode);
  if (fd >= 0 && (flags & O_TRUNC)) touch(fd);
  return fd;
}

int seam_close(int fd)
{
  bool failed = fails(CALL_close);
  int result = close(fd);
  if (me != NOBODY) wake(ASLEEP);
  if (!failed) return result;
  errno = calls[CALL_close].number;
  return -1;
}

int seam_stat(const char *path, struct stat *st)
{
  return fails(CALL_stat) ? -1 : set_time(st, stat(path, st));
}

int seam_lstat(const char *path, struct stat *st)
{
  return fails(CALL_stat) ? -1 : set_time(st, lstat(path, st));
}

int seam_fstat(int fd, struct stat *st)
{
  return fails(CALL_fstat) ? -1 : set_time(st, fstat(fd, st));
}

int seam_fchmod(int fd, mode_t mode)
{
  return fchmod(fd, mode);
}

int seam_fchown(int fd, uid_t owner, gid_t group)
{
  return fchown(fd, owner, group);
}

ssize_t seam_pread(int fd, void *buffer, size_t size, off_t offset)
{
  enum fault fault = next_step(CALL_pread);
  if (fault == FAIL) return -1;
  ssize_t got = pread(fd, buffer, size, offset), half = got / 2;
  if (fault == SPLIT && half > 0) {
    shared->last = NOBODY; /* it may sleep meanwhile, so that another one goes on */
    (void)next_step(CALL_pread);
    ssize_t rest = pread(fd, (char *)buffer + half, size - (size_t)half, offset + half);
    return rest < 0 ? -1 : half + rest;
  }
  return fault == SHORT && got > 1 ? half : got;
}

ssize_t seam_write(int fd, const void *bytes, size_t size)
{
  enum fault fault = next_step(CALL_write);
  if (me != NOBODY) add_to_log(true, bytes, size);
  if (fault == FAIL || disk_is_full) {
    disk_is_full = false;
    errno = ENOSPC;
    return -1;
  }
  disk_is_full = fault == HALF || fault == STUCK;
  cannot_cut = cannot_cut || fault == STUCK;
  ssize_t written = write(fd, bytes, fault != NONE && size > 1 ? size / 2 : size);
  touch(fd);
  return written;
}

int seam_ftruncate(int fd, off_t size)
{
  if (fails(CALL_ftruncate)) return -1;
  if (cannot_cut) {
    errno = EIO;
    return -1;
  }
  int result = ftruncate(fd, size);
  touch(fd);
  return result;
}

int seam_fdatasync(int fd)
{
  (void)fd;
  return fails(CALL_fdatasync) ? -1 : 0;
}

int seam_fsync(int fd)
{
  (void)fd;
  return fails(CALL_fsync) ? -1 : 0;
}

int seam_flock(int fd, int operation)
{
  if (fails((operation & LOCK_UN) ? CALL_unlock : CALL_flock)) {
    if (operation & LOCK_UN) flock(fd, operation);
    errno = calls[CALL_flock].number;
    return -1;
  }
  int result = flock(fd, operation);
  if (me != NOBODY && (operation & LOCK_UN)) wake(ASLEEP);
  return result;
}

/* ---- names ---- */

int seam_rename(const char *from, const char *to)
{
  return fails(CALL_rename) ? -1 : rename(from, to);
}

int seam_unlink(const char *path)
{
  return fails(CALL_unlink) ? -1 : unlink(path);
}

int seam_mkdir(const char *path, mode_t mode)
{
  return fails(CALL_mkdir) ? -1 : mkdir(path, mode);
}

char *seam_realpath(const char *path, char *resolved)
{
  return realpath(path, resolved);
}

DIR *seam_opendir(const char *path)
{
  return fails(CALL_opendir) ? NULL : opendir(path);
}

struct dirent *seam_readdir(DIR *directory)
{
  return readdir(directory);
}

int seam_closedir(DIR *directory)
{
  return closedir(directory);
}

FILE *seam_fopen(const char *path, const char *mode)
{
  return fopen(path, mode);
}

int seam_fclose(FILE *file)
{
  return fclose(file);
}

/* ---- time ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): it is time(2)'s */
time_t seam_time(time_t *now)
{
  (void)now;
  return EPOCH + (shared != NULL ? (time_t)shared->clock : 0);
}

int seam_clock_gettime(clockid_t clock, struct timespec *now)
{
  (void)clock;
  *now = (struct timespec){1 + (shared != NULL ? (time_t)shared->clock : 0), 0};
  return 0;
}

int seam_nanosleep(const struct timespec *pause, struct timespec *left)
{
  (void)pause, (void)left;
  if (me == NOBODY) return 0;
  if (!shared->begun) give_up("a lock is waited for before the schedule begins");
  shared->state[me] = ASLEEP;
  hand_over();
  return 0;
}

/* ---- chance ---- */

/* The same in every schedule, and other bytes in each process. */
ssize_t seam_getrandom(void *bytes, size_t size, unsigned int flags)
{
  (void)flags;
  for (size_t i = 0; i < size; i++) {
    drawn = mix(drawn, i);
    ((unsigned char *)bytes)[i] = (unsigned char)drawn;
  }
  return (ssize_t)size;
}

/* ---- memory ---- */

void *seam_realloc(void *block, size_t size)
{
  return realloc(block, size);
}

void seam_free(void *block)
{
  free(block);
}

/* ---- for Lua, in a process of the schedule ---- */

/* ready(): what is to be scheduled begins. The processes come here one after the other. */
static int ready_l(lua_State *L)
{
  (void)L;
  int next = me + 1;
  shared->state[me] = READY;
  if (next == shared->processes || shared->state[next] == STOOD_BY) {
    shared->begun = true;
    hand_over();
  } else {
    sem_post(&shared->turn[next]);
    wait_for_turn();
  }
  return 0;
}

/* last(): comes back when all others have ended. */
static int last_l(lua_State *L)
{
  (void)L;
  shared->state[me] = LAST;
  hand_over();
  is_alone = true;
  return 0;
}

static void say(lua_State *L)
{
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  add_to_log(false, text, size);
}

/* begins(text), ends(text): a call of the module, for the log. */
static int begins_l(lua_State *L)
{
  next_step(CALL_begin);
  say(L);
  return 0;
}

static int ends_l(lua_State *L)
{
  if (shared->begun) remember(CALL_end, NONE);
  say(L);
  return 0;
}

/* A foreign program that cannot go on, as the file is gone, ends. */
static int check(int result)
{
  if (result < 0) _exit(0);
  return result;
}

/* write(path, bytes, cut): as a foreign program does that appends, or that writes a file anew. */
static int write_l(lua_State *L)
{
  size_t size;
  const char *path = luaL_checkstring(L, 1), *bytes = luaL_checklstring(L, 2, &size);
  int flags = O_WRONLY | O_CREAT | O_APPEND | (lua_toboolean(L, 3) ? O_TRUNC : 0);
  int fd = seam_open(path, flags, S_IRUSR | S_IWUSR);
  if (fd < 0 || seam_write(fd, bytes, size) < 0) return check(-1);
  return check(seam_close(fd));
}

/* read(path): the whole of a small file, as a foreign program reads it. */
static int read_l(lua_State *L)
{
  char bytes[16384];
  int fd = seam_open(luaL_checkstring(L, 1), O_RDONLY, 0);
  ssize_t got = fd < 0 ? -1 : seam_pread(fd, bytes, sizeof bytes, 0);
  if (got < 0) return check(-1);
  check(seam_close(fd));
  lua_pushlstring(L, bytes, (size_t)got);
  return 1;
}

/* truncate(path, size), rename(from, to), unlink(path): calls of a foreign program. */
static int truncate_l(lua_State *L)
{
  int fd = seam_open(luaL_checkstring(L, 1), O_WRONLY, 0);
  if (fd < 0 || seam_ftruncate(fd, (off_t)luaL_checknumber(L, 2)) < 0) return check(-1);
  return check(seam_close(fd));
}

static int rename_l(lua_State *L)
{
  return check(seam_rename(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
}

static int unlink_l(lua_State *L)
{
  return check(seam_unlink(luaL_checkstring(L, 1)));
}

/* pass(seconds): time goes by. */
static int pass_l(lua_State *L)
{
  next_step(CALL_time);
  shared->clock += luaL_checknumber(L, 1);
  return 0;
}

/* ---- for Lua, in the process that schedules ---- */

/* begin(processes, foreign, moves): a new schedule of processes numbered from 0, the last `foreign`
 * ones standing by. moves: an array of tables of at and process, or at and fault. */
static int begin_l(lua_State *L)
{
  int processes = (int)luaL_checkinteger(L, 1), foreign = (int)luaL_checkinteger(L, 2);
  luaL_argcheck(L, processes + foreign <= MOST_PROCESSES, 1, "too many processes");
  luaL_argcheck(L, lua_objlen(L, 3) <= MOST_MOVES, 3, "too many moves");
  memset(shared, 0, offsetof(struct shared, log));
  shared->own = processes;
  shared->processes = processes + foreign;
  shared->last = shared->current = shared->preempted = shared->decided = NOBODY;
  for (int i = 0; i < shared->processes; i++) {
    shared->state[i] = i < processes ? ABSENT : STOOD_BY;
    if (sem_init(&shared->turn[i], 1, 0) != 0) give_up("sem_init");
  }
  shared->moves = (int)lua_objlen(L, 3);
  for (int i = 0; i < shared->moves; i++) {
    struct move *move = &shared->move[i];
    lua_rawgeti(L, 3, i + 1);
    lua_getfield(L, -1, "at");
    lua_getfield(L, -2, "process");
    lua_getfield(L, -3, "fault");
    move->at = (int)lua_tointeger(L, -3);
    move->process = lua_isnil(L, -2) ? NOBODY : (int)lua_tointeger(L, -2);
    move->fault = (enum fault)luaL_checkoption(L, -1, "none", faults);
    lua_settop(L, 3);
  }
  return 0;
}

/* Does not outlive the process that schedules, nor a schedule that hangs. */
static void become(int number, pid_t parent)
{
  enum { LONGEST = 100 }; /* seconds */
#if defined(__linux__)
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (getppid() != parent) _exit(1);
  (void)signal(SIGINT, SIG_DFL);
  (void)signal(SIGTERM, SIG_DFL);
  (void)signal(SIGHUP, SIG_DFL);
  alarm(LONGEST);
  me = number;
  drawn = (uint64_t)number;
  wait_for_turn();
}

/* fork(number, run): makes the process of that number, which calls run and ends. Returns its id. */
static int fork_l(lua_State *L)
{
  pid_t parent = getpid(), child = fork();
  if (child < 0) return luaL_error(L, "fork: %s", strerror(errno));
  if (child > 0) {
    lua_pushinteger(L, child);
    return 1;
  }
  become((int)luaL_checkinteger(L, 1), parent);
  lua_settop(L, 2);
  if (lua_pcall(L, 0, 0, 0) != 0) {
    (void)fprintf(stderr, "process %d: %s\n", me, lua_tostring(L, -1));
    _exit(1);
  }
  _exit(0);
}

/* start(): lets the first process go. */
static int start_l(lua_State *L)
{
  (void)L;
  sem_post(&shared->turn[0]);
  return 0;
}

/* ended(number): that process was waited for; gives its turn to the next. */
static int ended_l(lua_State *L)
{
  int number = (int)luaL_checkinteger(L, 1);
  shared->state[number] = ENDED;
  wake(ASLEEP);
  if (!shared->begun || shared->current != number) return 0;
  choose();
  if (shared->current != NOBODY) sem_post(&shared->turn[shared->current]);
  return 0;
}

/* wait(): waits until a process of the schedule has ended; returns its id, and the number of the
 * signal or, negative, of the exit status. */
static int wait_l(lua_State *L)
{
  int status;
  pid_t pid;
  do {
    pid = waitpid(-1, &status, 0);
  } while (pid < 0 && errno == EINTR);
  if (pid < 0) return luaL_error(L, "waitpid: %s", strerror(errno));
  lua_pushinteger(L, pid);
  lua_pushinteger(L, WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status));
  return 2;
}

/* dismiss(number, pid): ends a foreign program if it still stands by. */
static int dismiss_l(lua_State *L)
{
  if (shared->state[luaL_checkinteger(L, 1)] == STOOD_BY)
    kill((pid_t)luaL_checkinteger(L, 2), SIGKILL);
  return 0;
}

/* settle(number): this process and those that it forks run on one processor, the next one for each
 * number, and get it soon when they wake up: a turn is passed on some thousand times a second, and
 * what else the machine does would hold it up each time. */
static int settle_l(lua_State *L)
{
#if defined(__linux__)
  /* A struct sched_attr, which not every C library has; the slice is its member sched_runtime. */
  uint32_t attributes[12] = {sizeof attributes};
  const uint64_t slice = 100000; /* nanoseconds */
  memcpy(&attributes[6], &slice, sizeof slice);
  cpu_set_t allowed, one;
  unsigned int left = (unsigned int)luaL_checkinteger(L, 1), cpu = 0;
  (void)syscall(SYS_sched_setattr, 0, attributes, 0U);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 0;
  for (left %= (unsigned int)CPU_COUNT(&allowed); left > 0 || !CPU_ISSET(cpu, &allowed); cpu++)
    if (CPU_ISSET(cpu, &allowed)) left--;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  (void)sched_setaffinity(0, sizeof one, &one);
#else
  (void)L;
#endif
  return 0;
}

static void set_integer(lua_State *L, const char *name, lua_Integer number)
{
  lua_pushinteger(L, number);
  lua_setfield(L, -2, name);
}

/* steps(): an array of {process=, call=, fault=, ready=, free=, past=}; step 0 is at 1. */
static int steps_l(lua_State *L)
{
  lua_createtable(L, shared->steps, 0);
  for (int i = 0; i < shared->steps; i++) {
    const struct step *step = &shared->step[i];
    lua_createtable(L, 0, 6);
    set_integer(L, "process", step->process);
    lua_pushstring(L, calls[step->call].name);
    lua_setfield(L, -2, "call");
    lua_pushstring(L, faults[step->fault]);
    lua_setfield(L, -2, "fault");
    set_integer(L, "ready", (lua_Integer)step->ready);
    lua_pushboolean(L, step->was_free);
    lua_setfield(L, -2, "free");
    lua_pushnumber(L, (lua_Number)(step->past >> 11)); /* all that a double holds */
    lua_setfield(L, -2, "past");
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* log(): an array of {process=, step=, write= or said=}, in order. */
static int log_l(lua_State *L)
{
  int count = 0;
  struct head head;
  lua_newtable(L);
  for (size_t at = 0; at < shared->logged; at += head.size) {
    memcpy(&head, shared->log + at, sizeof head);
    at += sizeof head;
    lua_createtable(L, 0, 3);
    set_integer(L, "process", head.process);
    set_integer(L, "step", head.step);
    lua_pushlstring(L, shared->log + at, head.size);
    lua_setfield(L, -2, head.is_write ? "write" : "said");
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

__attribute__((visibility("default"))) int luaopen_aish_history_gate(lua_State *L);

int luaopen_aish_history_gate(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"ready", ready_l},   {"last", last_l},   {"begins", begins_l},     {"ends", ends_l},
      {"read", read_l},     {"write", write_l}, {"truncate", truncate_l}, {"rename", rename_l},
      {"unlink", unlink_l}, {"pass", pass_l},   {"begin", begin_l},       {"fork", fork_l},
      {"start", start_l},   {"ended", ended_l}, {"wait", wait_l},         {"dismiss", dismiss_l},
      {"settle", settle_l}, {"steps", steps_l}, {"log", log_l},           {NULL, NULL},
  };
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return luaL_error(L, "mmap: %s", strerror(errno));
  lua_newtable(L);
  for (const luaL_Reg *function = functions; function->name != NULL; function++) {
    lua_pushcfunction(L, function->func);
    lua_setfield(L, -2, function->name);
  }
  return 1;
}
