/* rows.h: tables of characters as text, a quarter of the space that numbers take in a source. */
#pragma once

#include "base/word.h"

/* A digit is a byte with six bits of a number. */
static inline unsigned row_digit(const char *digit)
{
  return (unsigned char)(*digit - '#');
}

/* A number of four digits, the lowest first. */
static inline uint32_t row_number(const char *digits)
{
  return row_digit(digits) | row_digit(digits + 1) << 6 | row_digit(digits + 2) << 12 |
         row_digit(digits + 3) << 18;
}

/* Of rows of `size` bytes, which ascend by the number that each begins with: the last one whose number
 * is not above this one, of 24 bits; or the first row. */
static inline const char *row_find(const char *rows, size_t length, size_t size, uint32_t number)
{
  const uint32_t digits = 0x23232323U + ((number & 0x3f) | (number << 2 & 0x3f00) |
                                         (number << 4 & 0x3f0000) | (number << 6 & 0x3f000000));
  size_t low = 0, high = length / size;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    uint32_t word;
    memcpy(&word, rows + middle * size, sizeof word);
    if (WORD_LOW_FIRST(32, word) <= digits) low = middle;
    else high = middle;
  }
  return rows + low * size;
}
