/* beside.c: files made beside another.
 *
 * A new file is called <file>.compact- and 16 hexadecimal digits, of which the first eight are random,
 * and the last eight follow from them. No other program and no user has a file of such a name: that is
 * how one that a crash has left is told from all that must not be removed. */
#include "file/beside.h"

#include <sys/file.h>

#include "file/path.h"
#include "base/hidden.h"

/* ---- new files ---- */

static const char DAMAGED[] = BESIDE_DAMAGED, MIDDLE[] = ".compact-", DIGITS[] = "0123456789abcdef";

enum { START = sizeof MIDDLE - 1, HALF = 8, END = START + 2 * HALF };

static void print_suffix(uint32_t number, char suffix[END + 1])
{
  uint64_t digits = (uint64_t)number << 32 | (uint32_t)((number + 1) * 2654435761U);
  memcpy(suffix, MIDDLE, START);
  for (int i = END; i-- > START; digits >>= 4) suffix[i] = DIGITS[digits & 15];
  suffix[END] = '\0';
}

static bool is_suffix(const char *text)
{
  char suffix[END + 1];
  uint32_t number = 0;
  if (strlen(text) != END) return false;
  for (int i = START; i < START + HALF; i++) {
    const char *digit = strchr(DIGITS, text[i]);
    number = number << 4 | (uint32_t)(digit != NULL ? digit - DIGITS : 0);
  }
  print_suffix(number, suffix);
  return strcmp(text, suffix) == 0;
}

int beside_make(const char *place, char **path)
{
  uint32_t number;
  char suffix[END + 1];
  int fd;
  *path = NULL;
  do {
    sys_free(*path);
    *path = NULL;
    if (sys_random(&number, sizeof number) != 0) return -1;
    print_suffix(number, suffix);
    *path = path_with_suffix(place, suffix);
    if (*path == NULL) return -1;
    fd = sys_open_new(*path);
  } while (fd < 0 && errno == EEXIST);
  return fd;
}

struct cleaning {
  const char *directory, *name; /* NULL: of any file */
};

/* Whether a name begins, before its suffix, with that of the file, or of its <file>.damaged. */
static bool is_beside(const char *name, size_t length, const char *file)
{
  size_t own = strlen(file);
  if (length < own || memcmp(name, file, own) != 0) return false;
  return length == own || (length - own == sizeof DAMAGED - 1 &&
                           memcmp(name + own, DAMAGED, sizeof DAMAGED - 1) == 0);
}

/* Removes the file of that name, if beside_make has made it and nobody has it locked. */
static bool remove_left(void *context, const char *name, bool regular)
{
  (void)regular;
  const struct cleaning *cleaning = context;
  size_t length = strlen(name), own = length > END ? length - END : 0;
  struct stat st;
  if (own == 0 || !is_suffix(name + own)) return true;
  if (cleaning->name != NULL && !is_beside(name, own, cleaning->name)) return true;
  char *path = path_join(cleaning->directory, name);
  int fd = path != NULL ? sys_open(path, SYS_ITSELF, &st) : -1;
  if (fd >= 0) {
    if (sys_flock(fd, LOCK_EX | LOCK_NB) == 0) sys_unlink(path);
    sys_close(fd);
  }
  sys_free(path);
  return true;
}

void beside_clean(const char *path)
{
  struct stat st;
  char *place = sys_realpath(path);
  if (place != NULL && sys_stat(place, &st) == 0) {
    struct cleaning cleaning = {place, NULL};
    char *slash = strrchr(place, '/');
    if (!S_ISDIR(st.st_mode)) {
      *slash = '\0';
      cleaning = (struct cleaning){slash != place ? place : "/", slash + 1};
    }
    (void)sys_list(cleaning.directory, remove_left, &cleaning);
  }
  sys_free(place);
}

/* ---- owners ---- */

/* Whether the file could not be given away because of who we are: the system keeps us from it, or has
 * no number here for whom it would belong to (user_namespaces(7)). */
static bool may_not_give(void)
{
  return errno == EPERM || errno == EINVAL;
}

/* Only root gives files away. A group that is not ours to give loses its permissions, or another one
 * would gain them. */
bool beside_give(int fd, const struct stat *of)
{
  mode_t mode = of->st_mode & 07777;
  if (sys_chown(fd, of->st_uid, of->st_gid) != 0) {
    if (!may_not_give()) return false;
    mode &= ~(mode_t)S_ISUID;
    if (sys_chown(fd, (uid_t)-1, of->st_gid) != 0) {
      if (!may_not_give()) return false;
      mode &= ~(mode_t)(S_ISGID | S_IRWXG);
    }
  }
  return sys_chmod(fd, mode) == 0;
}

/* Why a file is not one that a compaction made; NULL: it may well be. Those who share a memory by its
 * group may each have made it; nobody but them gives a file to that group. */
static const char *objection(const struct stat *st, const struct stat *of)
{
  if (st->st_nlink != 1) return "it has another name, too";
  if (st->st_uid == of->st_uid) return NULL;
  bool shared = st->st_gid == of->st_gid && (of->st_mode & S_IWGRP) != 0 &&
                (st->st_mode & ~of->st_mode & S_IRWXO) == 0;
  return shared ? NULL : "it is another user's";
}

int beside_open(const char *path, const struct stat *of, struct stat *st, const char **reason)
{
  *reason = NULL;
  int fd = sys_open(path, SYS_ITSELF, st);
  if (fd == SYS_NOT_REGULAR && errno == EINVAL) *reason = "not a regular file";
  if (fd < 0 || (*reason = objection(st, of)) == NULL) return fd;
  sys_close(fd);
  errno = EPERM;
  return -1;
}

static int make_gathered(const char *path, const struct stat *of, struct stat *st)
{
  int fd = sys_open_new(path);
  if (fd < 0 || (beside_give(fd, of) && sys_fstat(fd, st) == 0)) return fd;
  int reason = errno;
  sys_unlink(path);
  sys_close(fd);
  errno = reason;
  return -1;
}

int beside_gather(const char *path, const struct stat *of, bool *made, struct stat *st,
                  struct failure *failure)
{
  const char *reason;
  int fd = beside_open(path, of, st, &reason);
  *made = fd == -1 && errno == ENOENT;
  if (*made) fd = make_gathered(path, of, st);
  if (fd >= 0) return fd;
  fail_about(failure, "compact: open", path, reason);
  return -1;
}
