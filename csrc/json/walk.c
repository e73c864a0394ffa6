/* walk.c: should the text not be JSON after all, because the file has changed since it was validated,
 * the walk ends where it stops being that. */
#include "json/walk.h"

#include "base/escape.h"
#include "base/hidden.h"

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

bool slice_becomes(const struct slice *slice, const char *text, size_t length)
{
  const char *p = slice->start, *end = slice->end;
  while (p < end) {
    char unit[4], *out = unit;
    if (*p == '\\') p = escape_decode(p, &out);
    else *out++ = *p++;
    size_t size = (size_t)(out - unit);
    if (size > length || memcmp(unit, text, size) != 0) return false;
    text += size;
    length -= size;
  }
  return length == 0;
}

void walk_begin(struct walk *walk, const char *p)
{
  p = json_space(p, p);
  walk->object = *p != '[';
  walk->next = p;
}

bool walk_next(struct walk *walk)
{
  struct json_error error;
  if (*walk->next != '{' && *walk->next != '[' && *walk->next != ',') return false;
  const char *p = json_space(walk->next + 1, walk->next);
  if (*p == ']' || *p == '}') return false;
  if (walk->object && (p = json_key(p, p, &walk->key, &error)) == NULL) return false;
  walk->value = p;
  walk->end = *p == '"' ? json_string(p + 1, &walk->escaped, &error) : json_value(p, p, 0, &error);
  if (walk->end == NULL) return false;
  walk->next = json_space(walk->end, walk->end);
  return true;
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
