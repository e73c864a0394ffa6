/* fold.h: case-folded text, by Unicode's simple case folding, and the words in it. */
#ifndef AISH_FOLD_H
#define AISH_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

/* Appends the folded text. Bytes that are not UTF-8 stay as they are. False: out of memory. */
bool fold(struct buf *out, const char *text, size_t length);
/* How many bytes of the text fold to the first `folded` bytes of the folded text. */
size_t fold_source(const char *text, size_t length, size_t folded);
/* The first word from *p on, and its length; moves *p past it. NULL: there is none. Words are runs
 * of letters and digits, roughly as SQLite's unicode61 splits them: beyond ASCII, every character
 * outside the blocks of punctuation and symbols is a letter. Folding does not move their ends. */
const char *fold_word(const char **p, const char *end, size_t *length);
/* Whether a character beyond ASCII is in these blocks. */
bool fold_is_symbol(uint32_t code);
/* The longest run of letters and digits without bytes that are not UTF-8, and its length, perhaps
 * 0. */
const char *fold_run(const char *text, size_t size, size_t *length);
/* The length of the white space character at the start of a text; 0 if there is none. */
size_t fold_space(const char *text, size_t length);

#pragma GCC visibility pop
#endif
