/* needle.c: looks for the needle's two rarest bytes at their distance, 64 places at a time with
 * SSE2 and 8 elsewhere, and compares the rest only where both are found. */
#include "text/needle.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "text/fold.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* ---- what to look for ---- */

/* How common a byte is in text, roughly: letters by their frequency in English. */
static int commonness(char byte)
{
  static const char rising[] = "zqjxvbywgpfmucdlhrnioate ";
  const char *place = memchr(rising, byte, sizeof rising - 1);
  return place != NULL ? (int)(place - rising) + 2 : 1;
}

/* The place of the rarest byte other than the one at `but`. */
static size_t rarest(const char *text, size_t length, size_t but)
{
  size_t place = but == 0 && length > 1 ? 1 : 0;
  for (size_t i = 0; i < length; i++)
    if (i != but && commonness(text[i]) < commonness(text[place])) place = i;
  return place;
}

void needle_set(struct needle *needle, const char *text, size_t length)
{
  size_t one = rarest(text, length, length), other = rarest(text, length, one);
  *needle = (struct needle){text, length, one < other ? one : other, one < other ? other : one};
}

/* ---- looking ---- */

/* The bit in which a folded ASCII letter differs from its capital. Setting it in folded text, which
 * has no capitals, turns no other byte into a letter. */
static unsigned char fold_bit(char byte)
{
  return byte >= 'a' && byte <= 'z' ? 0x20 : 0;
}

/* Whether the needle is at p, where `left` bytes are left. */
static bool is_needle(const struct needle *needle, const char *p, size_t left)
{
  if (left < needle->length) return false;
  for (size_t i = 0; i < needle->length; i++)
    if ((char)(p[i] | fold_bit(needle->text[i])) != needle->text[i]) return false;
  return true;
}

/* Whether the first `count` characters of the needle are before p, or something that may fold to
 * them. */
static bool is_before(const struct needle *needle, size_t count, const char *p, const char *from)
{
  for (; count > 0; count--, p--) {
    if (p == from) return false;
    if ((unsigned char)p[-1] >= 0x80 || (p - from >= 6 && p[-6] == '\\' && p[-5] == 'u'))
      return true;
    if ((char)(p[-1] | fold_bit(needle->text[count - 1])) != needle->text[count - 1]) return false;
  }
  return true;
}

/* The same of the characters from the `at`th on, behind p, where the line goes on. */
static bool is_behind(const struct needle *needle, size_t at, const char *p)
{
  for (; at < needle->length; at++, p++) {
    if ((unsigned char)*p >= 0x80 || *p == '\\') return true;
    if ((char)(*p | fold_bit(needle->text[at])) != needle->text[at]) return false;
  }
  return true;
}

/* Whether the bytes beside something that is not ASCII rule out that the needle is there, as they
 * mostly do. `next` is behind it, where the line goes on. */
static bool is_ruled_out(const struct needle *needle, const char *p, const char *from,
                         const char *next)
{
  const char *text = needle->text;
  char before = '\n';
  if (p > from) before = p[-1];
  if ((unsigned char)before >= 0x80 || (unsigned char)*next >= 0x80 || *next == '\\') return false;
  if (p - from >= 6 && p[-6] == '\\') return false;
  for (size_t i = 0; i < needle->length; i++) {
    if (i > 0 && (char)(before | fold_bit(text[i - 1])) != text[i - 1]) continue;
    if (i + 1 == needle->length || (char)(*next | fold_bit(text[i + 1])) == text[i + 1] ||
        (char)(*next | fold_bit(text[i])) == text[i])
      return false;
  }
  return true;
}

/* Whether the needle may be where something is that is not ASCII. */
static bool is_around(const struct needle *needle, const char *p, const char *from, const char *end)
{
  const unsigned char lead = (unsigned char)*p;
  if (is_ruled_out(needle, p, from, p + (lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4))) return false;
  size_t size;
  int folded = fold_to_ascii(p, (size_t)(end - p), &size);
  if (folded == FOLD_OTHER || folded == FOLD_SEVERAL) return folded == FOLD_SEVERAL;
  for (size_t i = 0; i < needle->length; i++)
    if ((folded == FOLD_MARK || needle->text[i] == folded) && is_before(needle, i, p, from) &&
        is_behind(needle, folded == FOLD_MARK ? i : i + 1, p + size))
      return true;
  return false;
}

/* Whether what begins at p is no ASCII, or an escape, and may fold to a part of the needle. */
static bool hides(const struct needle *needle, const char *p, const char *from, const char *end)
{
  if ((unsigned char)p[0] >= 0xc0) return is_around(needle, p, from, end);
  if (p[0] != '\\' || p[1] != 'u') return false;
  int code = escape_digits(p + 2);
  if (code >= 'A' && code <= 'Z') code |= 0x20;
  return code >= 0x80 || (code >= 0 && memchr(needle->text, code, needle->length) != NULL);
}

