/* escape.c: finds backslashes, and copies what is between them. */
#include "base/escape.h"

#include <string.h>

#include "base/utf8.h"

int escape_digits(const char *p)
{
  int value = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(p[i]);
    if (digit < 0) return -1 - i;
    value = value * 16 + digit;
  }
  return value;
}

char escape_letter(char letter)
{
  static const char letters[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
  return letters[(unsigned char)letter];
}

/* Puts a code unit whose digits end at p. */
static const char *put_unit(unsigned code, const char *p, char **out)
{
  if (code >= 0xd800 && code < 0xdc00 && p[0] == '\\' && p[1] == 'u') {
    int low = escape_digits(p + 2);
    if (low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + ((unsigned)low - 0xdc00);
      p += 6;
    }
  }
  if (code >= 0xdc80 && code <= 0xdcff) *(*out)++ = (char)(code - 0xdc00);
  else *out += utf8_encode(code, *out);
  return p;
}

const char *escape_decode(const char *escape, char **out)
{
  char letter = escape_letter(escape[1]);
  int code = letter == 0 && escape[1] == 'u' ? escape_digits(escape + 2) : -1;
  if (code >= 0) return put_unit((unsigned)code, escape + 6, out);
  if (letter == 0) {
    *(*out)++ = '\\';
    return escape + 1;
  }
  *(*out)++ = letter;
  return escape + 2;
}

size_t escape_decode_all(const char *p, const char *end, char *out)
{
  const char *begin = out;
  while (p < end) {
    const char *escape = memchr(p, '\\', (size_t)(end - p));
    size_t plain = (size_t)((escape != NULL ? escape : end) - p);
    memmove(out, p, plain);
    out += plain;
    if (escape == NULL) break;
    p = escape_decode(escape, &out);
  }
  return (size_t)(out - begin);
}
