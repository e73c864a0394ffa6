/* compact.c: rewriting a memory file.
 *
 * 1. All of it is done under the file's lock. Writers that wait for it find afterwards that the
 *    path leads to another file, and take that one; readers have the old one or the new one whole.
 * 2. The new file is written beside the old one, locked before it has its name, synced, and then
 *    renamed onto it (rename(2) is atomic); then the directory is synced. A crash at any point
 *    leaves one of the two. What a crash left beside is removed by the next compaction.
 * 3. Lines that are no object are appended to <file>.damaged, and are on the disk there before the
 *    rename. A crash in between has the next compaction append them once more; none is lost.
 * 4. Kept are, byte for byte: the active items, and every object that is no item and no tombstone.
 * 5. The highest id stays in the file, so that it is not given again: as a tombstone of nothing
 *    where its record goes. */
#include "compact.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "number.h"
#include "sys.h"

enum { WRITE_SIZE = 256 * 1024 };

/* A file that is written to in large pieces. */
struct output {
  int fd; /* -1: only the bytes are counted */
  uint64_t size;
  struct buf waiting;
};

static bool flush(struct output *output)
{
  size_t written;
  bool done = output->fd < 0 ||
              sys_write(output->fd, output->waiting.data, output->waiting.length, &written) == 0;
  output->waiting.length = 0;
  return done;
}

static bool put(struct output *output, const char *bytes, size_t size)
{
  output->size += size;
  if (output->waiting.length + size > WRITE_SIZE && !flush(output)) return false;
  return buf_add(&output->waiting, bytes, size);
}

struct rewrite {
  struct memory *memory;
  struct compaction *result;
  struct output kept, damaged;
  uint64_t highest_id; /* ever given */
  uint64_t highest_kept;
  char *place, *temporary, *damaged_path; /* the file without symbolic links, and two beside it */
  uint64_t damaged_from; /* the size that <file>.damaged had */
  bool dry_run;
};

/* ---- which lines are kept ---- */

static bool keep(struct rewrite *rewrite, const struct record *record, const char *line,
                 const char *newline)
{
  rewrite->result->kept += record_is_item(record);
  if (record->id > rewrite->highest_kept) rewrite->highest_kept = record->id;
  return put(&rewrite->kept, line, (size_t)(newline - line)) && put(&rewrite->kept, "\n", 1);
}

static bool is_active(const struct rewrite *rewrite, const struct record *record, uint64_t offset)
{
  const struct item *item = index_find(&rewrite->memory->index, record->id);
  return item != NULL && item->offset == offset;
}

static bool take_object(struct rewrite *rewrite, const struct record *record, const char *line,
                        const char *newline, uint64_t offset)
{
  bool wanted = true;
  if (record_is_item(record)) wanted = is_active(rewrite, record, offset);
  else if (record_is_tombstone(record)) wanted = record->id == rewrite->highest_id;
  if (wanted) return keep(rewrite, record, line, newline);
  rewrite->result->dropped++;
  return true;
}

/* Whether a record that no reader has seen yet may become one: its id is not in use otherwise. */
static bool may_join(const struct rewrite *rewrite, const struct record *record)
{
  const struct index *index = &rewrite->memory->index;
  if (record_is_tombstone(record)) return true;
  if (!record_is_item(record) || index_find(index, record->id) != NULL) return false;
  for (size_t i = 0; i < index->target_count; i++)
    if (index->targets[i] == record->id) return false;
  return true;
}

/* The whole record at the end of a line that begins with a fragment; NULL if there is none. */
static const char *glued_record(const struct rewrite *rewrite, const char *line,
                                const char *newline, struct record *record)
{
  struct json_error error;
  for (const char *p = line; (p = memchr(p, '{', (size_t)(newline - p))) != NULL; p++)
    if (record_parse(p, record, &error) != NULL && may_join(rewrite, record)) return p;
  return NULL;
}

/* Nothing is glued to a line of <file>.damaged that a crash has cut. */
static bool end_damaged(struct rewrite *rewrite)
{
  char last = '\n';
  uint64_t size = rewrite->damaged_from;
  if (size > 0 && sys_read_at(rewrite->damaged.fd, &last, 1, size - 1) < 0) return false;
  return last == '\n' || put(&rewrite->damaged, "\n", 1);
}

