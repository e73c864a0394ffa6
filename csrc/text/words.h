/* words.h: which items hold which words, kept in memory for ranking: 8 bytes an item, 2 or 3 for
 * each different word in it, and about 50 and its length for each different word of them all. */
#ifndef AISH_WORDS_H
#define AISH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "text/needle.h"

#pragma GCC visibility push(hidden)

struct member {
  uint32_t count; /* for whoever goes over the items of several words; 0 in between */
  uint16_t words; /* how many the item has, 65,535 at most */
};

struct words {
  struct buf text; /* of the tokens, a space behind each */
  struct token *tokens;
  size_t token_count, token_capacity;
  uint32_t *slots; /* a hash table: numbers of tokens from 1 on, 0 where there is none */
  size_t slot_count;
  struct hash_key key; /* of the table, so that no file is made to have its words collide */
  struct member *members; /* one an item */
  size_t count, capacity; /* of items */
  uint64_t total; /* words of the items that were not dropped */
};

void words_free(struct words *words);

/* Takes up an item, whose number is the count so far, and then its texts, folded. False with errno;
 * the words are then to be freed. */
bool words_begin(struct words *words);
bool words_add(struct words *words, const char *text, size_t length);
/* Leaves an item out of the total, if it was taken up. words_find still gives it. */
void words_drop(struct words *words, size_t item);

struct holder {
  uint32_t item, count;
};

/* Fills `holders` with a struct holder for each item that holds the needle, which consists of
 * characters of words, in any order; `count` is how many times, overlaps aside. False: as above. */
bool words_find(struct words *words, const struct needle *needle, struct buf *holders);

#pragma GCC visibility pop
#endif
