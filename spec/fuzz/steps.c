/* steps.c: a pattern, repeated, as the file of a memory and of a session: eight times as many repeats
 * may take little more than eight times as many steps, each call counted by itself, or few steps a
 * byte. A step is a way between two blocks of the code, which the compiler counts (see Makefile), or
 * 16 bytes that are moved or compared (see blocks.h); no clock is asked.
 *
 * An input is text. What stands between `<` and `>` is repeated; all of it if there is no `<`. Within
 * that `^` is a number that rises with each repeat, `~` one that falls. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "fuzz.h"
#include "memory/change.h"
#include "memory/compact.h"
#include "memory/memory.h"
#include "memory/rank.h"
#include "memory/recall.h"
#include "memory/verify.h"
#include "steps.h"

enum {
  LONGEST = 1024, /* pattern */
  FEW = 512, /* repeats */
  TIMES = 8, /* so many times FEW are many */
  LARGEST = 1 << 20, /* file */
  MOST = 16, /* times as many steps; n log n takes less than 11, its square 64 */
  A_BYTE =
      64 /* steps: what is below that is no harm, though it may be more than for a few repeats */
};

/* ---- the file ---- */

static void put(struct buf *file, char byte, unsigned rising, unsigned falling)
{
  char number[12];
  if (byte != '^' && byte != '~') {
    CHECK(buf_add(file, &byte, 1));
    return;
  }
  int length = snprintf(number, sizeof number, "%u", byte == '^' ? rising : falling);
  CHECK(buf_add(file, number, (size_t)length));
}

/* What follows a group that was repeated. */
static const char *repeat(struct buf *file, const char *p, const char *end, unsigned count)
{
  const char *last = memchr(p, '>', (size_t)(end - p));
  if (last == NULL) last = end;
  for (unsigned i = 0; i < count; i++)
    for (const char *q = p; q < last; q++) put(file, *q, i + 1, count - i);
  return last < end ? last + 1 : end;
}

static void expand(struct buf *file, const char *pattern, size_t size, unsigned count)
{
  const char *p = pattern, *end = pattern + size;
  file->length = 0;
  if (memchr(p, '<', size) == NULL) p = repeat(file, p, end, count);
  while (p < end && file->length < LARGEST) {
    if (*p == '<') p = repeat(file, p + 1, end, count);
    else put(file, *p++, 1, count);
  }
}

/* ---- the calls ---- */

/* What every call works on. */
struct world {
  const char *path;
  struct bytes text; /* the beginning of the pattern */
  struct memory memory;
  bool open;
};

static void call_open(struct world *world)
{
  const struct memory_options options = {.shared = true};
  struct failure failure;
  CHECK(memory_init(&world->memory, world->path, &options));
  world->open =
      memory_open(&world->memory, &failure) && memory_refresh(&world->memory, 0, &failure);
}

static void call_add(struct world *world)
{
  static const char body[] = ",\"content\":\"a\"}\n";
  struct failure failure;
  for (int i = 0; i < 3 && world->open; i++) {
    struct draft draft = {.kind = KIND_FACT, .members = 5, .length = sizeof body - 1};
    world->open = memory_add(&world->memory, &draft, 1, body, &failure) &&
                  memory_refresh(&world->memory, 0, &failure);
  }
}

static void call_forget(struct world *world)
{
  struct failure failure;
  bool found;
  size_t left;
  if (world->open) (void)memory_forget(&world->memory, 1, NULL, &found, &left, &failure);
}

static void call_search(struct world *world)
{
  struct query query;
  struct filter filter = {.limit = 20};
  struct buf ranked = {NULL, 0, 0};
  if (!world->open) return;
  if (query_read(&query, world->text.start, world->text.length, false) == QUERY_GOOD)
    CHECK(rank_items(world->memory.journal.fd, &world->memory.index, &query, &filter, &ranked) ==
          0);
  query_free(&query);
  buf_free(&ranked);
}

static void call_recall(struct world *world)
{
  struct filter filter = {.limit = 20};
  struct buf ranked = {NULL, 0, 0};
  if (!world->open) return;
  CHECK(recall_items(world->memory.journal.fd, &world->memory.index, world->text, 0, &filter,
                     &ranked) == 0);
  buf_free(&ranked);
}

static void call_verify(struct world *world)
{
  struct verify_report report;
  int fd = open(world->path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0 && verify(fd, &report) == 0);
  buf_free(&report.problems);
  close(fd);
}

static void call_session(struct world *world)
{
  steps_search(world->path, world->text);
}

static void call_list(struct world *world)
{
  steps_list(world->path);
}

static void call_compact(struct world *world)
{
  const struct compact_options options = {.tombstones = true};
  struct compaction result;
  struct failure failure;
  if (world->open) (void)memory_compact(&world->memory, &options, &result, &failure);
}

static const struct {
  const char *name;
  void (*run)(struct world *world);
} calls[] = {
    {"open", call_open},       {"add", call_add},       {"forget", call_forget},
    {"search", call_search},   {"recall", call_recall}, {"verify", call_verify},
    {"session", call_session}, {"list", call_list},     {"compact", call_compact},
};
enum { CALLS = sizeof calls / sizeof *calls };

/* ---- counting ---- */

static void write_file(const char *path, const struct buf *file)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0 && write(fd, file->data, file->length) == (ssize_t)file->length);
  close(fd);
}

static void count_steps(struct world *world, const struct buf *file, uint64_t steps[CALLS])
{
  fuzz_empty_directory();
  write_file(world->path, file);
  for (int i = 0; i < CALLS; i++) {
    fuzz_steps = 0;
    calls[i].run(world);
    steps[i] = fuzz_steps;
  }
  memory_close(&world->memory);
}

static void compare(const char *name, uint64_t small, uint64_t large, size_t bytes)
{
  bool good = large <= MOST * small || large <= A_BYTE * bytes;
  if (!good || getenv("SHOW_STEPS") != NULL)
    fprintf(stderr, "%-8s %10llu and %10llu steps, %.1f a byte\n", name, (unsigned long long)small,
            (unsigned long long)large, (double)large / (double)bytes);
  CHECK(good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char path[4200];
  struct buf few = {NULL, 0, 0}, many = {NULL, 0, 0};
  const char *pattern = (const char *)data;
  struct world world = {.path = path, .text = {pattern, size < 64 ? size : 64}};
  if (size == 0 || size > LONGEST) return 0;
  snprintf(path, sizeof path, "%s/memory.jsonl", fuzz_directory());
  expand(&few, pattern, size, FEW);
  expand(&many, pattern, size, FEW * TIMES);
  if (many.length < LARGEST && few.length > 0) {
    uint64_t small[CALLS], large[CALLS];
    count_steps(&world, &few, small);
    count_steps(&world, &many, large);
    for (int i = 0; i < CALLS; i++) compare(calls[i].name, small[i], large[i], many.length);
    CHECK(large[0] > 0);
  }
  buf_free(&few);
  buf_free(&many);
  return 0;
}
