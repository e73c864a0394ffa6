/* replace.c: the old file stays in place until the new one is on the disk: written beside it, locked
 * before it has its name, synced, and then renamed onto it (rename(2) is atomic). A crash at any point
 * leaves one of the two. What a crash leaves beside is removed by the next one; see beside.c. */
#include "file/replace.h"

#include <sys/file.h>

#include "file/beside.h"
#include "base/hidden.h"

enum { WRITE_SIZE = 256 * 1024, PIECE_SIZE = 16 * 1024 };

/* ---- writing ---- */

bool output_flush(struct output *output)
{
  size_t written;
  bool done = output->fd < 0 ||
              sys_write(output->fd, output->waiting.data, output->waiting.length, &written) >= 0;
  output->waiting.length = 0;
  return done || (output->path != NULL &&
                  fail_about(output->failure, output->doing->write, output->path, NULL));
}

bool output_put(struct output *output, const char *bytes, size_t size)
{
  output->size += size;
  if (output->waiting.length + size > WRITE_SIZE && !output_flush(output)) return false;
  return buf_add(&output->waiting, bytes, size);
}

bool output_put_sparsely(struct output *output, const char *bytes, size_t size)
{
  for (size_t piece; size > 0; bytes += piece, size -= piece) {
    piece = size < PIECE_SIZE ? size : PIECE_SIZE;
    bool hole = piece == PIECE_SIZE && *bytes == '\0' && memcmp(bytes, bytes + 1, piece - 1) == 0;
    if (!(hole ? output_flush(output) : output_put(output, bytes, piece))) return false;
    if (!hole) continue;
    output->size += piece;
    if (output->fd >= 0 && sys_truncate(output->fd, output->size) != 0)
      return output->path != NULL &&
             fail_about(output->failure, output->doing->write, output->path, NULL);
  }
  return true;
}

bool output_copy(struct output *output, int fd, uint64_t from, uint64_t to)
{
  char piece[PIECE_SIZE];
  while (from < to) {
    size_t rest = sizeof piece - from % sizeof piece; /* holes are of whole pages */
    size_t wanted = to - from < rest ? (size_t)(to - from) : rest;
    errno = EAGAIN; /* the file was cut meanwhile */
    ssize_t got = sys_read_at(fd, piece, wanted, from);
    if (got <= 0 || !output_put_sparsely(output, piece, (size_t)got)) return false;
    from += (uint64_t)got;
  }
  return true;
}

/* ---- taking the place ---- */

static void drop_new(struct replacement *replacement)
{
  if (replacement->path != NULL) sys_unlink(replacement->path);
  sys_free(replacement->path);
  replacement->path = NULL;
  sys_close(replacement->output.fd);
  replacement->output.fd = -1;
}

/* Makes the new file and locks it. Who cleans up may take it for one that was left before it has its
 * lock: then another is made. */
static bool make_new(struct replacement *replacement)
{
  enum { TRIES = 16 };
  struct stat st;
  for (int i = 0; i < TRIES; i++) {
    int fd = replacement->output.fd = beside_make(replacement->place, &replacement->path);
    if (fd < 0) break;
    bool locked = sys_flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (locked ? sys_fstat(fd, &st) == 0 && st.st_nlink > 0 : errno != EWOULDBLOCK) return locked;
    drop_new(replacement);
  }
  return false;
}

bool replace_begin(struct replacement *replacement, int fd, const char *path)
{
  struct output *output = &replacement->output;
  replacement->place = sys_realpath(path);
  if (replacement->place == NULL || sys_fstat(fd, &replacement->st) != 0) return false;
  beside_clean(replacement->place);
  if (make_new(replacement)) return true;
  return output->fd < 0 && replacement->path != NULL &&
         fail_about(output->failure, output->doing->make, replacement->path, NULL);
}

/* It gets its mode at the end: a write takes the set-group-id bit away. */
bool replace_sync(struct replacement *replacement)
{
  struct output *output = &replacement->output;
  return output_flush(output) && beside_give(output->fd, &replacement->st) &&
         sys_sync(output->fd) == 0;
}

bool replace_rename(struct replacement *replacement, const char *path, uint64_t size)
{
  const struct output *output = &replacement->output;
  const struct stat *old = &replacement->st;
  struct stat st;
  bool same = sys_look(path, &st) == 0 && st.st_dev == old->st_dev && st.st_ino == old->st_ino &&
              (uint64_t)st.st_size == size;
  if (!same)
    return fail_because(output->failure, EAGAIN, output->doing->it,
                        "the file was changed meanwhile by a program that takes no lock");
  if (sys_rename(replacement->path, replacement->place) != 0) return false;
  sys_free(replacement->path);
  replacement->path = NULL;
  return true;
}

void replace_end(struct replacement *replacement)
{
  if (replacement->path != NULL && replacement->output.fd >= 0) drop_new(replacement);
  buf_free(&replacement->output.waiting);
  sys_free(replacement->path);
  sys_free(replacement->place);
}
