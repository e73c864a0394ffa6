/* compact.c: rewriting a memory file.
 *
 * 1. All of it is done under the file's lock. Writers that wait for it find afterwards that the
 *    path leads to another file, and take that one; readers have the old one or the new one whole.
 * 2. The new file takes the place of the old one as in replace.c; then the directory is synced.
 * 3. What is damaged of a line is appended to <file>.damaged, and is on the disk there before the
 *    rename. A crash in between has the next compaction append it once more; none is lost.
 * 4. Kept are, byte for byte: the active items, every object that is no item and no tombstone, and one
 *    tombstone of each target and `of`, so that what was forgotten does not come back with a copy of
 *    the file that still has it. Which one depends on nothing but their texts: compactions of copies
 *    that are merged later keep the same one, or each would drop the other's.
 * 5. A record that shares its line with damage or with another is treated as if it had a line of its
 *    own, which it gets.
 * 6. The highest id stays in the file, so that it is not given again: where its record goes, as a mark; see
 *    record_is_mark. */
#include "memory/compact.h"

#include "base/hash.h"
#include "base/sys.h"
#include "base/table.h"
#include "file/beside.h"
#include "file/lines.h"
#include "file/path.h"
#include "file/replace.h"
#include "memory/change.h"
#include "json/objects.h"
#include "base/hidden.h"

static const struct doing COMPACTING = DOING("compact");

struct rewrite {
  struct memory *memory;
  struct compact_options options;
  struct compaction *result;
  struct replacement new; /* what is kept */
  struct output damaged;
  struct table table; /* of the tombstones that are kept, by the lower half of what they say: */
  struct buf tombstones; /* struct kept_tombstone */
  struct hash_key keys[2]; /* of what they say */
  struct buf unescaped; /* an `of` */
  struct standing items; /* in the order of the file */
  uint64_t highest_id; /* ever given */
  uint64_t highest_record; /* the highest id of an item, a tombstone or a mark in the file */
  uint64_t
      highest_mark; /* the id of the one mark that is kept; 0: there is none, or it was written */
  uint64_t kept_id, kept_record; /* the highest id, and highest_record, of what is kept */
  bool takes; /* this pass takes what is kept; the one before it learns what that is */
  char *damaged_path;
  bool damaged_made; /* by this compaction; otherwise <file>.damaged was there, */
  uint64_t damaged_from; /* of this size */
};

/* Of the tombstones that say the same, the first by id and then by text. One whose target is its own id,
 * which older versions wrote as a mark, says nothing: it comes after all others. */
struct kept_tombstone {
  uint64_t said[2]; /* hashes of its target and `of`, which stand for them */
  uint64_t id, text; /* a hash of it */
  uint64_t offset;
};

/* A line of the file, up to its newline, or a part of one. */
struct text {
  const char *start, *end;
  uint64_t offset;
};

/* ---- the first pass: the highest id, and the tombstones ---- */

/* Of what a tombstone says. False with errno ENOMEM. */
static bool hash_said(struct rewrite *rewrite, const struct record *record, uint64_t said[2])
{
  struct bytes of;
  if (!slice_bytes(&record->of, &rewrite->unescaped, &of)) return false;
  const uint64_t form = of.start != NULL ? 2 : record->of_null;
  for (int i = 0; i < 2; i++) {
    struct hash_key key = rewrite->keys[i];
    key.low ^= record->target << 2 | form;
    said[i] = hash_text(&key, of.length > 0 ? of.start : "", of.length);
  }
  return true;
}

/* The one that is kept of those that say this; NULL: none yet. */
static struct kept_tombstone *find_tombstone(const struct rewrite *rewrite, const uint64_t said[2])
{
  struct probe probe = table_probe(&rewrite->table, (uint32_t)said[0]);
  while (probe_next(&probe, &rewrite->table)) {
    struct kept_tombstone *kept =
        &BUF_ITEMS(struct kept_tombstone, &rewrite->tombstones)[probe.number];
    if (kept->said[0] == said[0] && kept->said[1] == said[1]) return kept;
  }
  return NULL;
}

