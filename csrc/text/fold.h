/* fold.h: text as it is compared, and the words in it.
 *
 * Letter case is folded (Unicode's simple case folding), the marks of Latin, Greek and Cyrillic
 * letters are left out, and canonically equivalent text becomes the same in every script. */
#pragma once

#include "base/buf.h"

/* Appends the folded text. Bytes that are not UTF-8 stay as they are. False: out of memory. */
bool fold(struct buf *out, const char *text, size_t length);

/* The ASCII that a character folds to, or begins with where it folds to several; FOLD_MARK: it may be
 * left out; FOLD_OTHER: it folds to nothing of ASCII. */
enum { FOLD_OTHER = -1, FOLD_MARK = -2 };
int fold_to_ascii(uint32_t code);
/* Where the character begins, before its marks, that the folded text has at `folded`. */
size_t fold_source(const char *text, size_t length, size_t folded);
/* The first word from *p on, and its length; moves *p past it. NULL: there is none. Words are runs
 * of letters and digits, roughly as SQLite's unicode61 splits them: beyond ASCII, every character
 * outside the blocks of punctuation and symbols is a letter. Folding does not move their ends. */
const char *fold_word(const char **p, const char *end, size_t *length);
/* Whether a character beyond ASCII is in these blocks. */
bool fold_is_symbol(uint32_t code);
/* Whether a character is of Han, Hiragana or Katakana, whose words no spaces part. Hangul, once folded,
 * consists of letters like any other. */
bool fold_is_dense(uint32_t code);

/* What an occurrence of a text weighs: as a whole word or more, as the beginning of one, inside one. */
enum { FOLD_WHOLE = 32, FOLD_BEGINNING = 4, FOLD_INSIDE = 1 };

/* What the `length` bytes at a place of a folded text weigh. */
unsigned fold_weight(const char *text, const char *end, const char *place, size_t length);
/* The longest run of letters and digits without bytes that are not UTF-8, and its length, perhaps
 * 0. */
const char *fold_run(const char *text, size_t size, size_t *length);
/* The length of the white space character at the start of a text; 0 if there is none. */
size_t fold_space(const char *text, size_t length);
