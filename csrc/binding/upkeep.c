/* upkeep.c: verify and compact. */
#include "binding/upkeep.h"

#include <string.h>

#include "base/sys.h"

static void set_number(lua_State *L, const char *name, uint64_t number)
{
  push_whole(L, number);
  lua_setfield(L, -2, name);
}

/* ---- verify ---- */

static void push_problems(lua_State *L, const struct buf *problems)
{
  const struct problem *problem = (const struct problem *)(const void *)problems->data;
  int count = (int)(problems->length / sizeof *problem);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++, problem++) {
    lua_createtable(L, 0, 3);
    set_number(L, "line", problem->line);
    set_number(L, "offset", problem->offset);
    lua_pushstring(L, problem->reason);
    lua_setfield(L, -2, "reason");
    lua_rawseti(L, -2, i + 1);
  }
}

/* Called with the report, protected. */
static int push_report(lua_State *L)
{
  const struct verify_report *report = lua_touserdata(L, 1);
  lua_createtable(L, 0, 10);
  set_number(L, "bytes", report->bytes);
  set_number(L, "lines", report->lines);
  set_number(L, "records", report->records);
  set_number(L, "items", report->items);
  set_number(L, "active", report->active);
  set_number(L, "tombstones", report->tombstones);
  set_number(L, "max_id", report->max_id);
  set_number(L, "torn", report->torn);
  set_number(L, "damaged", report->damaged);
  push_problems(L, &report->problems);
  lua_setfield(L, -2, "problems");
  return 1;
}

/* verify(path): judges every line of a memory file, and changes nothing.
 * path: string. Returns a table of bytes, lines, records (lines that are an object), items, active
 * (items), tombstones, max_id, torn (lines that are the beginning of an object), damaged (other
 * lines that are no object) and problems, an array of the first 1,000 {line=, offset=, reason=}.
 * nil, message, errno where the file cannot be read. */
int verify_l(lua_State *L)
{
  struct verify_report report;
  struct failure failure;
  struct stat st;
  check_count(L, 1);
  const char *path = check_path(L, 1, &failure);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  lua_pushcfunction(L, push_report);
  lua_pushlightuserdata(L, &report);
  memset(&report, 0, sizeof report);
  int fd = open_to_read(path, &st, &failure);
  bool done = fd >= 0 && (verify(fd, &report) == 0 || fail(&failure, "read"));
  if (fd >= 0) sys_close(fd);
  int status = done ? lua_pcall(L, 1, 1, 0) : 0;
  buf_free(&report.problems);
  if (status != 0) return lua_error(L);
  return done ? 1 : push_nil_failure(L, &failure, path);
}

/* ---- compact ---- */

int push_compaction(lua_State *L, const struct compaction *result)
{
  lua_createtable(L, 0, 5);
  set_number(L, "before", result->before);
  set_number(L, "after", result->after);
  set_number(L, "kept", result->kept);
  set_number(L, "dropped", result->dropped);
  set_number(L, "damaged", result->damaged);
  return 1;
}

static bool compact(const char *path, const struct options *options, struct compaction *result,
                    struct failure *failure)
{
  struct memory memory;
  struct stat st;
  if (sys_stat(path, &st) != 0) return fail(failure, "open");
  bool done = memory_init(&memory, path) || fail(failure, "open");
  memory.journal.keeps_lock = true;
  memory.journal.wait = options->wait;
  done = done && memory_compact(&memory, options->dry_run, result, failure);
  memory_close(&memory);
  return done;
}

/* compact(path [, opts]): rewrites a memory file without tombstones and forgotten items, every
 * other record byte for byte; lines that are no object go to <path>.damaged.
 * path: string. opts: table of wait (seconds for the lock; 0) and dry_run (boolean; false: nothing
 * is changed).
 * Returns a table of before and after (sizes in bytes), kept (active items), dropped (items and
 * tombstones) and damaged (lines); nil, message, errno, and the holder's process id as in open. */
int compact_l(lua_State *L)
{
  struct options options = {.wait = 0};
  struct compaction result;
  struct failure failure;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_options(L, 2, &options, OPTION_WAIT | OPTION_DRY_RUN);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  if (!compact(path, &options, &result, &failure)) return push_nil_failure(L, &failure, path);
  return push_compaction(L, &result);
}
