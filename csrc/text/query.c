/* query.c: splits a query into words and finds the lines that may hold them.
 *
 * A raw line can hold a word in other bytes: `\u0061` is an a, `\/` a slash, KELVIN SIGN folds to k
 * and LONG S to s. So the part of a word that is looked for in raw lines has no k, s, slash, quote
 * or backslash, and a line with an escape of one of its characters is a candidate too. Every
 * candidate must then be decoded and compared. */
#include "text/query.h"

#include <string.h>

#include "text/fold.h"

/* ---- words ---- */

static bool is_certain(char byte)
{
  return byte >= 0x20 && byte < 0x7f && byte != 'k' && byte != 's' && byte != '/' && byte != '"' &&
         byte != '\\';
}

/* Chooses the longest part that raw lines show as it is. */
static void choose_part(struct word *word)
{
  const char *text = word->whole.text;
  size_t start = 0, best = 0, length = 0;
  for (size_t i = 0; i <= word->whole.length; i++) {
    if (i < word->whole.length && is_certain(text[i])) continue;
    if (i - start > length) {
      best = start;
      length = i - start;
    }
    start = i + 1;
  }
  if (length > 0) needle_set(&word->part, text + best, length);
}

static void choose_run(struct word *word)
{
  size_t length;
  const char *run = fold_run(word->whole.text, word->whole.length, &length);
  if (length > 0) needle_set(&word->run, run, length);
}

static enum query_error add_word(struct query *query, const char *text, size_t length)
{
  if (query->count == QUERY_WORDS) return QUERY_TOO_LONG;
  struct word *word = &query->words[query->count++];
  needle_set(&word->whole, text, length);
  choose_part(word);
  choose_run(word);
  const struct word *rarest = &query->words[query->rarest];
  if (word->part.length > rarest->part.length) query->rarest = query->count - 1;
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

/* ---- finding ---- */

const char *query_candidate(const struct word *word, const char *p, const char *end)
{
  if (word->part.length == 0) return p < end ? p : NULL;
  return needle_find_raw(&word->part, p, end);
}

size_t query_count(const struct word *word, const char *text, size_t length, size_t *first)
{
  size_t count = 0;
  const char *end = text + length;
  for (const char *p = text; (p = needle_find(&word->whole, p, end)) != NULL;
       p += word->whole.length)
    if (count++ == 0) *first = (size_t)(p - text);
  return count;
}
