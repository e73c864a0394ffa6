/* kind.h: whether a file is a memory, by its first record. */
#pragma once

#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum file_kind {
  FILE_UNKNOWN, /* it has no record */
  FILE_OTHER,
  FILE_ITEMS, /* it begins with an item or a tombstone */
  FILE_MEMORY /* it begins with the line that a memory begins with */
};

/* False and errno where the file cannot be read. */
bool file_kind(int fd, enum file_kind *kind);

#pragma GCC visibility pop
