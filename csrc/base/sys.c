/* sys.c: every system call of the module, and what differs between systems.
 *
 * | matter              | Linux                  | macOS              | other POSIX      |
 * | data to the disk    | fdatasync              | fcntl(F_FULLFSYNC) | fdatasync        |
 * | who holds a lock    | /proc/locks            | not known          | not known        |
 * | random bytes        | getrandom              | arc4random         | arc4random       |
 *
 * flock(2) is in no standard, but in all of these systems. */
#if defined(__linux__)
#define _GNU_SOURCE /* flock, realpath, clock_gettime under -std=c11 */
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE
#endif

#include "base/sys.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/random.h>
#include <sys/sysmacros.h>
#endif

/* The one seam: a test names a header that puts functions of its own in the place of the calls
 * below, to record them and to make each of them fail. */
#ifdef SYS_SEAM
#include SYS_SEAM
#endif
#include "base/hidden.h"

/* write(2) and read(2) leave sizes beyond SSIZE_MAX to the implementation; Linux moves at most
 * 0x7ffff000 bytes a call, macOS refuses more than INT_MAX. */
enum { MOST_AT_ONCE = 1 << 30 };

/* Sets the result of a call that is made again when a signal has interrupted it. */
#define RETRY(result, call)                                                                        \
  do (result) = (call);                                                                            \
  while ((result) < 0 && errno == EINTR)

/* A wrapper that does nothing else. */
#define WRAP(type, name, parameters, call)                                                         \
  type name parameters                                                                             \
  {                                                                                                \
    type result;                                                                                   \
    RETRY(result, call);                                                                           \
    return result;                                                                                 \
  }

WRAP(int, sys_stat, (const char *path, struct stat *st), stat(path, st))
WRAP(int, sys_fstat, (int fd, struct stat *st), fstat(fd, st))
WRAP(int, sys_fileno, (FILE * file), fileno(file))
WRAP(int, sys_chmod, (int fd, mode_t mode), fchmod(fd, mode))
WRAP(int, sys_chown, (int fd, uid_t owner, gid_t group), fchown(fd, owner, group))
WRAP(int, sys_truncate, (int fd, uint64_t size), ftruncate(fd, (off_t)size))
WRAP(int64_t, sys_position, (int fd), lseek(fd, 0, SEEK_CUR))
WRAP(int, sys_rename, (const char *from, const char *to), rename(from, to))
WRAP(int, sys_unlink, (const char *path), unlink(path))
WRAP(int, sys_mkdir, (const char *path), mkdir(path, S_IRWXU))
WRAP(pid_t, sys_pid, (void), getpid())

/* ---- opening ---- */

/* Closes what is of no more use, and leaves errno and the result of another call as they are. */
static int close_after(int fd, int result)
{
  int reason = errno;
  sys_close(fd);
  errno = reason;
  return result;
}

/* A descriptor that the standard streams have left free is not taken, or whoever writes to these
 * would write to the file. */
