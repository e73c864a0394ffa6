/* memory.c: ids, times and the index kept in step with the file.
 *
 * A handle that keeps the lock reads the file once. One that shares it looks at the file before every
 * call and reads what others have appended. What it has read without the lock may be undone (see
 * journal.c): under the lock that is compared with the file first, so that only what is certain gives
 * an id, decides what is active, or is rewritten. Where the file is not as it was read, all of it is
 * read again. */
#include "memory/memory.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "file/format.h"
#include "json/number.h"
#include "json/quote.h"

static const char META[] = "\n{\"meta\":{\"aish_version\":\"phase4\",\"created\":\"%\"}}\n";

/* Bytes that others have written since this handle had the lock, to be compared under it: to read the
 * whole file again takes longer. */
enum { MOST_KEPT = 1 << 20 };

bool memory_init(struct memory *memory, const char *path, const struct memory_options *options)
{
  memset(memory, 0, sizeof *memory);
  bool done = journal_init(&memory->journal, path);
  memory->journal.called = "memory.jsonl";
  memory->journal.wait = options->wait;
  memory->journal.durable = options->durable;
  memory->journal.keeps_lock = !options->shared;
  return done;
}

int memory_close(struct memory *memory)
{
  index_free(&memory->index);
  buf_free(&memory->lines);
  return journal_close(&memory->journal);
}

uint64_t memory_highest_id(const struct memory *memory)
{
  uint64_t highest = memory->index.max_id;
  return highest > memory->highest_id ? highest : memory->highest_id;
}

uint64_t memory_next_id(struct memory *memory)
{
  return index_untargeted(&memory->index, memory_highest_id(memory) + 1, 1);
}

static const char *ts_now(struct memory *memory)
{
  int64_t now = sys_time();
  if (now != memory->now || memory->ts[0] == '\0') {
    timestamp_print(now, memory->ts);
    memory->ts_key = timestamp_key(memory->ts);
    memory->now = now;
  }
  return memory->ts;
}

int memory_fd(const struct memory *memory)
{
  return memory->journal.fd;
}

void memory_window(const struct memory *memory, struct window *window)
{
  window_open(window, memory->journal.fd);
  window->confirmed = memory->journal.known.confirmed;
}

struct journal *memory_journal(struct memory *memory)
{
  return &memory->journal;
}

struct index *memory_index(struct memory *memory)
{
  return &memory->index;
}

/* ---- the index and the file ---- */

/* The block was read; the beginning of a line is from `torn` on. False with errno ENOMEM. */
static bool know_block(struct extent *known, const struct block *block, const char *torn, int how)
{
  uint64_t whole = (uint64_t)(torn - block->start);
  if (block->hopeless)
    return extent_extend(known, NULL, block->size, how | (block->unfinished ? EXTENT_TORN : 0));
  if (whole > block->size) whole = block->size; /* a last object without its newline */
  if (whole > 0 && !extent_extend(known, block->start, whole, how)) return false;
  return whole == block->size || extent_extend(known, torn, block->size - whole, how | EXTENT_TORN);
}

int memory_read(struct index *index, struct extent *known, int fd, bool locked)
{
  struct reader reader;
  struct block block;
  const char *torn;
  int result;
  reader_open(&reader, fd, known->end);
  reader.locked = locked;
  while ((result = reader_next(&reader, &block)) > 0) {
    if (!index_take(index, &block, &torn) ||
        !know_block(known, &block, torn, locked ? EXTENT_CERTAIN : 0))
      break;
  }
  reader_close(&reader);
  if (result == 0) return 0;
  extent_restart(known);
  return -1;
}

static bool read_on(struct memory *memory, struct failure *failure)
{
  struct journal *journal = &memory->journal;
  if (journal->known.end == 0) index_free(&memory->index);
  if (memory_read(&memory->index, &journal->known, journal->fd, journal->locked) != 0)
    return fail(failure, "read");
  if (memory->index.has_records && !memory->index.is_memory) {
    extent_restart(&journal->known);
    return fail_because(failure, EINVAL, "open", "it holds records, but none of a memory");
  }
  return true;
}

bool memory_settle(struct memory *memory, struct failure *failure)
{
  return index_settle(&memory->index, memory->journal.fd) || fail(failure, "read");
}

bool memory_reread(struct memory *memory, struct failure *failure)
{
  extent_restart(&memory->journal.known);
  return read_on(memory, failure) && memory_settle(memory, failure);
}

