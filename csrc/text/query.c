/* query.c: splits a query into words and finds the lines that may hold them.
 *
 * A raw line can hold a word in other bytes: `\u0061` is an a, `\/` a slash, KELVIN SIGN folds to k,
 * and an acute accent after an e to nothing. In most lines a part of the word tells enough: without
 * escapes of its characters, and without anything beyond ASCII, a line that does not have that part
 * does not hold the word. Other lines are decoded and folded as if they were one string, which has
 * the texts of all their strings in it. Every line that is found must then be read and compared. */
#include "text/query.h"

#include "base/escape.h"
#include "base/utf8.h"
#include "text/fold.h"
#include "base/hidden.h"

/* ---- words ---- */

static bool is_certain(char byte)
{
  return byte >= 0x20 && byte < 0x7f && byte != '/' && byte != '"' && byte != '\\';
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

/* Marks of sentences: what ends them and their parts, quotation marks, round and square brackets. */
static bool is_mark(uint32_t code)
{
  static const uint32_t ranges[][2] = {
      {'!', '"'},       {'\'', ')'},      {',', ','},       {':', ';'},       {'?', '?'},
      {'[', '['},       {']', ']'},       {0xa1, 0xa1},     {0xab, 0xab},     {0xbb, 0xbb},
      {0xbf, 0xbf},     {0x37e, 0x37e},   {0x589, 0x589},   {0x60c, 0x60c},   {0x61b, 0x61b},
      {0x61f, 0x61f},   {0x6d4, 0x6d4},   {0x964, 0x965},   {0x2018, 0x201f}, {0x2026, 0x2026},
      {0x2039, 0x203a}, {0x203c, 0x203d}, {0x2047, 0x2049}, {0x2e42, 0x2e42}, {0x3001, 0x3002},
      {0x3008, 0x3011}, {0x3014, 0x301b}, {0x301d, 0x301f}, {0xfe41, 0xfe44}, {0xff01, 0xff02},
      {0xff07, 0xff09}, {0xff0c, 0xff0c}, {0xff0e, 0xff0e}, {0xff1a, 0xff1b}, {0xff1f, 0xff1f},
      {0xff3b, 0xff3b}, {0xff3d, 0xff3d}, {0xff61, 0xff64}};
  return utf8_is_in(ranges, sizeof ranges / sizeof *ranges, code);
}

/* Takes them off the ends of a word, and full stops off its end, if a letter or a digit is left. */
static void trim(const char **text, size_t *length)
{
  const char *start = *text, *end = start + *length, *word;
  size_t size;
  while (start < end && is_mark(utf8_decode(start, (size_t)(end - start), &size))) start += size;
  for (size_t last; start < end; end = start + last) {
    last = utf8_start(start, (size_t)(end - start) - 1);
    uint32_t code = utf8_decode(start + last, (size_t)(end - start) - last, &size);
    if (code != '.' && !is_mark(code)) break;
  }
  word = start;
  if (fold_word(&word, end, &size) == NULL) return;
  *text = start;
  *length = (size_t)(end - start);
}

static enum query_error add_word(struct query *query, const char *text, size_t length)
{
  if (query->count == QUERY_WORDS) return QUERY_TOO_LONG;
  struct word *word = &query->words[query->count++];
  needle_set(&word->whole, text, length);
  choose_part(word);
  const char *run = fold_run(text, length, &length);
  if (length > 0) needle_set(&word->run, run, length);
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
    size_t size = (size_t)(p - start);
    trim(&start, &size);
    error = add_word(query, start, size);
  }
  return error == QUERY_GOOD && query->count == 0 ? QUERY_EMPTY : error;
}

void query_free(struct query *query)
{
  buf_free(&query->text);
  buf_free(&query->decoded);
  buf_free(&query->folded);
}

/* ---- finding ---- */

/* Whether a line holds the word, or parts of two strings that make it. Memory that runs out rules
 * nothing out. */
static bool may_hold(struct query *query, const struct word *word, const char *line, size_t length)
{
  struct buf *decoded = &query->decoded, *folded = &query->folded;
  folded->length = 0;
  if (!buf_reserve(decoded, length)) return true;
  decoded->length = escape_decode_all(line, line + length, decoded->data);
  return !fold(folded, decoded->data, decoded->length) ||
         needle_find(&word->whole, folded->data, folded->data + folded->length) != NULL;
}

const char *query_line(struct query *query, const struct word *word, const char *p, const char *end)
{
  if (word->part.length > 0) return needle_find_line(&word->part, false, p, end);
  for (const char *newline; p < end; p = newline + 1) {
    newline = memchr(p, '\n', (size_t)(end - p));
    if (may_hold(query, word, p, (size_t)(newline - p))) return p;
  }
  return NULL;
}

uint64_t query_weight(const struct word *word, const char *text, size_t length)
{
  uint64_t weight = 0;
  const char *end = text + length;
  for (const char *p = text; (p = needle_find(&word->whole, p, end)) != NULL;
       p += word->whole.length)
    weight += fold_weight(text, end, p, word->whole.length);
  return weight;
}
