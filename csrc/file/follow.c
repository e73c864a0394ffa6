/* follow.c: the lines that a file has, and those that it gets. */
#include "file/follow.h"

#include <string.h>

#include "base/sys.h"
#include "file/path.h"

void follow_init(struct follow *follow, const char *path, uint64_t from)
{
  memset(follow, 0, sizeof *follow);
  follow->path = path;
  follow->fd = -1;
  follow->from = from;
}

bool follow_open(struct follow *follow, struct failure *failure)
{
  struct stat st;
  follow->fd = open_to_read(follow->path, &st, failure);
  if (follow->fd < 0) return false;
  follow->device = st.st_dev;
  follow->inode = st.st_ino;
  lines_open(&follow->lines, follow->fd, follow->from);
  return true;
}

void follow_close(struct follow *follow)
{
  if (follow->fd < 0) return;
  lines_close(&follow->lines);
  sys_close(follow->fd);
  follow->fd = -1;
}

static bool was_rewritten(const struct follow *follow)
{
  char tail[FOLLOW_TAIL];
  size_t length = follow->tail_length;
  if (length == 0) return false;
  ssize_t got = sys_read_at(follow->fd, tail, length, follow->from - length);
  return got >= 0 && ((size_t)got < length || memcmp(tail, follow->tail, length) != 0);
}

/* Whether the path leads to another file now, or the file has become shorter than what was read. */
static bool is_other_file(const struct follow *follow)
{
  struct stat st;
  if (sys_stat(follow->path, &st) != 0) return false; /* gone; another may come */
  return st.st_dev != follow->device || st.st_ino != follow->inode ||
         (uint64_t)st.st_size < follow->from;
}

static void start_over(struct follow *follow)
{
  follow->from = follow->number = follow->tail_length = 0;
}

/* Opens the file, or reads on in it from the last whole line; false: there is none. */
static bool reopen(struct follow *follow)
{
  struct failure ignored;
  bool other = follow->fd < 0 || is_other_file(follow);
  if (other && follow->fd >= 0) {
    follow_close(follow);
    start_over(follow);
  }
  if (follow->fd < 0) {
    if (!follow_open(follow, &ignored)) return false;
  } else {
    lines_close(&follow->lines);
    lines_open(&follow->lines, follow->fd, follow->from);
  }
  follow->lines.number = follow->number;
  return true;
}

/* Reads on behind a line that was handed out. */
static void pass(struct follow *follow, const struct line *line)
{
  size_t mark = line->offset == 0 ? 3 : 0; /* a byte order mark does not show in the text */
  size_t size = line->hopeless ? 0 : (size_t)(follow->lines.end - line->offset);
  size_t length = size < mark ? 0 : size - mark < FOLLOW_TAIL ? size - mark : FOLLOW_TAIL;
  follow->from = follow->lines.end;
  follow->number = line->number;
  follow->tail_length = length;
  memcpy(follow->tail, line->text + size - length, length);
}

/* As lines_next, but begins anew where what is read does not go on with what was read before: that
 * is looked at behind each reading, so that it holds for what was read. */
static int next_line(struct follow *follow, struct line *line)
{
  uint64_t position = follow->lines.reader.position;
  int result = lines_next(&follow->lines, line);
  if (result < 0 || (result > 0 && follow->lines.reader.position == position)) return result;
  if (!was_rewritten(follow)) return result;
  start_over(follow);
  lines_close(&follow->lines);
  lines_open(&follow->lines, follow->fd, 0);
  return lines_next(&follow->lines, line);
}

/* The next whole line of the open file. */
static int next_here(struct follow *follow, struct line *line)
{
  int result = follow->fd >= 0 ? next_line(follow, line) : 0;
  if (result <= 0) return result;
  if (line->unfinished) return 0;
  pass(follow, line);
  return 1;
}

int follow_next(struct follow *follow, struct line *line)
{
  int result = next_here(follow, line);
  return result != 0 || !reopen(follow) ? result : next_here(follow, line);
}
