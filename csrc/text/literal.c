/* literal.c: finds a text by its rarest bytes. Where replacements make the text anew with what is around
 * them, they are replaced, too; a text in which that goes on and on is replaced as a whole. */
#include "text/literal.h"

#include "base/hidden.h"

void literal_set(struct literal *literal, struct bytes text, struct bytes replacement)
{
  literal->text = text;
  literal->replacement = replacement;
  needle_set(&literal->needle, text.start, text.length);
}

void literal_free(struct literal *literal)
{
  buf_free(&literal->results[0]);
  buf_free(&literal->results[1]);
}

const char *literal_find(const struct literal *literal, const char *p, const char *end)
{
  const char *text = literal->text.start;
  const size_t length = literal->text.length, rare = literal->needle.rare;
  if (length > (size_t)(end - p)) return NULL;
  const char *last = end - length + rare;
  for (p += rare; p <= last; p++) {
    p = memchr(p, text[rare], (size_t)(last - p) + 1);
    if (p == NULL) return NULL;
    if (memcmp(p - rare, text, length) == 0) return p - rare;
  }
  return NULL;
}

/* Counts the occurrences; puts the text with each replaced, if that is wanted. */
static bool replace(const struct literal *literal, struct bytes in, struct buf *out,
                    uint64_t *count)
{
  const struct bytes *new = &literal->replacement;
  const char *p = in.start, *end = p + in.length, *found;
  *count = 0;
  if (out != NULL) out->length = 0;
  for (; (found = literal_find(literal, p, end)) != NULL; p = found + literal->text.length) {
    ++*count;
    if (out == NULL) continue;
    if (!buf_add(out, p, (size_t)(found - p)) || !buf_add(out, new->start, new->length))
      return false;
    if (out->length > in.length + LITERAL_GROWTH) return errno = EFBIG, false;
  }
  return out == NULL || buf_add(out, p, (size_t)(end - p));
}

bool literal_replace(void *literal, struct bytes in, struct bytes *result, uint64_t *found)
{
  enum { TIMES = 8 };
  struct literal *what = literal;
  uint64_t count;
  if (!replace(what, in, NULL, found)) return false;
  if (*found == 0 || result == NULL) return true;
  *result = in;
  for (int i = 0; i < TIMES; i++) {
    struct buf *out = &what->results[i & 1];
    if (!replace(what, *result, out, &count)) return false;
    if (count == 0) return true;
    *result = (struct bytes){out->data, out->length};
  }
  *result = what->replacement;
  return true;
}
