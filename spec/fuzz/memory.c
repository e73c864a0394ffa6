/* memory.c: random bytes as a memory file that two handles work on, while other programs append to
 * it, cut it, replace it and remove it. Before and after every call the file is read in the plain
 * way; what the call has changed must be exactly what it promises.
 *
 * An input is one byte of options, one that says how many calls there are, a byte for each call,
 * and the file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/hash.h"
#include "base/sys.h"
#include "fuzz.h"
#include "memory/change.h"
#include "memory/compact.h"
#include "memory/erasure.h"
#include "memory/verify.h"
#include "plain.h"

enum { LARGEST = 1 << 14, CALLS = 24, DRAFTS = 3 };

static const char META[] = "{\"meta\":{\"aish_version\":\"phase4\",\"created\":\"";

/* The file, as it is. */
struct state {
  char *bytes;
  size_t size;
  struct plain plain;
};

struct handle {
  struct memory memory;
  bool open;
};

static struct {
  const char *path, *damaged, *temporary;
  struct handle handles[2];
  bool exclusive, durable;
  uint64_t given; /* the highest id that was given since the file was last cut or replaced */
  const char *input; /* the bytes that the file began with */
  size_t input_size;
} world;

/* ---- the file ---- */

static char *slurp(const char *path, size_t *size)
{
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  *size = 0;
  if (fd < 0) return fuzz_alloc(NULL, 1);
  CHECK(fstat(fd, &st) == 0);
  char *bytes = fuzz_alloc(NULL, (size_t)st.st_size);
  CHECK(read(fd, bytes, (size_t)st.st_size) == st.st_size);
  close(fd);
  *size = (size_t)st.st_size;
  return bytes;
}

static void spill(const char *path, const char *bytes, size_t size, int flags)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
  close(fd);
}

static void look(struct state *state)
{
  state->bytes = slurp(world.path, &state->size);
  plain_read(&state->plain, state->bytes, state->size);
}

static void forget_state(struct state *state)
{
  plain_free(&state->plain);
  free(state->bytes);
}

static bool ended(const struct state *state)
{
  return state->size == 0 || state->bytes[state->size - 1] == '\n';
}

/* Whether an item is there and active, whichever of its copies stands for it. */
static bool is_kept(const struct plain_line *item, const struct state *after)
{
  for (size_t i = 0; i < after->plain.count; i++) {
    const struct plain_line *line = &after->plain.lines[i];
    if (line->active && line->size == item->size &&
        memcmp(line->bytes, item->bytes, item->size) == 0)
      return true;
  }
  return false;
}

/* Every active item is still there, but those of the id and the name of one. */
static void check_kept(const struct state *before, const struct state *after,
                       const struct plain_line *but)
{
  for (size_t i = 0; i < before->plain.count; i++) {
    const struct plain_line *line = &before->plain.lines[i];
    if (!line->active) continue;
    bool gone = but != NULL && line->id == but->id && plain_same_name(line, but);
    CHECK(is_kept(line, after) == !gone);
  }
}

/* What is in the file is what the index says. */
static void check_index(const struct index *index, const struct state *state)
{
  CHECK(index->active == state->plain.active && index->max_id == state->plain.max_id);
  for (size_t i = 0; i < state->plain.count; i++) {
    const struct plain_line *line = &state->plain.lines[i];
    if (!line->active) continue;
    const struct item *item = fuzz_item_at(index, line->offset);
    CHECK(item != NULL && item_length(item) == line->length);
    CHECK((int)(enum record_kind)item->kind == (int)line->kind);
    CHECK(item->members == (line->members < ITEM_MEMBERS_MAX ? line->members : ITEM_MEMBERS_MAX));
  }
}

/* As load_memory reads it. */
static void check_load(const struct state *state)
{
  struct index index = {0};
  struct extent known = {0};
  struct stat st;
  int fd = sys_open(world.path, SYS_READ, &st);
  if (fd < 0) return;
  CHECK(memory_read(&index, &known, fd, false) == 0 && index_settle(&index, fd));
  check_index(&index, state);
  index_free(&index);
  extent_free(&known);
  sys_close(fd);
}

