/* memory.c: ids, times and the index kept in step with the file.
 *
 * A handle that keeps the lock reads the file once. One that shares it looks at the file before every
 * call and reads what others have appended. What it has read without the lock may be undone (see
 * journal.c): under the lock that is compared with the file first, so that only what is certain gives
 * an id, decides what is active, or is rewritten. Where the file is not as it was read, all of it is
 * read again. */
#include "memory/memory.h"

#include "base/sys.h"
#include "file/format.h"
#include "base/hidden.h"

/* Bytes that others have written since this handle had the lock, to be compared under it: to read the
 * whole file again takes longer. */
enum { MOST_KEPT = 1 << 20 };

bool memory_init(struct memory *memory, const char *path, const struct memory_options *options)
{
  memset(memory, 0, sizeof *memory);
  bool done = journal_init(&memory->journal, path);
  memory->journal.called = "memory.jsonl";
  memory->journal.wait = options->wait;
  memory->journal.durable = options->durable;
  memory->journal.keeps_lock = !options->shared;
  memory->unique = options->unique;
  return done;
}

int memory_close(struct memory *memory)
{
  index_free(&memory->index);
  buf_free(&memory->lines);
  return journal_close(&memory->journal);
}

uint64_t memory_highest_id(const struct memory *memory)
{
  uint64_t highest = memory->index.max_id;
  return highest > memory->highest_id ? highest : memory->highest_id;
}

uint64_t memory_next_id(struct memory *memory)
{
  return tombstones_pass_over(&memory->index.tombstones, memory_highest_id(memory) + 1, 1);
}

const char *memory_ts(struct memory *memory)
{
  int64_t now = sys_time();
  if (now != memory->now || memory->ts[0] == '\0') {
    timestamp_print(now, memory->ts);
    memory->ts_key = timestamp_key(memory->ts);
    memory->now = now;
  }
  return memory->ts;
}

void memory_window(const struct memory *memory, struct window *window)
{
  window_open(window, memory->journal.fd);
  window->confirmed = memory->journal.known.confirmed;
}

/* ---- the index and the file ---- */

/* The block was read; the beginning of a line is from `torn` on. False with errno ENOMEM. */
static bool know_block(struct extent *known, const struct block *block, const char *torn, int how)
{
  uint64_t whole = (uint64_t)(torn - block->start);
  if (block->hopeless)
    return extent_extend(known, NULL, block->size, how | (block->unfinished ? EXTENT_TORN : 0));
  if (whole > block->size) whole = block->size; /* a last object without its newline */
  if (whole > 0 && !extent_extend(known, block->start, whole, how)) return false;
  return whole == block->size || extent_extend(known, torn, block->size - whole, how | EXTENT_TORN);
}

static int read_blocks(struct index *index, struct extent *known, int fd, bool locked)
{
  struct reader reader;
  struct block block;
  const char *torn;
  int result;
  reader_open(&reader, fd, known->end);
  reader.locked = locked;
  while ((result = reader_next(&reader, &block)) > 0) {
    if (!index_take(index, &block, &torn) ||
        !know_block(known, &block, torn, locked ? EXTENT_CERTAIN : 0))
      break;
  }
  reader_close(&reader);
  if (result == 0) return 0;
  extent_restart(known);
  return -1;
}

int memory_read(struct index *index, struct extent *known, int fd, bool locked)
{
  for (int i = 0; i <= MEMORY_TRIES; i++) {
    if (read_blocks(index, known, fd, locked) != 0) return -1;
    if (!index->doubted || index->as_memory == index_is_memory(index)) return 0;
    const bool is_memory = index_is_memory(index); /* unless it becomes another file meanwhile */
    index_free(index);
    index->as_memory = is_memory;
    extent_restart(known);
  }
  errno = EAGAIN;
  return -1;
}

static bool read_on(struct memory *memory, struct failure *failure)
{
  struct journal *journal = &memory->journal;
  if (journal->known.end == 0) index_free(&memory->index);
  if (memory_read(&memory->index, &journal->known, journal->fd, journal->locked) != 0)
    return fail(failure, "read");
  if (memory->index.kind == FILE_OTHER) {
    extent_restart(&journal->known);
    return fail_because(failure, EINVAL, "open", "it holds records, but none of a memory");
  }
  return true;
}

bool memory_settle(struct memory *memory, struct failure *failure)
{
  return index_settle(&memory->index, memory->journal.fd) || fail(failure, "read");
}

/* Sets *place to how much of what is known the file still has: up to `end` at least, so that the
 * lines before it are the file's, or else 0. False and errno. */
