/* format.h: files that are no JSON Lines at all. */
#ifndef AISH_FORMAT_H
#define AISH_FORMAT_H

#include <stdint.h>

#pragma GCC visibility push(hidden)

/* What an open file of `size` bytes is, in words for a message, if it is UTF-16 or UTF-32 by its
 * first bytes, or begins with `[` and ends with `]`, white space aside; otherwise NULL, also
 * where it cannot be read. Anything else may have damaged lines, and good ones among them. */
const char *format_other(int fd, uint64_t size);

#pragma GCC visibility pop
#endif
