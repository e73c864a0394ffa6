/* erasure.c: which records of a memory get a higher `rev` when text is taken out of them.
 *
 * An item that is changed takes the place of the one that it was by its `rev`, also in a copy of the file
 * that is merged later. A record that a higher `rev` has replaced keeps its own, or it would be the item
 * again; so does a record that is no item. An item may stand in the file several times, of which the
 * index knows one: the first pass notes the bytes of the items that are changed, and the second changes
 * every record with such bytes in the same way. */
#include "memory/erasure.h"

#include <string.h>

#include "base/hash.h"
#include "base/sort.h"
#include "base/sys.h"
#include "memory/compact.h"
#include "memory/standing.h"

struct erasure {
  struct standing items; /* positions is NULL in the second pass */
  struct hash_key key;
  struct buf
      noted; /* struct keyed: the hash of each item that is changed; sorted after the first pass */
};

static uint64_t hash_object(const struct erasure *erasure, const struct part *object)
{
  return hash_text(&erasure->key, object->start, (size_t)(object->end - object->start));
}

static bool is_noted(const struct erasure *erasure, uint64_t hash)
{
  const struct keyed *noted = BUF_ITEMS(struct keyed, &erasure->noted);
  size_t first = 0, last = BUF_COUNT(struct keyed, &erasure->noted);
  while (first < last) {
    size_t middle = first + (last - first) / 2;
    if (noted[middle].key < hash) first = middle + 1;
    else last = middle;
  }
  return first < BUF_COUNT(struct keyed, &erasure->noted) && noted[first].key == hash;
}

/* The highest one cannot be exceeded. */
static bool set_rev(void *context, const struct part *object, uint64_t offset, uint64_t *rev)
{
  struct erasure *erasure = context;
  struct record record;
  struct json_error error;
  const struct keyed entry = {hash_object(erasure, object), 0};
  if (erasure->items.positions != NULL)
    return standing_at(&erasure->items, offset) == NULL || BUF_PUSH(&erasure->noted, &entry);
  if (!is_noted(erasure, entry.key)) return true;
  (void)record_parse_part(object->start, &record, &error);
  *rev = record.rev < RECORD_ID_MAX ? record.rev + 1 : RECORD_ID_MAX;
  return true;
}

static bool sort_noted(struct erasure *erasure)
{
  struct buf *noted = &erasure->noted;
  size_t count = BUF_COUNT(struct keyed, noted);
  if (count == 0) return true;
  if (!buf_reserve(noted, noted->length)) return false;
  struct keyed *entries = BUF_ITEMS(struct keyed, noted);
  sort_keyed(entries, entries + count, count);
  return true;
}

static bool note_items(struct erasure *erasure, struct memory *memory, struct purge *purge,
                       struct purged *found)
{
  bool done = sys_random(&erasure->key, sizeof erasure->key) == 0 &&
              standing_begin(&erasure->items, memory_index(memory)) &&
              purge_look(purge, memory_fd(memory), false, found) && sort_noted(erasure);
  standing_end(&erasure->items);
  return done;
}

static bool erase_locked(struct memory *memory, struct purge *purge, struct failure *failure)
{
  struct purged found = {0};
  const int fd = memory_fd(memory);
  bool done = note_items(purge->revs, memory, purge, &found) || fail(failure, "erase");
  done = done && purge_locked(purge, memory_journal(memory), failure);
  if (done && memory_fd(memory) != fd) done = memory_reread(memory, failure);
  return done;
}

bool memory_erase(struct memory *memory, struct purge *purge, struct failure *failure)
{
  struct erasure erasure = {.key = {0, 0}};
  if (!memory_begin_rewrite(memory, "erase", failure)) return false;
  purge->set_rev = set_rev;
  purge->revs = &erasure; /* cppcheck-suppress autoVariables; until this returns */
  bool done = erase_locked(memory, purge, failure);
  purge->set_rev = NULL;
  purge->revs = NULL;
  buf_free(&erasure.noted);
  journal_detach(memory_journal(memory));
  return done;
}
