/* change.c: each change is decided under the lock and is one write, and the index follows it. An update
 * puts the new item before the tombstone of the old one, so that a write that is cut short leaves the
 * old item, or both, and never neither. */
#include "memory/change.h"

#include "base/sys.h"
#include "base/word.h"
#include "json/number.h"
#include "json/quote.h"
#include "base/hidden.h"

/* ---- lines ---- */

static const size_t HEAD_SIZE = 128; /* the room that a line needs besides its body */

static inline char *copy_out(char *out, const char *text, size_t length)
{
  memcpy(out, text, length);
  return out + length;
}

#define PUT(out, literal) copy_out((out), (literal), sizeof(literal) - 1)

/* Puts one of the 62^8 names of letters and digits, all equally likely: from the pseudorandom numbers of
 * splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), with
 * a random seed. Six bits make a character; two of their 64 values are none, and a number that has one of
 * these is thrown away. False with errno. */
static bool put_uid(struct memory *memory, char *out)
{
  const uint64_t ones = 0x0101010101010101U;
  uint64_t word;
  if (!memory->has_uids && sys_random(&memory->uids, sizeof memory->uids) != 0) return false;
  memory->has_uids = true;
  do {
    word = memory->uids += 0x9e3779b97f4a7c15U;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9U;
    word = (word ^ word >> 27) * 0x94d049bb133111ebU;
    word = (word ^ word >> 31) & ones * 63;
  } while (((word + ones * 2) & ones * 64) != 0);
  /* In each byte: from 26 on a small letter, from 52 on a digit. */
  uint64_t small = (word + ones * (128 - 26)) >> 7 & ones;
  uint64_t digit = (word + ones * (128 - 52)) >> 7 & ones;
  word += ones * 'A' + small * ('a' - 26 - 'A') - digit * ('a' - 26 - ('0' - 52));
  word_store(word, out);
  return true;
}

/* Begins a line, for whose head there is room; only items have a uid. False with errno. */
static bool put_head(struct memory *memory, uint64_t id, enum record_kind kind)
{
  struct buf *lines = &memory->lines;
  const struct bytes name = record_kind_name(kind);
  char *out = PUT(lines->data + lines->length, "{\"id\":");
  out += number_print_whole(id, out);
  if (kind != KIND_FORGET) {
    out = PUT(out, ",\"uid\":\"");
    if (!put_uid(memory, out)) return false;
    out = PUT(out + UID_LENGTH, "\"");
  }
  out = PUT(out, ",\"ts\":\"");
  out = copy_out(out, memory_ts(memory), TIMESTAMP_LENGTH);
  out = PUT(out, "\",\"kind\":\"");
  out = copy_out(out, name.start, name.length);
  out = PUT(out, "\"");
  lines->length = (size_t)(out - lines->data);
  return true;
}

/* Makes room for `count` heads, and bodies of `size` bytes. */
static bool start_lines(struct memory *memory, size_t size, size_t count)
{
  buf_reset(&memory->lines);
  if (!buf_reserve(&memory->lines, 1 + size + count * HEAD_SIZE)) return false;
  buf_put(&memory->lines, '\n');
  return true;
}

bool memory_put_mark(struct memory *memory, uint64_t id)
{
  static const char rest[] = ",\"target\":0}\n";
  return start_lines(memory, 0, 1) && put_head(memory, id, KIND_FORGET) &&
         buf_add(&memory->lines, rest, sizeof rest - 1);
}

/* ---- what was written ---- */

/* Takes up the line of `length` bytes at *offset, and goes to the next. If there is no memory for it, the
 * next call reads the file. */
static void take_up(struct memory *memory, const struct record *record, size_t length,
                    uint64_t *offset)
{
  if (record->id > memory->highest_id) memory->highest_id = record->id;
  memory->index.kind = FILE_ITEMS;
  if (!index_add(&memory->index, record, *offset, (uint32_t)length - 1))
    extent_restart(&memory->journal.known);
  *offset += length;
}