/* Opens <file>.damaged when the first line for it is found. */
static bool open_damaged(struct rewrite *rewrite)
{
  struct stat st;
  rewrite->result->damaged++;
  if (rewrite->dry_run || rewrite->damaged.fd >= 0) return true;
  rewrite->damaged.fd = sys_open_append(rewrite->damaged_path, true, &st);
  if (rewrite->damaged.fd < 0) return false;
  rewrite->damaged_from = (uint64_t)st.st_size;
  return end_damaged(rewrite);
}

static bool take_damage(struct rewrite *rewrite, const char *line, const char *newline)
{
  struct record record;
  const char *glued = glued_record(rewrite, line, newline, &record);
  const char *end = glued != NULL ? glued : newline;
  if (!open_damaged(rewrite) || !put(&rewrite->damaged, line, (size_t)(end - line)) ||
      !put(&rewrite->damaged, "\n", 1))
    return false;
  return glued == NULL || keep(rewrite, &record, glued, newline);
}

static bool take_lines(struct rewrite *rewrite, const struct block *block)
{
  struct record record;
  struct json_error error;
  const char *next;
  for (const char *line = block->start; line < block->end; line = next) {
    uint64_t offset = block->offset + (uint64_t)(line - block->start);
    const char *newline = memchr(line, '\n', (size_t)(block->end - line));
    next = newline + 1;
    if (json_space(line, line) == newline) continue;
    bool done = record_parse(line, &record, &error) != NULL
                    ? take_object(rewrite, &record, line, newline, offset)
                    : take_damage(rewrite, line, newline);
    if (!done) return false;
  }
  return true;
}

/* A line too long to hold is copied in pieces. */
static bool take_hopeless(struct rewrite *rewrite, const struct block *block)
{
  char piece[4096];
  uint64_t done = 0, size = block->size - !block->unfinished;
  if (!open_damaged(rewrite)) return false;
  while (done < size) {
    size_t wanted = size - done < sizeof piece ? (size_t)(size - done) : sizeof piece;
    ssize_t got = sys_read_at(rewrite->memory->journal.fd, piece, wanted, block->offset + done);
    if (got <= 0 || !put(&rewrite->damaged, piece, (size_t)got)) return false;
    done += (uint64_t)got;
  }
  return put(&rewrite->damaged, "\n", 1);
}

/* Keeps the highest id in the file by a tombstone whose target is itself. */
static bool keep_highest_id(struct rewrite *rewrite)
{
  if (rewrite->highest_kept >= rewrite->highest_id) return true;
  char line[160], ts[TIMESTAMP_LENGTH + 1], id[NUMBER_SIZE];
  size_t id_length = number_print((double)rewrite->highest_id, id);
  timestamp_print(sys_time(), ts);
  struct buf text = {line, 0, sizeof line};
  buf_put_bytes(&text, "{\"id\":", 6);
  buf_put_bytes(&text, id, id_length);
  buf_put_bytes(&text, ",\"ts\":\"", 7);
  buf_put_bytes(&text, ts, TIMESTAMP_LENGTH);
  buf_put_bytes(&text, "\",\"kind\":\"forget\",\"target\":", 27);
  buf_put_bytes(&text, id, id_length);
  buf_put_bytes(&text, "}\n", 2);
  return put(&rewrite->kept, text.data, text.length);
}

static bool sort_out(struct rewrite *rewrite)
{
  struct reader reader;
  struct block block;
  int result;
  reader_open(&reader, rewrite->memory->journal.fd, 0);
  while ((result = reader_next(&reader, &block)) > 0)
    if (!(block.hopeless ? take_hopeless(rewrite, &block) : take_lines(rewrite, &block))) break;
  int reason = errno;
  reader_close(&reader);
  errno = reason;
  return result == 0 && keep_highest_id(rewrite) && flush(&rewrite->kept) &&
         flush(&rewrite->damaged);
}

/* ---- the files ---- */

static char *with_suffix(const char *path, const char *suffix)
{
  size_t length = strlen(path), size = strlen(suffix) + 1;
  char *joined = sys_realloc(NULL, length + size);
  if (joined == NULL) return NULL;
  memcpy(joined, path, length);
  memcpy(joined + length, suffix, size);
  return joined;
}

