/* memory.c: ids, times and the index kept in step with the file.
 *
 * A handle that keeps the lock reads the file once. One that shares it looks at the file's size
 * before every call and reads what others have appended; if the bytes before that are not the
 * ones it knows, the file was edited in place, and is read anew. */
#include "memory/memory.h"

#include <string.h>

#include "base/sys.h"
#include "json/number.h"

static const char META[] = "\n{\"meta\":{\"aish_version\":\"phase4\",\"created\":\"%\"}}\n";

/* In the place of a size: of a file that ends in a fragment, which may give way to a record of its
 * length. */
#define UNKNOWN UINT64_MAX

bool memory_init(struct memory *memory, const char *path, const struct memory_options *options)
{
  memset(memory, 0, sizeof *memory);
  bool done = journal_init(&memory->journal, path);
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

uint64_t memory_next_id(const struct memory *memory)
{
  uint64_t highest = memory->index.max_id;
  return (highest > memory->highest_id ? highest : memory->highest_id) + 1;
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

struct journal *memory_journal(struct memory *memory)
{
  return &memory->journal;
}

struct index *memory_index(struct memory *memory)
{
  return &memory->index;
}

/* ---- the index and the file ---- */

static bool read_tail(struct memory *memory, char *tail, size_t *length)
{
  uint64_t end = memory->index.end;
  *length = end < MEMORY_TAIL ? (size_t)end : MEMORY_TAIL;
  ssize_t got = sys_read_at(memory->journal.fd, tail, *length, end - *length);
  if (got >= 0) *length = (size_t)got;
  return got >= 0;
}

static bool read_on(struct memory *memory, struct failure *failure)
{
  if (index_read(&memory->index, memory->journal.fd) != 0 ||
      !read_tail(memory, memory->tail, &memory->tail_length)) {
    memory->journal.changed = true; /* the index is not to be trusted */
    return fail(failure, "read");
  }
  memory->journal.changed = false;
  memory->seen = memory->index.torn ? UNKNOWN : memory->index.end;
  return true;
}

bool memory_reread(struct memory *memory, struct failure *failure)
{
  memory->highest_id = memory_next_id(memory) - 1;
  index_free(&memory->index);
  return read_on(memory, failure);
}

static bool was_appended_to(struct memory *memory, bool *appended)
{
  char tail[MEMORY_TAIL];
  size_t length;
  *appended = false;
  if (memory->journal.changed || memory->index.open_ended ||
      memory->journal.size < memory->index.end)
    return true;
  if (!read_tail(memory, tail, &length)) return false;
  *appended = length == memory->tail_length && memcmp(tail, memory->tail, length) == 0;
  return true;
}

bool memory_is_of(const struct memory *memory, const struct stat *st)
{
  return !memory->journal.changed && st->st_size > 0 && memory->seen == (uint64_t)st->st_size &&
         journal_is_untouched(&memory->journal, st);
}

bool memory_is_fresh(const struct memory *memory)
{
  return journal_is_fresh(&memory->journal);
}

bool memory_sync(struct memory *memory, struct failure *failure)
{
  return journal_sync_all(&memory->journal, failure);
}

static bool catch_up(struct memory *memory, struct failure *failure)
{
  bool appended;
  if (!memory->journal.changed && memory->journal.size == memory->seen) return true;
  if (!was_appended_to(memory, &appended)) return fail(failure, "read");
  return appended ? read_on(memory, failure) : memory_reread(memory, failure);
}

bool memory_refresh(struct memory *memory, struct failure *failure)
{
  return journal_attach(&memory->journal, false, failure) && catch_up(memory, failure);
}

bool memory_lock(struct memory *memory, struct failure *failure)
{
  if (!journal_attach(&memory->journal, true, failure)) return false;
  if (catch_up(memory, failure)) return true;
  journal_detach(&memory->journal);
  return false;
}

/* ---- writing ---- */

/* Writes memory->lines and remembers their last bytes. They are longer than MEMORY_TAIL. */
static bool write_lines(struct memory *memory, uint64_t *offset, struct failure *failure)
{
  if (!journal_append(&memory->journal, &memory->lines, offset, failure)) return false;
  memcpy(memory->tail, memory->lines.data + memory->lines.length - MEMORY_TAIL, MEMORY_TAIL);
  memory->tail_length = MEMORY_TAIL;
  memory->seen = memory->index.end = memory->journal.size;
  memory->index.torn = memory->index.open_ended = false;
  return true;
}

static bool write_meta(struct memory *memory, struct failure *failure)
{
  const char *place = strchr(META, '%');
  const char *ts = ts_now(memory);
  uint64_t offset;
  buf_reset(&memory->lines);
  bool built = buf_add(&memory->lines, META, (size_t)(place - META)) &&
               buf_add(&memory->lines, ts, TIMESTAMP_LENGTH) &&
               buf_add(&memory->lines, place + 1, strlen(place + 1));
  return built ? write_lines(memory, &offset, failure) : fail(failure, "write");
}

/* As memory_lock; and gives a new file its first line. */
static bool begin(struct memory *memory, struct failure *failure)
{
  if (!memory_lock(memory, failure)) return false;
  if (memory->journal.size > 0 || write_meta(memory, failure)) return true;
  journal_detach(&memory->journal);
  return false;
}

bool memory_open(struct memory *memory, struct failure *failure)
{
  if (!memory_refresh(memory, failure)) return false;
  if (memory->journal.size > 0) return true;
  if (!begin(memory, failure)) return false;
  journal_detach(&memory->journal);
  return true;
}

static void put_number(struct buf *lines, uint64_t number)
{
  lines->length += number_print((double)number, lines->data + lines->length);
}

static void put_text(struct buf *lines, const char *text)
{
  buf_put_bytes(lines, text, strlen(text));
}

enum { HEAD_SIZE = 128 }; /* the room that a line needs besides its body */

static void put_head(struct buf *lines, uint64_t id, const char *ts, enum record_kind kind)
{
  put_text(lines, "{\"id\":");
  put_number(lines, id);
  put_text(lines, ",\"ts\":\"");
  buf_put_bytes(lines, ts, TIMESTAMP_LENGTH);
  put_text(lines, "\",\"kind\":\"");
  put_text(lines, record_kind_name(kind));
  put_text(lines, "\",");
}

/* Makes room for `count` lines, whose ids run on from *first. Ids that a tombstone targets are left
 * out: an item of such an id would be forgotten from the beginning. */
static bool start_lines(struct memory *memory, size_t size, size_t count, uint64_t *first,
                        struct failure *failure)
{
  *first = index_untargeted(&memory->index, memory_next_id(memory), count);
  if (RECORD_ID_MAX - (*first - 1) < count)
    return fail_because(failure, EOVERFLOW, "add to", "no ids are left");
  buf_reset(&memory->lines);
  if (!buf_reserve(&memory->lines, 1 + size + count * HEAD_SIZE) ||
      !index_reserve(&memory->index, count))
    return fail(failure, "write");
  buf_put(&memory->lines, '\n');
  return true;
}

/* The lines were written from `offset` on. */
static void index_drafts(struct memory *memory, const struct draft *drafts, size_t count,
                         uint64_t id, uint64_t offset)
{
  const char *line = memory->lines.data + 1, *end = memory->lines.data + memory->lines.length;
  for (size_t i = 0; i < count; i++) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    const struct record record = {
        .id = id + i, .kind = drafts[i].kind, .members = drafts[i].members};
    index_add(&memory->index, &record, memory->ts_key, offset, (uint32_t)(newline - line));
    offset += (uint64_t)(newline + 1 - line);
    line = newline + 1;
  }
}

static bool add_locked(struct memory *memory, const struct draft *drafts, size_t count,
                       const char *bodies, uint64_t *first, struct failure *failure)
{
  size_t size = 0;
  for (size_t i = 0; i < count; i++) size += drafts[i].length;
  if (!start_lines(memory, size, count, first, failure)) return false;
  uint64_t offset;
  const char *ts = ts_now(memory);
  for (size_t i = 0; i < count; i++) {
    put_head(&memory->lines, *first + i, ts, drafts[i].kind);
    buf_put_bytes(&memory->lines, bodies, drafts[i].length);
    bodies += drafts[i].length;
  }
  if (!write_lines(memory, &offset, failure)) return false;
  index_drafts(memory, drafts, count, *first, offset);
  return index_settle(&memory->index) || fail(failure, "write");
}

bool memory_add(struct memory *memory, const struct draft *drafts, size_t count, const char *bodies,
                uint64_t *first, struct failure *failure)
{
  if (!begin(memory, failure)) return false;
  bool done = add_locked(memory, drafts, count, bodies, first, failure);
  journal_detach(&memory->journal);
  return done;
}

static bool forget_locked(struct memory *memory, uint64_t id, struct failure *failure)
{
  struct record record = {.kind = KIND_FORGET, .target = id};
  if (!start_lines(memory, 0, 1, &record.id, failure)) return false;
  struct buf *lines = &memory->lines;
  uint64_t offset;
  put_head(lines, record.id, ts_now(memory), KIND_FORGET);
  put_text(lines, "\"target\":");
  put_number(lines, id);
  put_text(lines, "}\n");
  if (!write_lines(memory, &offset, failure)) return false;
  index_add(&memory->index, &record, 0, offset, 0);
  return index_settle(&memory->index) || fail(failure, "write");
}

bool memory_forget(struct memory *memory, uint64_t id, bool *found, struct failure *failure)
{
  if (!begin(memory, failure)) return false;
  *found = index_find(&memory->index, id) != NULL;
  bool done = !*found || forget_locked(memory, id, failure);
  journal_detach(&memory->journal);
  return done;
}
