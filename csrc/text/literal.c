/* literal.c: finds a text by a rare byte of it. Where replacements make the text anew with what is around
 * them, they are replaced, too; a text in which that goes on and on is replaced as a whole. */
#include "text/literal.h"

#include <errno.h>
#include <string.h>

/* Whether raw JSON has the character as it is, or as \u and its number. */
static bool is_shown(char byte)
{
  return byte >= 0x20 && byte < 0x7f && byte != '/' && byte != '"' && byte != '\\';
}

/* The longest run of such characters. */
static struct bytes longest_part(struct bytes text)
{
  struct bytes best = {text.start, 0};
  size_t start = 0;
  for (size_t i = 0; i <= text.length; i++) {
    if (i < text.length && is_shown(text.start[i])) continue;
    if (i - start > best.length) best = (struct bytes){text.start + start, i - start};
    start = i + 1;
  }
  return best;
}

bool literal_set(struct literal *literal, struct bytes text, struct bytes replacement)
{
  struct needle whole;
  struct bytes part = longest_part(text);
  *literal = (struct literal){.text = text, .replacement = replacement};
  if (!buf_add(&literal->folded, part.start, part.length)) return false;
  char *folded = literal->folded.data;
  for (size_t i = 0; i < part.length; i++)
    if (folded[i] >= 'A' && folded[i] <= 'Z') folded[i] |= 0x20;
  if (part.length > 0) needle_set(&literal->part, folded, part.length);
  needle_set(&whole, text.start, text.length);
  literal->rare = whole.first;
  return true;
}

void literal_free(struct literal *literal)
{
  buf_free(&literal->folded);
  buf_free(&literal->results[0]);
  buf_free(&literal->results[1]);
}

const char *literal_find(const struct literal *literal, const char *p, const char *end)
{
  const char *text = literal->text.start;
  const size_t length = literal->text.length, rare = literal->rare;
  if (length > (size_t)(end - p)) return NULL;
  const char *last = end - length + rare;
  for (p += rare; p <= last; p++) {
    p = memchr(p, text[rare], (size_t)(last - p) + 1);
    if (p == NULL) return NULL;
    if (memcmp(p - rare, text, length) == 0) return p - rare;
  }
  return NULL;
}

const char *literal_find_raw(const struct literal *literal, const char *p, const char *end)
{
  if (literal->part.length > 0) return needle_find_raw(&literal->part, p, end);
  const char *found = literal_find(literal, p, end);
  const char *escape = memchr(p, '\\', (size_t)((found != NULL ? found : end) - p));
  return escape != NULL ? escape : found;
}

/* Puts a text with each occurrence replaced. */
static bool put_replaced(const struct literal *literal, struct bytes in, struct buf *out)
{
  const struct bytes *new = &literal->replacement;
  const char *p = in.start, *end = p + in.length, *found;
  out->length = 0;
  while ((found = literal_find(literal, p, end)) != NULL) {
    if (!buf_add(out, p, (size_t)(found - p)) || !buf_add(out, new->start, new->length))
      return false;
    p = found + literal->text.length;
    if (out->length > in.length + LITERAL_GROWTH) return errno = EFBIG, false;
  }
  return buf_add(out, p, (size_t)(end - p));
}

static uint64_t count(const struct literal *literal, struct bytes in)
{
  const char *p = in.start, *end = p + in.length;
  uint64_t found = 0;
  for (; (p = literal_find(literal, p, end)) != NULL; p += literal->text.length) found++;
  return found;
}

bool literal_replace(struct literal *literal, struct bytes in, struct bytes *result,
                     uint64_t *found)
{
  enum { TIMES = 8 };
  *found = count(literal, in);
  if (*found == 0 || result == NULL) return true;
  for (int i = 0; i < TIMES; i++) {
    struct buf *out = &literal->results[i & 1];
    if (!put_replaced(literal, in, out)) return false;
    in = (struct bytes){out->data, out->length};
    if (literal_find(literal, in.start, in.start + in.length) == NULL) return *result = in, true;
  }
  *result = literal->replacement;
  return true;
}
