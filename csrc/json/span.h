/* span.h: finds the first byte of a string that JSON requires to be escaped (RFC 8259, section 7):
 * `"`, `\` and U+0000 to U+001F. Scanning and encoding spend most of their time here.
 *
 * There are three implementations, chosen at compile time: SSE2 (every x86-64), NEON (every arm64)
 * and eight bytes at a time elsewhere. AVX2 was measured to be no faster. Each reads up to
 * SPAN_PADDING bytes past the byte that it finds, so a text must end in such a byte and have that
 * much memory after it. span_portable is always compiled, so that a fuzzer can compare them. */
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
enum { SPAN_BITS = 1 }; /* of each byte in a mask */
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>

#include "base/std.h"
enum { SPAN_BITS = 4 };
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

#if defined(__SSE2__) || (defined(__aarch64__) && defined(__ARM_NEON))
typedef int8_t span_bytes __attribute__((vector_size(SPAN_STEP)));

/* Of bytes that are 0 or -1. */
__attribute__((always_inline)) static inline uint64_t span_mask(span_bytes bytes)
{
#if defined(__SSE2__)
  return (uint64_t)(unsigned)_mm_movemask_epi8((__m128i)bytes);
#else
  uint8x8_t halves = vshrn_n_u16(vreinterpretq_u16_u8((uint8x16_t)bytes), 4);
  return vget_lane_u64(vreinterpret_u64_u8(halves), 0);
#endif
}

/* The mask of 16 bytes that need an escape. Flipping 0x02 puts `"` right after the control characters;
 * flipping 0x80 lets one signed comparison find them all. */
__attribute__((always_inline)) static inline uint64_t span_found(const char *p)
{
  span_bytes bytes;
  memcpy(&bytes, p, sizeof bytes);
  return span_mask(((bytes ^ (int8_t)0x82) < (int8_t)(0x21 ^ 0x80)) | (bytes == '\\'));
}

static inline const char *span_plain(const char *p)
{
  for (;; p += SPAN_STEP) {
    uint64_t mask = span_found(p);
    if (mask != 0) return p + __builtin_ctzll(mask) / SPAN_BITS;
  }
}

/* Copies SPAN_STEP bytes; returns how many come before the first that is not ASCII, and so negative, or
 * needs an escape. */
static inline unsigned span_step(const char *p, char *out)
{
  span_bytes bytes;
  memcpy(&bytes, p, sizeof bytes);
  memcpy(out, &bytes, sizeof bytes);
  uint64_t mask = span_mask(((bytes ^ 0x02) <= 0x20) | (bytes == '\\'));
  return mask == 0 ? SPAN_STEP : (unsigned)__builtin_ctzll(mask) / SPAN_BITS;
}
#else
static inline const char *span_plain(const char *p)
{
  return span_portable(p);
}

static inline unsigned span_step(const char *p, char *out)
{
  unsigned plain = 0;
  memcpy(out, p, SPAN_STEP);
  while (plain < SPAN_STEP && (signed char)p[plain] >= 0x20 && p[plain] != '"' && p[plain] != '\\')
    plain++;
  return plain;
}
#endif

/* As span_plain, for strings that are likely to be long: fewer branches, better predicted. */
static inline const char *span_long(const char *p)
{
#if defined(__SSE2__)
  for (uint64_t mask;; p += 64) {
    mask = span_found(p) | span_found(p + 16) << 16 | span_found(p + 32) << 32 |
           span_found(p + 48) << 48;
    if (mask != 0) return p + __builtin_ctzll(mask);
  }
#else
  return span_plain(p);
#endif
}
