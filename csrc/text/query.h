/* query.h: the words that are looked for, and where they are. */
#ifndef AISH_QUERY_H
#define AISH_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "text/needle.h"

#pragma GCC visibility push(hidden)

enum { QUERY_WORDS = 64, QUERY_LONGEST = 4096 };

/* A word, folded. By its part, lines can be ruled out as they stand in the file: plain ASCII that
 * no other character folds to. Its run is of the characters that words consist of, for words_find.
 * Where one of them has no length, nothing can be ruled out by it. */
struct word {
  struct needle whole, part, run;
};

struct query {
  struct word words[QUERY_WORDS];
  size_t count;
  size_t rarest; /* the word to look for first */
  struct buf text; /* of the words */
};

enum query_error { QUERY_GOOD, QUERY_EMPTY, QUERY_TOO_LONG, QUERY_NO_MEMORY };

/* Splits a text at white space, or takes it whole if `exact`. query_free in any case. */
enum query_error query_read(struct query *query, const char *text, size_t length, bool exact);
void query_free(struct query *query);

/* The first place from p on where the word may be in raw JSON lines; NULL: nowhere. There is a
 * newline before `end` and padding behind it. */
const char *query_candidate(const struct word *word, const char *p, const char *end);

/* How often a word stands in folded text, not counting overlaps; *first is where it does first. */
size_t query_count(const struct word *word, const char *text, size_t length, size_t *first);

#pragma GCC visibility pop
#endif
