/* hash.c: SipHash-1-3, the variant of J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input
 * PRF" (2012), that hash tables use: one round for each 8 bytes, three at the end. */
#include "base/hash.h"

#include "base/word.h"
#include "base/hidden.h"

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

static inline void absorb(struct state *s, uint64_t word)
{
  s->d ^= word;
  mix(s);
  s->a ^= word;
}

uint64_t hash_text(const struct hash_key *key, const char *text, size_t length)
{
  struct state s = {key->low ^ 0x736f6d6570736575U, key->high ^ 0x646f72616e646f6dU,
                    key->low ^ 0x6c7967656e657261U, key->high ^ 0x7465646279746573U};
  size_t left = length;
  for (; left >= 8; left -= 8, text += 8) absorb(&s, word_load(text));
  absorb(&s, (uint64_t)length << 56 | word_load_few(text, left));
  s.c ^= 0xff;
  for (int i = 0; i < 3; i++) mix(&s);
  return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t hash_text_alike(const char *text, size_t length)
{
  static const struct hash_key known = {0, 0};
  return hash_text(&known, text, length);
}