/* Sets *place to how much of what is known the file still has: up to `end` at least, so that the
 * lines before it are the file's, or else 0. False and errno. */
static bool find_known(const struct journal *journal, uint64_t *place)
{
  const struct extent *known = &journal->known;
  bool kept = known->confirmed == known->size || extent_is_kept(known);
  struct stat st;
  *place = 0;
  if (journal->size < known->end) return true;
  if (journal->size > known->size && known->end == known->size && !extent_is_ended(known))
    return true;
  if (kept || (!journal->locked && known->kept.length > 0)) {
    if (!extent_compare(known, journal->fd, place)) return false;
    if (*place < known->end || (*place < known->size && !kept)) *place = 0;
    return true;
  }
  if (sys_fstat(journal->fd, &st) != 0) return false;
  if (extent_is_untouched(known, &st)) *place = known->size;
  return true;
}

bool memory_holds(const struct memory *memory)
{
  const struct extent *known = &memory->journal.known;
  uint64_t place;
  return known->confirmed == known->size ||
         (find_known(&memory->journal, &place) && place >= known->end);
}

bool memory_is_of(const struct memory *memory, const struct stat *st)
{
  const struct extent *known = &memory->journal.known;
  return st->st_size > 0 && known->size == (uint64_t)st->st_size && extent_is_untouched(known, st);
}

bool memory_is_fresh(const struct memory *memory)
{
  return extent_is_fresh(&memory->journal.known);
}

bool memory_sync(struct memory *memory, struct failure *failure)
{
  return journal_sync_all(&memory->journal, failure);
}

static bool catch_up(struct memory *memory, struct failure *failure)
{
  struct journal *journal = &memory->journal;
  struct extent *known = &journal->known;
  uint64_t place;
  if (known->confirmed == journal->size && known->size == journal->size && journal->size > 0)
    return true; /* the lock was kept, or nobody else wrote */
  if (known->size == 0) index_free(&memory->index);
  if (!find_known(journal, &place)) return fail(failure, "read");
  bool same = place == known->size;
  if (!same && place == 0 && !format_is_lines(journal->fd, journal->size, failure))
    return false; /* somebody has written it anew */
  if (!same) extent_cut(known, place > 0 ? known->end : 0);
  if ((!same || known->size != journal->size) && !read_on(memory, failure)) return false;
  known->most = MOST_KEPT; /* from now on: of a file that is opened, the first writes are many */
  if (!journal->locked) return true;
  extent_confirm(known);
  memory->highest_id = memory_highest_id(memory);
  return true;
}

bool memory_refresh(struct memory *memory, int lost, struct failure *failure)
{
  struct journal *journal = &memory->journal;
  if (lost > 0) extent_restart(&journal->known);
  if (!journal_find(journal, lost >= MEMORY_TRIES, failure)) return false;
  bool done = catch_up(memory, failure);
  journal_detach(journal);
  return done && memory_settle(memory, failure);
}

/* After an attach under the lock. */
static bool catch_up_locked(struct memory *memory, struct failure *failure)
{
  if (catch_up(memory, failure)) return true;
  journal_detach(&memory->journal);
  return false;
}

bool memory_lock(struct memory *memory, struct failure *failure)
{
  if (!journal_find(&memory->journal, true, failure)) return false;
  errno = ENOENT;
  return memory->journal.gone ? fail(failure, "open") : catch_up_locked(memory, failure);
}

/* ---- writing ---- */

static bool write_meta(struct memory *memory, struct failure *failure)
{
  const char *place = strchr(META, '%');
  const char *ts = ts_now(memory);
  uint64_t offset;
  buf_reset(&memory->lines);
  bool built = buf_add(&memory->lines, META, (size_t)(place - META)) &&
               buf_add(&memory->lines, ts, TIMESTAMP_LENGTH) &&
               buf_add(&memory->lines, place + 1, strlen(place + 1));
  memory->index.is_memory = (built || fail(failure, "write")) &&
                            journal_append(&memory->journal, &memory->lines, &offset, failure);
  return memory->index.is_memory;
}

/* As memory_lock; and makes the file with its first line, if need be. */
static bool begin(struct memory *memory, struct failure *failure)
{
  if (!journal_attach(&memory->journal, true, failure) || !catch_up_locked(memory, failure))
    return false;
  if (memory->journal.size > 0 || write_meta(memory, failure)) return true;
  journal_detach(&memory->journal);
  return false;
}