/* When both keep the lock, and the file of one was replaced, the other may be on the new one. */
static bool is_held(const struct failure *failure)
{
  return world.exclusive && world.handles[0].open && world.handles[1].open && failure->held &&
         failure->number == EWOULDBLOCK;
}

/* Whether the file is no memory. */
static bool is_refused(const struct failure *failure)
{
  struct state state;
  look(&state);
  bool refused = state.plain.refused && failure->number == EINVAL;
  forget_state(&state);
  return refused;
}

static bool refresh(struct handle *handle)
{
  struct failure failure;
  bool done = memory_refresh(&handle->memory, 0, &failure); /* this may make the file */
  CHECK(done || is_held(&failure) || is_refused(&failure));
  return done;
}

static void check_handle(struct handle *handle)
{
  struct state state;
  if (!handle->open || !refresh(handle)) return;
  look(&state);
  check_index(&handle->memory.index, &state);
  CHECK(memory_next_id(&handle->memory) > state.plain.max_id);
  CHECK(memory_next_id(&handle->memory) > world.given);
  forget_state(&state);
}

/* ---- what a call appends ---- */

/* `lines` lines were appended and nothing else was changed; and the first line of a new file.
 * Returns the first of the lines. */
static const struct plain_line *check_appended(const struct state *before,
                                               const struct state *after, size_t lines)
{
  size_t glue = !ended(before), meta = before->size == 0;
  CHECK(after->size >= before->size && memcmp(after->bytes, before->bytes, before->size) == 0);
  CHECK(after->plain.count == before->plain.count + meta + lines);
  CHECK(glue == 0 || lines == 0 || after->bytes[before->size] == '\n');
  CHECK(lines + meta > 0 ? ended(after) : after->size == before->size);
  CHECK(meta == 0 || memcmp(after->bytes, META, strlen(META)) == 0);
  check_kept(before, after, NULL);
  return &after->plain.lines[before->plain.count + meta];
}

static void check_refused(const struct state *before, const struct failure *failure)
{
  struct state after;
  CHECK(failure->number == EOVERFLOW || is_held(failure) || is_refused(failure));
  look(&after);
  if (failure->number != EOVERFLOW)
    CHECK(after.size == before->size && memcmp(after.bytes, before->bytes, after.size) == 0);
  else check_appended(before, &after, 0);
  forget_state(&after);
}

static const char *const BODIES[] = {
    ",\"content\":\"a\"}\n",
    ",\"content\":\"{\\\"id\\\":1,\\\"kind\\\":\\\"fact\\\"}\\n\"}\n",
    ",\"content\":\"\",\"tags\":[\"x\",\"y\"]}\n",
    ",\"content\":\"na\xc3\xafve \xff\",\"tags\":[],\"source\":\"shell\"}\n",
};

static void add(struct handle *handle, unsigned argument, size_t count)
{
  struct state before, after;
  struct failure failure;
  struct draft drafts[DRAFTS];
  const char *bodies[DRAFTS];
  char text[512] = "";
  size_t length = 0;
  for (size_t i = 0; i < count; i++) {
    bodies[i] = BODIES[(argument + i) % 4];
    drafts[i] =
        (struct draft){.kind = KIND_FACT + (argument + i) % 3,
                       .members = 5 + (int)((argument + i) % 4 / 2 + (argument + i) % 4 / 3),
                       .start = length,
                       .length = strlen(bodies[i])};
    memcpy(text + length, bodies[i], drafts[i].length + 1);
    length += drafts[i].length;
  }
  look(&before);
  if (!memory_add(&handle->memory, drafts, count, text, &failure)) {
    check_refused(&before, &failure);
  } else {
    uint64_t first = drafts[0].id;
    look(&after);
    CHECK(first > before.plain.max_id && first > world.given && first + count - 1 <= RECORD_ID_MAX);
    const struct plain_line *line = check_appended(&before, &after, count);
    for (size_t i = 0; i < count; i++, line++) {
      size_t size = drafts[i].length;
      CHECK(plain_is_item(line) && line->id == first + i &&
            line->kind == (enum plain_kind)drafts[i].kind);
      CHECK(line->active && line->uid.length == UID_LENGTH && line->ts.length == TIMESTAMP_LENGTH);
      CHECK(memcmp(after.bytes + line->offset + line->length + 1 - size, bodies[i], size) == 0);
    }
    world.given = first + count - 1;
    forget_state(&after);
  }
  forget_state(&before);
}

