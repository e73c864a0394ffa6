/* kind.h: whether a file is a memory, by its first record. */
#ifndef AISH_KIND_H
#define AISH_KIND_H

#pragma GCC visibility push(hidden)

enum file_kind {
  FILE_UNKNOWN, /* it has no record, or could not be read */
  FILE_OTHER,
  FILE_ITEMS, /* it begins with an item or a tombstone */
  FILE_MEMORY /* it begins with the line that a memory begins with */
};

enum file_kind file_kind(int fd);

#pragma GCC visibility pop
#endif
