/* quote.h: bytes as a JSON string that is valid UTF-8 whatever they are.
 *
 * `"`, `\` and control characters become their shortest escapes; characters stay as they are. Every
 * byte that is not part of valid UTF-8, each of the three of an encoded surrogate among them, becomes
 * the lone surrogate `\udc80` to `\udcff` that Python's surrogateescape (PEP 383) has for it. As no
 * other surrogate is ever written, none of these can become half of a pair, and escape_decode_all gives
 * back the same bytes for every text. */
#pragma once

#include "base/buf.h"
#include "base/word.h"
#include "json/span.h"

enum {
  QUOTE_ESCAPE = 6, /* the longest escape */
  QUOTE_SPARE = 4 + QUOTE_ESCAPE * SPAN_STEP /* quotes, what is around them, the last bytes as
                                                 escapes */
};

/* What quote_reserved is for longer texts, and for those that need an escape: puts all but the
 * opening quote. */
bool quote_rest(struct buf *buf, const char *text, size_t length);

/* Copies less than SPAN_STEP bytes, and up to 7 after them, if each is such: as two words that may
 * overlap, since keys and most values are that short, and a loop or a call would take longer. */
static inline bool quote_short(const char *text, size_t length, char *out)
{
  if (length < 8) {
    uint64_t word = word_load_few(text, length);
    word_store(word, out);
    return span_is_plain(word | 0x2020202020202020U << 8 * length);
  }
  uint64_t first = word_load(text), last = word_load(text + length - 8);
  word_store(first, out);
  word_store(last, out + length - 8);
  return span_is_plain(first) && span_is_plain(last);
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
