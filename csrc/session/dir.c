/* dir.c: names are sorted as bytes. They begin with the time of the start, so that is their order
 * in time. */
#include "session/dir.h"

#include <stdlib.h>

#include "file/path.h"
#include "base/hidden.h"

static const char SUFFIX[] = ".jsonl";

/* Before each name stands what the directory tells of it. */
enum { REGULAR = 'r', UNKNOWN = '?' };

static bool add_name(void *context, const char *name, bool regular)
{
  struct dir *dir = context;
  const char kind = regular ? REGULAR : UNKNOWN;
  size_t length = strlen(name), suffix = sizeof SUFFIX - 1;
  if (name[0] == '.' || length < suffix || memcmp(name + length - suffix, SUFFIX, suffix) != 0)
    return true;
  dir->count++;
  return buf_add(&dir->text, &kind, 1) && buf_add(&dir->text, name, length + 1);
}

static int compare_strings(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool dir_list(struct dir *dir, const char *path)
{
  if (sys_list(path, add_name, dir) != 0) return false;
  const char *name = dir->text.data;
  for (size_t i = 0; i < dir->count; i++) {
    name++;
    if (!BUF_PUSH(&dir->order, &name)) return false;
    name += strlen(name) + 1;
  }
  if (dir->count > 0) qsort(dir->order.data, dir->count, sizeof name, compare_strings);
  return true;
}

bool dir_list_any(struct dir *dir, const char *path)
{
  dir_free(dir);
  dir->single = sys_stat(path, &dir->st) != 0 || !S_ISDIR(dir->st.st_mode);
  if (!dir->single) return dir_list(dir, path);
  dir->count = 1;
  return true;
}

const char *dir_name(const struct dir *dir, size_t number)
{
  return BUF_ITEMS(const char *, &dir->order)[number];
}

bool dir_open(struct dir *dir, const char *path, size_t number, struct failure *failure)
{
  const off_t largest = (off_t)4 << 30;
  if (dir->path != NULL && dir->fd >= 0 && dir->number == number) return true;
  const char *name = dir->single ? NULL : dir_name(dir, number);
  dir_close(dir);
  dir->number = number;
  dir->path = dir->single ? path_with_suffix(path, "") : path_join(path, name);
  if (dir->path == NULL) return fail(failure, "open");
  enum sys_opening how = dir->single || name[-1] != REGULAR ? SYS_READ : SYS_LISTED;
  dir->fd = path_opened(sys_open(dir->path, how, &dir->st), &dir->st, failure);
  if (dir->fd < 0 || dir->st.st_size <= largest) return dir->fd >= 0;
  sys_close(dir->fd);
  dir->fd = -1;
  return fail_because(failure, EFBIG, "read", "larger than 4 GiB, which no session is");
}

void dir_close(struct dir *dir)
{
  if (dir->path != NULL && dir->fd >= 0) sys_close(dir->fd);
  sys_free(dir->path);
  dir->path = NULL;
}

void dir_free(struct dir *dir)
{
  dir_close(dir);
  buf_free(&dir->text);
  buf_free(&dir->order);
  dir->count = 0;
}
