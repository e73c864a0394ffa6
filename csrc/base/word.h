/* word.h: short texts as numbers, the first byte lowest on every machine; and numbers as bytes. */
#pragma once

#include "base/std.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WORD_LOW_FIRST(bits, number) __builtin_bswap##bits(number)
#else
#define WORD_LOW_FIRST(bits, number) (number)
#endif

static inline uint64_t word_load(const char *text)
{
  uint64_t word;
  memcpy(&word, text, sizeof word);
  return WORD_LOW_FIRST(64, word);
}

/* Up to 7 bytes, of which some are read twice rather than one after the other. */
static inline uint64_t word_load_few(const char *text, size_t count)
{
  uint32_t first, last;
  if (count >= sizeof first) {
    memcpy(&first, text, sizeof first);
    memcpy(&last, text + count - sizeof last, sizeof last);
    return WORD_LOW_FIRST(32, first) | (uint64_t)WORD_LOW_FIRST(32, last)
                                           << 8 * (count - sizeof last);
  }
  if (count == 0) return 0;
  const unsigned char *bytes = (const unsigned char *)text;
  return bytes[0] | (uint64_t)bytes[count / 2] << 8 * (count / 2) |
         (uint64_t)bytes[count - 1] << 8 * (count - 1);
}

static inline void word_store(uint64_t word, char *out)
{
  const uint64_t low_first = WORD_LOW_FIRST(64, word);
  memcpy(out, &low_first, sizeof low_first);
}

/* The last newline of a text; NULL: there is none. */
static inline const char *last_newline(const char *start, size_t length)
{
  const uint64_t ones = 0x0101010101010101U, newlines = ones * '\n';
  for (uint64_t word; length >= 8; length -= 8) {
    word = word_load(start + length - 8) ^ newlines;
    if (((word - ones) & ~word & ones << 7) != 0) break; /* "Bit Twiddling Hacks", haszero */
  }
  while (length > 0)
    if (start[--length] == '\n') return start + length;
  return NULL;
}

/* ---- seven bits a byte, the lowest first; all but the last byte have the high bit ---- */

enum { PACKED_LONGEST = 10 }; /* bytes of a number */

/* Writes a number, and moves *p past it. */
static inline void packed_put(unsigned char **p, uint64_t number)
{
  for (; number >= 0x80; number >>= 7) *(*p)++ = (unsigned char)(number | 0x80);
  *(*p)++ = (unsigned char)number;
}

/* Reads the number at *p, and moves that past it. */
static inline uint64_t packed_get(const unsigned char **p)
{
  uint64_t number = 0;
  unsigned shift = 0;
  for (; **p >= 0x80; shift += 7) number |= (uint64_t)(*(*p)++ & 0x7f) << shift;
  return number | (uint64_t) * (*p)++ << shift;
}
