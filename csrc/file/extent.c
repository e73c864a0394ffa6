/* extent.c: what is known of a file.
 *
 * A file of lines only grows, but for writes that are undone (see journal.c). So what was read without
 * the lock is not certain. The last bytes that were read are kept and compared with the file:
 * 1. under the lock, nothing can be undone: if they are the same, what was read is certain;
 * 2. without it, they tell whether what was read still is what the file says;
 * 3. of a file that was edited in place, they tell that from one that was appended to. */
#include "file/extent.h"

#include "base/word.h"
#include "base/hidden.h"

enum {
  KEPT = 16 * 1024, /* bytes, and a longer last line as far as this: */
  KEPT_LINE = 1024 * 1024,
  KEPT_CERTAIN = 32 /* enough to tell an edit */
};

void extent_restart(struct extent *extent)
{
  extent->end = extent->size = extent->confirmed = 0;
  extent->kept.length = 0;
}

void extent_begin(struct extent *extent, const struct stat *st, int64_t time)
{
  extent_restart(extent);
  extent->device = st != NULL ? st->st_dev : 0;
  extent->inode = st != NULL ? st->st_ino : 0;
  extent->touched = st != NULL && is_at_rest(st, time) ? sys_touched(st) : -1;
  extent->begun = sys_clock();
}

void extent_free(struct extent *extent)
{
  buf_free(&extent->kept);
  extent_begin(extent, NULL, 0);
}

void extent_cut(struct extent *extent, uint64_t offset)
{
  uint64_t gone = extent->size - offset;
  extent->kept.length = gone < extent->kept.length ? extent->kept.length - (size_t)gone : 0;
  extent->end = extent->size = offset;
  if (extent->confirmed > offset) extent->confirmed = offset;
}

/* Keeps the last `most` bytes or more. */
static inline bool keep_last(struct buf *kept, const char *bytes, uint64_t size, size_t most)
{
  if (bytes == NULL || size >= most) kept->length = 0;
  if (bytes == NULL) return true;
  if (size >= most) return buf_add(kept, bytes + size - most, most);
  size_t add = (size_t)size;
  if (kept->length + add > 2 * most) {
    memmove(kept->data, kept->data + kept->length - most, most);
    kept->length = most;
  }
  return buf_add(kept, bytes, add);
}

/* How many bytes to keep of those that are not certain: the last line whole, as what comes to its place may
 * differ in its first bytes alone. */
static size_t how_many(const struct extent *extent, const char *bytes, uint64_t size)
{
  const size_t most = extent->most > 0 ? extent->most : KEPT;
  if (bytes == NULL || size <= most) return most;
  const char *newline = last_newline(bytes, (size_t)size - 1);
  size_t line = (size_t)size - (newline != NULL ? (size_t)(newline + 1 - bytes) : 0);
  if (line > KEPT_LINE) line = KEPT_LINE;
  return line > most ? line : most;
}

bool extent_extend(struct extent *extent, const char *bytes, uint64_t size, int how)
{
  bool certain = (how & EXTENT_CERTAIN) != 0;
  if (extent->size > extent->end) extent_cut(extent, extent->end);
  if (!(certain ? keep_last(&extent->kept, bytes, size, KEPT_CERTAIN)
                : keep_last(&extent->kept, bytes, size, how_many(extent, bytes, size))))
    return false;
  extent->size += size;
  if ((how & EXTENT_TORN) == 0) extent->end = extent->size;
  if (certain) extent->confirmed = extent->size;
  return true;
}

bool extent_reserve(struct extent *extent)
{
  return buf_reserve(&extent->kept, KEPT_CERTAIN);
}

void extent_confirm(struct extent *extent)
{
  struct buf *kept = &extent->kept;
  extent->confirmed = extent->size;
  if (kept->length <= 2 * (size_t)KEPT_CERTAIN) return;
  char last[KEPT_CERTAIN];
  memcpy(last, kept->data + kept->length - sizeof last, sizeof last);
  buf_reset(kept);
  (void)buf_add(kept, last, sizeof last); /* it may be done without */
}

ssize_t count_equal(int fd, const char *bytes, size_t size, uint64_t offset)
{
  char again[16 * 1024];
  size_t done = 0, equal = 0, wanted;
  do {
    wanted = size - done < sizeof again ? size - done : sizeof again;
    ssize_t got = sys_read_at(fd, again, wanted, offset + done);
    if (got < 0) return -1;
    equal = (size_t)got;
    if (memcmp(bytes + done, again, equal) != 0)
      for (equal = 0; bytes[done + equal] == again[equal];) equal++;
    done += equal;
  } while (equal == wanted && done < size);
  return (ssize_t)done;
}

bool extent_compare(const struct extent *extent, int fd, uint64_t *place)
{
  const struct buf *kept = &extent->kept;
  uint64_t start = extent->size - kept->length;
  size_t mark = start < 3 ? (size_t)(3 - start) : 0; /* a byte order mark does not show in a line */
  *place = extent->size;
  if (mark >= kept->length) return true;
  ssize_t equal = count_equal(fd, kept->data + mark, kept->length - mark, start + mark);
  if (equal < 0) return false;
  size_t found = mark + (size_t)equal;
  *place = start + (found > mark ? found : 0);
  return true;
}

bool extent_is_fresh(const struct extent *extent)
{
  const double moment = 2; /* seconds */
  return sys_clock() - extent->begun < moment;
}

bool extent_is_untouched(const struct extent *extent, const struct stat *st)
{
  return extent->touched != -1 && extent->touched == sys_touched(st) && extent_is_of(extent, st);
}
