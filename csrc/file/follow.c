/* follow.c: the lines that a file has, and those that it gets.
 *
 * 1. A line may be handed out whose write then fails and is undone; the one that takes its place is
 *    handed out too. So the place and a hash of each line that is handed out are kept. After each read
 *    the last of them are compared with the file, back to those that it still has, and reading goes on
 *    after these: a file that was cut short, or rewritten, is read from the first line that differs. A
 *    line is the same as long as a newline or the end of the file follows it: one that was handed out
 *    without its newline may lose that again with the write that added it.
 * 2. When the path leads to another file, the open one is read once more, to its end: a line may
 *    have come between the last read and the look at the path. Then the other is read. A writer that
 *    looked at the path before that holds the open file's lock until it has written, so the file is
 *    not left while it is locked; whoever takes the lock later finds that the path leads elsewhere. A
 *    handle that keeps its lock finds that at its next call, and is waited for until then.
 * 3. A file from which text was erased is read on where the old one ended; see sequel.c. */
#include "file/follow.h"

#include <sys/file.h>

#include "base/hash.h"
#include "base/sys.h"
#include "file/extent.h"
#include "file/path.h"
#include "file/sequel.h"
#include "file/window.h"
#include "base/hidden.h"

enum {
  NEAR = 16 * 1024, /* bytes, or one line, are compared at once: more than a write usually has */
  MOST_GIVEN = 16 * 1024 /* lines are remembered; then the first half is forgotten */
};

/* A line that was handed out, without its newline; or the last bytes before the next line. */
struct given {
  uint64_t start, end, number, hash;
};

void follow_init(struct follow *follow, const char *path, uint64_t from)
{
  memset(follow, 0, sizeof *follow);
  follow->path = path;
  follow->fd = -1;
  follow->from = from;
}

static const struct given *given(const struct follow *follow)
{
  return BUF_ITEMS(struct given, &follow->given);
}

static size_t count_given(const struct follow *follow)
{
  return BUF_COUNT(struct given, &follow->given);
}

/* Goes back to the end of what was handed out. */
static void resume(struct follow *follow)
{
  const size_t count = count_given(follow);
  const struct given *last = count > 0 ? given(follow) + count - 1 : NULL;
  reader_restart(&follow->lines.reader, follow->fd, last != NULL ? last->end + 1 : follow->from);
  follow->lines.next = NULL;
  follow->lines.number = last != NULL ? last->number : 0;
}

/* The text stands in the file from `start` up to `end`. False with errno ENOMEM. */
static bool remember(struct follow *follow, const char *text, uint64_t start, uint64_t end,
                     uint64_t number)
{
  const struct given one = {start, end, number, hash_text_alike(text, (size_t)(end - start))};
  struct buf *all = &follow->given;
  if (count_given(follow) == MOST_GIVEN) {
    all->length /= 2;
    memcpy(all->data, all->data + all->length, all->length);
  }
  return BUF_PUSH(all, &one);
}

/* Remembers what is before an offset, where the line that ends there is not at hand; `number` newlines are
 * before it. What is before an offset within a line is not remembered. False with errno ENOMEM. */
static bool remember_before(struct follow *follow, uint64_t offset, uint64_t number)
{
  const size_t length = offset < 64 ? (size_t)offset : 64;
  struct window window;
  window_open(&window, follow->fd);
  const char *text = window_line(&window, offset - length, length);
  const bool ended = text == NULL || text[length - 1] == '\n';
  const uint64_t end = offset - ended, start = text != NULL ? offset - length : end;
  bool done =
      (!ended && text[length] != '\n') || remember(follow, text, start, end, number + !ended);
  window_close(&window);
  return done;
}

void follow_close(struct follow *follow)
{
  buf_free(&follow->given);
  follow->refusals = 0;
  if (follow->fd < 0) return;
  lines_close(&follow->lines);
  sys_close(follow->fd);
  follow->fd = -1;
}

/* Begins to read a file at an offset, with `number` lines before it. False with errno ENOMEM. */
static bool begin(struct follow *follow, int fd, const struct stat *st, uint64_t number)
{
  follow->fd = fd;
  follow->device = st->st_dev;
  follow->inode = st->st_ino;
  follow->touched = -1;
  lines_open(&follow->lines, fd, 0);
  if (follow->from > 0 && !remember_before(follow, follow->from, number))
    return follow_close(follow), false;
  resume(follow);
  return true;
}