/* Takes up all lines that were put, behind which is padding. */
static void take_up_lines(struct memory *memory, uint64_t offset)
{
  const char *line = memory->lines.data + 1, *end = line - 1 + memory->lines.length, *newline;
  struct record record;
  for (; line < end && (newline = record_parse(line, &record)) != NULL; line = newline + 1)
    take_up(memory, &record, (size_t)(newline + 1 - line), &offset);
}

/* ---- what is there already ---- */

struct finding {
  struct index *index;
  struct draft *drafts;
  const char *bodies;
  struct window window;
  struct buf decoded, other;
  struct table batch; /* the numbers of the drafts that are not there */
};

static struct slice raw_content(const struct draft *draft, const char *bodies)
{
  const char *start = bodies + draft->start + strlen(DRAFT_BEGINNING);
  bool escaped = memchr(start, '\\', draft->content) != NULL;
  return (struct slice){start, start + draft->content, escaped};
}

/* Before the lock is taken; prefetches their slots. False with errno. */
static bool hash_drafts(struct memory *memory, struct draft *drafts, size_t count,
                        const char *bodies)
{
  struct contents *contents = &memory->index.contents;
  struct bytes content;
  if (!memory->has_key && sys_random(&memory->key, sizeof memory->key) != 0) return false;
  memory->has_key = true;
  contents->key = memory->key;
  for (size_t i = 0; i < count; i++) {
    const struct slice raw = raw_content(&drafts[i], bodies);
    if (!slice_bytes(&raw, &memory->lines, &content)) return false;
    drafts[i].hash = contents_hash(contents, drafts[i].kind, content);
    table_expect(&contents->table, drafts[i].hash);
  }
  return true;
}

/* Whether an active item has the draft's kind and content. False with errno. */
static bool find_item(struct finding *finding, struct draft *draft)
{
  struct index *index = finding->index;
  const struct contents *contents = &index->contents;
  struct bytes content;
  for (uint32_t next = contents_last(contents, draft->hash); next > 0 && !draft->present;
       next = contents_before(contents, next - 1)) {
    const struct slice raw = raw_content(draft, finding->bodies);
    if (!slice_bytes(&raw, &finding->decoded, &content)) return false;
    int same =
        contents_compare(index, next - 1, &finding->window, draft->kind, content, &finding->other);
    if (same < 0) return false;
    draft->present = same > 0;
    draft->id = index->items[next - 1].id;
  }
  return true;
}

/* All drafts are written in one way, so that their contents are compared as they stand. */
static void find_draft(struct finding *finding, struct draft *draft)
{
  struct probe probe = table_probe(&finding->batch, draft->hash);
  const char *bodies = finding->bodies;
  while (draft->same == NULL && probe_next(&probe, &finding->batch)) {
    const struct draft *other = &finding->drafts[probe.number];
    if (other->kind == draft->kind && other->content == draft->content &&
        memcmp(bodies + other->start, bodies + draft->start,
               strlen(DRAFT_BEGINNING) + draft->content) == 0)
      draft->same = other;
  }
}

/* Finds the drafts whose kind and content an active item has, or a draft before them. */
static bool find_present(struct memory *memory, struct draft *drafts, size_t count,
                         const char *bodies, struct failure *failure)
{
  if (!memory_settle(memory, failure)) return false;
  struct finding finding = {.index = &memory->index, .drafts = drafts, .bodies = bodies};
  memory_window(memory, &finding.window);
  memory->index.contents.key = memory->key;
  bool done = contents_take_up(finding.index, &finding.window, &finding.other);
  for (size_t i = 0; done && i < count; i++) {
    done = find_item(&finding, &drafts[i]);
    if (!done || drafts[i].present || count == 1) continue;
    find_draft(&finding, &drafts[i]);
    if (drafts[i].same == NULL) done = table_put(&finding.batch, drafts[i].hash, (uint32_t)i);
  }
  window_close(&finding.window);
  buf_free(&finding.decoded);
  buf_free(&finding.other);
  table_free(&finding.batch);
  return done || fail(failure, "read");
}

/* ---- adding ---- */

/* The first of `count` ids in a row. Those that a tombstone without `of` targets are passed over: an item
 * of such an id would be forgotten from the beginning. */
