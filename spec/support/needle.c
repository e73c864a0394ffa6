/* needle.c: random texts in which needles are looked for in each width that this machine has, and byte by
 * byte. None may pass over a line that holds the needle once it is decoded (and folded); in folded text all
 * must find the same place. Its argument is the seed; it ends with a line that says how much there was. */
#include <stdio.h>
#include <stdlib.h>

#include "text/needle.c" /* NOLINT(bugprone-suspicious-include): its ways are static */

#include "base/buf.h"

enum { LONGEST = 1200, PADDING = 64, ROUNDS = 100000 };

static uint32_t state;

static size_t below(size_t count)
{
  state = state * 1664525 + 1013904223;
  return (state >> 8) % count;
}

/* ---- texts ---- */

static const char *const PLAIN[] = {"a", "e",  "n",  "t", "z", "k", "q", " ",  ";",    "=",
                                    "s", "\1", "\t", "/", "u", "d", "0", "\\", "\x7f", "\""};
static const char *const WIDE[] = {"\xe6\x97\xa5", "\xe6\x9c\xac", "\xf0\x9f\x98\x80", "\xc3\xa4",
                                   "\xd0\x96"};
static const char *const BROKEN[] = {"\xff",     "\x80",     "\xc3",
                                     "\xe6\x97", "\xf0\x9f", "\xed\xa0\x80"};
static const char *const FOLDING[] = {"A",
                                      "E",
                                      "N",
                                      "Z",
                                      "\xc3\xa9",
                                      "\xcc\x81",
                                      "\xe2\x84\xaa",
                                      "\xc5\xbf",
                                      "\xc5\xbe",
                                      "\xe1\xba\xbd",
                                      "\xcd\xbe",
                                      "\xe2\x89\xa0",
                                      "Q",
                                      "\xe2\x80\x9c"};

#define ANY_OF(table) table[below(sizeof(table) / sizeof *(table))]

static const char *any_piece(size_t kinds)
{
  switch (below(kinds)) {
  case 0:
    return ANY_OF(WIDE);
  case 1:
    return ANY_OF(FOLDING);
  case 2:
    return ANY_OF(BROKEN);
  default:
    return ANY_OF(PLAIN);
  }
}

static size_t put(char *out, const char *piece, size_t size)
{
  memcpy(out, piece, size);
  return size;
}

/* The character as an escape of some kind, or as it is. */
static size_t spell(char *out, const char *piece, size_t size)
{
  static const char letters[] = "\"\"\\\\//\bb\ff\nn\rr\tt";
  size_t decoded, ways = below(6);
  const uint32_t code = utf8_decode(piece, size, &decoded);
  if (ways > 2 && *piece != '\n') return put(out, piece, size);
  for (size_t i = 0; ways == 0 && i < sizeof letters - 1; i += 2)
    if (*piece == letters[i]) return (size_t)sprintf(out, "\\%c", letters[i + 1]);
  if (code == UTF8_INVALID || decoded != size || ways == 1) {
    size_t length = 0;
    for (size_t i = 0; i < size; i++)
      length += (size_t)sprintf(out + length, (piece[i] & 0x80) != 0 ? "\\udc%02x" : "\\u00%02x",
                                piece[i] & 0xffU);
    return length;
  }
  if (code < 0x10000) return (size_t)sprintf(out, "\\u%04X", code);
  return (size_t)sprintf(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                         0xdc00 + (code & 0x3ff));
}

struct text {
  char bytes[16 * LONGEST + PADDING];
  size_t length;
};

/* Pieces of the kinds, a few of them escaped, without newlines; between them, there are `x` that many
 * times more. */
static void fill(struct text *text, size_t count, size_t kinds, size_t more)
{
  for (size_t i = 0; i < count; i++) {
    const char *piece = below(more) > 0 ? "x" : any_piece(kinds);
    char *out = text->bytes + text->length;
    text->length +=
        below(2 * more) > 0 ? put(out, piece, strlen(piece)) : spell(out, piece, strlen(piece));
  }
}

static void fill_needle(struct text *needle, bool exact)
{
  needle->length = 0;
  for (size_t count = 1 + below(7); count > 0; count--) {
    const char *piece = exact ? any_piece(8) : PLAIN[below(11)];
    if (exact && below(20) == 0) piece = "\n";
    needle->length += put(needle->bytes + needle->length, piece, strlen(piece));
  }
}

/* The needle in some spelling: `exact`, or in either case and with marks. */
static void fill_with(struct text *text, const struct text *needle, bool exact)
{
  for (size_t i = 0, size; i < needle->length; i += size) {
    char piece[8] = {0};
    size = 1;
    if ((needle->bytes[i] & 0x80) != 0)
      (void)utf8_decode(needle->bytes + i, needle->length - i, &size);
    memcpy(piece, needle->bytes + i, size);
    if (!exact && below(3) == 0 && *piece >= 'a') *piece = (char)(*piece ^ 0x20);
    if (!exact && below(8) == 0 && *piece == 'e') memcpy(piece, "\xc3\xa9", 2);
    if (!exact && below(8) == 0 && *piece == 'k') memcpy(piece, "\xe2\x84\xaa", 3);
    if (!exact && below(8) == 0 && *piece >= 'a' && strlen(piece) == 1)
      memcpy(piece + 1, "\xcc\x81", 2);
    text->length += spell(text->bytes + text->length, piece, strlen(piece));
  }
}

