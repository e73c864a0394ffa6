/* verify.c: what is in a memory file, line by line, and what is wrong with it. The lines are read
 * once, so that the figures agree with each other beside a writer. */
#include "memory/verify.h"

#include <string.h>

#include "file/reader.h"
#include "memory/index.h"
#include "json/objects.h"

struct judge {
  struct verify_report *report;
  struct index index; /* tells which items are active */
};

static bool put_problem(struct verify_report *report, uint64_t line, uint64_t offset,
                        const char *reason)
{
  const struct problem problem = {line, offset, reason};
  if (BUF_COUNT(struct problem, &report->problems) >= PROBLEMS_AT_MOST) return true;
  return BUF_PUSH(&report->problems, &problem);
}

static bool judge_record(struct judge *judge, const struct record *record, const char *object,
                         uint64_t offset)
{
  struct verify_report *report = judge->report;
  bool mark = record_is_mark(record, object);
  report->records++;
  report->items += record_is_item(record);
  report->tombstones += mark || record_is_tombstone(record);
  bool ours = record_kind_is_item(record->kind) || record->kind == KIND_FORGET;
  if (record->has_id && record->id == 0)
    return put_problem(report, report->lines, offset, "bad id");
  if (ours && !record->has_id) return put_problem(report, report->lines, offset, "no id");
  if (record->kind == KIND_FORGET && record->target == 0 && !mark)
    return put_problem(report, report->lines, offset, "bad target");
  return true;
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
      done = judge_record(judge, &record, part.start, place);
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
    if (!(whole ? judge_record(judge, &record, line, offset)
                : judge_parts(judge, line, newline, offset)))
      return false;
  }
  return true;
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
  reader_close(&reader);
  return result == 0 && index_settle(&judge->index, fd) ? 0 : -1;
}

int verify(int fd, struct verify_report *report)
{
  struct judge judge = {.report = report};
  memset(report, 0, sizeof *report);
  int result = judge_lines(&judge, fd);
  report->active = judge.index.active;
  report->max_id = judge.index.max_id;
  report->twins = index_twins(&judge.index);
  index_free(&judge.index);
  return result;
}
