/* utf8.c: decoding, encoding and cutting UTF-8. */
#include "base/utf8.h"
#include "base/hidden.h"

uint32_t utf8_decode(const char *text, size_t length, size_t *size)
{
  static const uint32_t least[UTF8_LONGEST + 1] = {0, 0, 0x80, 0x800, 0x10000};
  unsigned char lead = (unsigned char)*text;
  *size = 1;
  if (lead < 0x80) return lead;
  size_t needed = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4 || needed > length) return UTF8_INVALID;
  uint32_t code = lead & (0xffU >> (needed + 1));
  for (size_t i = 1; i < needed; i++) {
    if (!utf8_continues(text[i])) return UTF8_INVALID;
    code = code << 6 | ((unsigned char)text[i] & 0x3f);
  }
  if (code < least[needed] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    return UTF8_INVALID;
  *size = needed;
  return code;
}

size_t utf8_encode(uint32_t code, char out[UTF8_LONGEST])
{
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
  out[0] = (char)((0xf00U >> size & 0xff) | code);
  return size;
}

size_t utf8_start(const char *text, size_t at)
{
  size_t back = 0;
  while (back < UTF8_LONGEST - 1 && back < at && utf8_continues(text[at - back])) back++;
  const unsigned char lead = (unsigned char)text[at - back];
  const size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return size > back ? at - back : at;
}