static bool next_ids(struct memory *memory, size_t count, uint64_t *first, struct failure *failure)
{
  *first = tombstones_pass_over(&memory->index.tombstones, memory_highest_id(memory) + 1, count);
  return RECORD_ID_MAX - (*first - 1) >= count ||
         fail_because(failure, EOVERFLOW, "add to", "no ids are left");
}

static bool is_fresh(const struct draft *draft)
{
  return !draft->present && draft->same == NULL;
}

static bool put_drafts(struct memory *memory, struct draft *drafts, size_t count,
                       const char *bodies, uint64_t id)
{
  const struct draft *last = &drafts[count - 1];
  if (!start_lines(memory, last->start + last->length, count)) return false;
  for (struct draft *draft = drafts; draft <= last; draft++) {
    if (!is_fresh(draft)) continue;
    size_t start = memory->lines.length;
    draft->id = id++;
    if (!put_head(memory, draft->id, draft->kind)) return false;
    buf_put_bytes(&memory->lines, bodies + draft->start, draft->length);
    draft->line = memory->lines.length - start;
  }
  return true;
}

/* Keeps the contents in step, if they are. */
static void take_up_draft(struct memory *memory, const struct draft *draft, uint64_t *offset)
{
  struct index *index = &memory->index;
  struct record *record = &memory->added;
  record->id = draft->id;
  record->kind = draft->kind;
  record->members = draft->members;
  record->ts_key = memory->ts_key;
  take_up(memory, record, draft->line, offset);
  if (memory->unique && contents_count(&index->contents) + 1 == index->count)
    (void)contents_put(index, draft->hash); /* else it is taken up the next time */
}

static bool append_drafts(struct memory *memory, struct draft *drafts, size_t count, size_t fresh,
                          const char *bodies, struct failure *failure)
{
  uint64_t first, offset;
  if (!next_ids(memory, fresh, &first, failure)) return false;
  if (!put_drafts(memory, drafts, count, bodies, first)) return fail(failure, "write");
  if (!journal_append(&memory->journal, &memory->lines, &offset, failure)) return false;
  for (size_t i = 0; i < count; i++)
    if (is_fresh(&drafts[i])) take_up_draft(memory, &drafts[i], &offset);
  return true;
}

/* Where all are present, what others have written without syncing it is acknowledged too. */
static bool add_locked(struct memory *memory, struct draft *drafts, size_t count,
                       const char *bodies, struct failure *failure)
{
  size_t fresh = count;
  if (memory->unique && !find_present(memory, drafts, count, bodies, failure)) return false;
  for (size_t i = 0; memory->unique && i < count; i++) fresh -= !is_fresh(&drafts[i]);
  if (fresh == 0) return !memory->journal.durable || journal_sync(&memory->journal, failure);
  if (!append_drafts(memory, drafts, count, fresh, bodies, failure)) return false;
  for (size_t i = 0; fresh < count && i < count; i++) {
    if (drafts[i].same == NULL) continue;
    drafts[i].id = drafts[i].same->id;
    drafts[i].present = true;
  }
  return true;
}

bool memory_add(struct memory *memory, struct draft *drafts, size_t count, const char *bodies,
                struct failure *failure)
{
  if (memory->unique && !hash_drafts(memory, drafts, count, bodies)) return fail(failure, "write");
  if (!memory_begin(memory, failure)) return false;
  bool done = add_locked(memory, drafts, count, bodies, failure);
  if (!index_is_memory(&memory->index))
    extent_restart(&memory->journal.known); /* it has not become one */
  journal_detach(&memory->journal);
  return done;
}

/* ---- choosing ---- */

/* One of an id's active items, by what is told from their lines. */
struct choice {
  struct window window;
  struct buf kept, scratch;
  struct bytes name; /* the chosen one's; of what has neither uid nor ts, start is NULL */
  bool named; /* there is a name, so that others are not asked for theirs */
  const struct item *item; /* the first that has it, or NULL */
  size_t left; /* how many have another */
};

/* The first item's name is the one. */
static bool choose_name(struct choice *choice, struct bytes name)
{
  choice->named = true;
  if (name.start == NULL) return true;
  if (!buf_reserve(&choice->kept, name.length + 1)) return false;
  buf_put_bytes(&choice->kept, name.start, name.length);
  choice->name = (struct bytes){choice->kept.data, name.length};
  return true;
}

