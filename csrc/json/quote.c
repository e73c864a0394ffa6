/* quote.c: ASCII is copied as in span.h, other text in wide steps if this machine can; what either of
 * them stops at, and the last bytes, character by character. */
#include "json/quote.h"

#include "base/utf8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define TARGET __attribute__((target("avx2")))
#define TARGET_IS_THERE __builtin_cpu_supports("avx2")
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define TARGET
#define TARGET_IS_THERE true
#endif
#include "base/hidden.h"

/* The size of the character at p if it stands for itself; 0: an escape stands for its first byte.
 * Most are told by their bytes alone. */
static inline size_t plain_size(const char *p, const char *end)
{
  unsigned char byte = (unsigned char)*p;
  size_t left = (size_t)(end - p), size;
  if (byte < 0x80) return byte >= 0x20 && byte != '"' && byte != '\\';
  if (byte > 0xc1 && byte < 0xe0) return left > 1 && utf8_continues(p[1]) ? 2 : 0;
  if (byte > 0xe0 && byte < 0xed)
    return left > 2 && utf8_continues(p[1]) && utf8_continues(p[2]) ? 3 : 0;
  return utf8_decode(p, left, &size) != UTF8_INVALID ? size : 0;
}

/* Puts the escape for the byte at p where `out` is. Returns what follows it, with room for the rest;
 * NULL: out of memory. */
static char *put_escape(struct buf *buf, char *out, const char *p, const char *end)
{
  static const char letters[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu", hex[] = "0123456789abcdef";
  const unsigned char byte = (unsigned char)*p;
  char letter = (char)(byte < 0x80 ? byte : 'u');
  if (byte < 0x20) letter = letters[byte];
  buf->length = (size_t)(out - buf->data);
  if (!buf_reserve(buf, QUOTE_ESCAPE + (size_t)(end - p) + QUOTE_SPARE)) return NULL;
  out = buf->data + buf->length;
  *out++ = '\\', *out++ = letter;
  if (letter != 'u') return out;
  memcpy(out, byte < 0x80 ? "00" : "dc", 2);
  out[2] = hex[byte >> 4], out[3] = hex[byte & 15];
  return out + 4;
}

/* Puts the characters before `until`. Returns what follows them; NULL: out of memory. *kept is
 * where those begin that no escape was put for. */
static const char *put_characters(struct buf *buf, const char *p, const char *until,
                                  const char *end, const char **kept)
{
  char *out = buf->data + buf->length;
  while (p < until) {
    size_t size = plain_size(p, end);
    if (size == 0) {
      if ((out = put_escape(buf, out, p, end)) == NULL) return NULL;
      *kept = ++p;
    }
    for (; size > 0; size--) *out++ = *p++;
  }
  buf->length = (size_t)(out - buf->data);
  return p;
}

/* Puts ASCII in whole steps. Returns where they end, or what is not ASCII begins; NULL: out of
 * memory. */
static const char *put_ascii(struct buf *buf, const char *p, const char *end)
{
  char *out = buf->data + buf->length;
  while (end - p >= SPAN_STEP) {
    unsigned plain = span_step(p, out);
    out += plain;
    p += plain;
    if (plain == SPAN_STEP) continue;
    if ((unsigned char)*p >= 0x80) break;
    if ((out = put_escape(buf, out, p++, end)) == NULL) return NULL;
  }
  buf->length = (size_t)(out - buf->data);
  return p;
}

/* ---- beyond ASCII, in wide steps ---- */

#if defined(TARGET)
enum {
  WIDE_BEFORE = 3, /* how many bytes of whole characters must be before p */
#if defined(__x86_64__)
  WIDE_STEP = 32 /* bytes */
#else
  WIDE_STEP = 16
#endif
};

/* Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte", 2021: three tables, for
 * the two halves of the byte before and the upper half of this one, say which of eight faults are
 * possible; those that all three name are there. A second continuation byte is one of them, and right
 * if a character of three or four bytes began before it. */
typedef uint8_t bytes __attribute__((vector_size(WIDE_STEP)));
typedef int8_t signed_bytes __attribute__((vector_size(WIDE_STEP)));

enum fault {
  LACK = 0x01, /* no continuation byte where one must be */
  LONE = 0x02, /* one after ASCII */
  OVER_2 = 0x04, /* more bytes than the character needs: two, */
  OVER_3 = 0x08, /* three, */
  OVER_4 = 0x10, /* or four; also U+140000 and above */
  BEYOND = 0x20, /* U+110000 and above */
  HALF = 0x40, /* a surrogate */
  NEXT = 0x80, /* a second continuation byte */
};

/* After a byte with this upper half, */
enum { A_C = LACK | OVER_2, A_E = LACK | OVER_3 | HALF, A_F = LACK | BEYOND | OVER_4 };
static const uint8_t AFTER_UPPER[16] = {LONE, LONE, LONE, LONE, LONE, LONE, LONE, LONE,
                                        NEXT, NEXT, NEXT, NEXT, A_C,  LACK, A_E,  A_F};
/* after one with this lower half, */
enum {
  B_2 = LACK | LONE | NEXT,
  B_0 = B_2 | OVER_2 | OVER_3 | OVER_4,
  B_1 = B_2 | OVER_2,
  B_4 = B_2 | BEYOND,
  B_5 = B_2 | BEYOND | OVER_4,
  B_D = B_5 | HALF
};
static const uint8_t AFTER_LOWER[16] = {B_0, B_1, B_2, B_2, B_4, B_5, B_5, B_5,
                                        B_5, B_5, B_5, B_5, B_5, B_D, B_5, B_5};
/* and in one with this upper half. */
enum {
  C_8 = LONE | NEXT | OVER_2 | OVER_3 | OVER_4,
  C_9 = LONE | NEXT | OVER_2 | OVER_3 | BEYOND,
  C_A = LONE | NEXT | OVER_2 | HALF | BEYOND
};
static const uint8_t UPPER[16] = {LACK, LACK, LACK, LACK, LACK, LACK, LACK, LACK,
                                  C_8,  C_9,  C_A,  C_A,  LACK, LACK, LACK, LACK};

/* The table's entries for numbers below 16. */
#if defined(__x86_64__)
#define look(table, numbers)                                                                       \
  ((bytes)_mm256_shuffle_epi8(                                                                     \
      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table))),        \
      (__m256i)(numbers)))
