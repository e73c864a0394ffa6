/* query.c: what a query is split into, and the search for it in raw lines.
 *
 * A line may hold a word and not show it: `\u0061` is an a, `\/` a slash, and KELVIN SIGN folds to
 * k, LONG S to s. So the part of a word that is looked for in raw bytes is chosen from the other
 * characters of ASCII, and every line with a `\u` is looked at. What is found is only a candidate.
 */
#include "query.h"

#include <string.h>

#include "fold.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* ---- words ---- */

static bool is_certain(char byte)
{
  return byte >= 0x20 && byte < 0x7f && byte != 'k' && byte != 's' && byte != '/' && byte != '"' &&
         byte != '\\';
}

/* How common a byte is in text, roughly: letters by their frequency in English. */
static int commonness(char byte)
{
  static const char rising[] = "zqjxvbywgpfmucdlhrnioate ";
  const char *place = strchr(rising, byte);
  return place != NULL ? (int)(place - rising) + 2 : 1;
}

/* Chooses the longest certain part, and the two neighbouring bytes of it that are least common. */
static void choose_part(struct word *word)
{
  size_t start = 0;
  word->part_length = 0;
  for (size_t i = 0; i <= word->length; i++) {
    if (i < word->length && is_certain(word->text[i])) continue;
    if (i - start > word->part_length) {
      word->part = word->text + start;
      word->part_length = i - start;
    }
    start = i + 1;
  }
  if (word->part_length < 2) word->part_length = 0;
  int least = 0;
  for (size_t i = 0; i + 1 < word->part_length; i++) {
    int common = commonness(word->part[i]) * commonness(word->part[i + 1]);
    if (i > 0 && common >= least) continue;
    least = common;
    word->pair = i;
  }
}

static enum query_error add_word(struct query *query, const char *text, size_t length)
{
  if (query->count == QUERY_WORDS) return QUERY_TOO_LONG;
  struct word *word = &query->words[query->count++];
  word->text = text;
  word->length = length;
  choose_part(word);
  const struct word *rarest = &query->words[query->rarest];
  if (word->part_length > rarest->part_length) query->rarest = query->count - 1;
  return QUERY_GOOD;
}

enum query_error query_read(struct query *query, const char *text, size_t length, bool exact)
{
  memset(query, 0, sizeof *query);
  if (length > QUERY_LONGEST) return QUERY_TOO_LONG;
  if (!fold(&query->text, text, length)) return QUERY_NO_MEMORY;
  const char *p = query->text.data, *end = p + query->text.length;
  if (exact) return p == end ? QUERY_EMPTY : add_word(query, p, (size_t)(end - p));
  enum query_error error = QUERY_GOOD;
  while (p < end && error == QUERY_GOOD) {
    size_t space = fold_space(p, (size_t)(end - p));
    if (space > 0) {
      p += space;
      continue;
    }
    const char *start = p;
    while (p < end && fold_space(p, (size_t)(end - p)) == 0) p++;
    error = add_word(query, start, (size_t)(p - start));
  }
  return error == QUERY_GOOD && query->count == 0 ? QUERY_EMPTY : error;
}

void query_free(struct query *query)
{
  buf_free(&query->text);
}

/* ---- raw lines ---- */

static unsigned char fold_bit(char byte)
{
  return byte >= 'a' && byte <= 'z' ? 0x20 : 0;
}

/* The first place where two bytes stand, letters in either case, or `\u`. */
static const char *find_pair(const char *p, const char *end, char first, char second)
{
  const unsigned char first_bit = fold_bit(first), second_bit = fold_bit(second);
#if defined(__SSE2__)
  const __m128i a = _mm_set1_epi8(first), b = _mm_set1_epi8(second);
  const __m128i a_bit = _mm_set1_epi8((char)first_bit), b_bit = _mm_set1_epi8((char)second_bit);
  const __m128i backslash = _mm_set1_epi8('\\'), u = _mm_set1_epi8('u');
  for (; p + 16 < end; p += 16) {
    __m128i here = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
    __m128i pair = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(here, a_bit), a),
                                 _mm_cmpeq_epi8(_mm_or_si128(next, b_bit), b));
    __m128i escape = _mm_and_si128(_mm_cmpeq_epi8(here, backslash), _mm_cmpeq_epi8(next, u));
    int mask = _mm_movemask_epi8(_mm_or_si128(pair, escape));
    if (mask != 0) return p + __builtin_ctz((unsigned)mask);
  }
#endif
  for (; p + 1 < end; p++) {
    if ((char)(p[0] | first_bit) == first && (char)(p[1] | second_bit) == second) return p;
    if (p[0] == '\\' && p[1] == 'u') return p;
  }
  return NULL;
}

static bool is_part(const struct word *word, const char *p)
{
  for (size_t i = 0; i < word->part_length; i++)
    if ((char)(p[i] | fold_bit(word->part[i])) != word->part[i]) return false;
  return true;
}

const char *query_candidate(const struct word *word, const char *p, const char *end)
{
  if (word->part_length == 0) return p < end ? p : NULL;
  const char first = word->part[word->pair], second = word->part[word->pair + 1];
  for (const char *from = p; (p = find_pair(p, end, first, second)) != NULL; p++) {
    if (p[0] == '\\' && p[1] == 'u') return p;
    if ((size_t)(p - from) >= word->pair && (size_t)(end - p) + word->pair >= word->part_length &&
        is_part(word, p - word->pair))
      return p;
  }
  return NULL;
}

uint64_t query_newlines(const char *p, const char *end)
{
  uint64_t count = 0;
#if defined(__SSE2__)
  const __m128i newline = _mm_set1_epi8('\n');
  for (; end - p >= 64; p += 64) {
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
      __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + (ptrdiff_t)16 * i));
      mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, newline)) << (16 * i);
    }
    for (; mask != 0; mask &= mask - 1) count++; /* there are few: lines are longer than 64 bytes */
  }
#endif
  for (; p < end; p++) count += *p == '\n';
  return count;
}

/* ---- folded text ---- */

size_t query_count(const struct word *word, const char *text, size_t length, size_t *first)
{
  size_t count = 0;
  const char *p = text, *end = text + length;
  while ((size_t)(end - p) >= word->length) {
    p = memchr(p, word->text[0], (size_t)(end - p) - word->length + 1);
    if (p == NULL) break;
    if (memcmp(p, word->text, word->length) != 0) {
      p++;
      continue;
    }
    if (count++ == 0) *first = (size_t)(p - text);
    p += word->length;
  }
  return count;
}
