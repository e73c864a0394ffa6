/* hash.h: a hash that nobody without its key can find collisions of. */
#pragma once

#include "base/std.h"

struct hash_key {
  uint64_t low, high; /* random */
};

uint64_t hash_text(const struct hash_key *key, const char *text, size_t length);
/* With a key that all processes know: it only tells texts apart that nobody has made to collide. */
uint64_t hash_text_alike(const char *text, size_t length);