/* False with errno. A line that is not there any more says nothing. */
static bool look_at_name(struct choice *choice, const struct item *item)
{
  struct record record;
  struct bytes name;
  const char *line = window_line(&choice->window, item->offset, item_length(item));
  if (line == NULL) return errno == 0;
  if (record_parse_part(line, &record) == NULL) return true;
  if (!slice_bytes(record_name(&record), &choice->scratch, &name)) return false;
  if (!choice->named && !choose_name(choice, name)) return false;
  if (bytes_compare(name, choice->name) != 0) choice->left++;
  else if (choice->item == NULL) choice->item = item;
  return true;
}

/* Under the lock. */
static bool choose(struct memory *memory, uint64_t id, struct choice *choice,
                   struct failure *failure)
{
  const struct index *index = &memory->index;
  if (!memory_settle(memory, failure)) return false;
  window_open(&choice->window, memory->journal.fd);
  for (const struct item *item = NULL; (item = index_find(index, id, item)) != NULL;)
    if (!look_at_name(choice, item)) return fail(failure, "read");
  return true;
}

/* The tombstone of the choice, for whose head there is room. Ids run out for items only; but a
 * tombstone of its own id would retire nothing. */
static bool put_tombstone(struct memory *memory, const struct choice *choice, uint64_t id)
{
  struct buf *lines = &memory->lines;
  const struct bytes *of = &choice->name;
  uint64_t target = choice->item->id;
  if (id > RECORD_ID_MAX) id = RECORD_ID_MAX - (target == RECORD_ID_MAX);
  if (!put_head(memory, id, KIND_FORGET)) return false;
  char *out = PUT(lines->data + lines->length, ",\"target\":");
  out += number_print_whole(target, out);
  out = PUT(out, ",\"of\":");
  lines->length = (size_t)(out - lines->data);
  bool done =
      of->start == NULL ? buf_add(lines, "null", 4) : quote_text(lines, of->start, of->length);
  return done && buf_add(lines, "}\n", 2);
}

/* ---- updating ---- */

struct merging {
  struct buf *lines;
  const char *old, *changes;
  struct buf key;
};

static bool put_copy(struct merging *merging, const struct walk *member)
{
  const char *start = member->key.start - 1;
  return buf_add(merging->lines, ",", 1) &&
         buf_add(merging->lines, start, (size_t)(member->end - start));
}

static bool copy_change(struct merging *merging, const struct walk *member)
{
  return *member->value == 'n' || put_copy(merging, member);
}

/* Members that do not stand among the others: three come first, some are a new item's own. */
static const struct bytes APART[] = {
    {"content", 7}, {"tags", 4}, {"source", 6}, {"id", 2},       {"uid", 3},
    {"ts", 2},      {"kind", 4}, {"rev", 3},    {"replaces", 8}, {"replaces_uid", 12}};
enum { FIRST = 3, ALL = sizeof APART / sizeof *APART };

static bool is_apart(struct bytes name)
{
  for (size_t i = 0; i < ALL; i++)
    if (bytes_compare(name, APART[i]) == 0) return true;
  return false;
}

static bool put_first(struct merging *merging)
{
  struct walk member;
  for (size_t i = 0; i < FIRST; i++) {
    if (walk_find(&member, merging->changes, APART[i])
            ? !copy_change(merging, &member)
            : walk_find(&member, merging->old, APART[i]) && !put_copy(merging, &member))
      return false;
  }
  return true;
}

/* The other members of the old item, or of its changes. */
static bool put_others(struct merging *merging, bool old)
{
  struct walk members, change;
  struct bytes name;
  for (walk_begin(&members, old ? merging->old : merging->changes); walk_next(&members);) {
    if (!slice_bytes(&members.key, &merging->key, &name)) return false;
    if (is_apart(name) || (old && walk_find(&change, merging->changes, name))) continue;
    if (!(old ? put_copy(merging, &members) : copy_change(merging, &members))) return false;
  }
  return true;
}

