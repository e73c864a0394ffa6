/* summary.c: the head of a session's file, its tail, and the number of turns between. */
#include "session/summary.h"

#include <errno.h>

#include "file/reader.h"
#include "file/tail.h"
#include "session/turn.h"
#include "json/walk.h"

void summary_free(struct summary *summary)
{
  buf_free(&summary->meta);
  buf_free(&summary->first);
  buf_free(&summary->last_ts);
}

static bool is_continuation(char byte)
{
  return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Cuts a text between characters (UTF-8: up to three continuation bytes, 10xxxxxx, follow a
 * first); what is not UTF-8 is cut anywhere. */
static void cut(struct buf *text)
{
  size_t length = SUMMARY_FIRST;
  if (text->length <= length) return;
  while (length > SUMMARY_FIRST - 3 && is_continuation(text->data[length])) length--;
  text->length = is_continuation(text->data[length]) ? SUMMARY_FIRST : length;
}

static bool take_meta(struct summary *summary, const struct turn *turn)
{
  size_t size = (size_t)(turn->meta_end - turn->meta);
  summary->has_meta = true;
  if (!buf_reserve(&summary->meta, size + SPAN_PADDING)) return false;
  buf_put_bytes(&summary->meta, turn->meta, size);
  memset(summary->meta.data + size, 0, SPAN_PADDING);
  return true;
}

static bool take_first(struct summary *summary, const struct turn *turn)
{
  if (turn->role.start == NULL || !slice_is(&turn->role, "user", 4)) return true;
  summary->has_first = true;
  if (!turn_text(turn->content, &summary->first)) return false;
  cut(&summary->first);
  return true;
}

static bool take_ts(struct summary *summary, const struct turn *turn)
{
  if (turn->ts.start == NULL) return true;
  summary->last_ts.length = 0;
  return slice_append(&turn->ts, &summary->last_ts);
}

/* `first_line`: of the file, but for blank ones. */
static bool take_line(struct summary *summary, const struct turn *turn, bool first_line)
{
  if (first_line && turn->meta != NULL) return take_meta(summary, turn);
  if (!turn->is_turn) return true;
  summary->turns++;
  return (summary->has_first || take_first(summary, turn)) && take_ts(summary, turn);
}

/* Reads forward: to the end, or through the first block. */
static int read_head(struct summary *summary, int fd, bool all)
{
  struct reader reader;
  struct block block;
  struct turn turn;
  struct json_error error;
  bool first_line = true, done = true;
  int result;
  reader_open(&reader, fd, 0);
  while (done && (result = reader_next(&reader, &block)) > 0) {
    const char *next;
    if (block.hopeless) first_line = false;
    for (const char *p = block.start; done && p < block.end && !block.hopeless; p = next) {
      next = (const char *)memchr(p, '\n', (size_t)(block.end - p)) + 1;
      if (*json_space(p, p) == '\n') continue;
      if (turn_parse(p, &turn, &error) != NULL) done = take_line(summary, &turn, first_line);
      first_line = false;
    }
    if (!all) break;
  }
  int reason = errno;
  reader_close(&reader);
  errno = reason;
  return done && result >= 0 ? 0 : -1;
}

/* Reads backward to the last turn that has a time; no further than some lines. */
static int read_tail(struct summary *summary, int fd, uint64_t size)
{
  enum { LINES = 64 };
  struct tail tail;
  struct tail_line line;
  struct turn turn;
  struct json_error error;
  bool found = false;
  int result = 1;
  tail_open(&tail, fd, size);
  summary->last_ts.length = 0;
  for (int i = 0; i < LINES && !found && result > 0; i++) {
    result = tail_next(&tail, &line);
    if (result <= 0 || turn_parse(line.text, &turn, &error) == NULL || !turn.is_turn) continue;
    found = turn.ts.start != NULL;
    if (!take_ts(summary, &turn)) result = -1;
  }
  int reason = errno;
  tail_close(&tail);
  errno = reason;
  return result < 0 ? -1 : 0;
}

int summary_read(struct summary *summary, int fd, uint64_t size, bool count)
{
  memset(summary, 0, sizeof *summary);
  if (read_head(summary, fd, count) != 0) return -1;
  return count ? 0 : read_tail(summary, fd, size);
}