bool follow_open(struct follow *follow, struct failure *failure)
{
  struct stat st;
  int fd = open_to_read(follow->path, &st, failure);
  return fd >= 0 && (begin(follow, fd, &st, 0) || fail(failure, "read"));
}

/* Of the first `count`, the first of the last ones that are at most NEAR bytes together, or the last. */
static size_t first_near(const struct given *all, size_t count)
{
  size_t first = count - 1;
  while (first > 0 && all[count - 1].end - all[first - 1].start <= NEAR) first--;
  return first;
}

/* Whether the file still has it: 1 or 0; -1 and errno. */
static int is_there(struct window *window, const struct given *one)
{
  const uint64_t length = one->end - one->start;
  const char *text = window_line(window, one->start, (size_t)length);
  if (text == NULL) return errno == 0 ? 0 : -1;
  return text[length] == '\n' && hash_text_alike(text, (size_t)length) == one->hash;
}

/* Sets *held to how many of those that were handed out the file still has, up to the first that differs;
 * what is before NEAR bytes that are as they were is not compared. False and errno. */
static bool count_held(const struct follow *follow, size_t *held)
{
  const struct given *all = given(follow);
  struct window window;
  int result = 1;
  *held = count_given(follow);
  window_open(&window, follow->fd);
  /* What a read mixes of two writes is not what was handed out, or is the same. */
  if (*held > 0) window.confirmed = all[*held - 1].end + 1;
  for (size_t first, last = *held; last > 0; last = first) {
    first = first_near(all, last);
    size_t next = first;
    while (next < last && (result = is_there(&window, &all[next])) > 0) next++;
    if (result != 0) break;
    *held = next;
  }
  window_close(&window);
  return result >= 0;
}

/* sys_touched of the file; -1: a change from now on need not show in that. */
static int64_t when_touched(const struct follow *follow)
{
  struct stat st;
  const int64_t now = sys_time();
  return sys_fstat(follow->fd, &st) == 0 && is_at_rest(&st, now) ? sys_touched(&st) : -1;
}

/* As lines_next, but goes back where the file has no longer what was handed out. At the end of a file that
 * nobody has touched since that was compared, it is not compared again. */
static int next_line(struct follow *follow, struct line *line)
{
  for (;;) {
    const uint64_t position = follow->lines.reader.position;
    size_t held;
    int result = lines_next(&follow->lines, line);
    if (result < 0 || (result > 0 && follow->lines.reader.position == position)) return result;
    const int64_t touched = result == 0 ? when_touched(follow) : -1;
    if (touched != -1 && touched == follow->touched) return 0;
    if (!count_held(follow, &held)) return -1;
    follow->touched = touched;
    if (held == count_given(follow)) return result;
    follow->given.length = held * sizeof(struct given);
    if (held == 0) follow->from = 0;
    resume(follow);
  }
}

/* Remembers a line that is handed out. False with errno ENOMEM. */
static bool remember_line(struct follow *follow, const struct line *line)
{
  const uint64_t end = follow->lines.end;
  if (line->hopeless) return remember_before(follow, end, line->number - line->unfinished);
  return remember(follow, line->text, line->offset, end - !line->unfinished, line->number);
}

/* The next line of the open file; `left`: also a last one without its newline, as the path has left
 * the file. */
static int next_here(struct follow *follow, struct line *line, bool left)
{
  int result = next_line(follow, line);
  if (result > 0 && (left || !line->unfinished)) return remember_line(follow, line) ? 1 : -1;
  resume(follow);
  return result < 0 ? -1 : 0;
}

/* Whether the path leads to another file now, and nobody writes to this one any more. While it leads
 * to none, one may come. Where there are no locks, nobody can be waited for: then it is asked a few
 * times, since a lock may also be refused but once. */
static bool was_left(struct follow *follow)
{
  enum { MOST_REFUSALS = 4 };
  struct stat st;
  if (sys_stat(follow->path, &st) != 0) return false;
  if (st.st_ino == follow->inode && st.st_dev == follow->device) return false;
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
  follow->from = size;
  return begin(follow, fd, &st, lines) ? 1 : -1;
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
