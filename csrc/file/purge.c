/* purge.c: taking text out of a file.
 *
 * 1. It is looked for first, without the lock: a file that does not hold it is not touched, whoever has
 *    its lock. Raw lines are searched such that no escape hides it; those that may hold it are read closely.
 * 2. Then, under the lock, a new file takes the place of the old one, as in compaction (replace.c). Writers
 *    that wait for the lock find that the path leads to another file; readers have one of the two whole;
 *    followers are told where the new one goes on (sequel.c). The entries of a directory are synced once
 *    for all its files: a power cut before that may bring an old one back, with a blank line at its end.
 * 3. A record with the text in a string is written with another string; all its other bytes stay.
 * 4. Of a damaged line that holds it, as it is or escaped, only the whole records stay. What is damaged has
 *    no end that could be told: around what was taken out it might say something else.
 * 5. <file>.damaged has damaged lines only, whatever they look like.
 * 6. Who asks what becomes of a text without the lock does not know those that another erasure has made
 *    meanwhile: a file is given up if it does not begin with the lines that were asked about. Those of
 *    <file>.damaged are only ever removed. */
#include "file/purge.h"

#include "base/escape.h"
#include "file/beside.h"
#include "file/format.h"
#include "file/path.h"
#include "file/reader.h"
#include "file/replace.h"
#include "file/sequel.h"
#include "base/hidden.h"

static const struct doing ERASING = DOING("erase");
static const struct bytes NOTHING = {"", 0};

/* A pass over a file. */
struct sweep {
  struct purge *purge;
  const struct revising *revising; /* NULL: no record gets a `rev` */
  int fd;
  const char *path;
  bool writes; /* a new file is made when the first is found; */
  struct replacement new;
  uint64_t size; /* of the old one when it began */
  uint64_t copied; /* up to here it has what the old one has */
  bool damaged; /* it is <file>.damaged */
  bool told, in_memory; /* whether the file is a memory */
  struct purged found;
  struct asked seen; /* of those that are to be seen */

  /* The line that is read closely. */
  struct block block;
  const char *line, *newline;
  const struct part *kept; /* the damage on it, as long as it is not known to go; or NULL */
  bool changed;
};

void purge_free(struct purge *purge)
{
  sys_free(purge->directory);
  purge->directory = NULL;
  reader_close(&purge->reader);
  buf_free(&purge->reword.decoded);
  buf_free(&purge->record);
  buf_free(&purge->decoded);
}

void purged_add(struct purged *sum, const struct purged *more)
{
  sum->files += more->files;
  sum->records += more->records;
  sum->occurrences += more->occurrences;
  sum->left += more->left;
}

static uint64_t byte_offset(const struct sweep *sweep, const char *p)
{
  return sweep->block.offset + (uint64_t)(p - sweep->block.start);
}

/* Puts a text in the place of the bytes between two offsets. What comes before them is in the block, if
 * nothing was put before that; but the reader has put spaces in the place of a byte order mark. */
static bool put(struct sweep *sweep, uint64_t from, uint64_t to, struct bytes text)
{
  struct output *output = &sweep->new.output;
  const struct block *block = &sweep->block;
  const uint64_t copied = sweep->copied;
  if (!sweep->writes) return true;
  if (sweep->new.place == NULL && !replace_begin(&sweep->new, sweep->fd, sweep->path)) return false;
  sweep->copied = to;
  const char *at_hand =
      copied > 0 && copied >= block->offset ? block->start + (copied - block->offset) : NULL;
  return (at_hand != NULL ? output_put_sparsely(output, at_hand, (size_t)(from - copied))
                          : output_copy(output, sweep->fd, copied, from)) &&
         output_put(output, text.start, text.length);
}

/* ---- lines ---- */

/* How much of it is in a text that may be no JSON, as it is or in escapes. The byte at its end is none of an
 * escape's. */
