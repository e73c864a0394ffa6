/* packed.h: numbers in seven bits per byte, the lowest first; all but the last byte have the high bit. */
#pragma once

#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { PACKED_LONGEST = 10 }; /* bytes of a number */

/* Writes a number, and moves *p behind it. */
static inline void packed_put(unsigned char **p, uint64_t number)
{
  for (; number >= 0x80; number >>= 7) *(*p)++ = (unsigned char)(number | 0x80);
  *(*p)++ = (unsigned char)number;
}

/* Reads the number at *p, and moves that behind it. */
static inline uint64_t packed_get(const unsigned char **p)
{
  uint64_t number = 0;
  unsigned shift = 0;
  for (; **p >= 0x80; shift += 7) number |= (uint64_t)(*(*p)++ & 0x7f) << shift;
  return number | (uint64_t) * (*p)++ << shift;
}

#pragma GCC visibility pop
