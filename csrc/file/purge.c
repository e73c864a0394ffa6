/* purge.c: taking text out of a file.
 *
 * 1. It is looked for first, without the lock: a file that does not hold it is not touched, whoever has
 *    its lock. In raw lines it is looked for such that no escape hides it; what is found is read closely.
 * 2. Then, under the lock, a new file takes the place of the old one, as in compaction (replace.c). Writers
 *    that wait for the lock find that the path leads to another file; readers have one of the two whole;
 *    followers are told where the new one goes on (sequel.c). The entries of a directory are synced once
 *    for all its files: a power cut before that may bring an old one back, with a blank line at its end.
 * 3. A record with the text in a string is written with another string; all its other bytes stay.
 * 4. Of a damaged line that holds it, as it is or escaped, only the whole records stay. What is damaged has
 *    no end that could be told: around what was taken out it might say something else.
 * 5. <file>.damaged has damaged lines only, whatever they look like. */
#include "file/purge.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/sys.h"
#include "base/word.h"
#include "file/beside.h"
#include "file/lines.h"
#include "file/path.h"
#include "file/reader.h"
#include "file/replace.h"
#include "file/sequel.h"
#include "json/json.h"

static const struct doing ERASING = DOING("erase");

/* A pass over a file. */
struct sweep {
  struct purge *purge;
  int fd;
  bool locked;
  bool damaged; /* it is <file>.damaged */
  bool first; /* it ends with the first that is found */
  struct output *output; /* NULL: nothing is written */
  struct purged found;
  uint64_t lines; /* newlines written */
};

/* What becomes of a line. */
enum fate { FATE_FAILED, FATE_SAME, FATE_NEW, FATE_GONE };

/* A line of a block; `mark` bytes stand in the place of a byte order mark. */
struct place {
  const char *start, *newline;
  uint64_t offset;
  size_t mark;
};

void purge_free(struct purge *purge)
{
  sys_free(purge->directory);
  purge->directory = NULL;
  buf_free(&purge->reword.decoded);
  buf_free(&purge->line);
  buf_free(&purge->decoded);
  buf_free(&purge->piece);
}

void purge_add(struct purged *sum, const struct purged *more)
{
  sum->files += more->files;
  sum->records += more->records;
  sum->occurrences += more->occurrences;
  sum->left += more->left;
}

/* ---- lines ---- */

static bool ask_change(struct purge *purge, const char *start, const char *end, uint64_t *found)
{
  const struct bytes text = {start, (size_t)(end - start)};
  return purge->reword.change(purge->reword.context, text, NULL, found);
}

/* How much of it is in a text that may be no JSON, as it is or in escapes. It may begin within one; the
 * byte at its end is none of an escape's. */
static bool ask_damaged(struct purge *purge, const char *start, const char *end, uint64_t *found)
{
  struct buf *decoded = &purge->decoded;
  *found = 0;
  if (!ask_change(purge, start, end, found)) return false;
  const char *escape = memchr(start, '\\', (size_t)(end - start));
  decoded->length = 0;
  if (*found > 0 || escape == NULL) return true;
  if (!buf_reserve(decoded, (size_t)(end - start))) return false;
  for (const char *p = start; *found == 0 && p <= start + (escape == start); p++) {
    size_t length = escape_decode_all(p, end, decoded->data);
    if (!ask_change(purge, decoded->data, decoded->data + length, found)) return false;
  }
  return true;
}

static bool reword_object(struct sweep *sweep, const struct part *object, uint64_t offset,
                          struct purged *found)
{
  struct purge *purge = sweep->purge;
  struct reworded record = {0, false};
  size_t start = purge->line.length;
  uint64_t rev = 0;
  if (!reword_record(&purge->reword, object->start, object->end, &purge->line, &record))
    return false;
  found->occurrences += record.found;
  found->records += record.found > 0;
  found->left += record.left;
  if (record.found == 0 || purge->set_rev == NULL) return true;
  if (!purge->set_rev(purge->revs, object, offset, &rev)) return false;
  return rev == 0 || reword_rev(&purge->line, start, rev);
}

/* Where a record stands that is alone on its line, but for white space, its line counts. */
static uint64_t offset_of_part(const struct place *line, const struct part *part)
{
  bool alone = json_space(line->start, line->start) == part->start &&
               json_space(part->end, part->end) == line->newline;
  return line->offset + (alone ? 0 : (uint64_t)(part->start - line->start));
}