static bool learn_tombstone(struct rewrite *rewrite, const struct record *record,
                            const struct text *line)
{
  const uint64_t says_nothing = record->id == record->target ? (uint64_t)1 << 63 : 0;
  struct kept_tombstone tombstone = {
      .id = record->id | says_nothing,
      .text = hash_text_alike(line->start, (size_t)(line->end - line->start)),
      .offset = line->offset};
  if (!hash_said(rewrite, record, tombstone.said)) return false;
  struct kept_tombstone *kept = find_tombstone(rewrite, tombstone.said);
  size_t count = BUF_COUNT(struct kept_tombstone, &rewrite->tombstones);
  if (kept == NULL)
    return table_put(&rewrite->table, (uint32_t)tombstone.said[0], (uint32_t)count) &&
           BUF_PUSH(&rewrite->tombstones, &tombstone);
  if (tombstone.id < kept->id || (tombstone.id == kept->id && tombstone.text < kept->text))
    *kept = tombstone;
  return true;
}

static bool learn_object(struct rewrite *rewrite, const struct record *record,
                         const struct text *line)
{
  if (record->id > rewrite->highest_mark && record_is_mark(record, line->start))
    rewrite->highest_mark = record->id;
  if (record->id > rewrite->highest_record && record_is_ours(record, line->start))
    rewrite->highest_record = record->id;
  return !rewrite->options.tombstones || !record_is_tombstone(record) ||
         learn_tombstone(rewrite, record, line);
}

/* ---- the second pass: which lines are kept ---- */

/* In the place of a byte order mark, with which the file may begin, the reader has put spaces. */
static bool put_line(const struct rewrite *rewrite, struct output *output, const struct text *line)
{
  char start[3];
  size_t size = (size_t)(line->end - line->start), first = size < 3 ? size : 3;
  ssize_t got = line->offset > 0 ? 0 : sys_read_at(rewrite->memory->journal.fd, start, first, 0);
  return got >= 0 && output_put(output, start, (size_t)got) &&
         output_put_sparsely(output, line->start + got, size - (size_t)got) &&
         output_put(output, "\n", 1);
}

static bool keep_record(struct rewrite *rewrite, const struct record *record,
                        const struct text *line)
{
  rewrite->result->kept += record_is_item(record);
  if (record->id > rewrite->kept_id) rewrite->kept_id = record->id;
  if (record->id > rewrite->kept_record && record_is_ours(record, line->start))
    rewrite->kept_record = record->id;
  return put_line(rewrite, &rewrite->new.output, line);
}

/* Whether it is the one that is kept of those that say the same. False with errno ENOMEM. */
static bool is_chosen(struct rewrite *rewrite, const struct record *record, const struct text *line,
                      bool *chosen)
{
  uint64_t said[2];
  if (!hash_said(rewrite, record, said)) return false;
  const struct kept_tombstone *kept = find_tombstone(rewrite, said);
  *chosen = kept != NULL && kept->offset == line->offset;
  return true;
}

/* The mark of the highest id is kept once. */
static bool is_last_mark(struct rewrite *rewrite, const struct record *record)
{
  if (record->id != rewrite->highest_mark) return false;
  rewrite->highest_mark = 0;
  return true;
}

static bool take_object(struct rewrite *rewrite, const struct record *record,
                        const struct text *line)
{
  bool wanted = true;
  if (record_is_item(record)) {
    const struct item *item = standing_at(&rewrite->items, line->offset); /* in their order */
    wanted = item != NULL && !item->forgotten;
  } else if (record_is_tombstone(record)) {
    if (!is_chosen(rewrite, record, line, &wanted)) return false;
  } else if (record_is_mark(record, line->start)) {
    wanted = is_last_mark(rewrite, record);
  }
  if (wanted) return keep_record(rewrite, record, line);
  rewrite->result->dropped++;
  return true;
}

static bool fail_damaged(const struct rewrite *rewrite, const char *doing)
{
  return fail_about(rewrite->damaged.failure, doing, rewrite->damaged_path, NULL);
}

