/* words.h: an inverted index of the words in items, for ranking. It takes 8 bytes per item, 2 or 3
 * for each distinct word in an item, and 40 to 90 plus its length for each distinct word in all. */
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "text/needle.h"

struct member {
  uint32_t count; /* for sums over the postings of several words; 0 between calls */
  uint16_t words; /* how many the item has, 65,535 at most */
};

struct words {
  struct buf text; /* of the tokens, each followed by a space */
  struct buf tokens, members; /* of struct token; of struct member, one an item */
  size_t token_count, count; /* of tokens and of items */
  uint32_t *slots; /* a hash table: numbers of tokens from 1 on, 0 where there is none */
  size_t slot_count;
  struct hash_key key; /* of the table, so that no file is made to have its words collide */
  uint64_t total; /* words of the items that were not dropped */
};

/* How many words an item has. */
static inline unsigned words_in(const struct words *words, size_t item)
{
  return BUF_ITEMS(const struct member, &words->members)[item].words;
}

void words_free(struct words *words);
/* Gives back what was set aside for words and items to come. False: as below. */
bool words_trim(struct words *words);

/* Begins an item, whose number is the count so far; then adds its folded texts. False with errno,
 * and the index must be freed. */
bool words_begin(struct words *words);
bool words_add(struct words *words, const char *text, size_t length);
/* Takes an item out of the total, if it was begun. words_find still finds it. */
void words_drop(struct words *words, size_t item);

struct holder {
  uint32_t item, count;
};

/* Fills `holders` with a struct holder for each item that holds the needle, in any order, with what
 * its occurrences weigh (see fold.h), without overlaps. The needle consists of letters and digits.
 * False: as above. */
bool words_find(struct words *words, const struct needle *needle, struct buf *holders);

/* A distinct word, of words->token_count. */
const char *words_token(const struct words *words, size_t number, size_t *length);
/* The same of the items that hold a word, with its occurrences: of several words, one after the other, and when
 * words_collect was called, `holders` has each item once, with the sum. False: as above. */
bool words_gather(struct words *words, size_t number, struct buf *holders);
void words_collect(struct words *words, struct buf *holders);
