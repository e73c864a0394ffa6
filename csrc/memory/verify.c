/* verify.c: what is in a memory file, line by line, and what is wrong with it. All figures are of one
 * pass over its lines, so that they agree with each other beside a writer. */
#include "memory/verify.h"

#include "file/lines.h"
#include "memory/index.h"
#include "memory/memory.h"
#include "json/objects.h"
#include "base/hidden.h"

struct judge {
  struct verify_report *report;
  struct index index; /* tells which items are active, and what the file is */
};

/* `at`: in the line. False with errno ENOMEM. */
static bool put_problem(struct verify_report *report, const struct line *line, const char *at,
                        const char *reason)
{
  const struct problem problem = {line->number, line->offset + (uint64_t)(at - line->text), reason};
  if (BUF_COUNT(struct problem, &report->problems) >= PROBLEMS_AT_MOST) return true;
  return BUF_PUSH(&report->problems, &problem);
}

static bool judge_record(struct judge *judge, const struct record *record, const struct line *line,
                         const char *start, const char *end)
{
  struct verify_report *report = judge->report;
  bool mark = record_is_mark(record, start), forget = record->kind == KIND_FORGET;
  report->records++;
  report->tombstones += mark || record_is_tombstone(record);
  if (!index_add(&judge->index, record, line->offset + (uint64_t)(start - line->text),
                 (uint32_t)(end - start)))
    return false;
  if (record->has_id && record->id == 0) return put_problem(report, line, start, "bad id");
  if (!record->has_id && (forget || record_kind_is_item(record->kind)))
    return put_problem(report, line, start, "no id");
  return !forget || record->target != 0 || mark || put_problem(report, line, start, "bad target");
}

static bool judge_line(struct judge *judge, const struct line *line)
{
  struct verify_report *report = judge->report;
  struct objects objects;
  struct part part;
  struct record record;
  report->damaged += line->hopeless;
  if (line->hopeless) return put_problem(report, line, line->text, "not an object");
  if (record_parse(line->text, &record) != NULL) {
    index_note_kind(&judge->index, &record, line->text);
    return judge_record(judge, &record, line, line->text, line->newline);
  }
  index_begin_parts(&judge->index, &objects, line->text, line->newline);
  bool done = true, damaged = objects.damage.start != NULL;
  report->torn += objects.torn;
  report->damaged += damaged && !objects.torn;
  while (done && objects_next(&objects, &part)) {
    if (part.reason != NULL) {
      done = put_problem(report, line, part.start, objects.torn ? "torn" : part.reason);
    } else {
      (void)record_parse_part(part.start, &record);
      done = judge_record(judge, &record, line, part.start, part.end);
      report->saved += damaged;
    }
  }
  return done;
}

static int judge_lines(struct judge *judge, int fd)
{
  struct lines lines;
  struct line line;
  int result;
  lines_open(&lines, fd, 0);
  while ((result = lines_next(&lines, &line)) > 0)
    if (!judge_line(judge, &line)) break;
  judge->report->bytes = lines.end;
  judge->report->lines = lines.number;
  lines_close(&lines);
  return result == 0 && index_settle(&judge->index, fd) ? 0 : -1;
}

/* One pass. */
static int judge_file(struct judge *judge, int fd)
{
  struct verify_report *report = judge->report;
  buf_free(&report->problems);
  memset(report, 0, sizeof *report);
  int result = judge_lines(judge, fd);
  report->items = judge->index.count;
  report->active = judge->index.active;
  report->max_id = judge->index.max_id;
  for (size_t i = 0; i < judge->index.count; i++)
    report->twins += index_shares_id(&judge->index, i);
  return result;
}

/* As memory_read: again, where the pass has supposed another kind of file than it is. */
int verify(int fd, struct verify_report *report)
{
  bool is_memory = false;
  memset(report, 0, sizeof *report);
  for (int i = 0; i <= MEMORY_TRIES; i++) {
    struct judge judge = {.report = report, .index = {.as_memory = is_memory}};
    const int result = judge_file(&judge, fd);
    const bool again =
        result == 0 && judge.index.doubted && index_is_memory(&judge.index) != is_memory;
    is_memory = index_is_memory(&judge.index);
    index_free(&judge.index);
    if (!again) return result;
  }
  errno = EAGAIN;
  return -1;
}
