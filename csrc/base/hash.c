/* hash.c: SipHash-1-3, the variant of J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input
 * PRF" (2012), that hash tables use: one round for each 8 bytes, three at the end. */
#include "base/hash.h"

#include <string.h>

struct state {
  uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t word, int bits)
{
  return word << bits | word >> (64 - bits);
}

static inline void mix(struct state *s)
{
  s->a += s->b;
  s->c += s->d;
  s->b = rotate(s->b, 13) ^ s->a;
  s->d = rotate(s->d, 16) ^ s->c;
  s->a = rotate(s->a, 32) + s->d;
  s->c += s->b;
  s->d = rotate(s->d, 21) ^ s->a;
  s->b = rotate(s->b, 17) ^ s->c;
  s->c = rotate(s->c, 32);
}

static inline void take(struct state *s, uint64_t word)
{
  s->d ^= word;
  mix(s);
  s->a ^= word;
}

/* Up to 7 bytes, of which some are read twice rather than one after the other. */
static inline uint64_t few_bytes(const char *text, size_t count)
{
  uint32_t first, last;
  if (count >= sizeof first) {
    memcpy(&first, text, sizeof first);
    memcpy(&last, text + count - sizeof last, sizeof last);
    return first | (uint64_t)last << 8 * (count - sizeof last);
  }
  if (count == 0) return 0;
  const unsigned char *bytes = (const unsigned char *)text;
  return bytes[0] | (uint64_t)bytes[count / 2] << 8 * (count / 2) |
         (uint64_t)bytes[count - 1] << 8 * (count - 1);
}

uint64_t hash_text(const struct hash_key *key, const char *text, size_t length)
{
  struct state s = {key->low ^ 0x736f6d6570736575U, key->high ^ 0x646f72616e646f6dU,
                    key->low ^ 0x6c7967656e657261U, key->high ^ 0x7465646279746573U};
  uint64_t word;
  size_t left = length;
  for (; left >= sizeof word; left -= sizeof word, text += sizeof word) {
    memcpy(&word, text, sizeof word);
    take(&s, word);
  }
  take(&s, (uint64_t)length << 56 | few_bytes(text, left));
  s.c ^= 0xff;
  for (int i = 0; i < 3; i++) mix(&s);
  return s.a ^ s.b ^ s.c ^ s.d;
}
