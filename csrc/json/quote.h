/* quote.h: bytes as a JSON string that is valid UTF-8 whatever they are.
 *
 * `"`, `\` and control characters become their shortest escapes; characters stay as they are. Every
 * byte that is not part of valid UTF-8, each of the three of an encoded surrogate among them, becomes
 * the lone surrogate `\udc80` to `\udcff` that Python's surrogateescape (PEP 383) has for it. As no
 * other surrogate is ever written, none of these can become half of a pair, and json_unescape gives
 * back the same bytes for every text. */
#ifndef AISH_QUOTE_H
#define AISH_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "json/span.h"

#pragma GCC visibility push(hidden)

enum {
  QUOTE_ESCAPE = 6, /* the longest escape */
  QUOTE_SPARE = 4 + QUOTE_ESCAPE * SPAN_STEP /* quotes, what is around them, the last bytes as
                                                 escapes */
};

/* What quote_reserved is for longer texts, and for those that need an escape: puts all but the
 * opening quote. */
bool quote_rest(struct buf *buf, const char *text, size_t length);

/* Whether each byte of a word is ASCII that stands for itself; see span_portable. */
static inline bool quote_is_plain(uint64_t word)
{
  const uint64_t ones = 0x0101010101010101U, highs = 0x8080808080808080U;
  uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
  return ((word | (word - ones * 0x20) | (quote - ones) | (backslash - ones)) & highs) == 0;
}

/* Copies less than SPAN_STEP bytes if each is such: as two words that overlap, since keys and most
 * values are that short, and a loop or a call would take longer than they do. */
static inline bool quote_short(const char *text, size_t length, char *out)
{
  if (length >= 8) {
    uint64_t first, last;
    memcpy(&first, text, 8);
    memcpy(&last, text + length - 8, 8);
    memcpy(out, &first, 8);
    memcpy(out + length - 8, &last, 8);
    return quote_is_plain(first) && quote_is_plain(last);
  }
  if (length >= 4) {
    uint32_t first, last;
    memcpy(&first, text, 4);
    memcpy(&last, text + length - 4, 4);
    memcpy(out, &first, 4);
    memcpy(out + length - 4, &last, 4);
    return quote_is_plain(first | (uint64_t)last << 32);
  }
  if (length == 0) return true;
  out[0] = text[0];
  out[length / 2] = text[length / 2];
  out[length - 1] = text[length - 1];
  const unsigned char *bytes = (const unsigned char *)out;
  return quote_is_plain(0x2020202020000000U | (uint64_t)bytes[length - 1] << 16 |
                        (uint64_t)bytes[length / 2] << 8 | bytes[0]);
}

/* Appends the text as a JSON string where room for `length` and QUOTE_SPARE bytes is reserved; two
 * of the spare ones are left. False: out of memory. */
static inline bool quote_reserved(struct buf *buf, const char *text, size_t length)
{
  char *out = buf->data + buf->length;
  *out = '"';
  if (length < SPAN_STEP && quote_short(text, length, out + 1)) {
    out[1 + length] = '"';
    buf->length += length + 2;
    return true;
  }
  buf->length++;
  return quote_rest(buf, text, length);
}

/* The same, and reserves the room. */
static inline bool quote_text(struct buf *buf, const char *text, size_t length)
{
  return buf_reserve(buf, length + QUOTE_SPARE) && quote_reserved(buf, text, length);
}

#pragma GCC visibility pop
#endif