/* Puts together what is left of a line whose damage goes; returns how many records that are, or -1. */
static int put_objects(struct sweep *sweep, const struct place *line, struct purged *found)
{
  struct buf *out = &sweep->purge->line;
  struct objects objects;
  struct part part;
  const char *copied = line->start + line->mark;
  int count = 0;
  out->length = 0;
  objects_begin(&objects, line->start, line->newline, sweep->purge->in_memory);
  while (objects_next(&objects, &part)) {
    if (part.start > copied && !buf_add(out, copied, (size_t)(part.start - copied))) return -1;
    copied = part.end;
    if (part.reason != NULL) continue;
    count++;
    if (!reword_object(sweep, &part, offset_of_part(line, &part), found)) return -1;
  }
  bool done = buf_add(out, copied, (size_t)(line->newline - copied));
  if (done && out->length >= READER_LONGEST_LINE) return errno = EFBIG, -1;
  return done ? count : -1;
}

static enum fate purge_line(struct sweep *sweep, const struct place *line)
{
  struct purge *purge = sweep->purge;
  struct objects objects;
  struct purged found = {0};
  const struct part *damage = &objects.damage;
  objects_begin(&objects, line->start, line->newline, purge->in_memory);
  if (sweep->damaged) objects.damage = (struct part){line->start, line->newline, ""};
  if (damage->start != NULL && !ask_damaged(purge, damage->start, damage->end, &found.occurrences))
    return FATE_FAILED;
  int count = sweep->damaged ? 0 : put_objects(sweep, line, &found);
  if (count < 0) return FATE_FAILED;
  purge_add(&sweep->found, &found);
  if (found.occurrences == 0) return FATE_SAME;
  return count > 0 ? FATE_NEW : FATE_GONE;
}

/* ---- blocks ---- */

/* The first line from p on that is to be read closely; NULL: there is none, or *failed. */
static const char *next_close(const struct sweep *sweep, const char *p, const char *end,
                              bool *failed)
{
  struct purge *purge = sweep->purge;
  if (purge->literal == NULL) return p < end ? p : NULL;
  while (p < end) {
    const char *place = literal_find_raw(purge->literal, p, end);
    if (place == NULL) break;
    const char *before = last_newline(p, (size_t)(place - p));
    const char *newline = memchr(place, '\n', (size_t)(end - place));
    uint64_t found;
    if (before != NULL) p = before + 1;
    *failed = !ask_damaged(purge, p, newline, &found);
    if (*failed) break;
    if (found > 0) return p;
    p = newline + 1;
  }
  return NULL;
}

static bool put_read(struct sweep *sweep, const char *start, const char *end)
{
  if (sweep->output == NULL) return true;
  sweep->lines += count_newlines(start, end);
  return output_put_sparsely(sweep->output, start, (size_t)(end - start));
}

static bool put_new(struct sweep *sweep, bool ended)
{
  const struct buf *line = &sweep->purge->line;
  if (sweep->output == NULL) return true;
  sweep->lines += ended;
  return output_put_sparsely(sweep->output, line->data, line->length) &&
         output_put(sweep->output, "\n", ended);
}

/* The mark stays that the file begins with; the reader has put spaces in its place. */
static bool put_mark_of(struct sweep *sweep, const struct block *block, size_t *mark)
{
  char start[3];
  *mark = 0;
  if (block->offset > 0 || block->size < sizeof start) return true;
  if (sys_read_at(sweep->fd, start, sizeof start, 0) < 0) return false;
  if (memcmp(start, "\xef\xbb\xbf", sizeof start) == 0) *mark = sizeof start;
  return *mark == 0 || sweep->output == NULL || output_put(sweep->output, start, *mark);
}

/* Whether a newline is in the file, and not put by the reader. */
static bool is_ended_at(const struct block *block, const char *newline)
{
  return !block->unfinished || newline + 1 < block->end;
}

static bool sweep_block(struct sweep *sweep, const struct block *block)
{
  size_t mark;
  const char *line = block->start, *end = block->end;
  bool failed = false;
  if (!put_mark_of(sweep, block, &mark)) return false;
  const char *from = line + mark;
  while ((line = next_close(sweep, line, end, &failed)) != NULL) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    struct place place = {line, newline, block->offset + (uint64_t)(line - block->start),
                          line == block->start ? mark : 0};
    enum fate fate = purge_line(sweep, &place);
    if (fate == FATE_FAILED) return false;
    if (fate != FATE_SAME) {
      if (!put_read(sweep, from, from > line ? from : line)) return false;
      if (fate == FATE_NEW && !put_new(sweep, is_ended_at(block, newline))) return false;
      from = newline + 1;
      if (sweep->first) return true;
    }
    line = newline + 1;
  }
  end -= block->unfinished;
  return !failed && (from >= end || put_read(sweep, from, end));
}

