/* tombstones.c: an array that is sorted when something is looked for in it.
 *
 * A tombstone is a key, its target and the form of its `of`, and the `of` itself: 8 bytes in place,
 * as a uid has, or where it is among the texts. They are sorted by key and then by `of`, so that
 * those of a target stand together, one without `of` first, and no file, however it was made, has
 * anything searched from end to end. */
#include "memory/tombstones.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"

enum form { OF_ALL, OF_NOTHING, OF_WORD, OF_TEXT, FORM_BITS = 2, FORMS = 3 };

static struct keyed *entries_of(const struct tombstones *tombstones)
{
  return BUF_ITEMS(struct keyed, &tombstones->all);
}

static size_t count_of(const struct tombstones *tombstones)
{
  return BUF_COUNT(struct keyed, &tombstones->all);
}

static enum form form_of(const struct keyed *entry)
{
  return (enum form)(entry->key & FORMS);
}

static uint64_t key_of(uint64_t target, enum form form)
{
  return target << FORM_BITS | (uint64_t)form;
}

void tombstones_free(struct tombstones *tombstones)
{
  buf_free(&tombstones->all);
  buf_free(&tombstones->texts);
  buf_free(&tombstones->ahead);
}

/* ---- taking up ---- */

/* Reads the `of`; one that is no word is kept among the texts. */
static bool read_of(struct tombstones *tombstones, const struct slice *of, enum form *form,
                    uint64_t *value)
{
  struct buf *texts = &tombstones->texts;
  uint32_t length = 0;
  size_t place = texts->length;
  if (!BUF_PUSH(texts, &length) || !slice_append(of, texts)) return false;
  const char *text = texts->data + place + sizeof length;
  length = (uint32_t)(texts->length - place - sizeof length);
  *form = length == sizeof *value ? OF_WORD : OF_TEXT;
  if (*form == OF_WORD) memcpy(value, text, sizeof *value);
  else *value = place;
  memcpy(texts->data + place, &length, sizeof length);
  if (*form == OF_WORD) texts->length = place;
  return true;
}

/* Keeps as much room behind the targets as they take, to sort them without asking for more. */
static bool keep_ahead(struct tombstones *tombstones, uint64_t target)
{
  struct buf *ahead = &tombstones->ahead;
  const struct keyed entry = {target, 0};
  tombstones->ahead_in_order = false;
  return buf_reserve(ahead, ahead->length + 2 * sizeof entry) && BUF_PUSH(ahead, &entry);
}

bool tombstones_add(struct tombstones *tombstones, const struct record *record, uint64_t highest_id)
{
  enum form form = record->of_null ? OF_NOTHING : OF_ALL;
  uint64_t value = 0;
  if (count_of(tombstones) == UINT32_MAX) {
    errno = ENOMEM;
    return false;
  }
  if (record->of.start != NULL && !read_of(tombstones, &record->of, &form, &value)) return false;
  const struct keyed entry = {key_of(record->target, form), value};
  return BUF_PUSH(&tombstones->all, &entry) &&
         (form != OF_ALL || record->target <= highest_id || keep_ahead(tombstones, record->target));
}

/* ---- order ---- */

/* What the `of` is; no text: what has neither uid nor ts. */
static struct bytes of_text(const struct tombstones *tombstones, const struct keyed *entry)
{
  uint32_t length;
  if (form_of(entry) == OF_WORD)
    return (struct bytes){(const char *)&entry->value, sizeof entry->value};
  if (form_of(entry) != OF_TEXT) return (struct bytes){NULL, 0};
  const char *place = tombstones->texts.data + entry->value;
  memcpy(&length, place, sizeof length);
  return (struct bytes){place + sizeof length, length};
}

struct sorting {
  const struct tombstones *tombstones;
  const struct keyed *entries;
};

static bool entry_before(const void *context, uint32_t a, uint32_t b)
{
  const struct sorting *sorting = context;
  const struct keyed *entries = sorting->entries;
  if (entries[a].key != entries[b].key) return entries[a].key < entries[b].key;
  return bytes_compare(of_text(sorting->tombstones, &entries[a]),
                       of_text(sorting->tombstones, &entries[b])) < 0;
}

static bool sort_range(const struct tombstones *tombstones, size_t from, size_t to)
{
  size_t count = to - from, same = 0;
  if (count < 2) return true;
  struct keyed *entries = entries_of(tombstones) + from;
  struct keyed *scratch = sys_realloc(NULL, count * sizeof *scratch);
  if (scratch == NULL) return false;
  sort_keyed(entries, scratch, count);
  sys_free(scratch);
  for (size_t i = 1; i < count; i++)
    same += entries[i].key == entries[i - 1].key && form_of(&entries[i]) >= OF_WORD;
  const struct sorting sorting = {tombstones, entries};
  return same == 0 || sort_elements(entries, count, sizeof *entries, entry_before, &sorting);
}

