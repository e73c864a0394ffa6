/* blocks.h: included before each file of csrc, so that a target sets how large the reader's
 * blocks are, and lines of a few bytes lie across their ends; and so that what the C library does
 * byte by byte is counted too. */
#ifndef AISH_FUZZ_BLOCKS_H
#define AISH_FUZZ_BLOCKS_H

#include <string.h>

#include "file/reader.h"
#include "fuzz.h"

#define READER_BLOCK fuzz_block

#define memcmp(a, b, size) (fuzz_steps += (size) / 16, memcmp(a, b, size))
#define memcpy(to, from, size) (fuzz_steps += (size) / 16, memcpy(to, from, size))
#define memmove(to, from, size) (fuzz_steps += (size) / 16, memmove(to, from, size))
#define memset(to, byte, size) (fuzz_steps += (size) / 16, memset(to, byte, size))

#endif
