/* fold.c: UTF-8 in, UTF-8 out; ASCII, which is most of it, without decoding. */
#include "text/fold.h"

#include <stdint.h>

#include "base/utf8.h"
#include "text/casefold.h"

static char fold_ascii(char byte)
{
  static const char small[] = "abcdefghijklmnopqrstuvwxyz";
  if (byte >= 'A' && byte <= 'Z') return small[byte - 'A'];
  return byte;
}

static uint32_t fold_code(uint32_t code)
{
  size_t low = 0, high = sizeof CASEFOLD / sizeof *CASEFOLD;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (CASEFOLD[middle].last < code) low = middle + 1;
    else high = middle;
  }
  const struct casefold *range = &CASEFOLD[low];
  if (low == sizeof CASEFOLD / sizeof *CASEFOLD || code < range->first) return code;
  return (code - range->first) % range->step == 0 ? (uint32_t)((int64_t)code + range->distance)
                                                  : code;
}

/* Folds the character at the start of the text; returns the size of the result. */
static size_t fold_one(const char *text, size_t length, size_t *size, char out[4])
{
  uint32_t code = utf8_decode(text, length, size);
  uint32_t folded = *size > 1 ? fold_code(code) : 0;
  if (*size > 1 && folded != code) return utf8_encode(folded, out);
  memcpy(out, text, *size);
  return *size;
}

bool fold(struct buf *out, const char *text, size_t length)
{
  /* A character of two bytes may fold to one of three. */
  if (!buf_reserve(out, length + length / 2 + 4)) return false;
  char *to = out->data + out->length;
  for (size_t i = 0, size; i < length; i += size) {
    if ((unsigned char)text[i] < 0x80) {
      *to++ = fold_ascii(text[i]);
      size = 1;
    } else {
      char folded[4];
      size_t folded_size = fold_one(text + i, length - i, &size, folded);
      memcpy(to, folded, folded_size);
      to += folded_size;
    }
  }
  out->length = (size_t)(to - out->data);
  return true;
}

size_t fold_source(const char *text, size_t length, size_t folded)
{
  size_t done = 0, i = 0;
  for (size_t size; i < length && done < folded; i += size) {
    char out[4];
    done += fold_one(text + i, length - i, &size, out);
  }
  return i;
}

/* ---- words ---- */

bool fold_is_symbol(uint32_t code)
{
  static const uint32_t blocks[][2] = {
      {0x80, 0xa9},     {0xab, 0xb1},     {0xb4, 0xb4},       {0xb6, 0xb8},      {0xbb, 0xbb},
      {0xbf, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},       {0x2000, 0x206f},  {0x20a0, 0x20cf},
      {0x2190, 0x245f}, {0x2500, 0x2775}, {0x2794, 0x2bff},   {0x2e00, 0x2e7f},  {0x3000, 0x3004},
      {0x3008, 0x3020}, {0x30fb, 0x30fb}, {0xfe10, 0xfe6f},   {0xff01, 0xff0f},  {0xff1a, 0xff20},
      {0xff3b, 0xff40}, {0xff5b, 0xff65}, {0x1f000, 0x1f0ff}, {0x1f300, 0x1faff}};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks && blocks[i][0] <= code; i++)
    if (code <= blocks[i][1]) return true;
  return false;
}

static inline bool is_word_byte(char byte)
{
  return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Whether the character at the start of a text belongs to a word, and its size. */
static inline bool is_letter(const char *text, size_t length, size_t *size)
{
  *size = 1;
  if ((unsigned char)text[0] < 0x80) return is_word_byte(text[0]);
  return !fold_is_symbol(utf8_decode(text, length, size));
}

const char *fold_word(const char **p, const char *end, size_t *length)
{
  size_t size;
  while (*p < end && !is_letter(*p, (size_t)(end - *p), &size)) *p += size;
  const char *start = *p;
  while (*p < end && is_letter(*p, (size_t)(end - *p), &size)) *p += size;
  *length = (size_t)(*p - start);
  return *length > 0 ? start : NULL;
}

const char *fold_run(const char *text, size_t size, size_t *length)
{
  const char *start = text, *end = text + size, *longest = text;
  *length = 0;
  for (size_t step; text < end; text += step) {
    bool letter = is_letter(text, (size_t)(end - text), &step);
    bool broken = step == 1 && (unsigned char)*text >= 0x80;
    if (!letter || broken) start = text + step;
    else if ((size_t)(text + step - start) > *length) {
      longest = start;
      *length = (size_t)(text + step - start);
    }
  }
  return longest;
}

size_t fold_space(const char *text, size_t length)
{
  size_t size;
  if (length == 0) return 0;
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 1;
  uint32_t code = utf8_decode(text, length, &size);
  bool space = code == 0x85 || code == 0xa0 || code == 0x1680 ||
               (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
               code == 0x202f || code == 0x205f || code == 0x3000;
  return space ? size : 0;
}
