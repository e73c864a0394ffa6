/* memory.c: ids, times and the index kept in step with the file.
 *
 * A handle that keeps the lock reads the file once. One that shares it looks at the file's size
 * before every call and reads what others have appended; if the bytes before that are not the
 * ones it knows, the file was edited in place, and is read anew. */
#include "memory/memory.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "file/window.h"
#include "json/number.h"

static const char META[] = "\n{\"meta\":{\"aish_version\":\"phase4\",\"created\":\"%\"}}\n";

/* In the place of a size: of a file that ends in a fragment, which may give way to a record of its
 * length. */
#define UNKNOWN UINT64_MAX

bool memory_init(struct memory *memory, const char *path)
{
  memset(memory, 0, sizeof *memory);
  return journal_init(&memory->journal, path);
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

static bool read_whole(struct memory *memory, struct failure *failure)
{
  memory->highest_id = memory_highest_id(memory);
  index_free(&memory->index);
  return read_on(memory, failure);
}

static bool settle(struct memory *memory, struct failure *failure)
{
  return index_settle(&memory->index, memory->journal.fd) || fail(failure, "read");
}

bool memory_reread(struct memory *memory, struct failure *failure)
{
  return read_whole(memory, failure) && settle(memory, failure);
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

static bool catch_up(struct memory *memory, struct failure *failure)
{
  bool appended;
  if (!memory->journal.changed && memory->journal.size == memory->seen) return true;
  if (!was_appended_to(memory, &appended)) return fail(failure, "read");
  return appended ? read_on(memory, failure) : read_whole(memory, failure);
}

bool memory_refresh(struct memory *memory, struct failure *failure)
{
  return journal_attach(&memory->journal, false, failure) && catch_up(memory, failure) &&
         settle(memory, failure);
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
  if (!journal_attach(&memory->journal, false, failure) || !catch_up(memory, failure)) return false;
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

enum { HEAD_SIZE = 128 }; /* the room that a line needs besides its body or its `of` */

/* `uid`: its UID_LENGTH bytes, or NULL: none. */
static void put_head(struct buf *lines, uint64_t id, const char *uid, const char *ts,
                     enum record_kind kind)
{
  put_text(lines, "{\"id\":");
  put_number(lines, id);
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

/* Takes up a line that is in the file now. If there is no memory for that, the next call reads it. */
static void take_up(struct memory *memory, const struct record *record, uint64_t offset,
                    size_t length)
{
  if (!index_take(&memory->index, record, offset, (uint32_t)length)) memory->journal.changed = true;
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
      !write_lines(memory, &offset, failure))
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
  struct buf of; /* the name that is forgotten, as it stands in the file */
  bool escaped; /* it has escapes */
  struct buf unescaped, scratch;
  struct text name; /* what it stands for; of what has neither uid nor ts, start is NULL */
  bool chosen; /* there is a name, so that others are not asked for theirs */
  bool found; /* an item has it */
  size_t left; /* so many have another */
};

static void end_forgetting(struct forgetting *forgetting)
{
  window_close(&forgetting->window);
  buf_free(&forgetting->of);
  buf_free(&forgetting->unescaped);
  buf_free(&forgetting->scratch);
}

/* Keeps a name as it stands in the file, which is how it is written. */
static bool keep_of(struct forgetting *forgetting, const struct slice *string)
{
  struct buf *of = &forgetting->of;
  forgetting->found = true;
  forgetting->escaped = string->start != NULL && string->escaped;
  of->length = 0;
  return string->start == NULL ||
         (buf_reserve(of, 1) && /* or an empty one would be at no address */
          buf_add(of, string->start, (size_t)(string->end - string->start)));
}

/* The first item's name is the one. */
static bool choose(struct forgetting *forgetting, const struct slice *string)
{
  const struct buf *of = &forgetting->of;
  forgetting->chosen = true;
  if (!keep_of(forgetting, string)) return false;
  if (string->start == NULL) return true;
  const struct slice kept = {of->data, of->data + of->length, string->escaped};
  return slice_text(&kept, &forgetting->unescaped, &forgetting->name);
}

/* False with errno. A line that is not there any more says nothing. */
static bool look_at(struct forgetting *forgetting, const struct item *item)
{
  struct record record;
  struct json_error error;
  struct text name;
  const char *line = window_line(&forgetting->window, item_offset(item), item_length(item));
  if (line == NULL) return errno == 0;
  if (record_object(line, &record, &error) == NULL) return true;
  const struct slice *string = record_name(&record);
  if (!forgetting->chosen) return choose(forgetting, string);
  if (!slice_text(string, &forgetting->scratch, &name)) return false;
  if (text_compare(name, forgetting->name) == 0) return keep_of(forgetting, string);
  forgetting->left++;
  return true;
}

static bool write_tombstone(struct memory *memory, uint64_t target,
                            const struct forgetting *forgetting, struct failure *failure)
{
  const struct buf *of = &forgetting->of;
  bool named = forgetting->name.start != NULL;
  struct record record = {.id = memory_next_id(memory),
                          .id_is_true = true,
                          .target = target,
                          .kind = KIND_FORGET,
                          .of_null = !named};
  /* Ids run out for items only; but a tombstone of its own id would retire nothing. */
  if (record.id > RECORD_ID_MAX) record.id = RECORD_ID_MAX - (target == RECORD_ID_MAX);
  if (!start_lines(memory, of->length, 1, failure)) return false;
  struct buf *lines = &memory->lines;
  uint64_t offset;
  put_head(lines, record.id, NULL, ts_now(memory), KIND_FORGET);
  put_text(lines, "\"target\":");
  put_number(lines, target);
  put_text(lines, named ? ",\"of\":\"" : ",\"of\":null");
  if (named) {
    record.of = (struct slice){of->data, of->data + of->length, forgetting->escaped};
    buf_put_bytes(lines, of->data, of->length);
    buf_put(lines, '"');
  }
  put_text(lines, "}\n");
  if (!write_lines(memory, &offset, failure)) return false;
  take_up(memory, &record, offset, 0);
  return true;
}

static bool forget_locked(struct memory *memory, uint64_t id, struct forgetting *forgetting,
                          struct failure *failure)
{
  const struct index *index = &memory->index;
  if (!settle(memory, failure)) return false;
  window_open(&forgetting->window, memory->journal.fd);
  for (const struct item *item = index_find(index, id); item != NULL;
       item = index_older_twin(index, item))
    if (!look_at(forgetting, item)) return fail(failure, "read");
  return !forgetting->found || write_tombstone(memory, id, forgetting, failure);
}

bool memory_forget(struct memory *memory, uint64_t id, const struct text *name, bool *found,
                   size_t *left, struct failure *failure)
{
  struct forgetting forgetting = {.chosen = name != NULL};
  if (name != NULL) forgetting.name = *name;
  if (!begin(memory, failure)) return false;
  bool done = forget_locked(memory, id, &forgetting, failure);
  journal_detach(&memory->journal);
  *found = forgetting.found;
  *left = forgetting.left;
  end_forgetting(&forgetting);
  return done;
}
