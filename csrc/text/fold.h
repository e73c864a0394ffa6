/* fold.h: text with the case of its letters put aside, after Unicode's simple case folding. */
#ifndef AISH_FOLD_H
#define AISH_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#pragma GCC visibility push(hidden)

/* Appends the folded text. Bytes that are not UTF-8 stay as they are. False: out of memory. */
bool fold(struct buf *out, const char *text, size_t length);
/* How many bytes of the text fold to the first `folded` bytes of what it folds to. */
size_t fold_source(const char *text, size_t length, size_t folded);
/* The first word from *p on, and its length; *p is then behind it. NULL: there is none. Words are
 * runs of letters and digits, as SQLite's unicode61 tells them apart, other characters than ASCII's
 * counting as letters but for the blocks of punctuation and symbols. Folding does not change where
 * they begin and end. */
const char *fold_word(const char **p, const char *end, size_t *length);
/* The longest run of such characters, without bytes that are not UTF-8, and its length, which may
 * be 0. */
const char *fold_run(const char *text, size_t size, size_t *length);
/* The length of the white space at the start of a text, 0 if it starts with none. */
size_t fold_space(const char *text, size_t length);

#pragma GCC visibility pop
#endif
