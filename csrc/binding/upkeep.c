/* upkeep.c: verify and compact. */
#include "binding/upkeep.h"

#include "base/sys.h"
#include "binding/args.h"
#include "binding/class.h"
#include "file/path.h"
#include "base/hidden.h"

static void push_problems(lua_State *L, const struct buf *problems)
{
  const struct problem *problem = BUF_ITEMS(struct problem, problems);
  int count = (int)BUF_COUNT(struct problem, problems);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++, problem++) {
    lua_createtable(L, 0, 3);
    set_whole(L, "line", problem->line);
    set_whole(L, "offset", problem->offset);
    lua_pushstring(L, problem->reason);
    lua_setfield(L, -2, "reason");
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_report(lua_State *L, const struct verify_report *report)
{
  lua_createtable(L, 0, 12);
  set_whole(L, "bytes", report->bytes);
  set_whole(L, "lines", report->lines);
  set_whole(L, "records", report->records);
  set_whole(L, "saved", report->saved);
  set_whole(L, "items", report->items);
  set_whole(L, "active", report->active);
  set_whole(L, "twins", report->twins);
  set_whole(L, "tombstones", report->tombstones);
  set_whole(L, "max_id", report->max_id);
  set_whole(L, "torn", report->torn);
  set_whole(L, "damaged", report->damaged);
  push_problems(L, &report->problems);
  lua_setfield(L, -2, "problems");
}

static void free_report(void *object)
{
  struct verify_report *report = object;
  buf_free(&report->problems);
}

static const struct object_class REPORT = {.name = "report", .release = free_report};

/* verify(path): judges every line of a memory file, and changes nothing.
 * path: string. Returns a table of bytes, lines, records (objects), saved (those that stand on a
 * damaged line), items (copies of one are one), active (items), twins (items that share their id),
 * tombstones, max_id, torn (lines that are the beginning of an object), damaged (other lines with
 * something else than objects) and problems, an array of the first 1,000 {line=, offset=, reason=}.
 * nil, message, errno where the file cannot be read. */
int verify_l(lua_State *L)
{
  struct failure failure;
  struct stat st;
  check_count(L, 1);
  const char *path = check_path(L, 1, &failure);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct verify_report *report = new_object(L, &REPORT, sizeof *report);
  int fd = open_to_read(path, &st, &failure);
  bool done = fd >= 0 && (verify(fd, report) == 0 || fail(&failure, "read"));
  if (fd >= 0) sys_close(fd);
  if (!done) return push_nil_failure(L, &failure, path);
  push_report(L, report);
  free_report(report);
  return 1;
}

int push_compaction(lua_State *L, const struct compaction *result)
{
  lua_createtable(L, 0, 5);
  set_whole(L, "before", result->before);
  set_whole(L, "after", result->after);
  set_whole(L, "kept", result->kept);
  set_whole(L, "dropped", result->dropped);
  set_whole(L, "damaged", result->damaged);
  return 1;
}

static bool compact(const char *path, const struct memory_options *opening,
                    const struct compact_options *options, struct compaction *result,
                    struct failure *failure)
{
  struct memory memory;
  struct stat st;
  if (sys_stat(path, &st) != 0) return fail(failure, "open");
  bool done = memory_init(&memory, path, opening) || fail(failure, "open");
  done = done && memory_compact(&memory, options, result, failure);
  memory_close(&memory);
  return done;
}

/* compact(path [, opts]): rewrites a memory file without forgotten items, every other record byte for
 * byte; damaged bytes go to <file>.damaged, beside the file that symbolic links lead to.
 * path: string. opts: table of wait (seconds for the lock; 5), dry_run (boolean; false: nothing is
 * changed) and tombstones (boolean; true; false: they go, too, and what they have forgotten comes back
 * with a copy of the file that still has it).
 * Returns a table of before and after (sizes in bytes), kept (active items), dropped (items and
 * tombstones) and damaged (lines); nil, message, errno, and the holder's process id as in open. */
int compact_l(lua_State *L)
{
  struct memory_options opening = {.wait = 5};
  struct compact_options options = {.tombstones = true};
  const struct option known[] = {
      {"wait", read_wait, &opening.wait}, COMPACT_OPTIONS(&options), {NULL, NULL, NULL}};
  struct compaction result;
  struct failure failure;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_options(L, 2, known);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  if (!compact(path, &opening, &options, &result, &failure))
    return push_nil_failure(L, &failure, path);
  return push_compaction(L, &result);
}
