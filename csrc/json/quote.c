/* quote.c: ASCII is copied as in span.h, other text as in wide.h; what either of them stops at, and
 * the last bytes, character by character. */
#include "json/quote.h"

#include "base/utf8.h"
#include "json/wide.h"

static const char HEX[] = "0123456789abcdef";

static char *write_escape(char *out, unsigned char byte)
{
  static const char letters[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";
  *out++ = '\\';
  if (byte >= 0x20) {
    *out++ = (char)byte;
    return out;
  }
  *out++ = letters[byte];
  if (letters[byte] != 'u') return out;
  *out++ = '0', *out++ = '0', *out++ = HEX[byte >> 4], *out++ = HEX[byte & 15];
  return out;
}

static char *write_surrogate(char *out, unsigned char byte)
{
  memcpy(out, "\\udc", 4);
  out[4] = HEX[byte >> 4];
  out[5] = HEX[byte & 15];
  return out + QUOTE_ESCAPE;
}

/* The size of the character at p if it stands for itself; 0: an escape stands for its first byte.
 * Most are told by their bytes alone. */
static inline size_t plain_size(const char *p, const char *end)
{
  unsigned char byte = (unsigned char)*p;
  size_t left = (size_t)(end - p), size;
  if (byte < 0x80) return byte >= 0x20 && byte != '"' && byte != '\\';
  if (byte > 0xc1 && byte < 0xe0) return left > 1 && utf8_continues(p[1]) ? 2 : 0;
  if (byte > 0xe0 && byte < 0xed)
    return left > 2 && utf8_continues(p[1]) && utf8_continues(p[2]) ? 3 : 0;
  return utf8_decode(p, left, &size) != UTF8_INVALID ? size : 0;
}

static bool reserve_rest(struct buf *buf, const char *p, const char *end)
{
  return buf_reserve(buf, QUOTE_ESCAPE + (size_t)(end - p) + QUOTE_SPARE);
}

/* Puts the characters before `until`. Returns what follows them; NULL: out of memory. *kept is
 * where those begin that no escape was put for. */
static const char *put_characters(struct buf *buf, const char *p, const char *until,
                                  const char *end, const char **kept)
{
  char *out = buf->data + buf->length;
  while (p < until) {
    size_t size = plain_size(p, end);
    if (size == 0) {
      buf->length = (size_t)(out - buf->data);
      if (!reserve_rest(buf, p, end)) return NULL;
      unsigned char byte = (unsigned char)*p++;
      out = buf->data + buf->length;
      out = byte < 0x80 ? write_escape(out, byte) : write_surrogate(out, byte);
      *kept = p;
    }
    for (; size > 0; size--) *out++ = *p++;
  }
  buf->length = (size_t)(out - buf->data);
  return p;
}

/* Puts ASCII in whole steps. Returns where they end, or what is not ASCII begins; NULL: out of
 * memory. */
static const char *put_ascii(struct buf *buf, const char *p, const char *end)
{
  char *out = buf->data + buf->length;
  while (end - p >= SPAN_STEP) {
    unsigned plain = span_step(p, out);
    out += plain;
    p += plain;
    if (plain == SPAN_STEP) continue;
    if ((unsigned char)*p >= 0x80) break;
    buf->length = (size_t)(out - buf->data);
    if (!reserve_rest(buf, p, end)) return NULL;
    out = write_escape(buf->data + buf->length, (unsigned char)*p++);
  }
  buf->length = (size_t)(out - buf->data);
  return p;
}

/* The same for any text, all of it if it can be. The last step goes back to what was copied before,
 * to end with the text. A step may end inside a character, or stop after the beginning of one that
 * is none, so that the last character is always put again by itself. */
static const char *put_wide(struct buf *buf, const char *p, const char *end)
{
  const char *kept = p;
  while (p != NULL && p < end) {
    const char *stop = p;
    ptrdiff_t back = end - p < WIDE_STEP ? WIDE_STEP - (end - p) : 0;
    if (p - kept >= back + WIDE_BEFORE) {
      buf->length -= (size_t)back;
      p -= back;
      stop = wide_copy(p, end, buf->data + buf->length);
      const char *last = kept + utf8_start(kept, (size_t)(stop - 1 - kept));
      buf->length += (size_t)(last - p);
      p = last;
    } else if (back > 0) {
      return p;
    }
    p = put_characters(buf, p, end - stop > WIDE_BEFORE ? stop + WIDE_BEFORE : end, end, &kept);
  }
  return p;
}

bool quote_rest(struct buf *buf, const char *text, size_t length)
{
  const char *end = text + length, *p = put_ascii(buf, text, end);
  if (p != NULL && end - p >= WIDE_STEP && wide_is_there()) p = put_wide(buf, p, end);
  if (p == NULL) return false;
  size_t left = (size_t)(end - p);
  if (left < SPAN_STEP && quote_short(p, left, buf->data + buf->length)) buf->length += left;
  else if (put_characters(buf, p, end, end, &p) == NULL) return false;
  buf_put(buf, '"');
  return true;
}