static int open_retrying(const char *path, int flags)
{
  int fd;
  RETRY(fd, open(path, flags | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR));
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  return close_after(fd, fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

static int refuse_irregular(const struct stat *st)
{
  errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
  return SYS_NOT_REGULAR;
}

/* Looks before it opens: opening a FIFO would wait for its other end and opening a device may do
 * anything. What was opened is looked at again, as the path may have changed in between. */
int sys_open(const char *path, enum sys_opening how, struct stat *st)
{
  static const int ways[] = {[SYS_READ] = O_RDONLY,
                             [SYS_LISTED] = O_RDONLY,
                             [SYS_APPEND] = O_RDWR | O_APPEND,
                             [SYS_MAKE] = O_RDWR | O_APPEND | O_CREAT,
                             [SYS_ITSELF] = O_RDWR | O_APPEND | O_NOFOLLOW};
  int flags = ways[how];
  int seen = -1;
  if (how != SYS_LISTED) seen = (flags & O_NOFOLLOW) != 0 ? lstat(path, st) : sys_stat(path, st);
  if (seen == 0 && !S_ISREG(st->st_mode)) return refuse_irregular(st);
  int fd = open_retrying(path, flags | O_NONBLOCK);
  if (fd < 0) return -1;
  if (sys_fstat(fd, st) != 0) return close_after(fd, -1);
  return S_ISREG(st->st_mode) ? fd : close_after(fd, refuse_irregular(st));
}

int64_t sys_touched(const struct stat *st)
{
#if defined(__APPLE__)
  const struct timespec *time = &st->st_ctimespec;
#else
  const struct timespec *time = &st->st_ctim;
#endif
  return (int64_t)((uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec);
}

int sys_open_new(const char *path)
{
  return open_retrying(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL);
}

/* After EINTR the descriptor's state is unspecified by POSIX; on Linux and the BSDs it is closed,
 * and closing again could close another thread's new one. */
int sys_close(int fd)
{
  return close(fd);
}

/* ---- what a file is ---- */

/* Linux 6.13 and later give a file whose times were asked for a finer time at its next write, and
 * each write then costs an update of the inode. statx can leave the times out. */
int sys_look(const char *path, struct stat *st)
{
#if defined(STATX_INO) && !defined(SYS_SEAM)
  struct statx sx;
  if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_SIZE, &sx) != 0)
    return errno == ENOSYS || errno == EPERM ? stat(path, st) : -1; /* the latter from seccomp */
  st->st_dev = makedev(sx.stx_dev_major, sx.stx_dev_minor);
  st->st_ino = sx.stx_ino;
  st->st_size = (off_t)sx.stx_size;
  return 0;
#else
  return stat(path, st);
#endif
}

/* ---- bytes ---- */

ssize_t sys_read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
  size_t done = 0;
  while (done < size) {
    size_t rest = size - done < MOST_AT_ONCE ? size - done : MOST_AT_ONCE;
    ssize_t got = pread(fd, (char *)buffer + done, rest, (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (ssize_t)done;
}

int sys_write(int fd, const void *bytes, size_t size, size_t *written)
{
  size_t first = 0;
  *written = 0;
  while (*written < size) {
    size_t rest = size - *written < MOST_AT_ONCE ? size - *written : MOST_AT_ONCE;
    ssize_t put = write(fd, (const char *)bytes + *written, rest);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -1;
    if (put == 0) { /* never for a regular file, but a loop must end */
      errno = EIO;
      return -1;
    }
    if (*written == 0) first = (size_t)put;
    *written += (size_t)put;
  }
  return first < size;
}

int sys_sync(int fd)
{
  int result;
#ifdef F_FULLFSYNC
  RETRY(result, fcntl(fd, F_FULLFSYNC));
  if (result < 0 && (errno == ENOTSUP || errno == EINVAL)) RETRY(result, fsync(fd));
#else
  RETRY(result, fdatasync(fd));
#endif
  return result;
}

/* A new name is on the disk only when its directory is: fsync(2), "Calling fsync() does not
 * necessarily ensure that the entry in the directory containing the file has also reached disk".
 * File systems that cannot sync a directory say EINVAL; there is nothing more to be done there. */
int sys_sync_directory(const char *path)
{
  int result, fd = open_retrying(path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return SYS_NOT_OPENED;
  RETRY(result, fsync(fd));
  return close_after(fd, result < 0 && errno == EINVAL ? 0 : result);
}

/* ---- names and locks ---- */

int sys_flock(int fd, int operation)
{
  int result;
  do result = flock(fd, operation);
  while (result < 0 && errno == EINTR && (operation & (LOCK_NB | LOCK_UN)));
  return result;
}

char *sys_realpath(const char *path)
{
  return realpath(path, NULL);
}

static bool is_regular(const struct dirent *entry)
{
#if defined(DT_REG)
  return entry->d_type == DT_REG;
#else
  (void)entry;
  return false;
#endif
}

int sys_list(const char *path, bool (*visit)(void *context, const char *name, bool regular),
             void *context)
{
  DIR *directory = opendir(path);
  if (directory == NULL) return -1;
  int reason = 0;
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (entry == NULL || !visit(context, entry->d_name, is_regular(entry))) {
      reason = errno;
      break;
    }
  }
  closedir(directory);
  errno = reason;
  return reason == 0 ? 0 : -1;
}

/* proc(5): "1: FLOCK  ADVISORY  WRITE 3568 08:06:1311203 0 EOF"; a waiter has "->" after the
 * number and so does not match. */
pid_t sys_lock_holder(const struct stat *st)
{
  long holder = 0;
#if defined(__linux__)
  FILE *table = fopen("/proc/locks", "re");
  if (table == NULL) return 0;
  char line[256];
  while (holder == 0 && fgets(line, sizeof line, table) != NULL) {
    long pid;
    unsigned int high, low;
    unsigned long long inode;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel wrote these numbers */
    if (sscanf(line, "%*u: FLOCK %*s %*s %ld %x:%x:%llu", &pid, &high, &low, &inode) == 4 &&
        pid > 0 && high == major(st->st_dev) && low == minor(st->st_dev) && inode == st->st_ino)
      holder = pid;
  }
  (void)fclose(table);
#else
  (void)st;
#endif
  return (pid_t)holder;
}

/* ---- process and time ---- */

void sys_stay_loaded(void)
{
  static const char loaded = 0; /* somewhere in the module */
  Dl_info info;
  if (dladdr(&loaded, &info) != 0)
    (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* The only thing here that changes: it is the process that it says something about. */
static atomic_uint forks;

static void count_fork(void)
{
  atomic_fetch_add(&forks, 1);
}

bool sys_count_forks(void)
{
  static atomic_bool counting;
  if (atomic_load(&counting)) return true;
  int reason = pthread_atfork(NULL, NULL, count_fork);
  if (reason != 0) return errno = reason, false;
  atomic_store(&counting, true); /* two threads at a time make it count by two */
  return true;
}

unsigned sys_forks(void)
{
  return atomic_load_explicit(&forks, memory_order_relaxed);
}

int64_t sys_time(void)
{
  return (int64_t)time(NULL);
}

double sys_clock(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int sys_sleep(double seconds)
{
  struct timespec pause = {.tv_sec = (time_t)seconds};
  pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
  return nanosleep(&pause, NULL);
}

const char *sys_reason(int number, char *text, size_t size)
{
#if defined(__GLIBC__) /* with _GNU_SOURCE its strerror_r is not that of POSIX */
  return strerror_r(number, text, size);
#else
  return strerror_r(number, text, size) == 0 ? text : "unknown error";
#endif
}

/* ---- chance ---- */

int sys_random(void *bytes, size_t size)
{
#if defined(__linux__)
  ssize_t got; /* up to 256 come all at once, whatever signals do; see getrandom(2) */
  RETRY(got, getrandom(bytes, size, 0));
  return got == (ssize_t)size ? 0 : -1;
#else
  arc4random_buf(bytes, size);
  return 0;
#endif
}

/* ---- numbers ---- */

uint64_t sys_to_decimal(double number, int count, int *exponent)
{
  char text[64] = "0e0", *p = text;
  uint64_t digits = 0;
  (void)snprintf(text, sizeof text, "%.*e", count - 1, number);
  for (; *p != 'e'; p++)
    if (*p >= '0' && *p <= '9') digits = digits * 10 + (uint64_t)(*p - '0');
  *exponent = (int)strtol(p + 1, NULL, 10) - (count - 1);
  return digits;
}

double sys_from_decimal(const char *text)
{
  int reason = errno;
  double number = strtod(text, NULL);
  errno = reason; /* ERANGE */
  return number;
}

/* ---- memory ---- */

void *sys_realloc(void *block, size_t size)
{
  void *grown = realloc(block, size > 0 ? size : 1);
  if (grown == NULL) errno = ENOMEM;
  return grown;
}

void sys_free(void *block)
{
  int reason = errno;
  free(block);
  errno = reason;
}
