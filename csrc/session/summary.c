/* summary.c: reads as much of a session's file as a list needs: its head, and its last lines. */
#include "session/summary.h"

#include "base/utf8.h"
#include "file/lines.h"
#include "file/tail.h"
#include "session/turn.h"
#include "json/walk.h"
#include "base/hidden.h"

void summary_free(struct summary *summary)
{
  buf_free(&summary->meta);
  buf_free(&summary->first);
  buf_free(&summary->last_ts);
}

static bool add_meta(struct summary *summary, const struct turn *turn)
{
  size_t size = (size_t)(turn->meta_end - turn->meta);
  summary->has_meta = true;
  if (!buf_reserve(&summary->meta, size + SPAN_PADDING)) return false;
  buf_put_bytes(&summary->meta, turn->meta, size);
  memset(summary->meta.data + size, 0, SPAN_PADDING);
  return true;
}

static bool add_first(struct summary *summary, const struct turn *turn)
{
  if (turn->role.start == NULL || !slice_is(&turn->role, "user", 4)) return true;
  summary->has_first = true;
  if (!turn_text(turn, &summary->first)) return false;
  if (summary->first.length > SUMMARY_FIRST)
    summary->first.length = utf8_start(summary->first.data, SUMMARY_FIRST);
  return true;
}

static bool add_ts(struct summary *summary, const struct turn *turn)
{
  if (turn->ts.start == NULL) return true;
  summary->last_ts.length = 0;
  return slice_append(&turn->ts, &summary->last_ts);
}

static bool add_to_summary(void *context, const struct turn *turn)
{
  struct summary *summary = context;
  bool first = !summary->begun;
  summary->begun = true;
  if (first && turn->meta != NULL) return add_meta(summary, turn);
  if (!turn->is_turn) return true;
  summary->turns++;
  return (summary->has_first || add_first(summary, turn)) && add_ts(summary, turn);
}

static bool is_enough(const struct summary *summary, uint64_t turns, uint64_t end)
{
  return summary->turns >= turns && (summary->has_first || end >= SUMMARY_HEAD);
}

/* Reads forward until there is enough. 1, 0 at the end of the file, -1 and errno. */
static int read_head(struct summary *summary, int fd, uint64_t turns)
{
  struct lines lines;
  struct line line;
  int result = 1;
  lines_open(&lines, fd, 0);
  while (!is_enough(summary, turns, lines.end) && (result = lines_next(&lines, &line)) > 0) {
    if (line.hopeless || turn_each(line.text, line.newline, add_to_summary, summary)) continue;
    result = -1;
    break;
  }
  lines_close(&lines);
  return result;
}

static bool add_time(void *context, const struct turn *turn)
{
  return !turn->is_turn || add_ts(context, turn);
}

/* Reads backward to the last turn that has a time, but no further than some lines. */
static int read_last_lines(struct summary *summary, int fd, uint64_t size)
{
  enum { LINES = 64 };
  struct tail tail;
  struct line line;
  int result = 1;
  tail_open(&tail, fd, size);
  summary->last_ts.length = 0;
  for (int i = 0; i < LINES && summary->last_ts.length == 0 && result > 0; i++) {
    result = tail_next(&tail, &line);
    if (result <= 0 || line.hopeless) continue;
    if (!turn_each(line.text, line.newline, add_time, summary)) result = -1;
  }
  tail_close(&tail);
  return result < 0 ? -1 : 0;
}

int summary_read(struct summary *summary, int fd, uint64_t size, uint64_t turns)
{
  memset(summary, 0, sizeof *summary);
  int result = read_head(summary, fd, turns);
  return result > 0 ? read_last_lines(summary, fd, size) : result;
}
