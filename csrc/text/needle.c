/* needle.c: looks for two neighbours of the needle, 64 places at a time with SSE2 and 8 elsewhere, and
 * compares the rest only where both are found.
 *
 * In raw text any character of the needle may be in other bytes, and marks may stand behind it. So the
 * first of the two is also looked for in all that is not plain: letters beyond ASCII, and escapes. It
 * is one that has no accents in the languages of Western Europe, if the needle has one, so that the
 * letters of Latin-1, which are most of what is not plain in these, need not be looked at. The second
 * may be anything that is not plain. */
#include "text/needle.h"

#include <limits.h>
#include <stdint.h>

#include <stdbool.h>
#include <string.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "text/fold.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* ---- what to look for ---- */

enum { LATIN_1 = 0xc3 }; /* what its letters begin with */

static bool has_accents(char letter)
{
  return letter != '\0' && strchr("aceinouy", letter) != NULL;
}

/* How common a byte is in text, roughly: letters by their frequency in English. */
static int commonness(char byte)
{
  static const char rising[] = "zqjxvbywgpfmucdlhrnioate ";
  const char *place = memchr(rising, byte, sizeof rising - 1);
  return place != NULL ? (int)(place - rising) + 2 : 1;
}

/* A byte of the needle, from its rarest three in a row on; 0xff behind its end. */
static char rare_byte(const struct needle *needle, size_t i)
{
  i += needle->rare;
  return (char)(i < needle->length ? needle->text[i] : '\xff');
}

void needle_set(struct needle *needle, const char *text, size_t length)
{
  int least = INT_MAX;
  *needle = (struct needle){text, length, 0};
  for (size_t i = 0; i == 0 || i + 2 < length; i++) {
    int common = has_accents(text[i]) ? 128 : 0;
    for (size_t j = i; j < length && j < i + 3; j++) common += commonness(text[j]);
    if (common >= least) continue;
    least = common;
    needle->rare = i;
  }
}

/* ---- looking ---- */

/* The bit in which a folded ASCII letter differs from its capital. Setting it in folded text, which
 * has no capitals, turns no other byte into a letter. */
static unsigned char fold_bit(char byte)
{
  return byte >= 'a' && byte <= 'z' ? 0x20 : 0;
}

static bool is_same(char byte, char folded)
{
  return (char)(byte | fold_bit(folded)) == folded;
}

/* Whether the needle is at p, where `left` bytes are left. */
static bool is_needle(const struct needle *needle, const char *p, size_t left)
{
  if (left < needle->length) return false;
  for (size_t i = 0; i < needle->length; i++)
    if (!is_same(p[i], needle->text[i])) return false;
  return true;
}

/* Whether the characters of the needle before its first rare one are before p, or something that may
 * fold to them. */
static bool is_before(const struct needle *needle, const char *p, const char *from)
{
  for (size_t count = needle->rare; count > 0; count--, p--) {
    if (p == from) return false;
    if ((unsigned char)p[-1] >= 0x80 || (p - from >= 6 && p[-6] == '\\' && p[-5] == 'u'))
      return true;
    if (!is_same(p[-1], needle->text[count - 1])) return false;
  }
  return true;
}

/* The same of those after it, behind p, where the line goes on. */
static bool is_behind(const struct needle *needle, const char *p)
{
  for (size_t i = needle->rare + 1; i < needle->length; i++, p++) {
    if ((unsigned char)*p >= 0x80 || (p[0] == '\\' && p[1] == 'u')) return true;
    if (!is_same(*p, needle->text[i])) return false;
  }
  return true;
}

/* Whether what is at p in raw text may fold to the character; and its size. */
static bool may_be(char folded, const char *p, const char *end, size_t *size)
{
  const unsigned char lead = (unsigned char)*p;
  uint32_t code = 0;
  *size = 1;
  if (lead >= 0xc0) {
    code = utf8_decode(p, (size_t)(end - p), size);
  } else if (p[0] == '\\' && p[1] == 'u') {
    code = (uint32_t)escape_digits(p + 2);
    *size = 6;
    if (code >= 0xdc80 && code <= 0xdcff) return true; /* a byte of any character: see escape.h */
  } else {
    return is_same(*p, folded);
  }
  return fold_to_ascii(code) == folded;
}

/* Whether the needle's first rare character is at p, and the rest of it beside that; in raw text, whether
 * it may be. */
static inline bool is_around(const struct needle *needle, const char *p, const char *from,
                             const char *end, bool raw)
{
  size_t size;
  if (raw)
    return may_be(needle->text[needle->rare], p, end, &size) && is_behind(needle, p + size) &&
           is_before(needle, p, from);
  return (size_t)(p - from) >= needle->rare &&
         is_needle(needle, p - needle->rare, (size_t)(end - p) + needle->rare);
}