static bool find_known(const struct journal *journal, uint64_t *place)
{
  const struct extent *known = &journal->known;
  bool kept = known->confirmed == known->size || extent_is_kept(known);
  struct stat st;
  *place = 0;
  if (journal->size < known->end) return true;
  if (journal->size > known->size && known->end == known->size && !extent_is_ended(known))
    return true;
  if (kept || (!journal->locked && known->kept.length > 0)) {
    if (!extent_compare(known, journal->fd, place)) return false;
    if (*place < known->end || (*place < known->size && !kept)) *place = 0;
    return true;
  }
  if (sys_fstat(journal->fd, &st) != 0) return false;
  if (extent_is_untouched(known, &st)) *place = known->size;
  return true;
}

bool memory_holds(const struct memory *memory)
{
  const struct extent *known = &memory->journal.known;
  uint64_t place;
  if (known->size == 0)
    return memory->index.count == 0; /* else it was rewritten, and not read yet */
  return known->confirmed == known->size ||
         (find_known(&memory->journal, &place) && place >= known->end);
}

bool memory_is_of(const struct memory *memory, const struct stat *st)
{
  const struct extent *known = &memory->journal.known;
  return st->st_size > 0 && known->size == (uint64_t)st->st_size && extent_is_untouched(known, st);
}

static bool catch_up(struct memory *memory, struct failure *failure)
{
  struct journal *journal = &memory->journal;
  struct extent *known = &journal->known;
  uint64_t place;
  if (known->confirmed == journal->size && known->size == journal->size && journal->size > 0)
    return true; /* the lock was kept, or nobody else wrote */
  if (known->size == 0) index_free(&memory->index);
  if (!find_known(journal, &place)) return fail(failure, "read");
  bool same = place == known->size;
  if (!same && place == 0 && !format_is_lines(journal->fd, journal->size, failure))
    return false; /* somebody has written it anew */
  if (!same) extent_cut(known, place > 0 ? known->end : 0);
  if ((!same || known->size != journal->size) && !read_on(memory, failure)) return false;
  known->most = MOST_KEPT; /* from now on: of a file that is opened, the first writes are many */
  if (!journal->locked) return true;
  extent_confirm(known);
  memory->highest_id = memory_highest_id(memory);
  return true;
}

bool memory_refresh(struct memory *memory, int lost, struct failure *failure)
{
  struct journal *journal = &memory->journal;
  if (lost > 0) extent_restart(&journal->known);
  if (!journal_find(journal, lost >= MEMORY_TRIES, failure)) return false;
  bool done = catch_up(memory, failure);
  journal_detach(journal);
  return done && memory_settle(memory, failure);
}

/* The lock is kept if all was done. */
static bool keep_lock(struct memory *memory, bool done)
{
  if (!done) journal_detach(&memory->journal);
  return done;
}

bool memory_lock(struct memory *memory, struct failure *failure)
{
  if (!journal_find(&memory->journal, true, failure)) return false;
  errno = ENOENT;
  return memory->journal.gone ? fail(failure, "open")
                              : keep_lock(memory, catch_up(memory, failure));
}

/* ---- the first line ---- */

static bool write_meta(struct memory *memory, struct failure *failure)
{
  char line[] = "\n{\"meta\":{\"aish_version\":\"phase4\",\"created\":\"YYYY-MM-DDTHH:MM:SSZ\"}}\n";
  uint64_t offset;
  memcpy(strchr(line, 'Y'), memory_ts(memory), TIMESTAMP_LENGTH);
  buf_reset(&memory->lines);
  bool built = buf_add(&memory->lines, line, sizeof line - 1) || fail(failure, "write");
  bool done = built && journal_append(&memory->journal, &memory->lines, &offset, failure);
  if (done) memory->index.kind = FILE_MEMORY;
  return done;
}

/* The file becomes a memory by what is added to it: then its damaged lines hold what a memory's do. */
static bool claim(struct memory *memory, struct failure *failure)
{
  struct extent *known = &memory->journal.known;
  if (!memory->index.doubted || index_is_memory(&memory->index)) return true;
  index_free(&memory->index);
  memory->index.as_memory = true;
  extent_restart(known);
  if (read_blocks(&memory->index, known, memory->journal.fd, true) != 0)
    return fail(failure, "read");
  memory->highest_id = memory_highest_id(memory);
  return true;
}

bool memory_begin(struct memory *memory, struct failure *failure)
{
  return journal_attach(&memory->journal, true, failure) &&
         keep_lock(memory, catch_up(memory, failure) &&
                               (memory->journal.size > 0 ? claim(memory, failure)
                                                         : write_meta(memory, failure)));
}

bool memory_open(struct memory *memory, struct failure *failure)
{
  if (!journal_find(&memory->journal, false, failure) || !catch_up(memory, failure)) return false;
  if (memory->journal.size > 0) return true;
  bool done = memory_begin(memory, failure);
  journal_detach(&memory->journal);
  return done;
}