/* ---- what is there ---- */

static bool has(const char *p, size_t length, const struct text *needle)
{
  for (; length >= needle->length; p++, length--)
    if (memcmp(p, needle->bytes, needle->length) == 0) return true;
  return false;
}

/* Whether a line, as one string, holds the needle. */
static bool holds(const char *line, size_t length, const struct text *needle, bool exact)
{
  static struct buf decoded, folded;
  decoded.length = folded.length = 0;
  if (exact && has(line, length, needle)) return true;
  if (!buf_reserve(&decoded, length)) abort();
  decoded.length = escape_decode_all(line, line + length, decoded.data);
  if (exact) return has(decoded.data, decoded.length, needle);
  if (!fold(&folded, decoded.data, decoded.length)) abort();
  return has(folded.data, folded.length, needle);
}

static bool look_nowhere(const struct three *three, const char **p, const char *from,
                         const char *end)
{
  (void)three, (void)p, (void)from, (void)end;
  return false;
}

static bool look_widest(const struct three *three, const char **p, const char *from,
                        const char *end)
{
  return widest()(three, p, from, end);
}

static look *const WAY[] = {look_nowhere, look_16, look_widest};
enum { WAYS = sizeof WAY / sizeof *WAY };

static void fail(const char *what, int way, const struct text *needle, const char *p,
                 const char *end)
{
  printf("%s, by way %d: ", what, way);
  for (size_t i = 0; i < needle->length; i++) printf("%02x ", needle->bytes[i] & 0xffU);
  printf("in %.*s\n", (int)(end - p), p);
  exit(1);
}

/* Whether all ways find it in folded text; and all the same. */
static bool found_folded(const struct text *words, const char *p, const char *end)
{
  struct needle needle;
  const char *wanted = p;
  needle_set(&needle, words->bytes, words->length);
  for (; wanted < end; wanted++)
    if ((size_t)(end - wanted) >= words->length && has(wanted, words->length, words)) break;
  if (wanted == end) wanted = NULL;
  const char *place = wanted != NULL ? wanted + needle.rare : NULL;
  for (int way = 0; way < WAYS; way++)
    if (find_by(WAY[way], &needle, p, end, FOLDED) != place) fail("folded", way, words, p, end);
  if (needle_find(&needle, p, end) != wanted) fail("folded", WAYS, words, p, end);
  return wanted != NULL;
}

/* No line before the first that is found may hold it. */
static bool found_raw(const struct text *words, const char *p, const char *end, bool exact)
{
  struct needle needle;
  const char *first = p, *newline = p;
  needle_set(&needle, words->bytes, words->length);
  for (; first < end; first = newline + 1) {
    newline = memchr(first, '\n', (size_t)(end - first));
    if (holds(first, (size_t)(newline - first), words, exact)) break;
  }
  for (int way = 0; way < WAYS; way++) {
    const char *place = find_by(WAY[way], &needle, p, end, exact ? EXACT : RAW);
    if (first < end && (place == NULL || place >= newline)) fail("a line", way, words, p, end);
  }
  const char *line = needle_find_line(&needle, exact, p, end);
  if (line == NULL ? first < end : line > first || (line > p && line[-1] != '\n'))
    fail("a line", WAYS, words, p, end);
  return first < end;
}

int main(int count, char **arguments)
{
  static struct text needle, text;
  static struct buf folded;
  unsigned found = 0;
  state = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1;
  for (int i = 0; i < ROUNDS; i++) {
    const bool exact = below(2) == 0;
    const size_t kinds = below(4) > 0 ? 40 : 8, more = below(2) > 0 ? 4 : 400;
    const size_t lines = 1 + below(3), with = below(4);
    fill_needle(&needle, exact);
    text.length = below(PADDING);
    const size_t start = text.length;
    for (size_t line = 0; line < lines; line++) {
      fill(&text, below(i % 8 == 0 ? LONGEST / 4 : 160), kinds, more);
      if (line == with) fill_with(&text, &needle, exact);
      fill(&text, below(80), kinds, more);
      text.bytes[text.length++] = '\n';
    }
    memset(text.bytes + text.length, 0, PADDING);
    const char *p = text.bytes + start, *end = text.bytes + text.length;
    found += found_raw(&needle, p, end, exact);
    folded.length = 0;
    if (!fold(&folded, p, (size_t)(end - p))) abort();
    if (!exact) found += found_folded(&needle, folded.data, folded.data + folded.length);
  }
  printf("%d texts, %s\n", ROUNDS, widest() == look_16 ? "16 lanes" : "16 and 32 lanes");
  return found > ROUNDS / 8 ? 0 : 1;
}