/* Whether a line too long to hold has it; looked for in pieces, of which each begins in the middle of the
 * one before it. What is longer than half a piece in escapes is found only by who is shown it whole. */
static bool ask_hopeless(struct sweep *sweep, const struct block *block, uint64_t *found)
{
  struct purge *purge = sweep->purge;
  const size_t length = purge->literal != NULL ? purge->literal->text.length : 0;
  const size_t size = 16 * (length < READER_BLOCK ? (size_t)READER_BLOCK : length);
  *found = 0;
  for (uint64_t at = 0; *found == 0 && at < block->size; at += size / 2) {
    size_t wanted = block->size - at < size ? (size_t)(block->size - at) : size;
    if (!read_padded(sweep->fd, &purge->piece, wanted, block->offset + at, true) ||
        !ask_damaged(purge, purge->piece.data, purge->piece.data + purge->piece.length, found))
      return false;
  }
  return true;
}

static bool sweep_hopeless(struct sweep *sweep, const struct block *block)
{
  uint64_t found, end = block->offset + block->size;
  if (!ask_hopeless(sweep, block, &found)) return false;
  sweep->found.occurrences += found;
  if (found > 0 || sweep->output == NULL) return true;
  sweep->lines += !block->unfinished;
  return output_copy(sweep->output, sweep->fd, block->offset, end);
}

/* What is appended meanwhile need not be read: who asks for it may be the one who appends. */
static bool sweep_file(struct sweep *sweep)
{
  struct reader reader;
  struct block block;
  struct stat st;
  int result = 1;
  if (sys_fstat(sweep->fd, &st) != 0) return false;
  reader_open(&reader, sweep->fd, 0);
  reader.locked = sweep->locked;
  while (reader.position < (uint64_t)st.st_size &&
         !(sweep->first && sweep->found.occurrences > 0)) {
    result = reader_next(&reader, &block);
    if (result <= 0) break;
    if (!(block.hopeless ? sweep_hopeless : sweep_block)(sweep, &block)) {
      result = -1;
      break;
    }
  }
  reader_close(&reader);
  sweep->found.files = sweep->found.occurrences > 0;
  return result >= 0;
}

/* ---- looking ---- */

/* The path is NULL if the caller named it. */
static bool fail_erase(struct failure *failure, const char *doing, const char *path)
{
  const char *reason = errno == EFBIG ? "a text would become longer by over 64 MiB" : NULL;
  if (failure->number != 0) return false;
  return path != NULL ? fail_about(failure, doing, path, reason)
                      : fail_because(failure, errno, doing, reason);
}

static bool sweep_through(struct purge *purge, int fd, bool damaged, bool first,
                          struct purged *found)
{
  struct sweep sweep = {.purge = purge, .fd = fd, .damaged = damaged, .first = first};
  bool done = sweep_file(&sweep);
  purge_add(found, &sweep.found);
  return done;
}

bool purge_look(struct purge *purge, int fd, bool first, struct purged *found)
{
  return sweep_through(purge, fd, false, first, found);
}

/* Opens the <file>.damaged of a file, whose *st is known: -1 and *failure, with the number ENOENT where there
 * is none. *path is to be freed with sys_free either way. */
static int open_damaged_of(const char *path, struct stat *st, char **damaged,
                           struct failure *failure)
{
  const char *reason = NULL;
  char *place = sys_realpath(path);
  *damaged = place != NULL ? path_with_suffix(place, BESIDE_DAMAGED) : NULL;
  sys_free(place);
  int fd = *damaged != NULL ? beside_open(*damaged, st, st, &reason) : -1;
  if (fd >= 0) return fd;
  if (*damaged != NULL) fail_about(failure, ERASING.open, *damaged, reason);
  else fail(failure, ERASING.it);
  return -1;
}

static bool look_at_damaged(struct purge *purge, const char *path, struct stat *st, bool first,
                            struct purged *found, struct failure *failure)
{
  char *damaged;
  int fd = open_damaged_of(path, st, &damaged, failure);
  bool done = fd < 0 ? failure->number == ENOENT
                     : sweep_through(purge, fd, true, first, found) ||
                           fail_about(failure, ERASING.read, damaged, NULL);
  if (fd >= 0) sys_close(fd);
  sys_free(damaged);
  return done;
}

