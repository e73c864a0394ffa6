/* contents.c: a hash of 32 bits leads to a slot by its place among all hashes, from which on the slots
 * are looked through. That is short while at most two in three are used. */
#include "memory/contents.h"

#include "base/sys.h"
#include "memory/index.h"
#include "json/walk.h"
#include "base/hidden.h"

void contents_free(struct contents *contents)
{
  sys_free(contents->slots);
  memset(contents, 0, sizeof *contents);
}

uint32_t contents_hash(const struct contents *contents, enum record_kind kind, struct bytes content)
{
  uint64_t hash = hash_text(&contents->key, content.start, content.length);
  return (uint32_t)(hash >> 32) ^ (uint32_t)kind << 29;
}

struct probe contents_probe(const struct contents *contents, uint32_t hash)
{
  return (struct probe){.hash = hash,
                        .next = (size_t)((uint64_t)hash * contents->slot_count >> 32)};
}

bool probe_next(struct probe *probe, const struct contents *contents)
{
  while (contents->slot_count > 0 && contents->slots[probe->next] != 0) {
    probe->slot = probe->next++;
    if (probe->next == contents->slot_count) probe->next = 0;
    probe->number = (uint32_t)contents->slots[probe->slot] - 1;
    if (contents->slots[probe->slot] >> 32 == probe->hash) return true;
  }
  return false;
}

static inline uint64_t to_slot(uint32_t hash, uint32_t number)
{
  return (uint64_t)hash << 32 | (number + 1);
}

/* Where a number of this hash is put next. */
static size_t end_of(const struct contents *contents, uint32_t hash)
{
  struct probe probe = contents_probe(contents, hash);
  while (probe_next(&probe, contents)) {
  }
  return probe.next;
}

static bool grow(struct contents *contents)
{
  struct contents larger = *contents;
  larger.slot_count = contents->slot_count < 16 ? 16 : contents->slot_count / 4 * 5;
  larger.slots = sys_realloc(NULL, larger.slot_count * sizeof *larger.slots);
  if (larger.slots == NULL) return false;
  memset(larger.slots, 0, larger.slot_count * sizeof *larger.slots);
  for (size_t i = 0; i < contents->slot_count; i++) {
    uint64_t slot = contents->slots[i];
    if (slot != 0) larger.slots[end_of(&larger, (uint32_t)(slot >> 32))] = slot;
  }
  sys_free(contents->slots);
  *contents = larger;
  return true;
}

/* Puts a number at the end of its hash. */
static bool put_at(struct contents *contents, size_t end, uint32_t hash, uint32_t number)
{
  if (contents->used >= contents->slot_count / 3 * 2) {
    if (!grow(contents)) return false;
    end = end_of(contents, hash);
  }
  contents->slots[end] = to_slot(hash, number);
  contents->used++;
  return true;
}

bool contents_put(struct contents *contents, uint32_t hash, uint32_t number)
{
  return put_at(contents, end_of(contents, hash), hash, number);
}

/* So that adding and forgetting the same again and again leaves nothing to look through. */
bool contents_put_item(struct index *index, uint32_t hash, uint32_t number)
{
  struct contents *contents = &index->contents;
  struct probe probe = contents_probe(contents, hash);
  while (probe_next(&probe, contents)) {
    if (!index->items[probe.number].forgotten) continue;
    contents->slots[probe.slot] = to_slot(hash, number);
    return true;
  }
  return put_at(contents, probe.next, hash, number);
}

/* The decoded content of an item's line: start is NULL where it has none, or the line is not there any
 * more. False with errno. */
static bool read_content(struct window *window, const struct item *item, struct buf *scratch,
                         struct bytes *content)
{
  struct walk members;
  struct slice string = {NULL, NULL, false};
  const char *line = window_line(window, item->offset, item_length(item));
  *content = (struct bytes){NULL, 0};
  if (line == NULL) return errno == 0;
  for (walk_begin(&members, line); walk_next(&members);)
    if (walk_key_is(&members, "content") && !walk_string(&members, &string)) string.start = NULL;
  return slice_bytes(&string, scratch, content);
}

bool contents_take_up(struct index *index, struct window *window, struct buf *scratch)
{
  struct contents *contents = &index->contents;
  struct bytes content;
  for (; contents->count < index->count; contents->count++) {
    const struct item *item = &index->items[contents->count];
    if (item->forgotten) continue;
    if (!read_content(window, item, scratch, &content)) return false;
    if (content.start == NULL) continue;
    uint32_t hash = contents_hash(contents, (enum record_kind)item->kind, content);
    if (!contents_put_item(index, hash, (uint32_t)contents->count)) return false;
  }
  return true;
}

int contents_compare(const struct index *index, uint32_t number, struct window *window,
                     enum record_kind kind, struct bytes content, struct buf *scratch)
{
  const struct item *item = &index->items[number];
  struct bytes other;
  if (item->forgotten || (enum record_kind)item->kind != kind) return 0;
  if (!read_content(window, item, scratch, &other)) return -1;
  return other.start != NULL && bytes_compare(content, other) == 0;
}
