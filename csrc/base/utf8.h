/* utf8.h: characters and their bytes, in UTF-8 (RFC 3629) and in ASCII, whatever the locale. */
#pragma once

#include "base/std.h"

#define UTF8_INVALID UINT32_MAX

enum { UTF8_LONGEST = 4 }; /* bytes of a character */

static inline bool is_digit(char byte)
{
  return byte >= '0' && byte <= '9';
}

/* The value of a hexadecimal digit in either case; -1: it is none. */
static inline int hex_digit(char byte)
{
  if (is_digit(byte)) return byte - '0';
  char lower = (char)(byte | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Whether a byte is a continuation byte, 10xxxxxx, which begins no character. */
static inline bool utf8_continues(char byte)
{
  return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The character that a text of at least one byte begins with, and its size in bytes. UTF8_INVALID
 * with the size 1 if its first byte is not part of valid UTF-8, which has neither surrogates nor
 * overlong forms. */
uint32_t utf8_decode(const char *text, size_t length, size_t *size);
/* Writes a code point, which may be a surrogate, and returns its size in bytes. */
size_t utf8_encode(uint32_t code, char out[UTF8_LONGEST]);
/* Where the character starts that the byte at `at` is in, for cutting a text there. Returns `at` if
 * no byte before it begins a character that reaches over it. */
size_t utf8_start(const char *text, size_t at);

/* Whether one of `count` ranges, first to last and ascending, has the character. */
static inline bool utf8_is_in(const uint32_t (*ranges)[2], size_t count, uint32_t code)
{
  for (size_t i = 0; i < count && ranges[i][0] <= code; i++)
    if (code <= ranges[i][1]) return true;
  return false;
}