#if defined(__SSE2__)
enum { STEP = 64 };

struct rare {
  __m128i byte, bit;
};

struct three {
  struct rare bytes[3];
  __m128i others; /* the lowest lead byte of a character that may fold to the first */
};

/* Of a byte behind the needle, any is the same. */
static inline struct rare rare(char byte)
{
  const unsigned char bit = byte == '\xff' ? 0xff : fold_bit(byte);
  return (struct rare){_mm_set1_epi8(byte), _mm_set1_epi8((char)bit)};
}

static inline struct three three(const struct needle *needle)
{
  const char first = rare_byte(needle, 0);
  const int lowest = has_accents(first) ? LATIN_1 : LATIN_1 + 1;
  return (struct three){{rare(first), rare(rare_byte(needle, 1)), rare(rare_byte(needle, 2))},
                        _mm_set1_epi8((char)lowest)};
}

static inline __m128i load(const char *p)
{
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline __m128i is_rare(__m128i bytes, const struct rare *rare)
{
  return _mm_cmpeq_epi8(_mm_or_si128(bytes, rare->bit), rare->byte);
}

/* Of this and the next, only the high bits count. */
static inline __m128i is_odd(__m128i bytes)
{
  return _mm_or_si128(bytes, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
}

static inline __m128i likely_16(const struct three *three, const char *p, bool raw)
{
  const __m128i here = load(p), next = load(p + 1), last = load(p + 2);
  const __m128i first = is_rare(here, &three->bytes[0]), second = is_rare(next, &three->bytes[1]);
  const __m128i third = is_rare(last, &three->bytes[2]);
  if (!raw) return _mm_and_si128(_mm_and_si128(first, second), third);
  const __m128i rest = _mm_and_si128(second, _mm_or_si128(third, is_odd(last)));
  const __m128i plain = _mm_and_si128(first, _mm_or_si128(rest, is_odd(next)));
  const __m128i code = _mm_and_si128(_mm_cmpeq_epi8(here, _mm_set1_epi8('\\')),
                                     _mm_cmpeq_epi8(next, _mm_set1_epi8('u')));
  const __m128i other = _mm_cmpeq_epi8(_mm_max_epu8(here, three->others), here);
  return _mm_or_si128(plain, _mm_or_si128(other, code));
}

static inline uint64_t bits(__m128i bytes)
{
  return (uint64_t)(unsigned)_mm_movemask_epi8(bytes);
}

/* A bit for each of the STEP places from p on where the three may be. */
static inline uint64_t likely(const struct three *three, const char *p, bool raw)
{
  const __m128i a = likely_16(three, p, raw), b = likely_16(three, p + 16, raw);
  const __m128i c = likely_16(three, p + 32, raw), d = likely_16(three, p + 48, raw);
  if (bits(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d))) == 0) return 0;
  return bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48;
}
#else
enum { STEP = 8 };

static const uint64_t ONES = 0x0101010101010101U;

struct three {
  uint64_t byte, bit; /* of the first */
};

static inline struct three three(const struct needle *needle)
{
  const char first = rare_byte(needle, 0);
  return (struct three){ONES * (unsigned char)first, ONES * fold_bit(first)};
}

/* Whether one of eight bytes is zero ("Bit Twiddling Hacks", haszero). */
static inline bool has_zero(uint64_t word)
{
  return ((word - ONES) & ~word & (ONES << 7)) != 0;
}

/* Bits for all of the STEP places from p on if one of them may have the first or, in raw text, a backslash
 * or a byte from 0xc0 on. */
static inline uint64_t likely(const struct three *three, const char *p, bool raw)
{
  uint64_t here;
  memcpy(&here, p, sizeof here);
  bool other = raw && ((here & here << 1 & (ONES << 7)) != 0 || has_zero(here ^ ONES * '\\'));
  return other || has_zero((here | three->bit) ^ three->byte) ? 0xff : 0;
}
#endif

static inline const char *find(const struct needle *needle, const char *p, const char *end,
                               bool raw)
{
  const struct three wanted = three(needle);
  const char *from = p;
  for (; end - p >= STEP + 2; p += STEP)
    for (uint64_t mask = likely(&wanted, p, raw); mask != 0; mask &= mask - 1) {
      const char *place = p + __builtin_ctzll(mask);
      if (is_around(needle, place, from, end, raw)) return place;
    }
  for (; p < end; p++)
    if (is_around(needle, p, from, end, raw)) return p;
  return NULL;
}

const char *needle_find(const struct needle *needle, const char *p, const char *end)
{
  const char *place = find(needle, p, end, false);
  return place != NULL ? place - needle->rare : NULL;
}

const char *needle_find_raw(const struct needle *needle, const char *p, const char *end)
{
  return find(needle, p, end, true);
}
