/* needle.c: looks for three neighbours of the needle, 64 places at a time, and compares the rest only
 * where all are found.
 *
 * In raw text any character of the needle may be in other bytes, and marks may stand behind it. So the
 * first of the three is also looked for in all that is not plain: letters beyond ASCII, and escapes. It
 * is one that has no accents in the languages of Western Europe, if the needle has one, so that the
 * letters of Latin-1, which are most of what is not plain in these, need not be looked at. The others
 * may be anything that is not plain. */
#include "text/needle.h"

#include <limits.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "base/word.h"
#include "text/fold.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include "base/hidden.h"

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

enum { STEP = 64 };

/* On i386 GCC warns that vectors are returned in another way where there is SSE. No other file calls
 * these functions. */
#pragma GCC diagnostic ignored "-Wpsabi"

typedef uint8_t lanes __attribute__((vector_size(16)));

struct rare {
  lanes byte, bit;
};

struct three {
  struct rare bytes[3];
  lanes others; /* the lowest lead byte of a character that may fold to the first */
};

/* Of a byte behind the needle, any is the same. */
static inline struct rare rare(char byte)
{
  const uint8_t bit = byte == '\xff' ? 0xff : fold_bit(byte);
  return (struct rare){(lanes){0} + (uint8_t)byte, (lanes){0} + bit};
}

static inline struct three three(const struct needle *needle)
{
  const char first = rare_byte(needle, 0);
  const uint8_t lowest = has_accents(first) ? LATIN_1 : LATIN_1 + 1;
  return (struct three){{rare(first), rare(rare_byte(needle, 1)), rare(rare_byte(needle, 2))},
                        (lanes){0} + lowest};
}

static inline lanes is_rare(lanes bytes, const struct rare *rare)
{
  return (lanes)((bytes | rare->bit) == rare->byte);
}

/* Of this and the next, only the high bits count. */
static inline lanes is_odd(lanes bytes)
{
  return bytes | (lanes)(bytes == '\\');
}

static inline lanes likely_16(const struct three *three, const char *p, bool raw)
{
  lanes here, next, last;
  memcpy(&here, p, sizeof here);
  memcpy(&next, p + 1, sizeof next);
  memcpy(&last, p + 2, sizeof last);
  const lanes first = is_rare(here, &three->bytes[0]), second = is_rare(next, &three->bytes[1]);
  const lanes third = is_rare(last, &three->bytes[2]);
  if (!raw) return first & second & third;
  const lanes plain = first & ((second & (third | is_odd(last))) | is_odd(next));
  const lanes code = (lanes)(here == '\\') & (lanes)(next == 'u');
  return plain | code | (lanes)(here >= three->others);
}

/* A bit for each high bit. */
static inline uint64_t bits(lanes bytes)
{
#if defined(__SSE2__)
  return (uint64_t)(unsigned)_mm_movemask_epi8((__m128i)bytes);
#else
  const uint64_t highs = 0x8080808080808080U, gather = 0x0002040810204081U;
  uint64_t words[2];
  memcpy(words, &bytes, sizeof words);
  return (WORD_LOW_FIRST(64, words[0]) & highs) * gather >> 56 |
         (WORD_LOW_FIRST(64, words[1]) & highs) * gather >> 56 << 8;
#endif
}

/* A bit for each of the STEP places from p on where the three may be. */
static inline uint64_t likely(const struct three *three, const char *p, bool raw)
{
  const lanes a = likely_16(three, p, raw), b = likely_16(three, p + 16, raw);
  const lanes c = likely_16(three, p + 32, raw), d = likely_16(three, p + 48, raw);
  if (bits(a | b | c | d) == 0) return 0;
  return bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48;
}

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
