/* ascii.h: what a byte of ASCII is, whatever the locale. */
#ifndef AISH_ASCII_H
#define AISH_ASCII_H

#include <stdbool.h>

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

#endif
