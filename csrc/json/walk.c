/* walk.c: values are passed over by their brackets and strings alone, without recursion. Should the
 * text not be JSON after all, because the file has changed since it was validated, the walk ends at
 * the newline. */
#include "json/walk.h"

#include <string.h>

#include "base/escape.h"

bool slice_append(const struct slice *slice, struct buf *buf)
{
  size_t raw = (size_t)(slice->end - slice->start);
  if (!slice->escaped) return buf_add(buf, slice->start, raw);
  if (!buf_reserve(buf, raw)) return false;
  buf->length += escape_decode_all(slice->start, slice->end, buf->data + buf->length);
  return true;
}

bool slice_bytes(const struct slice *slice, struct buf *buf, struct bytes *bytes)
{
  *bytes = (struct bytes){NULL, 0};
  if (slice->start == NULL) return true;
  *bytes = (struct bytes){slice->start, (size_t)(slice->end - slice->start)};
  if (!slice->escaped) return true;
  buf->length = 0;
  if (!slice_append(slice, buf)) return false;
  *bytes = (struct bytes){buf->data, buf->length};
  return true;
}

bool slice_is(const struct slice *slice, const char *text, size_t length)
{
  size_t raw = (size_t)(slice->end - slice->start);
  if (slice->escaped) return json_is(slice->start, slice->end, text, length);
  return raw == length && memcmp(slice->start, text, length) == 0;
}

/* ---- members and elements ---- */

/* The byte after a number or literal; NULL: there is none. */
static const char *skip_word(const char *p)
{
  const char *start = p;
  while ((unsigned char)*p > ' ' && *p != ',' && *p != ']' && *p != '}') p++;
  return p > start ? p : NULL;
}

/* The byte after the value at p; NULL: the line ends before it does. */
static const char *skip(const char *p, bool *escaped)
{
  struct json_error error;
  if (*p != '"' && *p != '{' && *p != '[') return skip_word(p);
  int depth = 0;
  do {
    char byte = *p++;
    if (byte == '"') p = json_string(p, escaped, &error);
    else if (byte == '{' || byte == '[') depth++;
    else if (byte == '}' || byte == ']') depth--;
    else if (byte == '\n') return NULL;
  } while (p != NULL && depth > 0);
  return p;
}

/* Reads the key at p; returns where its value begins, or NULL if there is no member. */
static const char *pass_key(struct slice *key, const char *p)
{
  struct json_error error;
  if (*p != '"') return NULL;
  key->start = p + 1;
  p = json_string(p + 1, &key->escaped, &error);
  if (p == NULL) return NULL;
  key->end = p - 1;
  p = json_space(p, p);
  return *p == ':' ? json_space(p + 1, p) : NULL;
}

void walk_begin(struct walk *walk, const char *p)
{
  p = json_space(p, p);
  walk->object = *p != '[';
  walk->next = p;
}

bool walk_next(struct walk *walk)
{
  if (*walk->next != '{' && *walk->next != '[' && *walk->next != ',') return false;
  const char *p = json_space(walk->next + 1, walk->next);
  if (*p == ']' || *p == '}') return false;
  if (walk->object && (p = pass_key(&walk->key, p)) == NULL) return false;
  walk->value = p;
  walk->end = skip(p, &walk->escaped);
  if (walk->end == NULL) return false;
  walk->next = json_space(walk->end, walk->end);
  return true;
}

bool walk_string(const struct walk *walk, struct slice *slice)
{
  if (*walk->value != '"') return false;
  *slice = (struct slice){walk->value + 1, walk->end - 1, walk->escaped};
  return true;
}

bool walk_key_is(const struct walk *walk, const char *name)
{
  return slice_is(&walk->key, name, strlen(name));
}

bool walk_is_true(const struct walk *walk)
{
  return *walk->value != 'n' && *walk->value != 'f';
}

bool walk_strings(const char *p, const char *end,
                  bool (*visit)(void *context, const struct slice *string), void *context)
{
  struct json_error error;
  struct slice string;
  while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
    string.start = p + 1;
    p = json_string(p + 1, &string.escaped, &error);
    if (p == NULL) break;
    string.end = p - 1;
    if (*json_space(p, p) != ':' && !visit(context, &string)) return false;
  }
  return true;
}

bool walk_find(struct walk *found, const char *object, struct bytes name)
{
  struct walk members;
  bool any = false;
  for (walk_begin(&members, object); walk_next(&members);) {
    if (!members.object || !slice_is(&members.key, name.start, name.length)) continue;
    *found = members;
    any = true;
  }
  return any;
}
