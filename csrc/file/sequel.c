/* sequel.c: a file that was rewritten, each record for itself, goes on where the old one ended: whoever has
 * read that to its end need not read it again. Nothing in the new file may say so, as its bytes are those
 * of its records. So it is said in the old one, which only those who have it open still see: as a blank
 * line, which is no line to any reader, of spaces and tabs for the bits of two numbers. They are the size
 * that the new file had, and a hash of its last bytes then, which tells it from any other file: also from
 * one that was rewritten once more, whose lines are given again.
 *
 * A file that has other names (link(2)) gets no such line. */
#include "file/sequel.h"

#include "base/hash.h"
#include "base/sys.h"
#include "file/lines.h"
#include "base/hidden.h"

enum { BITS = 64, LENGTH = 1 + 2 * BITS + 1, HASHED = 4096 };

/* As sys_read_at: 1 if all of it is there, 0 if not, -1 and errno. */
static int read_whole_of(int fd, char *bytes, size_t length, uint64_t offset)
{
  const ssize_t got = sys_read_at(fd, bytes, length, offset);
  return got < 0 ? -1 : (size_t)got == length;
}

/* As read_whole_of. */
static int hash_end(int fd, uint64_t size, uint64_t *hash)
{
  char bytes[HASHED];
  size_t length = size < HASHED ? (size_t)size : HASHED;
  int result = read_whole_of(fd, bytes, length, size - length);
  if (result > 0) *hash = hash_text_alike(bytes, length);
  return result;
}

static void print(uint64_t size, uint64_t hash, char line[LENGTH])
{
  line[0] = line[LENGTH - 1] = '\n';
  for (int i = 0; i < BITS; i++) {
    line[1 + i] = (size >> i & 1) != 0 ? '\t' : ' ';
    line[1 + BITS + i] = (hash >> i & 1) != 0 ? '\t' : ' ';
  }
}

void sequel_leave(int old, int new, uint64_t size)
{
  struct stat st;
  char line[LENGTH];
  size_t written;
  uint64_t hash;
  if (sys_fstat(old, &st) != 0 || st.st_nlink > 0 || hash_end(new, size, &hash) <= 0) return;
  print(size, hash, line);
  if (sys_write(old, line, LENGTH, &written) < 0) (void)sys_truncate(old, (uint64_t)st.st_size);
}

/* How many newlines the file has before `size`; as read_whole_of. */
static int count_before(int fd, uint64_t size, uint64_t *lines)
{
  char bytes[HASHED];
  *lines = 0;
  for (uint64_t at = 0; at < size; at += sizeof bytes) {
    size_t length = size - at < sizeof bytes ? (size_t)(size - at) : sizeof bytes;
    int result = read_whole_of(fd, bytes, length, at);
    if (result <= 0) return result;
    *lines += count_newlines(bytes, bytes + length);
  }
  return 1;
}

int sequel_find(int old, int new, uint64_t *size, uint64_t *lines)
{
  struct stat st;
  char line[LENGTH], same[LENGTH];
  uint64_t hash;
  if (sys_fstat(old, &st) != 0) return -1;
  if (st.st_size < LENGTH) return 0;
  int result = read_whole_of(old, line, LENGTH, (uint64_t)st.st_size - LENGTH);
  if (result <= 0) return result;
  *size = 0;
  for (int i = 0; i < BITS; i++) *size |= (uint64_t)(line[1 + i] == '\t') << i;
  result = *size <= INT64_MAX ? hash_end(new, *size, &hash) : 0;
  if (result <= 0) return result;
  print(*size, hash, same);
  return memcmp(line, same, LENGTH) == 0 ? count_before(new, *size, lines) : 0;
}
