/* json.c: validates JSON. */
#include "json/json.h"

#include "base/escape.h"
#include "base/utf8.h"
#include "base/hidden.h"

const char *json_string_slowly(const char *p, bool *escaped, struct json_error *error)
{
  for (;; p = span_plain(p)) {
    if (*p == '"') return p + 1;
    if (*p != '\\')
      return json_fail(
          error, (unsigned char)*p < 0x20 ? "control character or end in a string" : "bad string",
          p);
    *escaped = true;
    p++;
    if (*p == 'u') {
      int code = escape_digits(p + 1);
      if (code < 0) return json_fail(error, "four hex digits expected after \\u", p - code);
      p += 5;
    } else if (escape_letter(*p) != 0) {
      p++;
    } else {
      return json_fail(error, "unknown escape", p);
    }
  }
}

static const char *digits(const char *p, const char *reason, struct json_error *error)
{
  if (!is_digit(*p)) return json_fail(error, reason, p);
  while (is_digit(*p)) p++;
  return p;
}

const char *json_number(const char *p, struct json_error *error)
{
  if (*p == '-') p++;
  p = *p == '0' ? p + 1 : digits(p, "digit expected", error);
  if (p != NULL && *p == '.') p = digits(p + 1, "digit expected after the point", error);
  if (p == NULL || (*p != 'e' && *p != 'E')) return p;
  p += p[1] == '+' || p[1] == '-' ? 2 : 1;
  return digits(p, "digit expected in the exponent", error);
}

static const char *literal(const char *p, const char *word, struct json_error *error)
{
  for (; *word != '\0'; word++, p++)
    if (*p != *word) return json_fail(error, "value expected", p);
  return p;
}

/* An array or an object. */
static const char *container(const char *p, const char *limit, int depth, struct json_error *error)
{
  const bool object = *p == '{';
  const char end = object ? '}' : ']';
  struct slice key;
  p = json_space(p + 1, limit);
  if (*p == end) return p + 1;
  for (;;) {
    if (object && (p = json_key(p, limit, &key, error)) == NULL) return NULL;
    p = json_value(p, limit, depth + 1, error);
    if (p == NULL) return NULL;
    p = json_space(p, limit);
    if (*p == end) return p + 1;
    if (*p != ',')
      return json_fail(error, object ? "',' or '}' expected" : "',' or ']' expected", p);
    p = json_space(p + 1, limit);
  }
}

const char *json_value(const char *p, const char *limit, int depth, struct json_error *error)
{
  bool escaped;
  switch (*p) {
  case '"':
    return json_string(p + 1, &escaped, error);
  case '{':
  case '[':
    if (depth >= JSON_DEPTH) return json_fail(error, "more than 1000 levels", p);
    return container(p, limit, depth, error);
  case 't':
    return literal(p, "true", error);
  case 'f':
    return literal(p, "false", error);
  case 'n':
    return literal(p, "null", error);
  default:
    if (*p == '-' || is_digit(*p)) return json_number(p, error);
    return json_fail(error, "value expected", p);
  }
}
