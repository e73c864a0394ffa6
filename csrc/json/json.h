/* json.h: the grammar of RFC 8259 over bytes in memory, without building anything.
 *
 * A text ends in a byte that no token can hold (a newline at the end of a line, a NUL behind a
 * text) with SPAN_PADDING bytes of memory behind it, so that nothing here checks for the end.
 * `limit` is where a newline stops being white space: a line passes its start, a text its end. */
#ifndef AISH_JSON_H
#define AISH_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "json/span.h"

#pragma GCC visibility push(hidden)

enum { JSON_DEPTH = 1000 }; /* how deep arrays and objects may nest */

/* Why and where a text is not JSON. */
struct json_error {
  const char *reason;
  const char *at;
};

/* The byte behind the value at p, or NULL and *error. `depth` is how many arrays and objects
 * p is in. */
const char *json_value(const char *p, const char *limit, int depth, struct json_error *error);

/* The byte behind a string's closing quote, p being behind the opening one; NULL and *error.
 * *escaped tells whether a `\` is in it. */
const char *json_string_slowly(const char *p, bool *escaped, struct json_error *error);

/* The byte behind a number, or NULL and *error. */
const char *json_number(const char *p, struct json_error *error);

/* Writes the bytes that a valid string stands for to out, which has room for end - p; returns how
 * many. A surrogate without its other half is a byte that is no text where it is one of \udc80 to
 * \udcff (see quote.h), and otherwise the three bytes of its code point (WTF-8), so that nothing is
 * lost. Bytes that are not UTF-8 stand for themselves. */
size_t json_unescape(const char *p, const char *end, char *out);
/* Whether these bytes are the text. */
bool json_is(const char *p, const char *end, const char *text, size_t length);

static inline const char *json_fail(struct json_error *error, const char *reason, const char *at)
{
  error->reason = reason;
  error->at = at;
  return NULL;
}

static inline const char *json_space(const char *p, const char *limit)
{
  while ((unsigned char)*p <= ' ' &&
         (*p == ' ' || *p == '\t' || *p == '\r' || (*p == '\n' && p < limit)))
    p++;
  return p;
}

static inline const char *json_string(const char *p, bool *escaped, struct json_error *error)
{
  p = span_plain(p);
  *escaped = false;
  return *p == '"' ? p + 1 : json_string_slowly(p, escaped, error);
}

#pragma GCC visibility pop
#endif