static bool name_files(struct rewrite *rewrite)
{
  rewrite->place = sys_realpath(rewrite->memory->journal.place);
  if (rewrite->place == NULL) return false;
  rewrite->temporary = with_suffix(rewrite->place, ".compact");
  rewrite->damaged_path = with_suffix(rewrite->memory->journal.place, ".damaged");
  return rewrite->temporary != NULL && rewrite->damaged_path != NULL;
}

/* The new file has the old one's mode, and its owner where the system allows that. */
static bool open_temporary(struct rewrite *rewrite)
{
  struct stat st;
  if (sys_unlink(rewrite->temporary) != 0 && errno != ENOENT) return false;
  if (sys_fstat(rewrite->memory->journal.fd, &st) != 0) return false;
  int fd = rewrite->kept.fd = sys_open_new(rewrite->temporary, S_IRUSR | S_IWUSR);
  if (fd < 0 || sys_flock(fd, LOCK_EX | LOCK_NB) != 0) return false;
  if (sys_chown(fd, st.st_uid, st.st_gid) != 0 && errno != EPERM) return false;
  return sys_chmod(fd, st.st_mode & 07777) == 0;
}

/* The damaged lines are on the disk, under their name. */
static bool finish_damaged(struct rewrite *rewrite)
{
  return rewrite->damaged.fd < 0 ||
         (sys_sync(rewrite->damaged.fd) == 0 && journal_sync_above(rewrite->damaged_path));
}

static void abandon(struct rewrite *rewrite)
{
  int reason = errno;
  if (rewrite->kept.fd >= 0) {
    sys_close(rewrite->kept.fd);
    sys_unlink(rewrite->temporary);
  }
  if (rewrite->damaged.fd >= 0) {
    if (rewrite->damaged_from > 0) (void)sys_truncate(rewrite->damaged.fd, rewrite->damaged_from);
    else sys_unlink(rewrite->damaged_path);
  }
  errno = reason;
}

static bool write_files(struct rewrite *rewrite, struct failure *failure)
{
  struct journal *journal = &rewrite->memory->journal;
  if (!open_temporary(rewrite) || !sort_out(rewrite) || sys_sync(rewrite->kept.fd) != 0 ||
      !finish_damaged(rewrite))
    return fail(failure, "compact");
  if (!journal_unchanged(journal))
    return fail_because(failure, EAGAIN, "compact",
                        "the file was changed meanwhile by a program that takes no lock");
  return sys_rename(rewrite->temporary, rewrite->place) == 0 || fail(failure, "compact");
}

/* ---- the whole ---- */

static bool run(struct rewrite *rewrite, struct failure *failure)
{
  struct journal *journal = &rewrite->memory->journal;
  if (rewrite->dry_run) return sort_out(rewrite) || fail(failure, "read");
  if (!name_files(rewrite)) return fail(failure, "compact");
  if (!write_files(rewrite, failure)) {
    abandon(rewrite);
    return false;
  }
  return journal_take(journal, rewrite->kept.fd, failure) && journal_sync(journal, failure) &&
         memory_reread(rewrite->memory, failure);
}

static bool compact_locked(struct memory *memory, bool dry_run, struct compaction *result,
                           struct failure *failure)
{
  struct rewrite rewrite = {
      .memory = memory,
      .result = result,
      .kept.fd = -1,
      .damaged.fd = -1,
      .highest_id = memory_next_id(memory) - 1,
      .dry_run = dry_run,
  };
  memset(result, 0, sizeof *result);
  result->before = memory->journal.size;
  bool done = run(&rewrite, failure);
  result->after = rewrite.kept.size;
  if (rewrite.damaged.fd >= 0) sys_close(rewrite.damaged.fd);
  buf_free(&rewrite.kept.waiting);
  buf_free(&rewrite.damaged.waiting);
  sys_free(rewrite.place);
  sys_free(rewrite.temporary);
  sys_free(rewrite.damaged_path);
  return done;
}

bool memory_compact(struct memory *memory, bool dry_run, struct compaction *result,
                    struct failure *failure)
{
  memory->journal.changed =
      true; /* an edit in place may show in nothing but the bytes: read them all */
  if (!memory_lock(memory, failure)) return false;
  bool done = !memory->journal.failed || fail_because(failure, EIO, "compact", JOURNAL_FAILED);
  done = done && compact_locked(memory, dry_run, result, failure);
  journal_detach(&memory->journal);
  return done;
}
