/* fuzz.c: what the targets share. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/index.h"

enum { USUAL_BLOCK = 256 * 1024 };

size_t fuzz_block = USUAL_BLOCK;
uint64_t fuzz_steps;

/* Called on each way between two blocks of code, in the place of the engine's own. */
void __wrap___sanitizer_cov_trace_pc(void);
void __wrap___sanitizer_cov_trace_pc(void)
{
  fuzz_steps++;
}

_Noreturn void fuzz_wrong(const char *condition, const char *file, int line)
{
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
  abort();
}

void *fuzz_alloc(void *block, size_t size)
{
  void *grown = realloc(block, size > 0 ? size : 1);
  CHECK(grown != NULL);
  return grown;
}

int fuzz_file(const void *bytes, size_t size)
{
  static int fd = -1;
  if (fd < 0) fd = memfd_create("aish_history", MFD_CLOEXEC);
  CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
  CHECK(pwrite(fd, bytes, size, 0) == (ssize_t)size);
  return fd;
}

const struct item *fuzz_item_at(const struct index *index, uint64_t offset)
{
  for (size_t i = 0; i < index->count; i++) {
    const struct item *item = &index->items[i];
    if (item->offset == offset) return item->forgotten ? NULL : item;
  }
  return NULL;
}

/* ---- a directory ---- */

static char directory[4096];
static pid_t owner;

static void remove_directory(void)
{
  if (owner != getpid()) return;
  fuzz_empty_directory();
  rmdir(directory);
}

const char *fuzz_directory(void)
{
  if (owner == getpid()) return directory;
  const char *above = getenv("TMPDIR");
  if (above == NULL) above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  snprintf(directory, sizeof directory, "%s/aish_history_fuzz.XXXXXX", above);
  CHECK(mkdtemp(directory) != NULL);
  if (owner == 0) atexit(remove_directory);
  owner = getpid();
  return directory;
}

void fuzz_empty_directory(void)
{
  DIR *names = opendir(directory);
  CHECK(names != NULL);
  for (const struct dirent *entry; (entry = readdir(names)) != NULL;)
    if (entry->d_name[0] != '.') unlinkat(dirfd(names), entry->d_name, 0);
  closedir(names);
}

int fuzz_next_descriptor(void)
{
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  close(fd);
  return fd;
}