static bool ask_damaged(struct purge *purge, const char *start, const char *end, uint64_t *found)
{
  const struct reword *reword = &purge->reword;
  struct buf *decoded = &purge->decoded;
  struct bytes text = {start, (size_t)(end - start)};
  if (!reword->change(reword->context, text, NULL, found)) return false;
  if (*found > 0 || memchr(start, '\\', text.length) == NULL) return true;
  decoded->length = 0;
  if (!buf_reserve(decoded, text.length)) return false;
  text = (struct bytes){decoded->data, escape_decode_all(start, end, decoded->data)};
  return reword->change(reword->context, text, NULL, found);
}

/* Where there is nothing else on the line, the line goes. */
static bool drop_damage(struct sweep *sweep, const struct part *damage)
{
  bool alone = damage->start == sweep->line && damage->end == sweep->newline;
  sweep->kept = NULL;
  return put(sweep, byte_offset(sweep, damage->start), byte_offset(sweep, damage->end) + alone,
             NOTHING);
}

static bool purge_damage(struct sweep *sweep, const struct part *damage)
{
  uint64_t found;
  if (!ask_damaged(sweep->purge, damage->start, damage->end, &found)) return false;
  sweep->found.occurrences += found;
  sweep->changed = sweep->changed || found > 0;
  sweep->kept = damage;
  return !sweep->changed || drop_damage(sweep, damage);
}

static bool purge_object(struct sweep *sweep, const struct part *object)
{
  struct purge *purge = sweep->purge;
  struct buf *out = &purge->record;
  struct reworded record = {0, false};
  const uint64_t offset = byte_offset(sweep, object->start), end = byte_offset(sweep, object->end);
  const struct revising *revising = sweep->revising;
  uint64_t rev = 0;
  bool revise = false;
  if (revising != NULL && !revising->next(revising->context, object, offset, &rev, &revise))
    return false;
  out->length = 0;
  if (!reword_record(&purge->reword, object->start, object->end, rev, revise, out, &record))
    return false;
  sweep->found.occurrences += record.found;
  sweep->found.records += record.found > 0;
  sweep->found.left += record.left;
  if (record.found == 0 && !revise) return true;
  if (record.found == 0) sweep->kept = NULL; /* it stays */
  else sweep->changed = true;
  if (sweep->kept != NULL && !drop_damage(sweep, sweep->kept)) return false;
  size_t rest = (size_t)(sweep->newline - sweep->line) - (size_t)(end - offset);
  if (rest + out->length >= READER_LONGEST_LINE) return errno = EFBIG, false;
  return put(sweep, offset, end, (struct bytes){out->data, out->length});
}

/* Whether the file is a memory is asked when the first damaged line is met. */
static bool begin_line(struct sweep *sweep, struct objects *objects)
{
  objects_begin(objects, sweep->line, sweep->newline, sweep->in_memory);
  if (sweep->damaged) objects->damage = (struct part){sweep->line, sweep->newline, ""};
  if (objects->damage.start == NULL || sweep->damaged || sweep->told) return true;
  if (!sweep->purge->is_memory(sweep->fd, &sweep->in_memory)) return false;
  sweep->told = true;
  sweep->seen.digest += sweep->in_memory;
  objects_begin(objects, sweep->line, sweep->newline, sweep->in_memory);
  return true;
}

static bool purge_line(struct sweep *sweep)
{
  struct objects objects;
  struct part part;
  sweep->changed = false;
  bool done = begin_line(sweep, &objects);
  while (done && objects_next(&objects, &part))
    done = part.reason != NULL ? purge_damage(sweep, &objects.damage) : purge_object(sweep, &part);
  sweep->kept = NULL;
  return done;
}

/* ---- what was asked about ---- */

static void see_line(struct sweep *sweep)
{
  const struct purge *purge = sweep->purge;
  struct asked *seen = &sweep->seen;
  if (purge->asked == NULL || (!purge->asking && seen->lines == purge->asked->lines)) return;
  seen->lines++;
  seen->digest = 31 * seen->digest +
                 hash_text(&purge->key, sweep->line, (size_t)(sweep->newline - sweep->line));
}