/* The place of the needle whose first rare byte, or of the escape that, may be at p; or NULL. */
static inline const char *found(const struct needle *needle, const char *p, const char *from,
                                const char *end, bool raw)
{
  if (raw && hides(needle, p, from, end)) return p;
  if ((size_t)(p - from) < needle->first) return NULL;
  const char *start = p - needle->first;
  return is_needle(needle, start, (size_t)(end - start)) ? start : NULL;
}

#if defined(__SSE2__)
enum { STEP = 64 };

struct rare {
  __m128i byte, bit;
};

static inline struct rare rare(char byte)
{
  return (struct rare){_mm_set1_epi8(byte), _mm_set1_epi8((char)fold_bit(byte))};
}

static inline __m128i load(const char *p)
{
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline __m128i is_rare(__m128i bytes, const struct rare *rare)
{
  return _mm_cmpeq_epi8(_mm_or_si128(bytes, rare->bit), rare->byte);
}

static inline __m128i likely_16(const char *p, const struct rare *first, const struct rare *second,
                                size_t distance, bool raw)
{
  __m128i here = load(p);
  __m128i both = _mm_and_si128(is_rare(here, first), is_rare(load(p + distance), second));
  if (!raw) return both;
  __m128i backslash = _mm_cmpeq_epi8(here, _mm_set1_epi8('\\'));
  __m128i code = _mm_cmpeq_epi8(load(p + 1), _mm_set1_epi8('u'));
  __m128i lead = _mm_and_si128(here, _mm_add_epi8(here, here));
  return _mm_or_si128(_mm_or_si128(both, lead), _mm_and_si128(backslash, code));
}

static inline uint64_t bits(__m128i bytes)
{
  return (uint64_t)(unsigned)_mm_movemask_epi8(bytes);
}

/* A bit for each of the STEP places from p on that has both bytes or, in raw text, `\u` or a byte from
 * 0xc0 on. Of `here` and the like, only the high bits count. */
static inline uint64_t likely(const char *p, const struct rare *first, const struct rare *second,
                              size_t distance, bool raw)
{
  __m128i a = likely_16(p, first, second, distance, raw);
  __m128i b = likely_16(p + 16, first, second, distance, raw);
  __m128i c = likely_16(p + 32, first, second, distance, raw);
  __m128i d = likely_16(p + 48, first, second, distance, raw);
  if (bits(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d))) == 0) return 0;
  return bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48;
}
#else
enum { STEP = 8 };

static const uint64_t ONES = 0x0101010101010101U;

struct rare {
  uint64_t byte, bit;
};

static inline struct rare rare(char byte)
{
  return (struct rare){ONES * (unsigned char)byte, ONES * fold_bit(byte)};
}

static inline uint64_t load(const char *p)
{
  uint64_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

/* Whether one of eight bytes is zero ("Bit Twiddling Hacks", haszero). */
static inline bool has_zero(uint64_t word)
{
  return ((word - ONES) & ~word & (ONES << 7)) != 0;
}

/* Bits for all of the STEP places from p on if one of them may have both bytes or, in raw text, `\u` or
 * a byte from 0xc0 on. */
static inline uint64_t likely(const char *p, const struct rare *first, const struct rare *second,
                              size_t distance, bool raw)
{
  uint64_t here = load(p);
  uint64_t others =
      ((here | first->bit) ^ first->byte) | ((load(p + distance) | second->bit) ^ second->byte);
  uint64_t no_escapes = (here ^ ONES * '\\') | (load(p + 1) ^ ONES * 'u');
  bool odd = raw && ((here & here << 1 & (ONES << 7)) != 0 || has_zero(no_escapes));
  return odd || has_zero(others) ? 0xff : 0;
}
#endif

static inline const char *find(const struct needle *needle, const char *p, const char *end,
                               bool raw)
{
  const struct rare first = rare(needle->text[needle->first]);
  const struct rare second = rare(needle->text[needle->second]);
  const size_t distance = needle->second - needle->first;
  const char *from = p, *place;
  for (; (size_t)(end - p) >= STEP + 2 + distance; p += STEP)
    for (uint64_t mask = likely(p, &first, &second, distance, raw); mask != 0; mask &= mask - 1)
      if ((place = found(needle, p + __builtin_ctzll(mask), from, end, raw)) != NULL) return place;
  const char byte = needle->text[needle->first];
  for (; p < end; p++)
    if (((char)(*p | fold_bit(byte)) == byte || *p == '\\' || (unsigned char)*p >= 0xc0) &&
        (place = found(needle, p, from, end, raw)) != NULL)
      return place;
  return NULL;
}

const char *needle_find(const struct needle *needle, const char *p, const char *end)
{
  return find(needle, p, end, false);
}

const char *needle_find_raw(const struct needle *needle, const char *p, const char *end)
{
  return find(needle, p, end, true);
}