/* Nothing is glued to a line of <file>.damaged that a crash has cut. */
static bool end_damaged(struct rewrite *rewrite)
{
  struct output *damaged = &rewrite->damaged;
  char last = '\n';
  if (damaged->size > 0 && sys_read_at(damaged->fd, &last, 1, damaged->size - 1) < 0)
    return fail_damaged(rewrite, COMPACTING.read);
  return last == '\n' || output_put(damaged, "\n", 1);
}

/* Opens <file>.damaged when the first line for it is found. */
static bool open_damaged(struct rewrite *rewrite)
{
  struct stat st;
  struct output *damaged = &rewrite->damaged;
  rewrite->result->damaged++;
  if (rewrite->options.dry_run || damaged->fd >= 0) return true;
  damaged->fd = beside_gather(rewrite->damaged_path, &rewrite->new.st, &rewrite->damaged_made, &st,
                              damaged->failure);
  if (damaged->fd < 0) return false;
  damaged->size = rewrite->damaged_from = (uint64_t)st.st_size;
  return end_damaged(rewrite);
}

static bool take_damage(struct rewrite *rewrite, const struct text *text)
{
  return open_damaged(rewrite) && put_line(rewrite, &rewrite->damaged, text);
}

/* A line too long to hold. */
static bool take_too_long(struct rewrite *rewrite, uint64_t from, uint64_t to)
{
  return open_damaged(rewrite) &&
         output_copy(&rewrite->damaged, rewrite->memory->journal.fd, from, to) &&
         output_put(&rewrite->damaged, "\n", 1);
}

static bool put_mark(const struct rewrite *rewrite, struct output *output, uint64_t id)
{
  const struct buf *lines = &rewrite->memory->lines; /* behind a newline */
  return memory_put_mark(rewrite->memory, id) &&
         output_put(output, lines->data + 1, lines->length - 1);
}

/* For programs that count every id, and for those that count only items and tombstones. */
static bool keep_highest_ids(struct rewrite *rewrite)
{
  struct output *output = &rewrite->new.output;
  if (rewrite->kept_id < rewrite->highest_id) return put_mark(rewrite, output, rewrite->highest_id);
  return rewrite->kept_record >= rewrite->highest_record ||
         put_mark(rewrite, output, rewrite->highest_record);
}

/* ---- passes ---- */

static bool pass_line(struct rewrite *rewrite, const struct line *line)
{
  bool (*const take)(struct rewrite *, const struct record *, const struct text *) =
      rewrite->takes ? take_object : learn_object;
  const struct text whole = {line->text, line->newline, line->offset};
  struct objects objects;
  struct part part;
  struct record record;
  bool done = true;
  if (record_parse(line->text, &record) != NULL) return take(rewrite, &record, &whole);
  objects_begin(&objects, line->text, line->newline, true);
  while (done && objects_next(&objects, &part)) {
    const struct text text = {part.start, part.end,
                              line->offset + (uint64_t)(part.start - line->text)};
    if (part.reason != NULL) {
      done = !rewrite->takes || take_damage(rewrite, &text);
    } else {
      (void)record_parse_part(part.start, &record);
      done = take(rewrite, &record, &text);
    }
  }
  return done;
}

static bool go_through(struct rewrite *rewrite)
{
  struct lines lines;
  struct line line;
  int result;
  lines_open(&lines, rewrite->memory->journal.fd, 0);
  lines.reader.locked = true;
  while ((result = lines_next(&lines, &line)) > 0) {
    uint64_t end = lines.end - !line.unfinished;
    if (!line.hopeless ? !pass_line(rewrite, &line)
                       : rewrite->takes && !take_too_long(rewrite, line.offset, end))
      break;
  }
  lines_close(&lines);
  return result == 0;
}

static bool sort_out(struct rewrite *rewrite)
{
  if (sys_random(rewrite->keys, sizeof rewrite->keys) != 0 || !go_through(rewrite) ||
      !standing_begin(&rewrite->items, &rewrite->memory->index))
    return false;
  rewrite->highest_id = memory_highest_id(rewrite->memory);
  if (!rewrite->options.tombstones && rewrite->highest_mark < rewrite->highest_record)
    rewrite->highest_mark = 0;
  rewrite->takes = true;
  return go_through(rewrite) && keep_highest_ids(rewrite);
}