bool memory_open(struct memory *memory, struct failure *failure)
{
  if (!journal_find(&memory->journal, false, failure) || !catch_up(memory, failure)) return false;
  if (memory->journal.size > 0) return true;
  if (!begin(memory, failure)) return false;
  journal_detach(&memory->journal);
  return true;
}

static void put_id(struct buf *lines, uint64_t number)
{
  lines->length += number_print((double)number, lines->data + lines->length);
}

static void put_text(struct buf *lines, const char *text)
{
  buf_put_bytes(lines, text, strlen(text));
}

enum { HEAD_SIZE = 128 }; /* the room that a line needs besides its body */

/* `uid`: its UID_LENGTH bytes, or NULL: none. */
static void put_head(struct buf *lines, uint64_t id, const char *uid, const char *ts,
                     enum record_kind kind)
{
  put_text(lines, "{\"id\":");
  put_id(lines, id);
  if (uid != NULL) {
    put_text(lines, ",\"uid\":\"");
    buf_put_bytes(lines, uid, UID_LENGTH);
    put_text(lines, "\"");
  }
  put_text(lines, ",\"ts\":\"");
  buf_put_bytes(lines, ts, TIMESTAMP_LENGTH);
  put_text(lines, "\",\"kind\":\"");
  put_text(lines, record_kind_name(kind));
  put_text(lines, "\",");
}

/* Makes room for `count` lines. */
static bool start_lines(struct memory *memory, size_t size, size_t count, struct failure *failure)
{
  buf_reset(&memory->lines);
  if (!buf_reserve(&memory->lines, 1 + size + count * HEAD_SIZE)) return fail(failure, "write");
  buf_put(&memory->lines, '\n');
  return true;
}

/* ---- adding ---- */

/* Takes up a line that is in the file now. If there is no memory for that, the next call reads the
 * file. */
static void take_up(struct memory *memory, const struct record *record, uint64_t offset,
                    size_t length)
{
  if (record->id > memory->highest_id) memory->highest_id = record->id;
  memory->index.has_records = memory->index.is_memory = true;
  if (!index_add(&memory->index, record, offset, (uint32_t)length))
    extent_restart(&memory->journal.known);
}

/* The lines were written from `offset` on. */
static void take_up_drafts(struct memory *memory, const struct draft *drafts, size_t count,
                           uint64_t id, uint64_t offset)
{
  const char *line = memory->lines.data + 1, *end = memory->lines.data + memory->lines.length;
  for (size_t i = 0; i < count; i++) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    const struct record record = {.id = id + i,
                                  .kind = drafts[i].kind,
                                  .members = drafts[i].members,
                                  .ts_key = memory->ts_key};
    take_up(memory, &record, offset, (size_t)(newline - line));
    offset += (uint64_t)(newline + 1 - line);
    line = newline + 1;
  }
}

static bool put_drafts(struct memory *memory, const struct draft *drafts, size_t count,
                       const char *bodies, uint64_t id, struct failure *failure)
{
  const char *ts = ts_now(memory);
  for (size_t i = 0; i < count; i++) {
    char uid[UID_LENGTH];
    if (!uid_make(&memory->uids, uid)) return fail(failure, "write");
    put_head(&memory->lines, id + i, uid, ts, drafts[i].kind);
    buf_put_bytes(&memory->lines, bodies, drafts[i].length);
    bodies += drafts[i].length;
  }
  return true;
}

/* Ids that a tombstone without `of` targets are passed over: an item of such an id would be forgotten
 * from the beginning. */
static bool add_locked(struct memory *memory, const struct draft *drafts, size_t count,
                       const char *bodies, uint64_t *first, struct failure *failure)
{
  size_t size = 0;
  uint64_t offset;
  for (size_t i = 0; i < count; i++) size += drafts[i].length;
  *first = index_untargeted(&memory->index, memory_highest_id(memory) + 1, count);
  if (RECORD_ID_MAX - (*first - 1) < count)
    return fail_because(failure, EOVERFLOW, "add to", "no ids are left");
  if (!start_lines(memory, size, count, failure) ||
      !put_drafts(memory, drafts, count, bodies, *first, failure) ||
      !journal_append(&memory->journal, &memory->lines, &offset, failure))
    return false;
  take_up_drafts(memory, drafts, count, *first, offset);
  return true;
}

