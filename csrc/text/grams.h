/* grams.h: what a text is recalled by, in every language alike: the terms of its words.
 *
 * Of a word, as fold_word cuts it out of folded text:
 * - the word as a whole, and the runs of four characters in it with a mark at each of its ends: another
 *   form of a word, a compound that holds it and a slip of the keyboard have most of them in common;
 * - in scripts without spaces between words, each character and each two neighbours. */
#pragma once

#include "base/std.h"

/* The terms of a question. They are numbered from 0 on, in the order of the text, each once. */
struct grams {
  uint64_t *terms; /* the memory of the arrays below follows them */
  size_t count;
  uint32_t *slots; /* a hash table of their numbers */
  unsigned bits; /* of the number of a slot */
  uint64_t factor; /* of the table, random, so that no text is made to have its terms collide */
  uint32_t *counts; /* of each: how often texts have had it since the last grams_clear */
  uint32_t *found; /* those of which this is not 0; */
  size_t found_count; /* so many */
  struct known *known; /* words that were met, each in one place; NULL: none yet */
  uint32_t *known_terms; /* the numbers of theirs; */
  size_t known_count; /* so many */
};

/* Makes room for grams_survey, where that is wanted. False with errno ENOMEM. */
bool grams_prepare(struct grams *grams);
/* Takes up the terms of a text; of a long one, those of its beginning and its end. grams_free in any
 * case. False with errno. */
bool grams_read(struct grams *grams, const char *text, size_t length);
void grams_free(struct grams *grams);

/* Counts the terms in a folded text; returns how many words that has. */
size_t grams_count(struct grams *grams, const char *text, size_t length);
/* The same, quicker for many texts that repeat their words: most are known again. */
size_t grams_survey(struct grams *grams, const char *text, size_t length);
void grams_clear(struct grams *grams);