bool tombstones_sort_new(struct tombstones *tombstones)
{
  return sort_range(tombstones, tombstones->settled, count_of(tombstones));
}

bool tombstones_sort_settled(struct tombstones *tombstones)
{
  if (!tombstones->in_order && !sort_range(tombstones, 0, tombstones->settled)) return false;
  tombstones->in_order = true;
  return true;
}

void tombstones_settle(struct tombstones *tombstones, bool settled)
{
  size_t before = tombstones->settled;
  tombstones->settled = settled ? count_of(tombstones) : 0;
  if (tombstones->settled == before) return;
  tombstones->in_order = before == 0;
  if (!settled) return;
  uint64_t highest = entries_of(tombstones)[tombstones->settled - 1].key >> FORM_BITS;
  if (before == 0 || highest > tombstones->highest_target) tombstones->highest_target = highest;
}

/* ---- looking ---- */

/* The first one from `from` on that does not come before this key and `of`. */
static uint32_t lower_bound(const struct tombstones *tombstones, uint32_t from, uint32_t to,
                            uint64_t key, struct bytes of)
{
  const struct keyed *entries = entries_of(tombstones);
  while (from < to) {
    uint32_t middle = from + (to - from) / 2;
    bool before = entries[middle].key != key
                      ? entries[middle].key < key
                      : bytes_compare(of_text(tombstones, &entries[middle]), of) < 0;
    if (before) from = middle + 1;
    else to = middle;
  }
  return from;
}

bool tombstones_next(const struct tombstones *tombstones, uint32_t from, struct targeting *next)
{
  uint32_t count = (uint32_t)count_of(tombstones), to = from;
  if (from == count) return false;
  const struct keyed *entries = entries_of(tombstones);
  uint64_t target = entries[from].key >> FORM_BITS;
  while (to < count && entries[to].key >> FORM_BITS == target) to++;
  *next = (struct targeting){target, from, to};
  return true;
}

bool tombstones_find(const struct tombstones *tombstones, uint64_t target, struct targeting *found)
{
  const struct bytes none = {NULL, 0};
  uint32_t count = (uint32_t)tombstones->settled;
  if (count == 0 || target > tombstones->highest_target) return false;
  found->target = target;
  found->from = lower_bound(tombstones, 0, count, key_of(target, OF_ALL), none);
  found->to = lower_bound(tombstones, found->from, count, key_of(target + 1, OF_ALL), none);
  return found->from < found->to;
}

bool tombstones_retire_all(const struct tombstones *tombstones, const struct targeting *targeting)
{
  return form_of(&entries_of(tombstones)[targeting->from]) == OF_ALL;
}

static uint64_t key_of_name(uint64_t target, struct bytes name)
{
  enum form form = name.start == NULL                ? OF_NOTHING
                   : name.length == sizeof(uint64_t) ? OF_WORD
                                                     : OF_TEXT;
  return key_of(target, form);
}

bool tombstones_retire(const struct tombstones *tombstones, const struct targeting *targeting,
                       struct bytes name)
{
  uint64_t key = key_of_name(targeting->target, name);
  uint32_t place = lower_bound(tombstones, targeting->from, targeting->to, key, name);
  if (place == targeting->to) return false;
  const struct keyed *entry = &entries_of(tombstones)[place];
  return entry->key == key && bytes_compare(of_text(tombstones, entry), name) == 0;
}

bool tombstones_place(const struct tombstones *tombstones, const struct record *record,
                      struct buf *unescaped, size_t *place)
{
  struct bytes of;
  if (!slice_bytes(&record->of, unescaped, &of)) return false;
  bool all = of.start == NULL && !record->of_null;
  uint64_t key = all ? key_of(record->target, OF_ALL) : key_of_name(record->target, of);
  *place = lower_bound(tombstones, 0, (uint32_t)tombstones->settled, key, of);
  return true;
}

uint64_t tombstones_pass_over(struct tombstones *tombstones, uint64_t id, size_t count)
{
  struct keyed *ahead = BUF_ITEMS(struct keyed, &tombstones->ahead);
  size_t targets = BUF_COUNT(struct keyed, &tombstones->ahead), low = 0, high = targets;
  if (targets == 0) return id;
  if (!tombstones->ahead_in_order) sort_keyed(ahead, ahead + targets, targets);
  tombstones->ahead_in_order = true;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ahead[middle].key < id) low = middle + 1;
    else high = middle;
  }
  for (; low < targets && (ahead[low].key < id || ahead[low].key - id < count); low++)
    if (ahead[low].key >= id) id = ahead[low].key + 1;
  return id;
}