#else
#define look(table, numbers) ((bytes)vqtbl1q_u8(vld1q_u8(table), (uint8x16_t)(numbers)))
#endif

/* How many bytes are not wrong, before the first that is. */
TARGET static inline unsigned count_right(const bytes *wrong)
{
#if defined(__x86_64__)
  unsigned right = (unsigned)_mm256_movemask_epi8((__m256i)(*wrong == 0));
  return right == UINT32_MAX ? WIDE_STEP : (unsigned)__builtin_ctz(~right);
#else
  uint64_t right = span_mask(*wrong == 0);
  return right == UINT64_MAX ? WIDE_STEP : (unsigned)__builtin_ctzll(~right) / SPAN_BITS;
#endif
}

TARGET static inline void find_wrong(const char *p, bytes *wrong)
{
  bytes here, before, second, third;
  memcpy(&here, p, sizeof here);
  memcpy(&before, p - 1, sizeof before);
  memcpy(&second, p - 2, sizeof second);
  memcpy(&third, p - 3, sizeof third);
  bytes faults =
      look(AFTER_UPPER, before >> 4) & look(AFTER_LOWER, before & 15) & look(UPPER, here >> 4);
  bytes inside = ((bytes)((signed_bytes)second > (int8_t)0xdf) & second) |
                 ((bytes)((signed_bytes)third > (int8_t)0xef) & third);
  /* As in span_mask. */
  bytes escapes =
      (bytes)((signed_bytes)(here ^ 0x82) < (int8_t)(0x21 ^ 0x80)) | (bytes)(here == '\\');
  *wrong = (faults ^ (inside & NEXT)) | escapes;
}

/* Copies whole steps; returns where less than one is left, or the first byte that needs an escape or
 * shows that the character around it or before it is none. */
TARGET static const char *wide_copy(const char *p, const char *end, char *out)
{
  for (; end - p >= WIDE_STEP; p += WIDE_STEP, out += WIDE_STEP) {
    bytes wrong;
    find_wrong(p, &wrong);
    memcpy(out, p, WIDE_STEP);
    unsigned right = count_right(&wrong);
    if (right < WIDE_STEP) return p + right;
  }
  return p;
}

/* The same for any text, all of it if it can be: the last step goes back to what was copied before, to
 * end with the text. The last character is always put again by itself, as a step may end inside it. */
static const char *put_wide(struct buf *buf, const char *p, const char *end)
{
  const char *kept = p;
  while (p != NULL && p < end) {
    const char *stop = p;
    ptrdiff_t back = end - p < WIDE_STEP ? WIDE_STEP - (end - p) : 0;
    if (p - kept >= back + WIDE_BEFORE) {
      buf->length -= (size_t)back;
      p -= back;
      stop = wide_copy(p, end, buf->data + buf->length);
      const char *last = kept + utf8_start(kept, (size_t)(stop - 1 - kept));
      buf->length += (size_t)(last - p);
      p = last;
    } else if (back > 0) {
      return p;
    }
    p = put_characters(buf, p, end - stop > WIDE_BEFORE ? stop + WIDE_BEFORE : end, end, &kept);
  }
  return p;
}
#endif

/* ---- the whole ---- */

bool quote_rest(struct buf *buf, const char *text, size_t length)
{
  const char *end = text + length, *p = put_ascii(buf, text, end);
#if defined(TARGET)
  if (p != NULL && end - p >= WIDE_STEP && TARGET_IS_THERE) p = put_wide(buf, p, end);
#endif
  if (p == NULL) return false;
  size_t left = (size_t)(end - p);
  if (left < SPAN_STEP && quote_short(p, left, buf->data + buf->length)) buf->length += left;
  else if (put_characters(buf, p, end, end, &p) == NULL) return false;
  buf_put(buf, '"');
  return true;
}