bool memory_add(struct memory *memory, const struct draft *drafts, size_t count, const char *bodies,
                uint64_t *first, struct failure *failure)
{
  if (!begin(memory, failure)) return false;
  bool done = add_locked(memory, drafts, count, bodies, first, failure);
  journal_detach(&memory->journal);
  return done;
}

/* ---- forgetting ---- */

/* What is told from the lines of an id's active items. */
struct forgetting {
  struct window window;
  struct buf kept, scratch;
  struct bytes name; /* which is forgotten; of what has neither uid nor ts, start is NULL */
  bool chosen; /* there is a name, so that others are not asked for theirs */
  bool found; /* an item has it */
  size_t left; /* so many have another */
};

/* The first item's name is the one. */
static bool choose_name(struct forgetting *forgetting, struct bytes name)
{
  struct buf *kept = &forgetting->kept;
  forgetting->chosen = forgetting->found = true;
  if (name.start == NULL) return true;
  if (!buf_reserve(kept, name.length + 1)) return false;
  buf_put_bytes(kept, name.start, name.length);
  forgetting->name = (struct bytes){kept->data, name.length};
  return true;
}

/* False with errno. A line that is not there any more says nothing. */
static bool look_at_name(struct forgetting *forgetting, const struct item *item)
{
  struct record record;
  struct json_error error;
  struct bytes name;
  const char *line = window_line(&forgetting->window, item_offset(item), item_length(item));
  if (line == NULL) return errno == 0;
  if (record_parse_part(line, &record, &error) == NULL) return true;
  if (!slice_bytes(record_name(&record), &forgetting->scratch, &name)) return false;
  if (!forgetting->chosen) return choose_name(forgetting, name);
  if (bytes_compare(name, forgetting->name) == 0) forgetting->found = true;
  else forgetting->left++;
  return true;
}

static bool write_tombstone(struct memory *memory, uint64_t target, struct bytes name,
                            struct failure *failure)
{
  struct record record = {.id = memory_next_id(memory),
                          .id_is_true = true,
                          .target = target,
                          .kind = KIND_FORGET,
                          .of_null = name.start == NULL};
  struct buf *lines = &memory->lines;
  uint64_t offset;
  /* Ids run out for items only; but a tombstone of its own id would retire nothing. */
  if (record.id > RECORD_ID_MAX) record.id = RECORD_ID_MAX - (target == RECORD_ID_MAX);
  if (!record.of_null) record.of = (struct slice){name.start, name.start + name.length, false};
  if (!start_lines(memory, 0, 1, failure)) return false;
  put_head(lines, record.id, NULL, ts_now(memory), KIND_FORGET);
  put_text(lines, "\"target\":");
  put_id(lines, target);
  put_text(lines, ",\"of\":");
  bool done =
      record.of_null ? buf_add(lines, "null", 4) : quote_text(lines, name.start, name.length);
  if (!(done && buf_add(lines, "}\n", 2))) return fail(failure, "write");
  if (!journal_append(&memory->journal, lines, &offset, failure)) return false;
  take_up(memory, &record, offset, 0);
  return true;
}

static bool forget_locked(struct memory *memory, uint64_t id, struct forgetting *forgetting,
                          struct failure *failure)
{
  const struct index *index = &memory->index;
  if (!memory_settle(memory, failure)) return false;
  window_open(&forgetting->window, memory->journal.fd);
  for (const struct item *item = index_find(index, id); item != NULL;
       item = index_older_twin(index, item))
    if (!look_at_name(forgetting, item)) return fail(failure, "read");
  return !forgetting->found || write_tombstone(memory, id, forgetting->name, failure);
}

bool memory_forget(struct memory *memory, uint64_t id, const struct bytes *name, bool *found,
                   size_t *left, struct failure *failure)
{
  struct forgetting forgetting = {.chosen = name != NULL};
  if (name != NULL) forgetting.name = *name;
  *found = false;
  *left = 0;
  if (!memory_lock(memory, failure)) return memory->journal.gone;
  bool done = forget_locked(memory, id, &forgetting, failure);
  journal_detach(&memory->journal);
  *found = forgetting.found;
  *left = forgetting.left;
  window_close(&forgetting.window);
  buf_free(&forgetting.kept);
  buf_free(&forgetting.scratch);
  return done;
}
