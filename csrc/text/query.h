/* query.h: the words of a query, and their occurrences in raw and in folded text. */
#pragma once

#include "base/buf.h"
#include "text/needle.h"

enum { QUERY_WORDS = 64, QUERY_LONGEST = 4096 };

/* A folded word. Its part is such that a line of ASCII without escapes that holds the word has it as it
 * is, in letters of either case; its run consists of letters and digits, for words_find. Either may be
 * empty, and then rules nothing out. */
struct word {
  struct needle whole, part, run;
};

struct query {
  struct word words[QUERY_WORDS];
  size_t count;
  size_t rarest; /* the word to look for first */
  struct buf text; /* of the words */
  struct buf decoded, folded; /* of the line that is looked at */
};

enum query_error { QUERY_GOOD, QUERY_EMPTY, QUERY_TOO_LONG, QUERY_NO_MEMORY };

/* Splits a text at white space, and takes the marks of sentences off the ends of each word that has a
 * letter or a digit; takes it whole if `exact`. query_free in any case. */
enum query_error query_read(struct query *query, const char *text, size_t length, bool exact);
void query_free(struct query *query);

/* The first line from p on that may hold the word; NULL: there is none. The lines are raw JSON; p is
 * where one begins, the byte before `end` is a newline, and padding follows. */
const char *query_line(struct query *query, const struct word *word, const char *p,
                       const char *end);

/* What a word's occurrences in folded text weigh together (see fold.h), without overlaps. */
uint64_t query_weight(const struct word *word, const char *text, size_t length);
