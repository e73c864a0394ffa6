/* erasure.c: which records get a higher `rev` when text is taken out of them.
 *
 * An item that is changed takes the place of the one that it was by its `rev`, also in a copy of the file
 * that is merged later. A record that a higher `rev` has replaced keeps its own, or it would be the item
 * again; so does a record that is no item. Of an item that stands in the file several times, the index
 * knows one: the others are replaced by that. Items that no name tells apart get it together, or one that is
 * changed would replace the others. */
#include "memory/erasure.h"

#include "base/hash.h"
#include "base/sys.h"
#include "base/table.h"
#include "file/format.h"
#include "memory/memory.h"
#include "base/hidden.h"

struct revs {
  struct standing items;
  struct table table; /* of the names of changed items, where items share an id: */
  struct buf names; /* uint64_t: see hash_name */
  struct hash_key key; /* random, so that no file is made to have them collide */
  struct buf *scratch;
};

/* A hash of a record's id and name. Another that has it by chance gets a `rev` without need. False with
 * errno. */
static bool hash_name(const struct revs *revs, const struct record *record, uint64_t *hash)
{
  struct hash_key key = revs->key;
  struct bytes name;
  if (!slice_bytes(record_name(record), revs->scratch, &name)) return false;
  key.low ^= record->id << 1 | (record->uid.start != NULL);
  key.high ^= name.start != NULL;
  *hash = hash_text(&key, name.length > 0 ? name.start : "", name.length);
  return true;
}

static bool is_revised(const struct revs *revs, uint64_t name)
{
  struct probe probe = table_probe(&revs->table, (uint32_t)name);
  while (probe_next(&probe, &revs->table))
    if (BUF_ITEMS(uint64_t, &revs->names)[probe.number] == name) return true;
  return false;
}

/* Whether the text is taken out of a record. False with errno. */
static bool is_changed(struct purge *purge, const char *start, const char *end, bool *changed)
{
  struct reworded reworded = {0, false};
  purge->record.length = 0;
  bool done = reword_record(&purge->reword, start, end, 0, false, &purge->record, &reworded);
  *changed = !done || reworded.found > 0;
  return done || errno == EFBIG; /* purge_locked reports that */
}

/* Takes up the name of an item that shares its id, if the item is changed. */
static bool take_name(struct revs *revs, struct purge *purge, const char *line)
{
  struct record record;
  uint64_t name;
  bool changed;
  const char *end = record_parse_part(line, &record);
  if (end == NULL) return true;
  if (!is_changed(purge, json_space(line, line), end, &changed) || !hash_name(revs, &record, &name))
    return false;
  if (!changed || is_revised(revs, name)) return true;
  return table_put(&revs->table, (uint32_t)name, (uint32_t)BUF_COUNT(uint64_t, &revs->names)) &&
         BUF_PUSH(&revs->names, &name);
}

static bool find_names(struct revs *revs, struct purge *purge, int fd)
{
  const struct index *index = revs->items.index;
  struct window window;
  const char *line;
  bool done = true;
  window_open(&window, fd);
  for (size_t i = 0; done && i < index->count; i++) {
    if (!index_shares_id(index, i)) continue;
    int read = item_line(&index->items[i], &window, &line);
    done = read > 0 ? take_name(revs, purge, line) : read == 0;
  }
  window_close(&window);
  return done;
}

/* The highest `rev` cannot be exceeded. */
static bool next_rev(void *context, const struct part *object, uint64_t offset, uint64_t *rev,
                     bool *revise)
{
  struct revs *revs = context;
  struct record record;
  uint64_t name;
  if (standing_at(&revs->items, offset) == NULL) return true;
  (void)record_parse_part(object->start, &record);
  *rev = record.rev < RECORD_ID_MAX ? record.rev + 1 : RECORD_ID_MAX;
  if (revs->names.length == 0) return true;
  if (!hash_name(revs, &record, &name)) return false;
  *revise = is_revised(revs, name);
  return true;
}

static bool read_items(struct index *index, int fd)
{
  struct extent known = {0};
  bool done = memory_read(index, &known, fd, true) == 0 && index_settle(index, fd);
  extent_free(&known);
  return done;
}

static bool erase_locked(struct purge *purge, struct journal *journal, struct failure *failure)
{
  struct index index = {0};
  struct revs revs = {.scratch = &purge->decoded};
  if (!format_is_lines(journal->fd, journal->size, failure)) return false;
  bool done = (sys_random(&revs.key, sizeof revs.key) == 0 && read_items(&index, journal->fd) &&
               standing_begin(&revs.items, &index) && find_names(&revs, purge, journal->fd)) ||
              fail(failure, "erase");
  const struct revising revising = {next_rev, &revs, revs.names.length > 0};
  done = done && purge_locked(purge, journal, &revising, failure);
  standing_end(&revs.items);
  table_free(&revs.table);
  buf_free(&revs.names);
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
