/* fold.c: UTF-8 in, UTF-8 out; ASCII, which is most of it, without decoding.
 *
 * A character is decomposed, its letters are folded, and the marks of Latin, Greek and Cyrillic
 * letters are left out. Other marks are put in canonical order: within a run, by combining class,
 * and those of one class as they come (The Unicode Standard, 3.11). */
#include "text/fold.h"

#include "base/utf8.h"
#include "text/casefold.h"
#include "text/rows.h"
#include "base/hidden.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* ---- the tables ---- */

/* The letter that a character folds to by itself; 0: the table does not know. */
static uint32_t letter_of(uint32_t code)
{
  size_t low = 0, high = code < LETTERS[1].first ? 1 : LENGTH(LETTERS); /* most are in the first */
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (LETTERS[middle].first <= code) low = middle;
    else high = middle;
  }
  uint32_t place = code - LETTERS[low].first;
  if (place >= LETTERS[low].count) return 0;
  uint32_t folded = LETTERS[low].folded[place];
  if (folded == '-') return code;
  return folded == '+' ? 0 : folded;
}

enum { NO_MARK = -1, IOTA = 0x3b9, IOTA_MARK = 0x345 };

/* The combining class of a mark, perhaps 0. */
static int class_of(uint32_t code)
{
  const char *row = row_find(MARKS, sizeof MARKS - 1, 6, code);
  return code - row_number(row) <= row_digit(row + 4) ? (int)row_digit(row + 5) : NO_MARK;
}

/* The row of a character that consists of two; NULL: it does not. */
static const char *pair_of(uint32_t code)
{
  const char *row = row_find(PAIRS, sizeof PAIRS - 1, 12, code);
  return row_number(row) == code ? row : NULL;
}

/* Whether the marks of a folded letter are left out. */
static bool is_bare(uint32_t code)
{
  const char *row = row_find(MARKED, sizeof MARKED - 1, 8, code);
  return code >= row_number(row) && code <= row_number(row + 4);
}

/* ---- characters ---- */

struct folding {
  char *out;
  uint32_t base; /* what marks belong to */
  int last; /* the class of the mark that came last; 0: none */
  bool unsettled; /* marks are to be put in order, or one of them is to become a letter */
};

static void put_letter(struct folding *folding, uint32_t code)
{
  folding->base = code;
  folding->last = 0;
  folding->out += utf8_encode(code, folding->out);
}

static void keep_mark(struct folding *folding, uint32_t code, int class)
{
  if (is_bare(folding->base)) return;
  if ((class > 0 && class < folding->last) || code == IOTA_MARK) folding->unsettled = true;
  folding->last = class;
  folding->out += utf8_encode(code, folding->out);
}

static void put_single(struct folding *folding, uint32_t code)
{
  int class = class_of(code);
  if (class == NO_MARK) put_letter(folding, code);
  else keep_mark(folding, code, class);
}

enum { FOLDED_MOST = 12 }; /* bytes of a character */

/* The Unicode Standard, 3.12. */
static void put_syllable(struct folding *folding, uint32_t place)
{
  put_letter(folding, 0x1100 + place / (21 * 28));
  put_letter(folding, 0x1161 + place / 28 % 21);
  if (place % 28 > 0) put_letter(folding, 0x11a7 + place % 28);
}

/* A character that no table of whole ones has: it consists of two, or is a letter or a mark. */
static void put_compound(struct folding *folding, uint32_t code);

static void put_character(struct folding *folding, uint32_t code)
{
  uint32_t letter = code >= CALM_FIRST && code <= CALM_LAST ? code : letter_of(code);
  if (letter > 0) put_letter(folding, letter);
  else if (code >= 0xac00 && code <= 0xd7a3) put_syllable(folding, code - 0xac00);
  else put_compound(folding, code);
}

static void put_compound(struct folding *folding, uint32_t code)
{
  const char *row = pair_of(code);
  if (row == NULL) {
    put_single(folding, code);
    return;
  }
  uint32_t second = row_number(row + 8);
  put_character(folding, row_number(row + 4));
  if (second > 0) put_single(folding, second);
}

static char fold_ascii(char byte)
{
  if (byte >= 'A' && byte <= 'Z') byte = (char)(byte | 0x20);
  return byte;
}

int fold_to_ascii(uint32_t code)
{
  if (code < 0x80) return fold_ascii((char)code);
  if (code >= CALM_FIRST && code <= CALM_LAST) return FOLD_OTHER;
  uint32_t letter = letter_of(code);
  if (letter > 0) return letter < 0x80 ? (int)letter : FOLD_OTHER;
  if (class_of(code) != NO_MARK) return FOLD_MARK;
  const char *row = pair_of(code);
  return row != NULL ? fold_to_ascii(row_number(row + 4)) : FOLD_OTHER;
}

