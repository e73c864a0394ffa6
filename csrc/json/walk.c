/* walk.c: going over JSON that was validated before. */
#include "json/walk.h"

#include <string.h>

void walk_begin(struct walk *walk, const char *p)
{
  p = json_space(p, p);
  walk->object = *p == '{';
  walk->next = p;
}

bool walk_next(struct walk *walk)
{
  struct json_error error;
  if (*walk->next != '{' && *walk->next != '[' && *walk->next != ',') return false;
  const char *p = json_space(walk->next + 1, walk->next);
  if (*p == ']' || *p == '}') return false;
  if (walk->object) {
    walk->key.start = p + 1;
    p = json_string(p + 1, &walk->key.escaped, &error);
    if (p == NULL) return false;
    walk->key.end = p - 1;
    p = json_space(p, p);
    p = json_space(p + 1, p);
  }
  walk->value = p;
  walk->end = json_value(p, p, 0, &error);
  if (walk->end == NULL) return false;
  walk->next = json_space(walk->end, walk->end);
  return true;
}

bool walk_string(const struct walk *walk, struct slice *slice)
{
  struct json_error error;
  if (*walk->value != '"') return false;
  slice->start = walk->value + 1;
  slice->end = walk->end - 1;
  (void)json_string(slice->start, &slice->escaped, &error);
  return true;
}

bool walk_key_is(const struct walk *walk, const char *name)
{
  enum { LONGEST = 16 };
  char text[6 * LONGEST];
  size_t length = strlen(name), raw = (size_t)(walk->key.end - walk->key.start);
  if (!walk->key.escaped) return raw == length && memcmp(walk->key.start, name, length) == 0;
  return raw <= sizeof text && json_unescape(walk->key.start, walk->key.end, text) == length &&
         memcmp(text, name, length) == 0;
}

bool walk_is_true(const struct walk *walk)
{
  return *walk->value != 'n' && *walk->value != 'f';
}
