/* dir.c: names are sorted as bytes. They begin with the time of the start, so that is their order
 * in time. */
#include "session/dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file/path.h"

static const char SUFFIX[] = ".jsonl";

static bool add_name(void *context, const char *name)
{
  struct dir *dir = context;
  size_t length = strlen(name), suffix = sizeof SUFFIX - 1;
  if (name[0] == '.' || length < suffix || memcmp(name + length - suffix, SUFFIX, suffix) != 0)
    return true;
  dir->count++;
  return buf_add(&dir->text, name, length + 1);
}

static int compare_strings(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool dir_list(struct dir *dir, const char *path)
{
  memset(dir, 0, sizeof *dir);
  if (sys_list(path, add_name, dir) != 0) return false;
  const char *name = dir->text.data;
  for (size_t i = 0; i < dir->count; i++) {
    if (!BUF_PUSH(&dir->order, &name)) return false;
    name += strlen(name) + 1;
  }
  if (dir->count > 0) qsort(dir->order.data, dir->count, sizeof name, compare_strings);
  return true;
}

const char *dir_name(const struct dir *dir, size_t number)
{
  return BUF_ITEMS(const char *, &dir->order)[number];
}

void dir_free(struct dir *dir)
{
  buf_free(&dir->text);
  buf_free(&dir->order);
}

int open_session_to_read(const char *path, struct stat *st, struct failure *failure)
{
  const off_t largest = (off_t)4 << 30;
  int fd = open_to_read(path, st, failure);
  if (fd < 0 || st->st_size <= largest) return fd;
  sys_close(fd);
  fail_because(failure, EFBIG, "read", "larger than 4 GiB, which no session is");
  return -1;
}
