/* escape.h: the escapes of JSON strings (RFC 8259, section 7), for whoever decodes a string and for
 * whoever looks for text in lines that were not decoded. */
#pragma once

#include "base/std.h"

/* The value of four hex digits. If there are fewer: -1 minus their number. */
int escape_digits(const char *p);
/* What the letter after a backslash stands for; 0: it needs digits, or is none of an escape. */
char escape_letter(char letter);

/* Decodes the escape at its backslash, and with a high surrogate the low one that follows; moves *out
 * past at most four bytes. Returns the byte after the escape. What is none stands for itself. */
const char *escape_decode(const char *escape, char **out);
/* Decodes a text to out, which has room for end - p bytes; returns how many it wrote. A surrogate
 * without its other half is the byte that \udc80 to \udcff stand for (see quote.h), or else the three
 * bytes of its code point (WTF-8), so that nothing is lost. Bytes that are not UTF-8 stay as they
 * are. The byte at `end` is none of an escape's digits and letters. */
size_t escape_decode_all(const char *p, const char *end, char *out);
