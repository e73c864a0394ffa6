/* erasure.c: which records get a higher `rev` when text is taken out of them.
 *
 * An item that is changed takes the place of the one that it was by its `rev`, also in a copy of the file
 * that is merged later. A record that a higher `rev` has replaced keeps its own, or it would be the item
 * again; so does a record that is no item. Of an item that stands in the file several times, the index
 * knows one: the others are replaced by that. */
#include "memory/erasure.h"

#include "file/format.h"
#include "memory/memory.h"
#include "memory/verify.h"
#include "base/hidden.h"

/* The highest one cannot be exceeded. */
static uint64_t next_rev(void *items, const struct part *object, uint64_t offset)
{
  struct record record;
  if (standing_at(items, offset) == NULL) return 0;
  (void)record_parse_part(object->start, &record);
  return record.rev < RECORD_ID_MAX ? record.rev + 1 : RECORD_ID_MAX;
}

static bool take_records(struct index *index, int fd, bool locked)
{
  struct extent known = {0};
  bool done = memory_read(index, &known, fd, locked) == 0;
  extent_free(&known);
  return done;
}

bool erase_look(struct purge *purge, int fd, bool surely)
{
  struct index index = {0};
  enum file_kind kind = FILE_OTHER;
  bool done = surely ? take_records(&index, fd, false) : file_kind(fd, &kind);
  purge->in_memory = index.is_memory || kind >= FILE_ITEMS;
  index_free(&index);
  return done;
}

static bool erase_locked(struct purge *purge, struct journal *journal, struct failure *failure)
{
  struct index index = {0};
  struct standing items = {.positions = NULL};
  if (!format_is_lines(journal->fd, journal->size, failure)) return false;
  bool done = take_records(&index, journal->fd, true) && index_settle(&index, journal->fd) &&
              standing_begin(&items, &index);
  done = done || fail(failure, "erase");
  if (done) {
    purge->in_memory = index.is_memory;
    purge->next_rev = next_rev;
    purge->revs = &items; /* cppcheck-suppress autoVariables; until this returns */
    done = purge_locked(purge, journal, failure);
    purge->next_rev = NULL;
    purge->revs = NULL;
  }
  standing_end(&items);
  index_free(&index);
  return done;
}

bool erase_file(struct purge *purge, struct journal *journal, struct failure *failure)
{
  if (!journal_find(journal, true, failure)) return false;
  errno = ENOENT;
  bool done = !journal->gone ? erase_locked(purge, journal, failure) : fail(failure, "open");
  journal_detach(journal);
  return done;
}
