/* kind.h: whether a file is a memory or another file of lines, by its records. */
#pragma once

#include "memory/record.h"

/* What a record makes of its file; of several the last of these. */
enum file_kind {
  FILE_UNKNOWN, /* it has no record */
  FILE_OTHER,
  FILE_ITEMS, /* an item or a tombstone: a memory */
  FILE_MEMORY /* the line that a memory begins with */
};

/* By a record, whose text is `object`. */
enum file_kind record_file_kind(const struct record *record, const char *object);
/* By the records of a line, up to the first that is `enough`. */
enum file_kind line_file_kind(const char *line, const char *newline, enum file_kind enough);
/* By all of the file; FILE_OTHER is enough: by its first record. False and errno. */
bool file_kind(int fd, enum file_kind enough, enum file_kind *kind);
bool file_is_memory(int fd, bool *memory);