/* The argument-th active item, or NULL. */
static const struct plain_line *choose(const struct state *state, unsigned argument)
{
  for (size_t i = 0, number = 0; i < state->plain.count; i++)
    if (state->plain.lines[i].active && number++ == argument / 2) return &state->plain.lines[i];
  return NULL;
}

static size_t count_left(const struct state *state, uint64_t id)
{
  size_t left = 0;
  for (size_t i = 0; i < state->plain.count; i++)
    left += state->plain.lines[i].active && state->plain.lines[i].id == id;
  return left;
}

static void check_tombstone(const struct state *before, const struct state *after, uint64_t id)
{
  const struct plain_line *line = &after->plain.lines[after->plain.count - 1];
  CHECK(plain_is_tombstone(line) && line->target == id && line->of_form != PLAIN_NO_OF);
  CHECK(before->plain.max_id >= RECORD_ID_MAX - 1 || line->id > before->plain.max_id);
  CHECK(world.given >= RECORD_ID_MAX - 1 || line->id > world.given);
  CHECK(ended(after));
  if (line->id > world.given) world.given = line->id;
}

/* The item that an update has put before its tombstone. */
static void check_update(const struct state *before, const struct state *after, uint64_t id,
                         const char *body)
{
  const struct plain_line *line = &after->plain.lines[after->plain.count - 2];
  size_t length = 1 + strcspn(body + 1, ",}"); /* of the content, or its beginning */
  CHECK(plain_is_item(line) && line->active && line->id == id && id > before->plain.max_id);
  CHECK(memmem(after->bytes + line->offset, line->length, body, length) != NULL);
  CHECK(line->uid.length == UID_LENGTH && line->ts.length == TIMESTAMP_LENGTH);
}

/* Forgets the argument-th active item itself, or the newest of its id; or puts another in its place. */
static void retire(struct handle *handle, unsigned argument, bool update)
{
  struct state before, after;
  struct failure failure;
  struct draft changes = {.kind = KIND_NONE};
  char body[256] = ""; /* SPAN_PADDING bytes behind it */
  bool found, done;
  size_t left;
  look(&before);
  const struct plain_line *chosen = choose(&before, argument);
  uint64_t id = chosen != NULL ? chosen->id : argument;
  struct bytes name = {NULL, 0};
  bool by_name = chosen != NULL && argument % 2 == 1;
  if (!by_name) chosen = plain_find(&before.plain, id);
  if (by_name && (chosen->has_uid || chosen->has_ts)) {
    const struct plain_text *text = chosen->has_uid ? &chosen->uid : &chosen->ts;
    name = (struct bytes){text->length > 0 ? text->bytes : "", text->length};
  }
  snprintf(body, sizeof body, "%s", BODIES[argument % 4]);
  const struct bytes *named = by_name ? &name : NULL;
  done = update ? memory_update(&handle->memory, id, named, &changes, body, &found, &failure)
                : memory_forget(&handle->memory, id, named, &found, &left, &failure);
  if (!done) {
    check_refused(&before, &failure);
  } else {
    look(&after);
    CHECK(found == (chosen != NULL) && (update || left == count_left(&after, id)));
    CHECK(after.size >= before.size && memcmp(after.bytes, before.bytes, before.size) == 0);
    CHECK(after.plain.count == before.plain.count + (found ? 1 + update : 0));
    CHECK(found || after.size == before.size);
    check_kept(&before, &after, chosen);
    if (found && update) check_update(&before, &after, changes.id, body);
    if (found) check_tombstone(&before, &after, id);
    forget_state(&after);
  }
  forget_state(&before);
}

/* ---- compaction ---- */

/* What the two files are to be. */
struct expected {
  struct plain_text kept, damaged;
};

static void put(struct plain_text *text, const char *bytes, size_t size)
{
  text->bytes = fuzz_alloc(text->bytes, text->length + size + 1);
  memcpy(text->bytes + text->length, bytes, size);
  text->bytes[text->length + size] = '\n';
  text->length += size + 1;
}

struct highest {
  uint64_t id, record, mark; /* of any record; of an item, a tombstone or a mark; of a mark */
};

