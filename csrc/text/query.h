/* query.h: the words of a query, and their occurrences in raw and in folded text. */
#ifndef AISH_QUERY_H
#define AISH_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "text/needle.h"

#pragma GCC visibility push(hidden)

enum { QUERY_WORDS = 64, QUERY_LONGEST = 4096 };

/* A folded word. Its part is plain ASCII to which nothing else folds, so that raw lines without it
 * are ruled out; its run consists of letters and digits, for words_find. Either may be empty, and
 * then rules nothing out. */
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

/* Splits a text at white space; takes it whole if `exact`. query_free in any case. */
enum query_error query_read(struct query *query, const char *text, size_t length, bool exact);
void query_free(struct query *query);

/* The first place from p on where the word may be in raw JSON lines; NULL: nowhere. The byte before
 * `end` is a newline, and padding follows. */
const char *query_candidate(const struct word *word, const char *p, const char *end);

/* How many times a word occurs in folded text, without overlaps; *first is its first place. */
size_t query_count(const struct word *word, const char *text, size_t length, size_t *first);

#pragma GCC visibility pop
#endif
