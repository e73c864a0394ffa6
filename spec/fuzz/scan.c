/* scan.c: random bytes as a memory file, read by the index, the window and verify with blocks of
 * several sizes, in one go and in two, and compared with the plain reading. */
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "file/window.h"
#include "fuzz.h"
#include "memory/index.h"
#include "memory/memory.h"
#include "memory/verify.h"
#include "plain.h"

enum { LARGEST = 1 << 16 };

/* ---- the ways of finding a string's end ---- */

static void compare_spans(const char *bytes, size_t size)
{
  char *text = fuzz_alloc(NULL, size + SPAN_PADDING);
  memcpy(text, bytes, size);
  memset(text + size, 0, SPAN_PADDING);
  size_t step = size < 1024 ? 1 : size / 512;
  for (size_t i = 0; i <= size; i += step) {
    const char *p = text + i;
    while (p < text + size && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\') p++;
    CHECK(span_plain(text + i) == p);
    CHECK(span_portable(text + i) == p);
  }
  free(text);
}

/* ---- the index ---- */

static void compare_line(struct window *window, const struct plain_line *line, const char *bytes)
{
  size_t mark =
      line->offset == 0 && line->length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  const char *text = window_line(window, line->offset, line->length);
  CHECK(text != NULL);
  CHECK(memcmp(text, "   ", mark) == 0);
  CHECK(memcmp(text + mark, bytes + line->offset + mark, line->length - mark) == 0);
}

static void compare_item(const struct index *index, const struct item *item,
                         const struct plain_line *line)
{
  CHECK(item != NULL && item->id == line->id);
  CHECK((item_moment(index, item).second == MOMENT_NONE) == !line->has_time);
  CHECK(item->offset == line->offset && item_length(item) == line->length);
  CHECK((int)(enum record_kind)item->kind == (int)line->kind);
  CHECK(item->members == (line->members < ITEM_MEMBERS_MAX ? line->members : ITEM_MEMBERS_MAX));
}

static const struct plain_line *line_at(const struct plain *plain, uint64_t offset)
{
  for (size_t i = 0; i < plain->count; i++)
    if (plain->lines[i].offset == offset) return &plain->lines[i];
  return NULL;
}

static void compare_order(struct index *index, const struct plain *plain)
{
  size_t count = 0;
  const struct plain_line *last = NULL;
  CHECK(index_sort(index));
  for (size_t i = index->count; i > 0; i--) {
    const struct item *item = index_sorted(index, i - 1);
    if (item->forgotten) continue;
    count++;
    const struct plain_line *line = line_at(plain, item->offset);
    CHECK(line != NULL && line->active);
    CHECK(last == NULL || plain_is_newer(last, line));
    last = line;
  }
  CHECK(count == index->active);
}

/* What is asked of an id. */
static void compare_finding(const struct index *index, const struct plain *plain, uint64_t id)
{
  const struct plain_line *newest = plain_find(plain, id);
  const struct item *item = index_find(index, id, NULL);
  CHECK((item != NULL) == (newest != NULL));
  CHECK(item == NULL || item->offset == newest->offset);
  size_t count = 0;
  for (; item != NULL; item = index_find(index, id, item)) count++;
  for (size_t i = 0; i < plain->count; i++)
    count -= plain->lines[i].active && plain->lines[i].id == id;
  CHECK(count == 0);
}

static size_t twins_of(const struct plain *plain)
{
  size_t twins = 0;
  for (size_t i = 0; i < plain->count; i++) {
    bool twin = false;
    for (size_t j = 0; j < plain->count; j++)
      twin = twin || (j != i && plain->lines[j].item && plain->lines[j].id == plain->lines[i].id);
    twins += plain->lines[i].item && twin;
  }
  return twins;
}

static void compare_index(struct index *index, const struct extent *known,
                          const struct plain *plain, const char *bytes, size_t size, int fd)
{
  bool damaged = false, object = false; /* on the last line */
  for (size_t i = plain->first_of_last; plain->unfinished && i < plain->count; i++) {
    damaged = damaged || plain->lines[i].verdict > PLAIN_OBJECT;
    object = object || plain->lines[i].verdict == PLAIN_OBJECT;
  }
  const bool whole = object || !damaged;
  CHECK(index->max_id == plain->max_id);
  for (size_t count = 1; count <= 3; count++)
    CHECK(tombstones_pass_over(&index->tombstones, index->max_id + 1, count) ==
          plain_untargeted(plain, plain->max_id + 1, count));
  CHECK(index_settle(index, fd));
  CHECK(index->active == plain->active);
  CHECK(known->end == (whole ? size : plain->last));
  CHECK(known->size == size);
  if (known->kept.length > 0) CHECK(extent_is_ended(known) == !plain->unfinished);
  struct window window;
  window_open(&window, fd);
  for (size_t i = 0; i < plain->count; i++) {
    const struct plain_line *line = &plain->lines[i];
    compare_finding(index, plain, line->id);
    CHECK((fuzz_item_at(index, line->offset) != NULL) == line->active);
    if (!line->active) continue;
    compare_item(index, fuzz_item_at(index, line->offset), line);
    compare_line(&window, line, bytes);
  }
  window_close(&window);
  compare_order(index, plain);
}

static void read_whole(const struct plain *plain, const char *bytes, size_t size, bool locked)
{
  struct index index = {0};
  struct extent known = {0};
  int fd = fuzz_file(bytes, size);
  CHECK(memory_read(&index, &known, fd, locked) == 0);
  compare_index(&index, &known, plain, bytes, size, fd);
  CHECK(memory_read(&index, &known, fd, locked) == 0); /* there is nothing more to read */
  if (!plain->unfinished) compare_index(&index, &known, plain, bytes, size, fd);
  index_free(&index);
  extent_free(&known);
}

/* The file as it was when it had `first` bytes, and then what was appended. */
static void read_in_two(const struct plain *plain, const char *bytes, size_t size, size_t first,
                        bool locked)
{
  struct index index = {0};
  struct extent known = {0};
  uint64_t place;
  int fd = fuzz_file(bytes, first);
  CHECK(memory_read(&index, &known, fd, locked) == 0);
  if (first % 3 > 0) CHECK(index_settle(&index, fd)); /* or all of it later */
  fd = fuzz_file(bytes, size);
  CHECK(extent_compare(&known, fd, &place) && place == known.size);
  if (known.end < known.size || extent_is_ended(&known)) { /* else memory.c reads it anew */
    CHECK(memory_read(&index, &known, fd, locked) == 0);
    compare_index(&index, &known, plain, bytes, size, fd);
  }
  index_free(&index);
  extent_free(&known);
}

/* ---- verify ---- */

static void compare_problems(const struct verify_report *report, const struct plain *plain)
{
  const struct problem *problem = (const struct problem *)(const void *)report->problems.data;
  size_t count = report->problems.length / sizeof *problem, found = 0;
  for (size_t i = 0; i < plain->count && found < PROBLEMS_AT_MOST; i++) {
    const char *reason = plain_problem(&plain->lines[i]);
    if (reason == NULL) continue;
    CHECK(found < count);
    CHECK(problem[found].line == plain->lines[i].number &&
          problem[found].offset == plain->lines[i].offset);
    CHECK(plain->lines[i].verdict == PLAIN_DAMAGED || strcmp(problem[found].reason, reason) == 0);
    found++;
  }
  CHECK(found == count);
}

/* Those that are equal to the byte are one, and of several with a `rev` the highest counts. */
static size_t items_of(const struct plain *plain)
{
  size_t items = 0;
  for (size_t i = 0; i < plain->count; i++) items += plain->lines[i].item;
  return items;
}

static void compare_verify(const struct plain *plain, const char *bytes, size_t size)
{
  struct verify_report report;
  CHECK(verify(fuzz_file(bytes, size), &report) == 0);
  CHECK(report.bytes == size && report.lines == plain->numbers && report.records == plain->records);
  CHECK(report.saved == plain->saved);
  CHECK(report.items == items_of(plain) && report.tombstones == plain->tombstones);
  CHECK(report.active == plain->active && report.max_id == plain->max_id);
  CHECK(report.twins == twins_of(plain));
  CHECK(report.torn == plain->torn && report.damaged == plain->damaged);
  compare_problems(&report, plain);
  buf_free(&report.problems);
}

/* ---- the target ---- */

static size_t checksum(const uint8_t *data, size_t size)
{
  uint32_t sum = 2166136261U;
  for (size_t i = 0; i < size; i++) sum = (sum ^ data[i]) * 16777619U;
  return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const size_t blocks[] = {256 * 1024, 8, 61};
  if (size > LARGEST) return 0;
  const char *bytes = (const char *)data;
  struct plain plain;
  compare_spans(bytes, size);
  plain_read(&plain, bytes, size);
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    fuzz_block = blocks[i];
    for (int locked = 0; locked < 2; locked++) {
      read_whole(&plain, bytes, size, locked);
      read_in_two(&plain, bytes, size, checksum(data, size) % (size + 1), locked);
    }
    compare_verify(&plain, bytes, size);
  }
  plain_free(&plain);
  return 0;
}