bool purge_look_beside(struct purge *purge, int fd, struct stat *st, const char *path, bool first,
                       struct purged *found, struct failure *failure)
{
  failure->number = 0;
  if (!purge_look(purge, fd, first, found)) return fail_erase(failure, ERASING.read, NULL);
  return (first && found->occurrences > 0) ||
         look_at_damaged(purge, path, st, first, found, failure);
}

/* ---- writing ---- */

static bool is_in(const char *place, const char *directory)
{
  size_t length = directory != NULL ? strlen(directory) : 0;
  return length > 0 && strncmp(place, directory, length) == 0 &&
         strrchr(place, '/') == place + length;
}

/* The new file has the place of the old one, also when the power is cut: at once, or later with others. */
static bool settle_file(struct purge *purge, const struct replacement *new, struct failure *failure)
{
  if (is_in(new->place, purge->directory)) return purge->unsynced = true;
  return path_sync_above(new->place) == 0 || fail_about(failure, ERASING.sync, new->place, NULL);
}

bool purge_settle(struct purge *purge)
{
  return !purge->unsynced || sys_sync_directory(purge->directory) == 0;
}

/* Puts a new file, without the text, in the place of the open one, if that has it: then *fd is that of the
 * new file, also if only its directory could not be synced; *sequel says what it has. */
static bool rewrite_file(const struct sweep *sweep, const char *path, int *fd,
                         struct sequel *sequel, struct failure *failure)
{
  struct purge *purge = sweep->purge;
  struct replacement new = {.output = {.fd = -1, .doing = &ERASING, .failure = failure}};
  struct sweep look = *sweep, write = *sweep;
  look.first = true;
  write.output = &new.output;
  failure->number = 0;
  *fd = -1;
  bool done = sweep_file(&look);
  if (done && look.found.occurrences == 0) {
    purge_add(&purge->total, &look.found);
    return true;
  }
  done = done && replace_begin(&new, sweep->fd, path) && sweep_file(&write) && replace_sync(&new) &&
         replace_rename(&new, path, (uint64_t) new.st.st_size);
  if (!done) (void)fail_erase(failure, ERASING.it, sweep->damaged ? path : NULL);
  *sequel = (struct sequel){new.output.size, write.lines};
  if (done) {
    *fd = new.output.fd;
    purge_add(&purge->total, &write.found);
    done = settle_file(purge, &new, failure);
  }
  replace_end(&new);
  return done;
}

static bool purge_damaged(struct purge *purge, const char *path, struct stat *st,
                          struct failure *failure)
{
  char *damaged;
  struct sequel ignored;
  int fd = open_damaged_of(path, st, &damaged, failure), new = -1;
  struct sweep sweep = {.purge = purge, .fd = fd, .locked = true, .damaged = true};
  bool done =
      fd < 0 ? failure->number == ENOENT : rewrite_file(&sweep, damaged, &new, &ignored, failure);
  if (new >= 0) sys_close(new);
  if (fd >= 0) sys_close(fd);
  sys_free(damaged);
  return done;
}

bool purge_locked(struct purge *purge, struct journal *journal, struct failure *failure)
{
  struct stat st;
  struct sequel sequel;
  int new;
  struct sweep sweep = {.purge = purge, .fd = journal->fd, .locked = true};
  if (journal->failed) return fail_because(failure, EIO, ERASING.it, JOURNAL_FAILED);
  if (sys_fstat(journal->fd, &st) != 0) return fail(failure, ERASING.it);
  bool done = rewrite_file(&sweep, journal->place, &new, &sequel, failure);
  if (new >= 0 && done) sequel_leave(journal->fd, new, &sequel);
  if (new >= 0 && !journal_switch(journal, new, failure)) return false;
  return done && purge_damaged(purge, journal->place, &st, failure);
}

bool purge_session(struct purge *purge, struct journal *journal, struct failure *failure)
{
  if (!journal_find(journal, true, failure)) return false;
  errno = ENOENT;
  bool done = !journal->gone ? purge_locked(purge, journal, failure) : fail(failure, "open");
  journal_detach(journal);
  return done;
}

void purge_clean(const char *path)
{
  struct stat st;
  char *place = sys_realpath(path);
  if (place != NULL && sys_stat(place, &st) == 0 && !S_ISDIR(st.st_mode)) {
    char *slash = strrchr(place, '/');
    *slash = '\0';
    beside_clean(slash != place ? place : "/", slash + 1);
  } else if (place != NULL) {
    beside_clean(place, NULL);
  }
  sys_free(place);
}