/* False with errno EAGAIN. */
static bool check_seen(const struct sweep *sweep)
{
  struct purge *purge = sweep->purge;
  struct asked *asked = purge->asked;
  if (asked == NULL || sweep->damaged) return true;
  if (purge->asking) *asked = sweep->seen;
  purge->stale = asked->lines != sweep->seen.lines || asked->digest != sweep->seen.digest;
  errno = EAGAIN;
  return !purge->stale;
}

/* ---- the file ---- */

static bool has_found(const struct sweep *sweep)
{
  return sweep->found.occurrences > 0 && !sweep->writes && !sweep->purge->all;
}

static bool sweep_block(struct sweep *sweep)
{
  const bool passes = sweep->revising == NULL || !sweep->revising->any;
  const struct literal *literal = passes ? sweep->purge->literal : NULL;
  const char *line = sweep->block.start, *end = sweep->block.end;
  for (; line < end && !has_found(sweep); line = sweep->newline + 1) {
    if (literal != NULL && (line = needle_find_line(&literal->needle, true, line, end)) == NULL)
      break;
    sweep->line = line;
    sweep->newline = memchr(line, '\n', (size_t)(end - line));
    see_line(sweep);
    if (!purge_line(sweep)) return false;
  }
  return true;
}

/* A line too long to hold is looked through in pieces, of which each begins in the middle of the one before
 * it. What is longer than half a piece in escapes is found only by who is shown it whole. */
static bool sweep_hopeless(struct sweep *sweep)
{
  struct purge *purge = sweep->purge;
  const struct block *block = &sweep->block;
  struct buf *piece = &purge->record;
  const size_t length = purge->literal != NULL ? purge->literal->text.length : 0;
  const size_t size = 16 * (length < READER_BLOCK ? (size_t)READER_BLOCK : length);
  uint64_t found = 0;
  for (uint64_t at = 0; found == 0 && at < block->size; at += size / 2) {
    size_t wanted = block->size - at < size ? (size_t)(block->size - at) : size;
    if (!read_padded(sweep->fd, piece, wanted, block->offset + at, true) ||
        !ask_damaged(purge, piece->data, piece->data + piece->length, &found))
      return false;
  }
  sweep->found.occurrences += found;
  return found == 0 || put(sweep, block->offset, block->offset + block->size, NOTHING);
}

/* What is appended meanwhile need not be read: who asks for it may be the one who appends. */
static bool sweep_file(struct sweep *sweep)
{
  struct reader *reader = &sweep->purge->reader;
  struct stat st;
  int result = 1;
  if (sys_fstat(sweep->fd, &st) != 0) return false;
  const uint64_t size = sweep->size = (uint64_t)st.st_size;
  reader_restart(reader, sweep->fd, 0);
  reader->locked = sweep->writes;
  while (reader->position < size && !has_found(sweep) &&
         (result = reader_next(reader, &sweep->block)) > 0)
    if (!(sweep->block.hopeless ? sweep_hopeless : sweep_block)(sweep)) {
      result = -1;
      break;
    }
  sweep->found.files = sweep->found.occurrences > 0;
  return result >= 0 && (sweep->new.place == NULL ||
                         output_copy(&sweep->new.output, sweep->fd, sweep->copied, size));
}

/* ---- the whole ---- */

bool purge_has_within(const struct purge *purge, const char *place)
{
  const char *directory = purge->directory;
  size_t length = directory != NULL ? strlen(directory) : 0;
  return length > 0 && strncmp(place, directory, length) == 0 &&
         strrchr(place, '/') == place + length;
}

/* The new file has the place of the old one, also when the power is cut: at once, or later with others. */
static bool settle_file(struct purge *purge, const struct replacement *new, struct failure *failure)
{
  if (new->place == NULL) return true;
  if (purge_has_within(purge, new->place)) return purge->unsynced = true;
  return path_sync_above(new->place) == 0 || fail_about(failure, ERASING.sync, new->place, NULL);
}

