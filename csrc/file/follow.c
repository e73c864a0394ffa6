/* follow.c: the lines that a file has, and those that it gets.
 *
 * 1. A line may be handed out whose write then fails and is undone; the one that takes its place is
 *    handed out, too. After each read the last lines that were handed out are compared with the
 *    file, and it goes on from the first that differs. So a file that was cut short, or written
 *    anew, is read from there; from its start where what differs is farther back than what was kept.
 * 2. When the path leads to another file, the open one is read once more, to its end: a line may
 *    have come between the last read and the look at the path. Then the other is read. A writer that
 *    looked at the path before that holds the open file's lock until it has written, so the file is
 *    not left while it is locked; whoever takes the lock later finds that the path leads elsewhere. A
 *    handle that keeps its lock finds that at its next call, and is waited for until then.
 * 3. A file from which text was erased is read on where the old one ended; see sequel.c. */
#include "file/follow.h"

#include <sys/file.h>

#include "base/sys.h"
#include "base/word.h"
#include "file/path.h"
#include "file/sequel.h"
#include "base/hidden.h"

void follow_init(struct follow *follow, const char *path, uint64_t from)
{
  memset(follow, 0, sizeof *follow);
  follow->path = path;
  follow->fd = -1;
  follow->given.end = follow->given.size = from;
}

/* Reads on from where lines were handed out to. */
static void resume(struct follow *follow)
{
  lines_close(&follow->lines);
  lines_open(&follow->lines, follow->fd, follow->given.end);
  follow->lines.number = follow->number;
}

/* Goes back, or forward, to a line's start. */
static void go_to(struct follow *follow, uint64_t offset, uint64_t number)
{
  extent_cut(&follow->given, offset);
  follow->number = number;
  follow->last = offset;
  resume(follow);
}

/* Begins to read a file where lines are handed out from. */
static void begin(struct follow *follow, int fd, const struct stat *st)
{
  uint64_t from = follow->given.end;
  follow->fd = fd;
  extent_begin(&follow->given, st, 0);
  follow->given.end = follow->given.size = from;
  resume(follow);
}

bool follow_open(struct follow *follow, struct failure *failure)
{
  struct stat st;
  int fd = open_to_read(follow->path, &st, failure);
  if (fd >= 0) begin(follow, fd, &st);
  return fd >= 0;
}

void follow_close(struct follow *follow)
{
  extent_free(&follow->given);
  follow->number = follow->last = 0;
  follow->refusals = 0;
  if (follow->fd < 0) return;
  lines_close(&follow->lines);
  sys_close(follow->fd);
  follow->fd = -1;
}

/* Goes back to the start of the line at `place`, where the file is not as it was. */
static void go_back(struct follow *follow, uint64_t place)
{
  const struct buf *kept = &follow->given.kept;
  uint64_t start = follow->given.size - kept->length;
  const char *end = kept->data + kept->length;
  const char *newline = last_newline(kept->data, (size_t)(place - start));
  if (newline != NULL)
    go_to(follow, start + (uint64_t)(newline + 1 - kept->data),
          follow->number - count_newlines(newline + 1, end));
  else if (place >= follow->last && follow->last > 0)
    go_to(follow, follow->last, follow->number - 1);
  else go_to(follow, 0, 0);
}

/* As lines_next; what is read goes on with what was read before. */
static int next_line(struct follow *follow, struct line *line)
{
  for (;;) {
    uint64_t position = follow->lines.reader.position, place;
    int result = lines_next(&follow->lines, line);
    if (result < 0 || (result > 0 && follow->lines.reader.position == position)) return result;
    if (!extent_compare(&follow->given, follow->fd, &place)) return -1;
    if (place == follow->given.size) return result;
    go_back(follow, place);
  }
}

/* Reads on behind a line that is handed out. */
static bool pass(struct follow *follow, const struct line *line)
{
  struct extent *given = &follow->given;
  uint64_t blank = line->offset - given->end, size = follow->lines.end - given->end;
  bool whole = !line->hopeless && blank <= (uint64_t)(line->text - follow->lines.block.start);
  follow->number = line->number;
  follow->last = line->offset;
  return extent_extend(given, whole ? line->text - blank : NULL, size, 0);
}

/* The next line of the open file; `left`: also a last one without its newline, as the path has left
 * the file. */
static int next_here(struct follow *follow, struct line *line, bool left)
{
  if (follow->lines.reader.ended) resume(follow);
  int result = next_line(follow, line);
  if (result <= 0 || (line->unfinished && !left)) return result < 0 ? -1 : 0;
  return pass(follow, line) ? 1 : -1;
}

/* Whether the path leads to another file now, and nobody writes to this one any more. While it leads
 * to none, one may come. Where there are no locks, nobody can be waited for: then it is asked a few
 * times, since a lock may also be refused but once. */
static bool was_left(struct follow *follow)
{
  enum { MOST_REFUSALS = 4 };
  struct stat st;
  if (sys_stat(follow->path, &st) != 0 || extent_is_of(&follow->given, &st)) return false;
  bool locked = sys_flock(follow->fd, LOCK_SH | LOCK_NB) == 0;
  if (locked) return sys_flock(follow->fd, LOCK_UN) == 0;
  follow->refusals = errno != EWOULDBLOCK ? follow->refusals + 1 : 0;
  return follow->refusals > MOST_REFUSALS;
}

/* Goes over to the file that the path leads to now, to its start, or, if it is the sequel of the one that
 * was read, to where it goes on. 1, 0 where it cannot be opened, or -1 and errno. */
static int go_over(struct follow *follow)
{
  struct stat st;
  struct failure ignored;
  uint64_t size, lines;
  int fd = open_to_read(follow->path, &st, &ignored);
  if (fd < 0) return 0;
  int result = sequel_find(follow->fd, fd, &size, &lines);
  if (result < 0) return sys_close(fd), -1;
  if (result == 0) size = lines = 0;
  follow_close(follow);
  follow->given.end = size;
  follow->number = lines;
  begin(follow, fd, &st);
  return 1;
}

int follow_next(struct follow *follow, struct line *line)
{
  struct failure ignored;
  if (follow->fd < 0) {
    if (!follow_open(follow, &ignored)) return 0;
  } else {
    int result = next_here(follow, line, false);
    if (result != 0 || !was_left(follow)) return result;
    result = next_here(follow, line, true);
    if (result != 0) return result;
    result = go_over(follow);
    if (result <= 0) return result;
  }
  return next_here(follow, line, false);
}
