/* escape.c: finds backslashes, and copies what is between them. */
#include "base/escape.h"

#include "base/utf8.h"
#include "base/hidden.h"

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

const char *escape_decode(const char *escape, char **out)
{
  const char letter = escape_letter(escape[1]), *p = escape + 2;
  int low, code = letter == 0 && escape[1] == 'u' ? escape_digits(p) : -1;
  if (code < 0) {
    *(*out)++ = (char)(letter != 0 ? letter : '\\');
    return letter != 0 ? p : escape + 1;
  }
  p += 4;
  if (code >= 0xd800 && code < 0xdc00 && p[0] == '\\' && p[1] == 'u' &&
      (low = escape_digits(p + 2)) >= 0xdc00 && low < 0xe000) {
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    p += 6;
  }
  if (code >= 0xdc80 && code <= 0xdcff) *(*out)++ = (char)(code - 0xdc00);
  else *out += utf8_encode((uint32_t)code, *out);
  return p;
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
