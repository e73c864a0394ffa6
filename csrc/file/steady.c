/* steady.c: reading bytes that no write changes meanwhile.
 *
 * One read may mix two writes. The kernel copies page by page: it may copy the first page of a write
 * that fails half way; then that is cut back, another write comes to its place, and the read goes on
 * with the second page of that. A line of the mix may be nobody's. So what was read is read again
 * and compared. Up to where the two differ, the bytes were in the file at one time; and so is
 * everything there that was acknowledged before, as only the last write can be undone.
 *
 * A file at rest is not read twice: its times tell that nothing came between. */
#include "file/steady.h"

#include <string.h>

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

ssize_t read_steady(int fd, void *buffer, size_t size, uint64_t offset)
{
  enum { TRIES = 4 };
  struct stat st;
  ssize_t equal = 0;
  for (int i = 0; i < TRIES; i++) {
    int64_t start = sys_time();
    ssize_t got = sys_read_at(fd, buffer, size, offset);
    if (got <= 0 || (sys_fstat(fd, &st) == 0 && is_at_rest(&st, start))) return got;
    equal = count_equal(fd, buffer, (size_t)got, offset);
    if (equal == got) break;
  }
  return equal;
}