static void raise_highest(struct highest *highest, const struct plain_line *line)
{
  bool mark = plain_is_mark(line),
       counted = plain_is_item(line) || plain_is_tombstone(line) || mark;
  if (line->id > highest->id) highest->id = line->id;
  if (mark && line->id > highest->mark) highest->mark = line->id;
  if (counted && line->id > highest->record) highest->record = line->id;
}

static uint64_t text_hash(const struct state *state, const struct plain_line *line)
{
  static const struct hash_key key = {0, 0};
  return hash_text(&key, state->bytes + line->offset, line->length);
}

/* Whether one of two tombstones that say the same is kept rather than the other. One that targets
 * itself says nothing. */
static bool is_before(const struct state *state, const struct plain_line *a,
                      const struct plain_line *b)
{
  bool a_last = a->id == a->target, b_last = b->id == b->target;
  if (a_last != b_last) return b_last;
  if (a->id != b->id) return a->id < b->id;
  uint64_t a_hash = text_hash(state, a), b_hash = text_hash(state, b);
  return a_hash != b_hash ? a_hash < b_hash : a < b;
}

static bool is_chosen(const struct state *before, const struct plain_line *line)
{
  for (size_t i = 0; i < before->plain.count; i++) {
    const struct plain_line *other = &before->plain.lines[i];
    if (other != line && plain_is_tombstone(other) && plain_same_target(other, line) &&
        is_before(before, other, line))
      return false;
  }
  return true;
}

/* Puts a record where it belongs: in the new file, or nowhere. */
static void expect_record(struct expected *expected, const struct state *before,
                          const struct plain_line *line, const struct highest *highest,
                          struct highest *kept)
{
  bool wanted = true;
  if (plain_is_item(line)) wanted = line->active && line->item;
  else if (plain_is_tombstone(line)) wanted = is_chosen(before, line);
  else if (plain_is_mark(line)) wanted = line->id == highest->mark && kept->mark != line->id;
  if (!wanted) return;
  put(&expected->kept, before->bytes + line->offset, line->length);
  raise_highest(kept, line);
}

static void expect_mark(struct expected *expected, uint64_t id)
{
  char text[128];
  int length =
      snprintf(text, sizeof text,
               "{\"id\":%llu,\"ts\":\"YYYY-MM-DDTHH:MM:SSZ\",\"kind\":\"forget\",\"target\":0}",
               (unsigned long long)id);
  put(&expected->kept, text, (size_t)length);
}

static void expect(struct expected *expected, const struct state *before, uint64_t given)
{
  struct highest highest = {given, 0, 0}, kept = {0, 0, 0};
  for (size_t i = 0; i < before->plain.count; i++) raise_highest(&highest, &before->plain.lines[i]);
  for (size_t i = 0; i < before->plain.count; i++) {
    const struct plain_line *line = &before->plain.lines[i];
    if (line->verdict == PLAIN_BLANK) continue;
    if (line->verdict == PLAIN_OBJECT) expect_record(expected, before, line, &highest, &kept);
    else put(&expected->damaged, before->bytes + line->offset, line->length);
  }
  if (kept.id < highest.id) expect_mark(expected, highest.id);
  else if (kept.record < highest.record) expect_mark(expected, highest.record);
}

/* But for the time of a tombstone that was written last. */
static void check_compacted(const struct state *after, const struct expected *expected)
{
  static const char time[] = "YYYY-MM-DDTHH:MM:SSZ";
  CHECK(after->size == expected->kept.length);
  for (size_t i = 0; i < after->size; i++) {
    if (after->size - i > strlen(time) && memcmp(expected->kept.bytes + i, time, strlen(time)) == 0)
      i += strlen(time);
    CHECK(after->bytes[i] == expected->kept.bytes[i]);
  }
  CHECK(after->plain.torn == 0 && after->plain.damaged == 0 && ended(after));
}

