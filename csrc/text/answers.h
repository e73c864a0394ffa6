/* answers.h: what is to be said instead of texts, by their hashes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"

#pragma GCC visibility push(hidden)

/* A text is known by two hashes with random keys: the texts themselves may be most of a history. */
struct answers {
  struct hash_key keys[2];
  struct answer *slots; /* a hash table with open addressing */
  size_t slot_count, count;
  struct buf texts; /* the answers, one behind the other */
  uint64_t grown; /* bytes by which answers are longer than their texts, in all */
};

/* Without answers. False with errno. */
bool answers_begin(struct answers *answers);
void answers_free(struct answers *answers);
/* The answer to a text, until the next is put. False: there is none. */
bool answers_find(const struct answers *answers, struct bytes text, struct bytes *answer);
/* Puts the answer to a text that has none. False with errno ENOMEM. */
bool answers_put(struct answers *answers, struct bytes text, struct bytes answer);

#pragma GCC visibility pop