/* ---- the files ---- */

/* The damaged lines are on the disk, under their name. */
static bool finish_damaged(struct rewrite *rewrite)
{
  struct output *damaged = &rewrite->damaged;
  if (damaged->fd < 0) return true;
  return output_flush(damaged) &&
         ((sys_sync(damaged->fd) == 0 && path_sync_above(rewrite->damaged_path) == 0) ||
          fail_damaged(rewrite, COMPACTING.sync));
}

static void undo_damaged(const struct rewrite *rewrite)
{
  if (rewrite->damaged.fd < 0) return;
  if (rewrite->damaged_made) sys_unlink(rewrite->damaged_path);
  else (void)sys_truncate(rewrite->damaged.fd, rewrite->damaged_from);
}

static bool name_damaged(struct rewrite *rewrite)
{
  rewrite->damaged_path = path_with_suffix(rewrite->new.place, BESIDE_DAMAGED);
  rewrite->damaged.path = rewrite->damaged_path;
  return rewrite->damaged_path != NULL;
}

static bool write_files(struct rewrite *rewrite, struct failure *failure)
{
  const struct journal *journal = &rewrite->memory->journal;
  struct replacement *new = &rewrite->new;
  failure->number = 0;
  bool done = replace_begin(new, journal->fd, journal->place) && name_damaged(rewrite) &&
              sort_out(rewrite) && replace_sync(new) && finish_damaged(rewrite) &&
              replace_rename(new, journal->place, journal->size);
  return done || (failure->number == 0 && fail(failure, COMPACTING.it));
}

/* ---- the whole ---- */

static bool run(struct rewrite *rewrite, struct failure *failure)
{
  struct journal *journal = &rewrite->memory->journal;
  if (rewrite->options.dry_run) return sort_out(rewrite) || fail(failure, "read");
  if (!write_files(rewrite, failure)) {
    undo_damaged(rewrite);
    return false;
  }
  return journal_switch(journal, rewrite->new.output.fd, failure) && journal_sync(journal, failure);
}

static bool compact_locked(struct memory *memory, const struct compact_options *options,
                           struct compaction *result, struct failure *failure)
{
  const struct output output = {.fd = -1, .doing = &COMPACTING, .failure = failure};
  struct rewrite rewrite = {.memory = memory,
                            .options = *options,
                            .result = result,
                            .new.output = output,
                            .damaged = output};
  memset(result, 0, sizeof *result);
  result->before = memory->journal.size;
  bool done = run(&rewrite, failure);
  result->after = rewrite.new.output.size;
  if (rewrite.damaged.fd >= 0) sys_close(rewrite.damaged.fd);
  replace_end(&rewrite.new);
  buf_free(&rewrite.damaged.waiting);
  table_free(&rewrite.table);
  buf_free(&rewrite.tombstones);
  buf_free(&rewrite.unescaped);
  standing_end(&rewrite.items);
  sys_free(rewrite.damaged_path);
  return done;
}

/* Takes the lock, reads all of the file and settles the index; on failure the lock is given back. */
static bool begin_compaction(struct memory *memory, struct failure *failure)
{
  struct journal *journal = &memory->journal;
  extent_restart(&journal->known); /* an edit in place may show in nothing but the bytes */
  if (!memory_lock(memory, failure)) return false;
  bool done = !journal->failed || fail_because(failure, EIO, COMPACTING.it, JOURNAL_FAILED);
  if (done && journal->size > 0 && !index_is_memory(&memory->index))
    done = fail_because(failure, EINVAL, COMPACTING.it, "it holds no record of a memory");
  if (done && memory_settle(memory, failure)) return true;
  journal_detach(journal);
  return false;
}

bool memory_compact(struct memory *memory, const struct compact_options *options,
                    struct compaction *result, struct failure *failure)
{
  if (!begin_compaction(memory, failure)) return false;
  bool done = compact_locked(memory, options, result, failure);
  journal_detach(&memory->journal);
  return done;
}
