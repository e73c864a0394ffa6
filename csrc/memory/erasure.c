/* erasure.c: which records get a higher `rev` when text is taken out of them.
 *
 * An item that is changed takes the place of the one that it was by its `rev`, also in a copy of the file
 * that is merged later. A record that a higher `rev` has replaced keeps its own, or it would be the item
 * again; so does a record that is no item. Of an item that stands in the file several times, the index
 * knows one: the others are replaced by that. Items that no name tells apart get it together, or one that is
 * changed would replace the others. */
#include "memory/erasure.h"

#include "base/hash.h"
#include "base/sort.h"
#include "file/format.h"
#include "memory/memory.h"
#include "base/hidden.h"

/* An item that is not alone with its id. */
struct sharer {
  uint64_t id, name; /* a hash of it: who has the same by chance gets a `rev` without need */
  uint64_t offset;
  bool changed;
};

struct revs {
  struct standing items;
  struct buf sharers; /* struct sharer: in the end those that get one, as they stand in the file */
  size_t next; /* of these */
};

/* ---- who shares a name ---- */

static bool add_sharer(struct revs *revs, struct purge *purge, struct window *window,
                       const struct item *item)
{
  struct sharer sharer = {.id = item->id, .offset = item->offset};
  struct buf *scratch = &purge->record;
  struct record record;
  struct reworded reworded = {0, false};
  struct bytes name;
  const char *line;
  int read = item_line(item, window, &line);
  const char *end = read > 0 ? record_parse_part(line, &record) : NULL;
  if (end == NULL) return read >= 0;
  if (!slice_bytes(record_name(&record), scratch, &name)) return false;
  const struct hash_key form = {record.uid.start != NULL, name.start != NULL};
  sharer.name = hash_text(&form, name.length > 0 ? name.start : "", name.length);
  scratch->length = 0;
  bool done =
      reword_record(&purge->reword, json_space(line, line), end, 0, false, scratch, &reworded);
  if (!done && errno != EFBIG) return false; /* of that the purge tells */
  sharer.changed = !done || reworded.found > 0;
  return BUF_PUSH(&revs->sharers, &sharer);
}

static int compare_sharers(const struct sharer *a, const struct sharer *b)
{
  if (a->id != b->id) return a->id < b->id ? -1 : 1;
  return (a->name > b->name) - (a->name < b->name);
}

/* By name, those that are changed first. */
static bool shares_before(const void *sharers, uint32_t a, uint32_t b)
{
  const struct sharer *one = (const struct sharer *)sharers + a;
  const struct sharer *other = (const struct sharer *)sharers + b;
  int order = compare_sharers(one, other);
  return order != 0 ? order < 0 : one->changed && !other->changed;
}

static bool sharer_before(const void *sharers, uint32_t a, uint32_t b)
{
  const struct sharer *all = sharers;
  return all[a].offset < all[b].offset;
}

static bool sort_sharers(struct revs *revs, sort_before before)
{
  struct buf *sharers = &revs->sharers;
  return sort_elements(sharers->data, BUF_COUNT(struct sharer, sharers), sizeof(struct sharer),
                       before, sharers->data);
}

/* Of each name all, if one is changed. */
static void keep_revised(struct revs *revs)
{
  struct sharer *sharers = BUF_ITEMS(struct sharer, &revs->sharers), first = {0};
  const size_t count = BUF_COUNT(struct sharer, &revs->sharers);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || compare_sharers(&first, &sharers[i]) != 0) first = sharers[i];
    if (first.changed) sharers[kept++] = sharers[i];
  }
  revs->sharers.length = kept * sizeof *sharers;
}

static bool find_sharers(struct revs *revs, struct purge *purge, int fd)
{
  const struct index *index = revs->items.index;
  struct window window;
  bool done = true;
  window_open(&window, fd);
  for (size_t i = 0; done && i < index->count; i++)
    if (index_shares_id(index, i)) done = add_sharer(revs, purge, &window, &index->items[i]);
  window_close(&window);
  if (!done || !sort_sharers(revs, shares_before)) return false;
  keep_revised(revs);
  return sort_sharers(revs, sharer_before);
}

/* ---- the next rev ---- */

/* The highest one cannot be exceeded. */
static uint64_t next_rev(void *context, const struct part *object, uint64_t offset, bool *revise)
{
  struct revs *revs = context;
  const struct sharer *sharers = BUF_ITEMS(struct sharer, &revs->sharers);
  const size_t count = BUF_COUNT(struct sharer, &revs->sharers);
  const struct item *item = standing_at(&revs->items, offset);
  struct record record;
  if (item == NULL) return 0;
  while (revs->next < count && sharers[revs->next].offset < item->offset) revs->next++;
  *revise = revs->next < count && sharers[revs->next].offset == item->offset;
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

bool erase_look(struct purge *purge, int fd)
{
  struct index index = {0};
  bool done = take_records(&index, fd, false);
  purge->in_memory = index_is_memory(&index);
  index_free(&index);
  return done;
}

static bool erase_locked(struct purge *purge, struct journal *journal, struct failure *failure)
{
  struct index index = {0};
  struct revs revs = {.next = 0};
  if (!format_is_lines(journal->fd, journal->size, failure)) return false;
  bool done = take_records(&index, journal->fd, true) && index_settle(&index, journal->fd) &&
              standing_begin(&revs.items, &index) && find_sharers(&revs, purge, journal->fd);
  done = done || fail(failure, "erase");
  if (done) {
    purge->in_memory = index_is_memory(&index);
    purge->next_rev = next_rev;
    purge->revises = revs.sharers.length > 0;
    purge->revs = &revs; /* cppcheck-suppress autoVariables; until this returns */
    done = purge_locked(purge, journal, failure);
    purge->next_rev = NULL;
    purge->revs = NULL;
    purge->revises = false;
  }
  standing_end(&revs.items);
  buf_free(&revs.sharers);
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
