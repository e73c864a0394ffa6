/* path.c: names of files: put together, made, opened and synced. */
#include "file/path.h"

#include "file/format.h"
#include "base/hidden.h"

/* The texts one after the other. */
static char *concatenate(const char *first, const char *second, const char *third)
{
  size_t a = strlen(first), b = strlen(second), c = strlen(third);
  char *text = sys_realloc(NULL, a + b + c + 1);
  if (text == NULL) return NULL;
  memcpy(text, first, a);
  memcpy(text + a, second, b);
  memcpy(text + a + b, third, c + 1);
  return text;
}

char *path_join(const char *directory, const char *name)
{
  size_t length = strlen(directory);
  bool slash = length > 0 && directory[length - 1] == '/';
  return concatenate(directory, slash ? "" : "/", name);
}

char *path_with_suffix(const char *path, const char *suffix)
{
  return concatenate(path, suffix, "");
}

char *path_absolute(const char *path)
{
  char *here = path[0] == '/' || path[0] == '\0' ? NULL : sys_realpath(".");
  if (here == NULL) return concatenate(path, "", "");
  char *place = path_join(here, path);
  sys_free(here);
  return place;
}

bool path_make_directories(char *path)
{
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    int result = sys_mkdir(path);
    int reason = errno;
    struct stat st;
    bool there = result == 0 || reason == EEXIST || sys_stat(path, &st) == 0;
    *slash = '/';
    errno = reason;
    if (!there) return false;
  }
  return true;
}

int path_sync_above(char *path)
{
  char *name = strrchr(path, '/');
  if (name == NULL) return sys_sync_directory(".");
  name++;
  char kept = *name;
  *name = '\0';
  int result = sys_sync_directory(path);
  *name = kept;
  return result;
}

int path_opened(int fd, const struct stat *st, struct failure *failure)
{
  if (fd == SYS_NOT_REGULAR && errno != EISDIR)
    fail_because(failure, EINVAL, "open", "not a regular file");
  else if (fd < 0) fail(failure, "open");
  if (fd < 0) return -1;
  if (format_is_lines(fd, (uint64_t)st->st_size, failure)) return fd;
  sys_close(fd);
  errno = failure->number;
  return -1;
}

int open_to_read(const char *path, struct stat *st, struct failure *failure)
{
  return path_opened(sys_open(path, SYS_READ, st), st, failure);
}
