/* replace.h: a file that is written beside another, to take its place. */
#pragma once

#include "base/buf.h"
#include "base/failure.h"
#include "base/sys.h"

/* What the files are written for, in the words of messages. */
struct doing {
  const char *it, *open, *make, *read, *write, *sync;
};
#define DOING(it)                                                                                  \
  {                                                                                                \
    it, it ": open", it ": make", it ": read", it ": write", it ": sync"                           \
  }

/* A file that is written to in large pieces. */
struct output {
  int fd; /* -1: only the bytes are counted */
  uint64_t size; /* of the file, when all is written */
  struct buf waiting;
  const char *path; /* what a failure is about; NULL: what the caller named */
  const struct doing *doing;
  struct failure *failure;
};

/* Each that follows is false with errno; and with *failure, where it is about a file that the caller
 * did not name. */

bool output_flush(struct output *output);
bool output_put(struct output *output, const char *bytes, size_t size);
/* What a hole in the file reads as takes no blocks of the disk here either. */
bool output_put_sparsely(struct output *output, const char *bytes, size_t size);
/* Copies the bytes of a file in pieces. */
bool output_copy(struct output *output, int fd, uint64_t from, uint64_t to);

/* All zeros but for output.fd, which is -1, output.doing and output.failure: nothing is made yet. */
struct replacement {
  struct output output; /* the new file */
  struct stat st; /* of the old one */
  char *place; /* of it, absolute and without symbolic links */
  char *path; /* of the new one, until it has the other's place */
};

/* Makes an empty file, locked, beside the one that is open as `fd` and that `path` leads to. */
bool replace_begin(struct replacement *replacement, int fd, const char *path);
/* Puts the new file, with the mode and the owner of the old one, on the disk. */
bool replace_sync(struct replacement *replacement);
/* Puts it in the place of the old one, if `path` still leads to that and it still has `size`. */
bool replace_rename(struct replacement *replacement, const char *path, uint64_t size);
/* Frees all but the descriptor; a new file that has not taken the place goes, with its descriptor. */
void replace_end(struct replacement *replacement);
