/* verify.c: what is in a memory file, line by line, and what is wrong with it. The lines are read
 * once, so that the figures agree with each other beside a writer. */
#include "memory/verify.h"

#include <errno.h>
#include <string.h>

#include "base/sort.h"
#include "base/sys.h"
#include "file/reader.h"
#include "memory/index.h"
#include "json/objects.h"

/* Where an id stands. */
struct id_place {
  uint64_t id, line, offset;
};

struct judge {
  struct verify_report *report;
  struct index index; /* tells which items are active */
  struct buf ids; /* struct id_place */
  uint64_t last_id;
  bool ascending; /* the ids are: none stands twice */
};

static bool put_problem(struct verify_report *report, uint64_t line, uint64_t offset,
                        const char *reason)
{
  const struct problem problem = {line, offset, reason};
  if (report->problems.length >= PROBLEMS_AT_MOST * sizeof problem) return true;
  return buf_add(&report->problems, (const char *)&problem, sizeof problem);
}

static bool judge_record(struct judge *judge, const struct record *record, uint64_t offset)
{
  struct verify_report *report = judge->report;
  report->records++;
  report->items += record_is_item(record);
  report->tombstones += record_is_tombstone(record);
  bool ours = record->kind >= KIND_FACT && record->kind <= KIND_FORGET;
  if (record->has_id && record->id == 0)
    return put_problem(report, report->lines, offset, "bad id");
  if (ours && !record->has_id) return put_problem(report, report->lines, offset, "no id");
  if (record->kind == KIND_FORGET && record->target == 0)
    return put_problem(report, report->lines, offset, "bad target");
  if (record->id == 0) return true;
  if (record->id <= judge->last_id) judge->ascending = false;
  judge->last_id = record->id;
  const struct id_place place = {record->id, report->lines, offset};
  return buf_add(&judge->ids, (const char *)&place, sizeof place);
}

/* Judges a line that is not one object alone. */
static bool judge_parts(struct judge *judge, const char *line, const char *newline, uint64_t offset)
{
  struct verify_report *report = judge->report;
  struct objects objects;
  struct part part;
  struct record record;
  struct json_error error;
  uint64_t records = report->records;
  bool done = true;
  objects_begin(&objects, line, newline, true);
  while (done && objects_next(&objects, &part)) {
    uint64_t place = offset + (uint64_t)(part.start - line);
    if (part.reason != NULL) {
      done = put_problem(report, report->lines, place, objects.torn ? "torn" : part.reason);
    } else {
      (void)record_parse_part(part.start, &record, &error);
      done = judge_record(judge, &record, place);
    }
  }
  if (objects.damage.start == NULL) return done;
  report->torn += objects.torn;
  report->damaged += !objects.torn;
  report->saved += report->records - records;
  return done;
}

static bool judge_block(struct judge *judge, const struct block *block)
{
  struct record record;
  struct json_error error;
  const char *newline;
  for (const char *line = block->start; line < block->end; line = newline + 1) {
    uint64_t offset = block->offset + (uint64_t)(line - block->start);
    judge->report->lines++;
    newline = record_parse(line, &record, &error);
    bool whole = newline != NULL;
    if (!whole) newline = memchr(line, '\n', (size_t)(block->end - line));
    if (!(whole ? judge_record(judge, &record, offset) : judge_parts(judge, line, newline, offset)))
      return false;
  }
  return true;
}

static bool id_before(const void *context, uint32_t a, uint32_t b)
{
  const struct id_place *places = context;
  return places[a].id < places[b].id;
}

static bool problem_before(const void *context, uint32_t a, uint32_t b)
{
  const struct problem *problems = context;
  return problems[a].offset < problems[b].offset;
}

static uint32_t *sorted(size_t count, bool (*before)(const void *, uint32_t, uint32_t),
                        const void *context)
{
  uint32_t *positions = sys_realloc(NULL, count * sizeof *positions);
  if (positions == NULL) return NULL;
  for (size_t i = 0; i < count; i++) positions[i] = (uint32_t)i;
  if (sort_positions(positions, count, before, context)) return positions;
  sys_free(positions);
  return NULL;
}

/* Adds the ids that were given again, and puts all problems in the order of the file. */
static bool judge_ids(struct judge *judge)
{
  struct verify_report *report = judge->report;
  const struct id_place *places = (const struct id_place *)(const void *)judge->ids.data;
  size_t count = judge->ids.length / sizeof *places;
  if (judge->ascending) return true;
  uint32_t *order = sorted(count, id_before, places);
  if (order == NULL) return false;
  struct buf all = report->problems;
  memset(&report->problems, 0, sizeof report->problems);
  bool done = true;
  for (size_t i = 1; done && i < count; i++) {
    const struct id_place *again = &places[order[i]];
    if (places[order[i - 1]].id != again->id) continue;
    const struct problem problem = {again->line, again->offset, "duplicate id"};
    done = buf_add(&all, (const char *)&problem, sizeof problem);
  }
  sys_free(order);
  const struct problem *problems = (const struct problem *)(const void *)all.data;
  count = all.length / sizeof *problems;
  order = done ? sorted(count, problem_before, problems) : NULL;
  done = order != NULL;
  for (size_t i = 0; done && i < count; i++)
    done = put_problem(report, problems[order[i]].line, problems[order[i]].offset,
                       problems[order[i]].reason);
  sys_free(order);
  buf_free(&all);
  return done;
}

static bool judge_hopeless(struct judge *judge, const struct block *block)
{
  judge->report->lines++;
  judge->report->damaged++;
  return put_problem(judge->report, judge->report->lines, block->offset, "not an object");
}

static int judge_lines(struct judge *judge, int fd)
{
  struct reader reader;
  struct block block;
  const char *torn;
  int result;
  reader_open(&reader, fd, 0);
  while ((result = reader_next(&reader, &block)) > 0) {
    judge->report->bytes = block.offset + block.size;
    if (!index_take(&judge->index, &block, &torn) ||
        !(block.hopeless ? judge_hopeless : judge_block)(judge, &block))
      break;
  }
  int reason = errno;
  reader_close(&reader);
  errno = reason;
  return result == 0 && index_settle(&judge->index) && judge_ids(judge) ? 0 : -1;
}

int verify(int fd, struct verify_report *report)
{
  struct judge judge = {.report = report, .ascending = true};
  memset(report, 0, sizeof *report);
  int result = judge_lines(&judge, fd);
  report->active = judge.index.active;
  report->max_id = judge.index.max_id;
  int reason = errno;
  index_free(&judge.index);
  buf_free(&judge.ids);
  errno = reason;
  return result;
}
