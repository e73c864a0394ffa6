/* erasure.c: which records of a memory get a higher `rev` when text is taken out of them.
 *
 * An item that is changed takes the place of the one that it was by its `rev`, also in a copy of the file
 * that is merged later. A record that a higher `rev` has replaced keeps its own, or it would be the item
 * again; so does a record that is no item. An item may stand in the file several times, of which the
 * index knows one: the first pass notes the bytes of the items that are changed, and the second changes
 * every record with such bytes in the same way. */
#include "memory/erasure.h"

#include "memory/compact.h"
#include "memory/standing.h"
#include "text/answers.h"

struct erasure {
  struct standing items; /* positions is NULL in the second pass */
  struct answers noted; /* the bytes of each item that is changed */
};

/* The highest one cannot be exceeded. */
static bool set_rev(void *context, const struct part *object, uint64_t offset, uint64_t *rev)
{
  struct erasure *erasure = context;
  struct record record;
  const struct bytes bytes = {object->start, (size_t)(object->end - object->start)};
  struct bytes none = {"", 0};
  bool noted = answers_find(&erasure->noted, bytes, &none);
  if (erasure->items.positions != NULL)
    return standing_at(&erasure->items, offset) == NULL || noted ||
           answers_put(&erasure->noted, bytes, none);
  if (!noted) return true;
  (void)record_parse_part(object->start, &record);
  *rev = record.rev < RECORD_ID_MAX ? record.rev + 1 : RECORD_ID_MAX;
  return true;
}

static bool note_items(struct erasure *erasure, struct memory *memory, struct purge *purge,
                       struct purged *found)
{
  bool done = answers_begin(&erasure->noted) && standing_begin(&erasure->items, &memory->index) &&
              purge_look(purge, memory->journal.fd, false, found);
  standing_end(&erasure->items);
  return done;
}

static bool erase_locked(struct memory *memory, struct purge *purge, struct failure *failure)
{
  struct purged found = {0};
  const int fd = memory->journal.fd;
  bool done = note_items(purge->revs, memory, purge, &found) || fail(failure, "erase");
  done = done && purge_locked(purge, &memory->journal, failure);
  if (done && memory->journal.fd != fd) done = memory_reread(memory, failure);
  return done;
}

bool memory_erase(struct memory *memory, struct purge *purge, struct failure *failure)
{
  struct erasure erasure = {0};
  if (!memory_begin_rewrite(memory, "erase", failure)) return false;
  purge->set_rev = set_rev;
  purge->revs = &erasure; /* cppcheck-suppress autoVariables; until this returns */
  bool done = erase_locked(memory, purge, failure);
  purge->set_rev = NULL;
  purge->revs = NULL;
  answers_free(&erasure.noted);
  journal_detach(&memory->journal);
  return done;
}
