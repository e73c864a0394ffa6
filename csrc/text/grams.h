/* grams.h: what a text is recalled by, in every language alike: the terms of its words.
 *
 * Of a word, as fold_word cuts it out of folded text:
 * - the word as a whole, and the runs of four characters in it with a mark at each of its ends: another
 *   form of a word, a compound that holds it and a slip of the keyboard have most of them in common;
 * - in scripts without spaces between words, each character and each two neighbours. */
#ifndef AISH_GRAMS_H
#define AISH_GRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"

#pragma GCC visibility push(hidden)

/* The terms of a text, each once, numbered from 0 on. */
struct grams {
  size_t count;
  struct gram *slots; /* a hash table */
  unsigned bits; /* of the number of a slot */
  struct hash_key key; /* of the table, so that no text is made to have its terms collide */
  struct buf terms; /* of the word that was looked at last */
};

/* Takes up the terms of a folded text. grams_free in any case. False with errno. */
bool grams_read(struct grams *grams, const char *text, size_t length);
void grams_free(struct grams *grams);

/* Of a text that has terms. Appends to `found` the number, a uint32_t, of each of these terms that a folded word has, as often as
 * it has it. False with errno ENOMEM. */
bool grams_find(struct grams *grams, const char *word, size_t length, struct buf *found);

#pragma GCC visibility pop
#endif