static void compact(struct handle *handle, bool dry_run)
{
  struct state before, after;
  struct failure failure;
  struct compaction result, plan;
  struct compact_options options = {.dry_run = true, .tombstones = true};
  struct expected expected = {{0}, {0}};
  size_t damaged_before, damaged_after;
  if (!refresh(handle)) return;
  uint64_t highest = memory_highest_id(&handle->memory);
  look(&before);
  int refusal = access(world.path, F_OK) != 0 ? ENOENT : EINVAL;
  if (refusal == ENOENT || (before.size > 0 && !before.plain.is_memory)) {
    CHECK(!memory_compact(&handle->memory, &options, &plan, &failure) && failure.number == refusal);
    forget_state(&before);
    return;
  }
  char *old = slurp(world.damaged, &damaged_before);
  CHECK(memory_compact(&handle->memory, &options, &plan, &failure));
  look(&after);
  CHECK(after.size == before.size &&
        (after.size == 0 || memcmp(after.bytes, before.bytes, before.size) == 0));
  CHECK(plan.before == before.size && plan.damaged == before.plain.torn + before.plain.damaged);
  if (!dry_run) {
    options.dry_run = false;
    CHECK(memory_compact(&handle->memory, &options, &result, &failure));
    forget_state(&after);
    look(&after);
    CHECK(memcmp(&plan, &result, sizeof plan) == 0 && result.after == after.size);
    expect(&expected, &before, highest);
    check_compacted(&after, &expected);
    char *new = slurp(world.damaged, &damaged_after);
    CHECK(damaged_after == damaged_before + expected.damaged.length);
    CHECK(damaged_before == 0 || memcmp(new, old, damaged_before) == 0);
    CHECK(expected.damaged.length == 0 ||
          memcmp(new + damaged_before, expected.damaged.bytes, expected.damaged.length) == 0);
    CHECK(access(world.temporary, F_OK) != 0);
    free(new);
  }
  free(old);
  free(expected.kept.bytes);
  free(expected.damaged.bytes);
  forget_state(&before);
  forget_state(&after);
}

/* ---- erasing ---- */

enum { LONGEST_TEXT = 3 };

static struct {
  char text[LONGEST_TEXT];
  size_t size;
  struct plain_text out; /* what the file is to be */
  const char *copied; /* up to here it has what was there before */
  size_t found;
} erasing;

static bool holds(const char *bytes, size_t size)
{
  return memmem(bytes, size, erasing.text, erasing.size) != NULL;
}

static void put_bytes(const char *bytes, size_t size)
{
  struct plain_text *out = &erasing.out;
  out->bytes = fuzz_alloc(out->bytes, out->length + size + 1);
  memcpy(out->bytes + out->length, bytes, size);
  out->length += size;
}

/* Puts what is before `from`, and goes on behind `to`. */
static void expect_gap(const char *from, const char *to)
{
  put_bytes(erasing.copied, (size_t)(from - erasing.copied));
  erasing.copied = to;
}

static void expect_string(const struct plain_cursor *cursor)
{
  struct plain_text new = {0}, quoted = {0};
  const char *p = cursor->string.bytes, *end = p + cursor->string.length, *place;
  if (cursor->type != '"' || cursor->p[strspn(cursor->p, " \t\r")] == ':') return;
  if (cursor->string.length == 0 || !holds(p, cursor->string.length)) return;
  expect_gap(cursor->start, cursor->p);
  new.bytes = fuzz_alloc(NULL, (size_t)(end - p) + 1);
  while ((place = memmem(p, (size_t)(end - p), erasing.text, erasing.size)) != NULL) {
    memcpy(new.bytes + new.length, p, (size_t)(place - p));
    new.length += (size_t)(place - p);
    new.bytes[new.length++] = '#';
    p = place + erasing.size;
    erasing.found++;
  }
  memcpy(new.bytes + new.length, p, (size_t)(end - p));
  new.length += (size_t)(end - p);
  plain_quote(&quoted, new.bytes, new.length);
  put_bytes(quoted.bytes, quoted.length);
  free(new.bytes);
  free(quoted.bytes);
}

static bool is_key(const struct plain_cursor *cursor, const char *name)
{
  const struct plain_text *key = &cursor->string;
  return key->length == strlen(name) && memcmp(key->bytes, name, key->length) == 0;
}

