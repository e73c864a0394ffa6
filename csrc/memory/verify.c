/* verify.c: every line of a memory file, judged. */
#include <errno.h>
#include <string.h>

#include "base/sort.h"
#include "base/sys.h"
#include "file/reader.h"
#include "memory/compact.h"

/* Where an id was given. */
struct given {
  uint64_t id, line, offset;
};

struct judge {
  struct verify_report *report;
  struct buf given; /* struct given */
  uint64_t last_id; /* the id given last, while they ascend */
  bool ascending;
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
  bool ours = record_kind_is_item(record->kind) || record->kind == KIND_FORGET;
  if (record->has_id && record->id == 0)
    return put_problem(report, report->lines, offset, "bad id");
  if (ours && !record->has_id) return put_problem(report, report->lines, offset, "no id");
  if (record->kind == KIND_FORGET && record->target == 0)
    return put_problem(report, report->lines, offset, "bad target");
  if (record->id == 0) return true;
  if (record->id <= judge->last_id) judge->ascending = false;
  judge->last_id = record->id;
  const struct given given = {record->id, report->lines, offset};
  return buf_add(&judge->given, (const char *)&given, sizeof given);
}

static bool judge_damage(struct judge *judge, const char *line, const char *newline,
                         const struct json_error *error, uint64_t offset)
{
  struct verify_report *report = judge->report;
  bool torn = *json_space(line, line) == '{' && error->at == newline;
  report->torn += torn;
  report->damaged += !torn;
  return put_problem(report, report->lines, offset, torn ? "torn" : error->reason);
}

static bool judge_block(struct judge *judge, const struct block *block)
{
  struct record record;
  struct json_error error;
  const char *next;
  for (const char *line = block->start; line < block->end; line = next) {
    uint64_t offset = block->offset + (uint64_t)(line - block->start);
    judge->report->lines++;
    const char *newline = memchr(line, '\n', (size_t)(block->end - line));
    next = newline + 1;
    if (json_space(line, line) == newline) continue;
    bool done = record_parse(line, &record, &error) != NULL
                    ? judge_record(judge, &record, offset)
                    : judge_damage(judge, line, newline, &error, offset);
    if (!done) return false;
  }
  return true;
}

static bool id_before(const void *context, uint32_t a, uint32_t b)
{
  const struct given *given = context;
  return given[a].id < given[b].id;
}

static bool problem_before(const void *context, uint32_t a, uint32_t b)
{
  const struct problem *problems = context;
  return problems[a].line < problems[b].line;
}

/* Adds the ids that were given again, and puts all problems in the order of the file. */
static bool judge_ids(struct judge *judge)
{
  struct verify_report *report = judge->report;
  const struct given *given = (const struct given *)(const void *)judge->given.data;
  size_t count = judge->given.length / sizeof *given;
  if (judge->ascending) return true;
  uint32_t *order = sorted_positions(count, id_before, given);
  if (order == NULL) return false;
  struct buf all = report->problems;
  memset(&report->problems, 0, sizeof report->problems);
  bool done = true;
  for (size_t i = 1; done && i < count; i++) {
    const struct given *again = &given[order[i]];
    if (given[order[i - 1]].id != again->id) continue;
    const struct problem problem = {again->line, again->offset, "duplicate id"};
    done = buf_add(&all, (const char *)&problem, sizeof problem);
  }
  sys_free(order);
  const struct problem *problems = (const struct problem *)(const void *)all.data;
  count = all.length / sizeof *problems;
  order = done ? sorted_positions(count, problem_before, problems) : NULL;
  done = order != NULL;
  for (size_t i = 0; done && i < count; i++)
    done = put_problem(report, problems[order[i]].line, problems[order[i]].offset,
                       problems[order[i]].reason);
  sys_free(order);
  buf_free(&all);
  return done;
}

static int judge_lines(struct judge *judge, int fd)
{
  struct reader reader;
  struct block block;
  int result;
  reader_open(&reader, fd, 0);
  while ((result = reader_next(&reader, &block)) > 0) {
    judge->report->bytes = block.offset + block.size;
    bool done;
    if (block.hopeless) {
      judge->report->lines++;
      judge->report->damaged++;
      done = put_problem(judge->report, judge->report->lines, block.offset, "not an object");
    } else {
      done = judge_block(judge, &block);
    }
    if (!done) {
      result = -1;
      break;
    }
  }
  int reason = errno;
  reader_close(&reader);
  errno = reason;
  return result;
}

int verify(int fd, struct verify_report *report)
{
  struct judge judge = {.report = report, .ascending = true};
  struct index index;
  memset(report, 0, sizeof *report);
  memset(&index, 0, sizeof index);
  int result = judge_lines(&judge, fd);
  if (result == 0 && !judge_ids(&judge)) result = -1;
  if (result == 0) result = index_read(&index, fd);
  if (result == 0 && !index_settle(&index, fd)) result = -1;
  report->active = index.active;
  report->max_id = index.max_id;
  int reason = errno;
  index_free(&index);
  buf_free(&judge.given);
  errno = reason;
  return result;
}
