/* tombstones.c: an array whose new part is sorted before it is applied.
 *
 * A tombstone is a key, its target and the form of its `of`, and the `of` itself: 8 bytes in place,
 * as a uid has, or where it is among the texts. They are sorted by key and then by `of`, so that
 * those of a target stand together, one without `of` first, and no file, however it was made, has
 * anything searched from end to end. */
#include "memory/tombstones.h"

#include <stdlib.h>

#include "base/sort.h"
#include "base/hidden.h"

enum form { OF_ALL, OF_NOTHING, OF_WORD, OF_TEXT, FORM_BITS = 2, FORMS = 3 };

struct tombstone {
  uint64_t key, of;
};

static const struct tombstone *entries_of(const struct tombstones *tombstones)
{
  return BUF_ITEMS(struct tombstone, &tombstones->all);
}

size_t tombstones_count(const struct tombstones *tombstones)
{
  return BUF_COUNT(struct tombstone, &tombstones->all);
}

static uint64_t key_of(uint64_t target, enum form form)
{
  return target << FORM_BITS | (uint64_t)form;
}

/* What the `of` is, or the name of an item; start is NULL: null, or neither uid nor ts. */
static enum form form_of(struct bytes of)
{
  return of.start == NULL ? OF_NOTHING : of.length == sizeof(uint64_t) ? OF_WORD : OF_TEXT;
}

void tombstones_free(struct tombstones *tombstones)
{
  buf_free(&tombstones->all);
  buf_free(&tombstones->texts);
  buf_free(&tombstones->unescaped);
  buf_free(&tombstones->ahead);
}

/* ---- taking up ---- */

/* An `of` that is no word is kept among the texts. */
static bool keep_of(struct tombstones *tombstones, struct bytes of, uint64_t *place)
{
  struct buf *texts = &tombstones->texts;
  const uint32_t length = (uint32_t)of.length;
  *place = texts->length;
  if (form_of(of) == OF_WORD) memcpy(place, of.start, sizeof *place);
  if (form_of(of) != OF_TEXT) return true;
  return BUF_PUSH(texts, &length) && buf_add(texts, of.start, of.length);
}

bool tombstones_add(struct tombstones *tombstones, const struct record *record, uint64_t highest_id)
{
  const uint64_t target = record->target;
  struct tombstone entry;
  struct bytes of;
  errno = ENOMEM;
  if (tombstones_count(tombstones) == UINT32_MAX) return false;
  if (!slice_bytes(&record->of, &tombstones->unescaped, &of)) return false;
  bool all = of.start == NULL && !record->of_null;
  entry.key = key_of(target, all ? OF_ALL : form_of(of));
  if (!keep_of(tombstones, of, &entry.of) || !BUF_PUSH(&tombstones->all, &entry)) return false;
  if (target > tombstones->highest) tombstones->highest = target;
  if (!all || target <= highest_id) return true;
  tombstones->ahead_in_order = false;
  return BUF_PUSH(&tombstones->ahead, &target);
}

/* ---- order ---- */

static struct bytes of_text(const struct tombstones *tombstones, const struct tombstone *entry)
{
  uint32_t length;
  enum form form = (enum form)(entry->key & FORMS);
  if (form == OF_WORD) return (struct bytes){(const char *)&entry->of, sizeof entry->of};
  if (form != OF_TEXT) return (struct bytes){NULL, 0};
  const char *place = tombstones->texts.data + entry->of;
  memcpy(&length, place, sizeof length);
  return (struct bytes){place + sizeof length, length};
}

static int compare(const struct tombstones *tombstones, const struct tombstone *entry, uint64_t key,
                   struct bytes of)
{
  if (entry->key != key) return entry->key < key ? -1 : 1;
  return bytes_compare(of_text(tombstones, entry), of);
}

static bool entry_before(const void *context, uint32_t a, uint32_t b)
{
  const struct tombstones *tombstones = context;
  const struct tombstone *fresh = entries_of(tombstones) + tombstones->settled;
  return compare(tombstones, &fresh[a], fresh[b].key, of_text(tombstones, &fresh[b])) < 0;
}

bool tombstones_sort(struct tombstones *tombstones)
{
  const size_t size = sizeof(struct tombstone), settled = tombstones->settled;
  const size_t count = tombstones_count(tombstones) - settled;
  return count < 2 || sort_elements(tombstones->all.data + settled * size, count, size,
                                    entry_before, tombstones);
}

/* ---- looking ---- */

bool tombstones_next(const struct tombstones *tombstones, size_t from, struct targeting *next)
{
  const struct tombstone *entries = entries_of(tombstones);
  size_t count = tombstones_count(tombstones), to = from;
  if (from == count) return false;
  uint64_t target = entries[from].key >> FORM_BITS;
  while (to < count && entries[to].key >> FORM_BITS == target) to++;
  *next = (struct targeting){target, (uint32_t)from, (uint32_t)to,
                             entries[from].key == key_of(target, OF_ALL)};
  return true;
}

bool tombstones_retire(const struct tombstones *tombstones, const struct targeting *targeting,
                       struct bytes name)
{
  const struct tombstone *entries = entries_of(tombstones);
  const uint64_t key = key_of(targeting->target, form_of(name));
  size_t from = targeting->from, to = targeting->to;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    int order = compare(tombstones, &entries[middle], key, name);
    if (order == 0) return true;
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return false;
}

static int compare_targets(const void *a, const void *b)
{
  uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
  return (one > other) - (one < other);
}

uint64_t tombstones_pass_over(struct tombstones *tombstones, uint64_t id, size_t count)
{
  uint64_t *ahead = BUF_ITEMS(uint64_t, &tombstones->ahead);
  size_t targets = BUF_COUNT(uint64_t, &tombstones->ahead), low = 0, high = targets;
  if (!tombstones->ahead_in_order && targets > 0)
    qsort(ahead, targets, sizeof *ahead, compare_targets);
  tombstones->ahead_in_order = true;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ahead[middle] < id) low = middle + 1;
    else high = middle;
  }
  for (; low < targets && (ahead[low] < id || ahead[low] - id < count); low++)
    if (ahead[low] >= id) id = ahead[low] + 1;
  return id;
}
