/* journal.c: how a record gets into a file.
 *
 * 1. Under the lock (flock, whole file, exclusive) the path is looked at again: if it leads to
 *    another file than the one that is open, that one is taken. So nothing goes to a file that an
 *    editor, rm or a compaction has replaced.
 * 2. A record is one write to a descriptor with O_APPEND. If the file's last line has no newline,
 *    the write begins with one: nothing is ever glued to a fragment. Where the system takes a part of
 *    it at a time, and somebody who takes no lock has written between the parts, the whole record is
 *    written again behind that.
 * 3. A write that fails, or whose sync fails, is undone by cutting the file back to where it began:
 *    what is reported as not written must not be there, and a full disk has no room for the newline
 *    that would end a fragment. A file that was made for the write is removed again. If cutting fails
 *    too, or somebody who takes no lock has written behind it, the next write finds the file longer
 *    than it knows and ends the fragment's line. Nothing else makes a file of lines shorter, and
 *    whoever reads without the lock must allow for it (see reader.c and extent.c).
 * 4. A durable append is reported after fdatasync, the first one also after fsync of the
 *    directories whose entries lead to the file. If a sync fails, the kernel may have dropped the
 *    pages and say nothing of it the next time (fsync(2), Rebello et al., "Can Applications
 *    Recover from fsync Failures?", ATC 2020), so nothing more is written.
 * 5. The lock goes with the descriptor. Closing does not unlock: a forked child that closes its copy
 *    must not free its parent's lock. Only detaching unlocks, and leaving a file that the path no
 *    longer leads to. */
#include "file/journal.h"

#include <sys/file.h>

#include "base/sys.h"
#include "file/path.h"
#include "file/reader.h"
#include "base/hidden.h"

bool journal_init(struct journal *journal, const char *path)
{
  memset(journal, 0, sizeof *journal);
  journal->fd = -1;
  journal->owner = sys_pid();
  journal->place = sys_count_forks() ? path_absolute(path) : NULL;
  journal->forks = sys_forks();
  return journal->place != NULL;
}

/* ---- opening ---- */

/* -1 and *failure; with errno ENOENT or ENOTDIR where there is no file, and `make` is not set. */
static int open_file(struct journal *journal, bool make, struct stat *st, struct failure *failure)
{
  int fd = sys_open(journal->place, SYS_APPEND, st);
  journal->made = make && fd == -1 && errno == ENOENT;
  if (journal->made) fd = sys_open(journal->place, SYS_MAKE, st);
  if (journal->made && fd == -1 && errno == ENOENT && strchr(journal->place, '/') != NULL) {
    if (!path_make_directories(journal->place)) {
      fail(failure, "make the directories of");
      return -1;
    }
    fd = sys_open(journal->place, SYS_MAKE, st);
  }
  return path_opened(fd, st, failure);
}

/* ---- the lock ---- */

static bool fail_lock(struct failure *failure)
{
  fail(failure, "lock");
  if (errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS)
    failure->hint = "its file system has no flock; keep the file on a local disk, or mount NFS "
                    "with local_lock=flock";
  return false;
}

/* Waits for a while, which grows with each call; false: the time is up, or a signal's handler ran,
 * and errno says which. The pauses differ between processes, so that a crowd does not ask in step.
 * What is needed for it is only asked for here, as most locks are free. */
static bool wait_a_while(struct journal *journal, double *pause)
{
  if (journal->wait > 0 && journal->deadline == 0) journal->deadline = sys_clock() + journal->wait;
  if (*pause == 0) *pause = 50e-6 * (1 + sys_pid() % 16 / 16.0);
  double left = journal->wait > 0 ? journal->deadline - sys_clock() : 0;
  errno = EWOULDBLOCK;
  if (left <= 0 || (sys_sleep(*pause < left ? *pause : left) != 0 && errno == EINTR)) return false;
  *pause = *pause < 5e-3 ? *pause * 1.7 : 5e-3;
  return true;
}

