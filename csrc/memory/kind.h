/* kind.h: whether a file is a memory. */
#ifndef AISH_KIND_H
#define AISH_KIND_H

#pragma GCC visibility push(hidden)

enum file_kind { FILE_UNKNOWN, FILE_OTHER, FILE_MEMORY };

/* A file is a memory if its first record is one of a memory's: the line that a memory begins with,
 * an item or a tombstone. FILE_UNKNOWN: it has no record, or could not be read. */
enum file_kind file_kind(int fd);

#pragma GCC visibility pop
#endif