/* Folds the character or byte at the start of a text; returns its size. */
static size_t put_next(struct folding *folding, const char *text, size_t length)
{
  size_t size;
  uint32_t code = utf8_decode(text, length, &size);
  if (size > 1) {
    put_character(folding, code);
  } else {
    folding->base = code;
    folding->last = 0;
    *folding->out++ = fold_ascii(*text);
  }
  return size;
}

/* ---- order ---- */

/* The class of the mark at the start of a text, and its size. */
static int next_class(const char *text, size_t length, size_t *size)
{
  uint32_t code = utf8_decode(text, length, size);
  return code < 0x300 || code == UTF8_INVALID ? NO_MARK : class_of(code);
}

/* Sorts the marks of a run by counting the bytes of each class. */
static bool sort_marks(struct buf *out, size_t start, size_t end)
{
  size_t places[64] = {0}, size, sum = 0;
  if (!buf_reserve(out, end - start)) return false;
  const char *text = out->data;
  char *sorted = out->data + out->length;
  for (size_t i = start; i < end; i += size) {
    int class = next_class(text + i, end - i, &size);
    places[class] += size;
  }
  for (size_t class = 0; class < 64; class ++) {
    sum += places[class];
    places[class] = sum - places[class];
  }
  for (size_t i = start; i < end; i += size) {
    int class = next_class(text + i, end - i, &size);
    memcpy(sorted + places[class], text + i, size);
    places[class] += size;
  }
  memcpy(out->data + start, sorted, end - start);
  return true;
}

/* The end of the run of marks at a place. */
static size_t end_of_marks(const struct buf *out, size_t at)
{
  size_t size;
  while (at < out->length && next_class(out->data + at, out->length - at, &size) > 0) at += size;
  return at;
}

/* The mark that folds to a letter has the highest class: in a run that is sorted, it is last. */
static void fold_iotas(struct buf *out, size_t start, size_t end)
{
  size_t size;
  for (; end - start >= 2 && utf8_decode(out->data + end - 2, 2, &size) == IOTA_MARK; end -= 2)
    utf8_encode(IOTA, out->data + end - 2);
}

/* Sorts each run of marks from a place on. */
static bool settle(struct buf *out, size_t from)
{
  for (size_t end, size; from < out->length; from = end) {
    end = end_of_marks(out, from);
    if (end == from) {
      utf8_decode(out->data + from, out->length - from, &size);
      end = from + size;
    } else if (sort_marks(out, from, end)) {
      fold_iotas(out, from, end);
    } else {
      return false;
    }
  }
  return true;
}

/* ---- texts ---- */

static const uint64_t ONES = 0x0101010101010101U, HIGHS = 0x8080808080808080U;

/* Eight bytes of ASCII: the sums have the high bit of each that is not below A, or above Z. */
static uint64_t fold_8(uint64_t word)
{
  uint64_t from_a = word + ONES * (0x80 - 'A'), beyond_z = word + ONES * (0x80 - 'Z' - 1);
  return word | (from_a & ~beyond_z & HIGHS) >> 2;
}

/* Folds the ASCII that a text begins with, in steps of eight bytes, but for its last seven bytes, where
 * there is no room to read more; returns how many bytes it was. */
static size_t fold_ascii_run(struct folding *folding, const char *text, size_t length)
{
  size_t i = 0, ascii = 8;
  for (uint64_t word; ascii == 8 && length - i >= 8; i += ascii) {
    memcpy(&word, text + i, 8);
    if ((word & HIGHS) != 0)
      for (ascii = 0; (unsigned char)text[i + ascii] < 0x80;) ascii++;
    word = fold_8(word);
    memcpy(folding->out, &word, 8);
    folding->out += ascii;
  }
  if (i == 0) return 0;
  folding->base = (unsigned char)text[i - 1];
  folding->last = 0;
  return i;
}

bool fold(struct buf *out, const char *text, size_t length)
{
  struct folding folding = {.base = UTF8_INVALID};
  size_t from = out->length;
  if (!buf_reserve(out, length + FOLDED_MOST)) return false; /* an empty text has a place, too */
  for (size_t i = 0; i < length; out->length = (size_t)(folding.out - out->data)) {
    if (!buf_reserve(out, length - i + FOLDED_MOST)) return false;
    folding.out = out->data + out->length;
    i += fold_ascii_run(&folding, text + i, length - i);
    if (i < length) i += put_next(&folding, text + i, length - i);
  }
  return !folding.unsettled || settle(out, from);
}