/* Ends the item: it says what it replaces. */
static bool put_replaced(struct merging *merging, uint64_t id, const struct slice *uid)
{
  struct buf *lines = merging->lines;
  size_t length = uid->start != NULL ? (size_t)(uid->end - uid->start) : 0;
  if (!buf_reserve(lines, length + 2 * HEAD_SIZE)) return false;
  char *out = PUT(lines->data + lines->length, ",\"replaces\":");
  out += number_print_whole(id, out);
  if (uid->start != NULL) {
    out = PUT(out, ",\"replaces_uid\":\"");
    out = copy_out(out, uid->start, length);
    out = PUT(out, "\"");
  }
  out = PUT(out, "}\n");
  lines->length = (size_t)(out - lines->data);
  return true;
}

/* Puts the new item behind its head; leaves room for another. False with errno. */
static bool put_update(struct memory *memory, struct choice *choice, const struct draft *changes,
                       const char *body)
{
  const struct item *item = choice->item;
  struct record old;
  const char *line = window_line(&choice->window, item->offset, item_length(item));
  struct merging merging = {&memory->lines, line, body, {NULL, 0, 0}};
  if (line == NULL && errno != 0) return false;
  errno = EAGAIN; /* it was there a moment ago */
  if (line == NULL || record_parse_part(line, &old) == NULL) return false;
  bool done = put_head(memory, changes->id, changes->kind) && put_first(&merging) &&
              put_others(&merging, true) && put_others(&merging, false) &&
              put_replaced(&merging, item->id, &old.uid);
  buf_free(&merging.key);
  return done;
}

/* ---- retiring ---- */

/* Of changes, the new item's line comes first. */
static bool put_lines(struct memory *memory, struct choice *choice, const struct draft *changes,
                      const char *body, uint64_t id)
{
  struct buf *lines = &memory->lines;
  if (!start_lines(memory, 0, 1) ||
      (changes != NULL && !put_update(memory, choice, changes, body)) ||
      !put_tombstone(memory, choice, id) || !buf_reserve(lines, SPAN_PADDING))
    return false;
  memset(lines->data + lines->length, 0, SPAN_PADDING);
  return true;
}

static bool retire_locked(struct memory *memory, uint64_t id, struct choice *choice,
                          struct draft *changes, const char *body, struct failure *failure)
{
  uint64_t offset;
  if (!choose(memory, id, choice, failure)) return false;
  if (choice->item == NULL) return true;
  uint64_t next = memory_next_id(memory);
  if (changes != NULL) {
    if (!next_ids(memory, 1, &changes->id, failure)) return false;
    if (changes->kind == KIND_NONE) changes->kind = (enum record_kind)choice->item->kind;
    next = tombstones_pass_over(&memory->index.tombstones, changes->id + 1, 1);
  }
  if (!put_lines(memory, choice, changes, body, next)) return fail(failure, "write");
  if (!journal_append(&memory->journal, &memory->lines, &offset, failure)) return false;
  take_up_lines(memory, offset);
  return true;
}

/* Retires the item that is chosen, in whose place come its changes, if there are any. */
static bool retire_chosen(struct memory *memory, uint64_t id, const struct bytes *name,
                          struct draft *changes, const char *body, struct choice *choice,
                          struct failure *failure)
{
  *choice = (struct choice){.named = name != NULL};
  if (name != NULL) choice->name = *name;
  if (!memory_lock(memory, failure)) return memory->journal.gone;
  bool done = retire_locked(memory, id, choice, changes, body, failure);
  journal_detach(&memory->journal);
  window_close(&choice->window);
  buf_free(&choice->kept);
  buf_free(&choice->scratch);
  return done;
}

bool memory_forget(struct memory *memory, uint64_t id, const struct bytes *name, bool *found,
                   size_t *left, struct failure *failure)
{
  struct choice choice;
  bool done = retire_chosen(memory, id, name, NULL, NULL, &choice, failure);
  *found = choice.item != NULL;
  *left = choice.left;
  return done;
}

bool memory_update(struct memory *memory, uint64_t id, const struct bytes *name,
                   struct draft *changes, const char *body, bool *found, struct failure *failure)
{
  struct choice choice;
  bool done = retire_chosen(memory, id, name, changes, body, &choice, failure);
  *found = choice.item != NULL;
  return done;
}