/* Asks again and again, as a blocking flock could not be limited in time. */
static bool acquire_lock(struct journal *journal, int fd, int mode, struct failure *failure)
{
  double pause = 0;
  while (sys_flock(fd, mode | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_lock(failure);
    if (wait_a_while(journal, &pause)) continue;
    struct stat st;
    *failure = (struct failure){.number = errno, .doing = journal->called, .held = true};
    if (sys_fstat(fd, &st) == 0) failure->process = sys_lock_holder(&st);
    return false;
  }
  return true;
}

bool journal_share_lock(int fd, struct failure *failure)
{
  struct journal journal = {.wait = 5};
  return acquire_lock(&journal, fd, LOCK_SH, failure);
}

/* ---- being on the file that the path leads to ---- */

static bool is_missing(int number)
{
  return number == ENOENT || number == ENOTDIR;
}

/* The file that the path has left is unlocked, or a forked child's copy of the descriptor would
 * keep its lock, and those that wait for it would never see that there is another file. */
static void leave_file(struct journal *journal)
{
  if (journal->fd < 0) return;
  if (journal->locked) sys_flock(journal->fd, LOCK_UN);
  sys_close(journal->fd);
  journal->fd = -1;
  journal->locked = false;
}

static void switch_to(struct journal *journal, int fd, const struct stat *st, int64_t time,
                      bool locked)
{
  leave_file(journal);
  journal->fd = fd;
  journal->locked = locked;
  journal->size = (uint64_t)st->st_size;
  extent_begin(&journal->known, st, time);
  journal->names_synced = false;
}

bool journal_switch(struct journal *journal, int fd, struct failure *failure)
{
  struct stat st;
  if (sys_fstat(fd, &st) != 0) { /* the next call opens the file by its path */
    fail(failure, "look at");
    sys_close(fd);
    return false;
  }
  switch_to(journal, fd, &st, 0, true);
  return true;
}

bool journal_unchanged(const struct journal *journal)
{
  struct stat st;
  return sys_look(journal->place, &st) == 0 && extent_is_of(&journal->known, &st) &&
         (uint64_t)st.st_size == journal->size;
}

/* Opens the file that the path leads to; the one before it, and its lock, are kept until then. Who
 * holds a lease on it is asked to give that up, and is waited for (fcntl(2), F_SETLEASE). */
static bool switch_file(struct journal *journal, bool lock, bool make, struct failure *failure)
{
  struct stat st;
  double pause = 0;
  int64_t time = sys_time();
  int fd;
  while ((fd = open_file(journal, make, &st, failure)) < 0)
    if (errno != EWOULDBLOCK || !wait_a_while(journal, &pause)) return false;
  if (lock && !acquire_lock(journal, fd, LOCK_EX, failure)) {
    sys_close(fd);
    return false;
  }
  switch_to(journal, fd, &st, time, lock);
  return true;
}

static bool is_own(const struct journal *journal, struct failure *failure)
{
  if (sys_forks() == journal->forks) return true;
  fail_because(failure, EPERM, "use", "handle belongs to another process");
  failure->process = journal->owner;
  return false;
}

static bool attach(struct journal *journal, bool lock, bool make, struct failure *failure)
{
  struct stat st;
  journal->gone = false;
  journal->deadline = 0;
  if (!is_own(journal, failure)) return false;
  lock = lock || journal->keeps_lock;
  do {
    if (journal->fd < 0) continue;
    if (lock && !journal->locked && !acquire_lock(journal, journal->fd, LOCK_EX, failure))
      return false;
    journal->locked = journal->locked || lock;
    if (sys_look(journal->place, &st) == 0) {
      if (extent_is_of(&journal->known, &st)) {
        journal->size = (uint64_t)st.st_size;
        return true;
      }
    } else if (!is_missing(errno)) {
      fail(failure, "look at");
      break;
    }
  } while (switch_file(journal, lock, make, failure));
  journal->gone = !make && is_missing(failure->number);
  if (!journal->gone) {
    journal_detach(journal);
    return false;
  }
  leave_file(journal);
  extent_begin(&journal->known, NULL, 0);
  journal->size = 0;
  return true;
}

bool journal_attach(struct journal *journal, bool lock, struct failure *failure)
{
  return attach(journal, lock, true, failure);
}

bool journal_find(struct journal *journal, bool lock, struct failure *failure)
{
  return attach(journal, lock, false, failure);
}

void journal_detach(struct journal *journal)
{
  if (!journal->locked || journal->keeps_lock) return;
  sys_flock(journal->fd, LOCK_UN);
  journal->locked = false;
}

/* ---- writing ---- */

/* The entry of the file itself, wherever symbolic links lead, and those of the directories above, as
 * whoever made them may have been killed before it synced them. One that may not be read or synced,
 * or that is read-only, was not made by us. */
static int sync_names(const struct journal *journal)
{
  char *place = sys_realpath(journal->place);
  if (place == NULL) return SYS_NOT_OPENED;
  int result = path_sync_above(place);
  for (char *slash; result == 0 && (slash = strrchr(place, '/')) != place;) {
    *slash = '\0';
    result = path_sync_above(place);
    if (result != 0 && (errno == EACCES || errno == EPERM || errno == EROFS)) result = 0;
  }
  sys_free(place);
  return result;
}

static bool synced(struct journal *journal, int result, struct failure *failure)
{
  if (result == 0) return true;
  journal->failed = journal->failed || result != SYS_NOT_OPENED;
  return fail(failure, "sync");
}

static bool sync_bytes(struct journal *journal, struct failure *failure)
{
  if (journal->failed) return fail_because(failure, EIO, "write", JOURNAL_FAILED);
  return synced(journal, sys_sync(journal->fd), failure);
}

static bool sync_entries(struct journal *journal, struct failure *failure)
{
  const int result = journal->names_synced ? 0 : sync_names(journal);
  journal->names_synced = result == 0;
  return synced(journal, result, failure);
}

bool journal_sync(struct journal *journal, struct failure *failure)
{
  return sync_bytes(journal, failure) && sync_entries(journal, failure);
}

bool journal_sync_all(struct journal *journal, struct failure *failure)
{
  const bool open = journal->fd >= 0;
  const struct stat before = {.st_dev = journal->known.device, .st_ino = journal->known.inode};
  if (!is_own(journal, failure) || (open && !sync_bytes(journal, failure)) ||
      !journal_find(journal, false, failure))
    return false;
  if (journal->gone) return true;
  bool same = open && extent_is_of(&journal->known, &before);
  return (same || sync_bytes(journal, failure)) && sync_entries(journal, failure);
}

/* Whether the file's last line has its newline: 1 or 0; -1 and errno. */
static int is_ended(const struct journal *journal)
{
  const struct extent *known = &journal->known;
  char last = '\n';
  if (journal->size == 0 || (journal->size == known->size && extent_is_ended(known))) return 1;
  if (sys_read_at(journal->fd, &last, 1, journal->size - 1) < 0) return -1;
  return last == '\n';
}

/* Whether whoever reads the lines can hold each of them. */
static bool are_readable(const struct buf *lines)
{
  const char *newline = lines->data, *last = newline + lines->length - 1;
  if (lines->length <= READER_LONGEST_LINE) return true;
  while (newline < last) {
    const char *next = memchr(newline + 1, '\n', (size_t)(last - newline));
    if ((size_t)(next - newline) >= READER_LONGEST_LINE) return false;
    newline = next;
  }
  return true;
}

/* The bytes stand at the file's end now, and have ended the line before them. */
static void know(struct journal *journal, const char *bytes, size_t size)
{
  struct extent *known = &journal->known;
  if (known->size != journal->size)
    known->kept.length = 0; /* a journal that never reads keeps no bytes to compare */
  known->end = known->size = journal->size;
  (void)extent_extend(known, bytes, size, EXTENT_CERTAIN); /* there is room */
}

/* What was written to the file's end. */
struct written {
  uint64_t place; /* where it begins */
  size_t size;
  bool again; /* it stands behind a part of itself */
};

/* Whether what was written in several parts stands in one piece: it ends where the descriptor is now
 * (POSIX, write, O_APPEND). It also did if somebody has cut the file off before that end since. 1 or 0;
 * -1 and errno. */
static int is_in_one_piece(const struct journal *journal, const char *bytes, size_t size,
                           uint64_t *place)
{
  struct stat st;
  int64_t end = sys_position(journal->fd);
  if (end < 0) return -1;
  *place = (uint64_t)end > size ? (uint64_t)end - size : 0;
  ssize_t equal = count_equal(journal->fd, bytes, size, *place);
  if (equal < 0 || sys_fstat(journal->fd, &st) != 0) return -1;
  return (size_t)equal == size || st.st_size < end;
}

/* Writes the lines so that they stand there in one piece. Where that took several writes, a program that
 * takes no lock may have written between them: then they are written once more, behind that. */
static bool write_lines(const struct journal *journal, const struct buf *lines, bool ended,
                        struct written *written)
{
  enum { TRIES = 4 };
  for (int i = 0; i < TRIES; i++) {
    const char *bytes = lines->data + ended;
    const size_t size = lines->length - ended;
    uint64_t place;
    int result = sys_write(journal->fd, bytes, size, &written->size);
    if (result <= 0) return result == 0;
    int whole = is_in_one_piece(journal, bytes, size, &place);
    if (whole != 0) return whole > 0;
    *written = (struct written){.place = place + size, .again = true};
    ended = false;
  }
  errno = EIO;
  return false;
}

/* Cuts away what was written, unless somebody has written behind it. */
static void undo(const struct journal *journal, const struct written *written)
{
  struct stat st;
  if (written->size > 0 && sys_fstat(journal->fd, &st) == 0 &&
      (uint64_t)st.st_size == written->place + written->size)
    (void)sys_truncate(journal->fd, written->place);
}

static bool append(struct journal *journal, const struct buf *lines, uint64_t *offset,
                   struct failure *failure)
{
  struct written written = {.place = journal->size};
  if (journal->failed) return fail_because(failure, EIO, "write", JOURNAL_FAILED);
  if (!are_readable(lines))
    return fail_because(failure, EFBIG, "write", "a line of 2 GiB, which nobody could read");
  const int ended = is_ended(journal);
  if (ended < 0) return fail(failure, "read");
  if (!extent_reserve(&journal->known)) return fail(failure, "write");
  bool done = write_lines(journal, lines, ended > 0, &written) || fail(failure, "write");
  done = done && (!journal->durable || journal_sync(journal, failure));
  if (!done) {
    undo(journal, &written);
    return false;
  }
  *offset = written.place + (written.again || ended == 0);
  if (written.again) extent_restart(&journal->known); /* there is more than what was written here */
  else know(journal, lines->data + ended, written.size);
  journal->size = written.place + written.size;
  return true;
}

bool journal_append(struct journal *journal, const struct buf *lines, uint64_t *offset,
                    struct failure *failure)
{
  if (append(journal, lines, offset, failure)) return true;
  /* A file that was made for it goes again: it would be an empty session. */
  const bool empty = journal->made && journal->size == 0 && journal_unchanged(journal);
  char *place = empty ? sys_realpath(journal->place) : NULL;
  if (place != NULL) sys_unlink(place);
  sys_free(place);
  return false;
}

int journal_close(struct journal *journal)
{
  int result = journal->fd >= 0 ? sys_close(journal->fd) : 0;
  sys_free(journal->place);
  extent_free(&journal->known);
  journal->place = NULL;
  journal->fd = -1;
  journal->locked = false;
  return result;
}