size_t fold_source(const char *text, size_t length, size_t folded)
{
  char out[FOLDED_MOST];
  struct folding folding = {.base = UTF8_INVALID};
  size_t start = 0, done = 0;
  for (size_t i = 0, size; i < length && done <= folded; i += size) {
    folding.out = out;
    size_t all = put_next(&folding, text + i, length - i), wrote = (size_t)(folding.out - out);
    if (wrote > 0 && next_class(out, wrote, &size) <= 0) start = i;
    done += wrote;
    size = all;
  }
  return start;
}

/* ---- words ---- */

bool fold_is_symbol(uint32_t code)
{
  static const uint32_t blocks[][2] = {
      {0x80, 0xa9},     {0xab, 0xb1},     {0xb4, 0xb4},       {0xb6, 0xb8},      {0xbb, 0xbb},
      {0xbf, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},       {0x2000, 0x206f},  {0x20a0, 0x20cf},
      {0x2190, 0x245f}, {0x2500, 0x2775}, {0x2794, 0x2bff},   {0x2e00, 0x2e7f},  {0x3000, 0x3004},
      {0x3008, 0x3020}, {0x30fb, 0x30fb}, {0xfe10, 0xfe6f},   {0xff01, 0xff0f},  {0xff1a, 0xff20},
      {0xff3b, 0xff40}, {0xff5b, 0xff65}, {0x1f000, 0x1f0ff}, {0x1f300, 0x1faff}};
  return utf8_is_in(blocks, LENGTH(blocks), code);
}

static inline bool is_word_byte(char byte)
{
  return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Whether the character at the start of a text belongs to a word, and its size. */
static inline bool is_letter(const char *text, size_t length, size_t *size)
{
  *size = 1;
  if ((unsigned char)text[0] < 0x80) return is_word_byte(text[0]);
  return !fold_is_symbol(utf8_decode(text, length, size));
}

bool fold_is_dense(uint32_t code)
{
  return (code >= 0x3041 && code <= 0x31ff) || (code >= 0x3400 && code <= 0x9fff) ||
         (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff66 && code <= 0xffdc) ||
         (code >= 0x20000 && code <= 0x3ffff);
}

const char *fold_word(const char **p, const char *end, size_t *length)
{
  size_t size;
  while (*p < end && !is_letter(*p, (size_t)(end - *p), &size)) *p += size;
  const char *start = *p;
  while (*p < end && is_letter(*p, (size_t)(end - *p), &size)) *p += size;
  *length = (size_t)(*p - start);
  return *length > 0 ? start : NULL;
}

/* Whether no word goes on across a place in a text: in scripts without spaces none does. */
static bool is_edge(const char *text, const char *place, const char *end)
{
  size_t size;
  if (place == text || place == end) return true;
  const char *before = text + utf8_start(text, (size_t)(place - text) - 1);
  if (!is_letter(before, (size_t)(place - before), &size) ||
      !is_letter(place, (size_t)(end - place), &size))
    return true;
  return fold_is_dense(utf8_decode(before, (size_t)(place - before), &size)) ||
         fold_is_dense(utf8_decode(place, (size_t)(end - place), &size));
}

unsigned fold_weight(const char *text, const char *end, const char *place, size_t length)
{
  if (!is_edge(text, place, end)) return FOLD_INSIDE;
  return is_edge(text, place + length, end) ? FOLD_WHOLE : FOLD_BEGINNING;
}

const char *fold_run(const char *text, size_t size, size_t *length)
{
  const char *start = text, *end = text + size, *longest = text;
  *length = 0;
  for (size_t step; text < end; text += step) {
    bool letter = is_letter(text, (size_t)(end - text), &step);
    bool broken = step == 1 && (unsigned char)*text >= 0x80;
    if (!letter || broken) start = text + step;
    else if ((size_t)(text + step - start) > *length) {
      longest = start;
      *length = (size_t)(text + step - start);
    }
  }
  return longest;
}

size_t fold_space(const char *text, size_t length)
{
  size_t size;
  if (length == 0) return 0;
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 1;
  uint32_t code = utf8_decode(text, length, &size);
  bool space = code == 0x85 || code == 0xa0 || code == 0x1680 ||
               (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
               code == 0x202f || code == 0x205f || code == 0x3000;
  return space ? size : 0;
}
