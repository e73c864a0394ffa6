/* literal.c: finds a text by its rarest bytes. Where replacements make the text anew with what is around
 * them, they are replaced, too; a text in which that goes on and on is replaced as a whole. */
#include "text/literal.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"

/* Whether raw JSON has the byte as it is, or as \u and its number. */
static bool is_shown(char byte)
{
  return (unsigned char)byte >= 0x20 && byte != '/' && byte != '"' && byte != '\\';
}

/* The longest run of such bytes. */
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

void literal_set(struct literal *literal, struct bytes text, struct bytes replacement)
{
  struct bytes part = longest_part(text);
  *literal = (struct literal){.text = text, .replacement = replacement, .ascii = true};
  for (size_t i = 0; i < text.length; i++)
    if ((unsigned char)text.start[i] >= 0x80) literal->ascii = false;
  if (part.length > 0) needle_set(&literal->part, part.start, part.length);
  needle_set(&literal->whole, text.start, text.length);
}

void literal_free(struct literal *literal)
{
  buf_free(&literal->results[0]);
  buf_free(&literal->results[1]);
}

const char *literal_find(const struct literal *literal, const char *p, const char *end)
{
  const char *text = literal->text.start;
  const size_t length = literal->text.length, rare = literal->whole.rare;
  if (length > (size_t)(end - p)) return NULL;
  const char *last = end - length + rare;
  for (p += rare; p <= last; p++) {
    p = memchr(p, text[rare], (size_t)(last - p) + 1);
    if (p == NULL) return NULL;
    if (memcmp(p - rare, text, length) == 0) return p - rare;
  }
  return NULL;
}

/* ---- raw JSON ---- */

enum { STEP = 64 };

/* What is looked for: two bytes of the part at their distance, or \u. */
struct pair {
  char first, second;
  size_t distance;
};

static inline bool is_likely(const struct pair *pair, const char *p)
{
  return ((p[0] == pair->first) & (p[pair->distance] == pair->second)) |
         ((p[0] == '\\') & (p[1] == 'u'));
}

/* Passes over steps in which nothing is likely; written such that compilers make vectors of the loop. */
__attribute__((always_inline)) static inline const char *pass_steps(const struct pair *pair,
                                                                    const char *p, const char *end)
{
  while ((size_t)(end - p) > STEP + pair->distance + 1) {
    unsigned char any = 0;
    for (int i = 0; i < STEP; i++) any |= is_likely(pair, p + i);
    if (any != 0) break;
    p += STEP;
  }
  return p;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static const char *
pass_in_wide_steps(const struct pair *pair, const char *p, const char *end)
{
  return pass_steps(pair, p, end);
}
#endif

static const char *pass_unlikely(const struct pair *pair, const char *p, const char *end)
{
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return pass_in_wide_steps(pair, p, end);
#endif
  return pass_steps(pair, p, end);
}

/* Whether an escape may stand for a part of the text. */
static bool is_hidden(const struct literal *literal, const char *escape)
{
  int code = escape_digits(escape + 2);
  if (code < 0 || code >= 0x80) return code < 0 || !literal->ascii;
  return memchr(literal->text.start, code, literal->text.length) != NULL;
}

static bool is_found(const struct literal *literal, const char *p, const char *from,
                     const char *end)
{
  const struct needle *part = &literal->part;
  if (p[0] == '\\') return p[1] == 'u' && is_hidden(literal, p);
  if ((size_t)(p - from) < part->rare) return false;
  p -= part->rare;
  return (size_t)(end - p) >= part->length && memcmp(p, part->text, part->length) == 0;
}

static const char *find_likely(const struct literal *literal, const char *p, const char *end)
{
  const struct needle *part = &literal->part;
  const size_t left = part->length - part->rare, distance = left > 2 ? 2 : left - 1;
  const struct pair pair = {part->text[part->rare], part->text[part->rare + distance], distance};
  const char *from = p;
  while (p < end) {
    p = pass_unlikely(&pair, p, end);
    const char *stop = end - p > STEP ? p + STEP : end;
    for (; p < stop; p++)
      if ((*p == pair.first || *p == '\\') && is_found(literal, p, from, end)) return p;
  }
  return NULL;
}

const char *literal_find_raw(const struct literal *literal, const char *p, const char *end)
{
  if (literal->part.length > 0) return find_likely(literal, p, end);
  const char *found = literal_find(literal, p, end);
  const char *escape = memchr(p, '\\', (size_t)((found != NULL ? found : end) - p));
  return escape != NULL ? escape : found;
}

/* ---- replacing ---- */

/* Puts a text with each occurrence replaced. */
static bool put_with_replacements(const struct literal *literal, struct bytes in, struct buf *out)
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
    if (!put_with_replacements(literal, in, out)) return false;
    in = (struct bytes){out->data, out->length};
    if (literal_find(literal, in.start, in.start + in.length) == NULL) return *result = in, true;
  }
  *result = literal->replacement;
  return true;
}