bool purge_settle(struct purge *purge)
{
  return !purge->unsynced || sys_sync_directory(purge->directory) == 0;
}

static bool fail_sweep(const struct sweep *sweep, struct failure *failure)
{
  const char *reason = errno == EFBIG ? "a text would become longer by over 64 MiB" : NULL;
  const char *doing = sweep->writes ? ERASING.it : ERASING.read;
  if (failure->number != 0) return false;
  return sweep->damaged ? fail_about(failure, doing, sweep->path, reason)
                        : fail_because(failure, errno, doing, reason);
}

/* Without a line that was damaged, the others may be an array. */
static bool stays_lines(const struct replacement *new, struct failure *failure)
{
  return format_is_lines(new->output.fd, new->output.size, failure) ||
         fail_because(failure, EINVAL, ERASING.it, "what is left would be read as no JSON lines");
}

/* Adds what it finds to *sum. If a new file has taken the place, new.output.fd is its descriptor, also where
 * only its directory could not be synced; otherwise -1. */
static bool sweep_whole(struct sweep *sweep, struct purged *sum, struct failure *failure)
{
  struct replacement *new = &sweep->new;
  failure->number = 0;
  new->output = (struct output){.fd = -1, .doing = &ERASING, .failure = failure};
  bool done = sweep_file(sweep) && (has_found(sweep) || check_seen(sweep));
  if (done && new->place != NULL)
    done = replace_sync(new) && (sweep->damaged || stays_lines(new, failure)) &&
           replace_rename(new, sweep->path, sweep->size);
  done = done || fail_sweep(sweep, failure);
  if (done) {
    purged_add(sum, &sweep->found);
    done = settle_file(sweep->purge, new, failure);
  }
  replace_end(new);
  return done;
}

/* The same with <file>.damaged, if there is one, which *st is not of. */
static bool sweep_damaged(const struct sweep *of, const struct stat *st, struct purged *sum,
                          struct failure *failure)
{
  const char *reason = NULL;
  struct stat ignored;
  char *place = sys_realpath(of->path);
  char *path = place != NULL ? path_with_suffix(place, BESIDE_DAMAGED) : NULL;
  struct sweep sweep = {.purge = of->purge, .path = path, .writes = of->writes, .damaged = true};
  sweep.fd = path != NULL ? beside_open(path, st, &ignored, &reason) : -1;
  bool done = path != NULL && sweep.fd < 0 && errno == ENOENT;
  if (sweep.fd >= 0) done = sweep_whole(&sweep, sum, failure);
  else if (path == NULL) fail(failure, ERASING.it);
  else if (!done) fail_about(failure, ERASING.open, path, reason);
  if (sweep.fd >= 0) sys_close(sweep.fd);
  if (sweep.fd >= 0 && sweep.new.output.fd >= 0) sys_close(sweep.new.output.fd);
  sys_free(place);
  sys_free(path);
  return done;
}

bool purge_look(struct purge *purge, int fd, const struct stat *st, const char *path,
                struct purged *found, struct failure *failure)
{
  struct sweep sweep = {.purge = purge, .fd = fd, .path = path};
  return sweep_whole(&sweep, found, failure) && sweep_damaged(&sweep, st, found, failure);
}

bool purge_locked(struct purge *purge, struct journal *journal, const struct revising *revising,
                  struct failure *failure)
{
  struct stat st;
  struct sweep sweep = {.purge = purge,
                        .revising = revising,
                        .fd = journal->fd,
                        .path = journal->place,
                        .writes = true};
  if (journal->failed) return fail_because(failure, EIO, ERASING.it, JOURNAL_FAILED);
  if (sys_fstat(journal->fd, &st) != 0) return fail(failure, ERASING.it);
  bool done = sweep_whole(&sweep, &purge->total, failure);
  const int new = sweep.new.output.fd;
  if (new >= 0) sequel_leave(journal->fd, new, sweep.new.output.size);
  if (new >= 0 && !journal_switch(journal, new, failure)) return false;
  return done && sweep_damaged(&sweep, &st, &purge->total, failure);
}
