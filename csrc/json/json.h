/* json.h: the grammar of RFC 8259 over bytes in memory, without building anything.
 *
 * A text ends in a byte that no token can hold (a newline after a line, a NUL after any other text)
 * with SPAN_PADDING bytes of memory after it, so nothing here checks for the end. A newline is
 * white space only before `limit`: the start of a line, the end of any other text. */
#pragma once

#include "base/std.h"
#include "json/span.h"

enum { JSON_DEPTH = 1000 }; /* how deep arrays and objects may nest */

/* Why and where a text is not JSON. */
struct json_error {
  const char *reason;
  const char *at;
};

/* The bytes between a string's quotes, with their escapes; start is NULL if there is no string. */
struct slice {
  const char *start, *end;
  bool escaped;
};

/* The byte after the value at p, or NULL and *error. `depth` is the number of arrays and objects
 * that p is in. */
const char *json_value(const char *p, const char *limit, int depth, struct json_error *error);

/* The byte after a string's closing quote, or NULL and *error; p is after the opening quote.
 * *escaped: whether the string has a `\`. */
const char *json_string_slowly(const char *p, bool *escaped, struct json_error *error);

/* The byte after a number, or NULL and *error. */
const char *json_number(const char *p, struct json_error *error);

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

/* Reads the key at p; where the value begins, or NULL and *error. */
static inline const char *json_key(const char *p, const char *limit, struct slice *key,
                                   struct json_error *error)
{
  if (*p != '"') return json_fail(error, "key expected", p);
  key->start = p + 1;
  p = json_string(p + 1, &key->escaped, error);
  if (p == NULL) return NULL;
  key->end = p - 1;
  p = json_space(p, limit);
  return *p == ':' ? json_space(p + 1, limit) : json_fail(error, "':' expected", p);
}
