/* blocks.h: included before each file of csrc, so that a target sets how large the reader's
 * blocks are, and lines of a few bytes lie across their ends. */
#ifndef AISH_FUZZ_BLOCKS_H
#define AISH_FUZZ_BLOCKS_H

#include "file/reader.h"

extern size_t fuzz_block;
#define READER_BLOCK fuzz_block

#endif