static bool is_own(const struct plain_cursor *cursor)
{
  static const char *const names[] = {"id", "uid", "ts", "kind", "target", "of", "role"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (is_key(cursor, names[i])) return true;
  return false;
}

static void put_rev(uint64_t rev, const char *before)
{
  char text[64];
  int length = snprintf(text, sizeof text, "%s%llu", before, (unsigned long long)rev);
  put_bytes(text, (size_t)length);
}

/* What becomes of a record; `rev`: its next one, or 0. */
static void expect_members(const struct plain_line *line, uint64_t rev)
{
  struct plain_cursor c = {.p = line->bytes + 1, .end = line->bytes + line->size};
  bool has_rev = false, more = c.p[strspn(c.p, " \t\r")] != '}';
  while (more) {
    (void)plain_json(&c); /* true only at the end */
    CHECK(*c.p == ':');
    bool own = is_own(&c), is_rev = rev > 0 && is_key(&c, "rev");
    const char *value = c.p + 1 + strspn(c.p + 1, " \t\r");
    c.p = value;
    c.visit = is_rev || (own && *value == '"') ? NULL : expect_string;
    (void)plain_json(&c);
    const char *end = c.p;
    while (strchr(" \t\r", end[-1]) != NULL) end--;
    if (is_rev) expect_gap(value, end), put_rev(rev, "");
    has_rev = has_rev || is_rev;
    c.visit = NULL;
    more = *c.p++ == ',';
  }
  const char *last = line->bytes + line->size - 1;
  if (rev > 0 && !has_rev) expect_gap(last, last), put_rev(rev, ",\"rev\":");
  expect_gap(last + 1, last + 1);
  free(c.string.bytes);
}

/* Whether text is erased from a record. It gets a `rev` also with one of its name. */
static bool expect_object(const struct plain_line *line, bool revised)
{
  const size_t length = erasing.out.length, found = erasing.found;
  const char *copied = erasing.copied;
  uint64_t rev = line->rev < RECORD_ID_MAX ? line->rev + 1 : line->rev;
  expect_members(line, line->item ? rev : 0);
  if (erasing.found > found || revised) return erasing.found > found;
  erasing.out.length = length;
  erasing.copied = copied;
  return false;
}

static bool is_damaged_with(const struct state *state, const struct plain_line *line)
{
  enum { PADDING = 16 };
  const size_t size = line->length;
  char *text = fuzz_alloc(NULL, size + PADDING), *decoded = fuzz_alloc(NULL, size + 1);
  memset(text, '\n', size + PADDING);
  memcpy(text, state->bytes + line->offset, size);
  bool held = holds(text, size) || holds(decoded, escape_decode_all(text, text + size, decoded));
  free(text);
  free(decoded);
  return held;
}

/* Whether text is to be erased from a record; nothing is put. */
static bool is_erased(const struct plain_line *line)
{
  const size_t length = erasing.out.length;
  const char *copied = erasing.copied;
  erasing.copied = line->bytes;
  bool erased = expect_object(line, false);
  erasing.out.length = length;
  erasing.copied = copied;
  return erased;
}

static bool is_revised(const struct state *state, const struct plain_line *line)
{
  const struct plain *plain = &state->plain;
  for (size_t i = 0; line->item && i < plain->count; i++) {
    const struct plain_line *other = &plain->lines[i];
    if (other->item && other->id == line->id && other->has_uid == line->has_uid &&
        plain_same_name(other, line) && is_erased(other))
      return true;
  }
  return false;
}

/* Whether what is damaged goes with the record that changes next on its line. */
static bool goes_with_next(const struct state *state, const struct plain_line *part, size_t left)
{
  for (; left > 0; part++, left--) {
    if (part->verdict != PLAIN_OBJECT) continue;
    if (is_erased(part)) return true;
    if (is_revised(state, part)) return false;
  }
  return false;
}

/* What becomes of the parts of a line, `count` of them. */
static void expect_line(const struct state *state, const struct plain_line *parts, size_t count)
{
  bool erased = false; /* of what stands before */
  for (size_t i = 0; i < count; i++) {
    const char *start = state->bytes + parts[i].offset, *end = start + parts[i].length;
    if (parts[i].verdict == PLAIN_OBJECT) {
      erased |= expect_object(&parts[i], is_revised(state, &parts[i]));
    } else if (erased || is_damaged_with(state, &parts[i]) ||
               goes_with_next(state, &parts[i] + 1, count - i - 1)) {
      expect_gap(start, count == 1 && end < state->bytes + state->size ? end + 1 : end);
      erased |= is_damaged_with(state, &parts[i]);
    }
  }
}

static void expect_erased(const struct state *before)
{
  const struct plain *plain = &before->plain;
  erasing.out.length = erasing.found = 0;
  erasing.copied = before->bytes;
  for (size_t i = 0, next = 0; i < plain->count; i = next) {
    while (next < plain->count && plain->lines[next].number == plain->lines[i].number) next++;
    if (plain->lines[i].verdict != PLAIN_BLANK) expect_line(before, &plain->lines[i], next - i);
  }
  expect_gap(before->bytes + before->size, NULL);
}

/* Whether a file was left as it was since what was to be written would be refused from then on. */
static bool would_be_refused(const struct state *before, const struct state *after,
                             const struct failure *failure)
{
  struct plain plain;
  if (failure->number != EINVAL || after->size != before->size ||
      memcmp(after->bytes, before->bytes, after->size) != 0)
    return false;
  if (!before->plain.is_memory) return true;
  expect_erased(before);
  plain_read(&plain, erasing.out.bytes, erasing.out.length);
  bool refused = plain.refused;
  plain_free(&plain);
  return refused;
}

/* A few bytes of the input, which become another. */
static void erase(struct handle *handle, unsigned argument)
{
  struct state before, after;
  struct failure failure;
  struct literal literal = {.replacement = {NULL, 0}};
  size_t from = world.input_size > 0 ? argument * 31 % world.input_size : 0;
  size_t size = 1 + argument % LONGEST_TEXT, damaged_size;
  if (world.input_size - from < size || memchr(world.input + from, '#', size) != NULL) return;
  memcpy(erasing.text, world.input + from, erasing.size = size);
  literal_set(&literal, (struct bytes){erasing.text, size}, (struct bytes){"#", 1});
  struct purge purge = {.literal = &literal,
                        .is_memory = file_is_memory,
                        .reword = {literal_replace, &literal, true, {NULL, 0, 0}}};
  look(&before);
  bool done = erase_file(&purge, &handle->memory.journal, &failure);
  look(&after);
  CHECK(done || failure.number == ENOENT || is_held(&failure) || is_refused(&failure) ||
        would_be_refused(&before, &after, &failure));
  if (done && before.plain.is_memory) {
    expect_erased(&before);
    CHECK(after.size == erasing.out.length &&
          (after.size == 0 || memcmp(after.bytes, erasing.out.bytes, after.size) == 0));
    char *damaged = slurp(world.damaged, &damaged_size);
    CHECK(damaged_size == 0 || memchr(erasing.text, '\n', size) || !holds(damaged, damaged_size));
    free(damaged);
  }
  purge_free(&purge);
  literal_free(&literal);
  forget_state(&before);
  forget_state(&after);
}

/* ---- other programs ---- */

static void check_both(void)
{
  check_handle(&world.handles[0]);
  check_handle(&world.handles[1]);
}

/* Bytes of the input, which begin at any place. */
static void other_appends(unsigned argument)
{
  size_t from = world.input_size > 0 ? argument * 37 % world.input_size : 0;
  size_t size = world.input_size - from < 80 ? world.input_size - from : 80;
  spill(world.path, world.input + from, size, O_APPEND);
}

static void other_adds(unsigned argument)
{
  struct state state;
  char line[128];
  look(&state);
  uint64_t id = state.plain.max_id + argument;
  int length = snprintf(line, sizeof line, "\n{\"id\":%llu,\"kind\":\"%s\",\"target\":%u}\n",
                        (unsigned long long)id, argument % 2 ? "pref" : "forget", argument);
  spill(world.path, line + ended(&state), (size_t)length - ended(&state), O_APPEND);
  forget_state(&state);
}

static void other_cuts(unsigned argument)
{
  struct stat st;
  if (stat(world.path, &st) != 0) return;
  check_both();
  off_t less = 1 + (off_t)argument * 5;
  CHECK(truncate(world.path, st.st_size > less ? st.st_size - less : 0) == 0);
  world.given = 0;
  check_both(); /* or what is appended next may hide it */
}

static void other_replaces(unsigned argument)
{
  check_both();
  spill(world.temporary, world.input, world.input_size / (1 + argument % 3), O_TRUNC);
  CHECK(rename(world.temporary, world.path) == 0);
  world.given = 0;
}

static void other_removes(void)
{
  check_both();
  unlink(world.path);
  world.given = 0;
}

/* ---- handles ---- */

static void open_handle(struct handle *handle)
{
  struct failure failure;
  const struct memory_options options = {.durable = world.durable, .shared = !world.exclusive};
  CHECK(memory_init(&handle->memory, world.path, &options));
  bool done = memory_open(&handle->memory, &failure);
  handle->open = true;
  CHECK(done || is_held(&failure) || is_refused(&failure));
  if (done) return;
  memory_close(&handle->memory);
  handle->open = false;
}

static void close_handle(struct handle *handle)
{
  if (handle->open) CHECK(memory_close(&handle->memory) == 0);
  handle->open = false;
}

static void reopen(struct handle *handle)
{
  struct state before, after;
  close_handle(handle);
  look(&before);
  open_handle(handle);
  look(&after);
  if (handle->open) check_appended(&before, &after, 0);
  forget_state(&before);
  forget_state(&after);
}

static void verify_file(void)
{
  struct state state;
  struct verify_report report;
  struct stat st;
  int fd = sys_open(world.path, SYS_READ, &st);
  if (fd < 0) return;
  look(&state);
  CHECK(verify(fd, &report) == 0);
  CHECK(report.bytes == state.size && report.lines == state.plain.numbers &&
        report.active == state.plain.active);
  CHECK(report.torn == state.plain.torn && report.damaged == state.plain.damaged);
  buf_free(&report.problems);
  forget_state(&state);
  sys_close(fd);
}

/* ---- the target ---- */

static void call(unsigned byte)
{
  unsigned argument = byte >> 4;
  struct handle *handle = &world.handles[argument % 2];
  switch (byte & 15) {
  case 8:
    other_appends(argument);
    return;
  case 9:
    other_adds(argument);
    return;
  case 10:
    other_cuts(argument);
    return;
  case 11:
    other_replaces(argument);
    return;
  case 12:
    other_removes();
    return;
  case 13:
    verify_file();
    return;
  case 14:
    reopen(handle);
    return;
  default:
    break;
  }
  if (!handle->open) open_handle(handle);
  if (!handle->open) return;
  switch (byte & 15) {
  case 0:
  case 1:
    retire(handle, argument, (argument & 4) != 0);
    break;
  case 2:
    compact(handle, false);
    break;
  case 3:
    compact(handle, true);
    break;
  case 4:
    add(handle, argument, DRAFTS);
    break;
  case 5:
    check_handle(handle);
    break;
  case 15:
    erase(handle, argument);
    break;
  default:
    add(handle, argument, 1);
  }
}

static void begin(const char *bytes, size_t size)
{
  static char path[4200], damaged[4300], temporary[4300];
  const char *directory = fuzz_directory();
  fuzz_empty_directory();
  snprintf(path, sizeof path, "%s/memory.jsonl", directory);
  snprintf(damaged, sizeof damaged, "%s.damaged", path);
  snprintf(temporary, sizeof temporary, "%s.compact", path);
  world.path = path;
  world.damaged = damaged;
  world.temporary = temporary;
  world.given = 0;
  world.input = bytes;
  world.input_size = size;
  if (size > 0) spill(path, bytes, size, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 2 || size > LARGEST) return 0;
  fuzz_block = LARGEST; /* enough for every line, and soon allocated */
  size_t calls = data[1] % CALLS;
  if (calls > size - 2) calls = size - 2;
  int descriptor = fuzz_next_descriptor();
  world.exclusive = data[0] & 1;
  world.durable = data[0] & 2;
  begin((const char *)data + 2 + calls, size - 2 - calls);
  for (size_t i = 0; i < calls; i++) {
    call(data[2 + i]);
    struct state state;
    look(&state);
    check_load(&state);
    forget_state(&state);
  }
  check_both();
  close_handle(&world.handles[0]);
  close_handle(&world.handles[1]);
  CHECK(fuzz_next_descriptor() == descriptor);
  return 0;
}
