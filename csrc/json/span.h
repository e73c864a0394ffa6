/* span.h: finds the first byte of a string that JSON requires to be escaped (RFC 8259, section 7):
 * `"`, `\` and U+0000 to U+001F. Scanning and encoding spend most of their time here.
 *
 * There are three implementations, chosen at compile time: SSE2 (every x86-64), NEON (every arm64)
 * and eight bytes at a time elsewhere. AVX2 was measured to be no faster. Each reads up to
 * SPAN_PADDING bytes past the byte that it finds, so a text must end in such a byte and have that
 * much memory after it. span_portable is always compiled, so that a fuzzer can compare them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif

enum { SPAN_PADDING = 64, SPAN_STEP = 16 };

/* Whether each byte of a word is ASCII that needs no escape: the high bit of each is clear after
 * subtractions that borrow below U+0020 and from what is equal ("Bit Twiddling Hacks", hasless). */
static inline bool span_is_plain(uint64_t word)
{
  const uint64_t ones = 0x0101010101010101U, highs = 0x8080808080808080U;
  uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
  return ((word | (word - ones * 0x20) | (quote - ones) | (backslash - ones)) & highs) == 0;
}

static inline const char *span_portable(const char *p)
{
  for (uint64_t word; memcpy(&word, p, 8), span_is_plain(word);) p += 8;
  while ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\') p++;
  return p;
}

#if defined(__SSE2__)
/* A bit for each of 16 bytes that needs an escape. Flipping 0x02 puts `"` right after the control
 * characters; flipping 0x80 lets one signed comparison find them all. */
static inline uint64_t span_mask(const char *p)
{
  const __m128i backslash = _mm_set1_epi8('\\'), turned = _mm_set1_epi8((char)0x82),
                past = _mm_set1_epi8((char)(0x21 ^ 0x80));
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
  __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, backslash),
                               _mm_cmplt_epi8(_mm_xor_si128(bytes, turned), past));
  return (uint64_t)(unsigned)_mm_movemask_epi8(found);
}

static inline const char *span_plain(const char *p)
{
  for (;; p += 16) {
    uint64_t mask = span_mask(p);
    if (mask != 0) return p + __builtin_ctzll(mask);
  }
}

/* The same for strings that are likely to be long: fewer branches, better predicted. */
static inline const char *span_long(const char *p)
{
  for (;; p += 64) {
    uint64_t mask =
        span_mask(p) | span_mask(p + 16) << 16 | span_mask(p + 32) << 32 | span_mask(p + 48) << 48;
    if (mask != 0) return p + __builtin_ctzll(mask);
  }
}
#elif defined(__aarch64__) && defined(__ARM_NEON)
static inline const char *span_plain(const char *p)
{
  const uint8x16_t quote = vdupq_n_u8('"'), backslash = vdupq_n_u8('\\'), space = vdupq_n_u8(0x20);
  for (;; p += 16) {
    uint8x16_t bytes = vld1q_u8((const uint8_t *)p);
    uint8x16_t found = vorrq_u8(vorrq_u8(vceqq_u8(bytes, quote), vceqq_u8(bytes, backslash)),
                                vcltq_u8(bytes, space));
    /* Four bits a byte: the usual stand-in for the movemask that NEON lacks. */
    uint64_t mask =
        vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(found), 4)), 0);
    if (mask != 0) return p + (__builtin_ctzll(mask) >> 2);
  }
}
#else
static inline const char *span_plain(const char *p)
{
  return span_portable(p);
}
#endif

#if !defined(__SSE2__)
static inline const char *span_long(const char *p)
{
  return span_plain(p);
}
#endif

/* Copies SPAN_STEP bytes; returns how many come before the first that is not ASCII or needs an
 * escape. */
static inline unsigned span_step(const char *p, char *out)
{
#if defined(__SSE2__)
  /* As in span_mask; what is not ASCII is negative, and so below the control characters. */
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
  __m128i over = _mm_cmpgt_epi8(_mm_xor_si128(bytes, _mm_set1_epi8(0x02)), _mm_set1_epi8(0x20));
  __m128i plain = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')), over);
  unsigned mask = (unsigned)_mm_movemask_epi8(plain);
  _mm_storeu_si128((__m128i *)(void *)out, bytes);
  return mask == 0xffff ? SPAN_STEP : (unsigned)__builtin_ctz(~mask);
#else
  unsigned plain = 0;
  memcpy(out, p, SPAN_STEP);
  while (plain < SPAN_STEP && (signed char)p[plain] >= 0x20 && p[plain] != '"' && p[plain] != '\\')
    plain++;
  return plain;
#endif
}
