/* needle.c: looks for three bytes in a row of the needle, in wide steps, and compares the rest only where
 * all three may be.
 *
 * In raw text any character of the needle may be an escape and, unless the needle is exact, other bytes,
 * and marks may stand behind it. So the first of the three is also looked for in all that is not plain:
 * escapes, and letters beyond ASCII. It is one that has no accents in the languages of Western Europe, if
 * the needle has one, so that the letters of Latin-1, which are most of what is not plain in these, need
 * not be looked at; and none that has a short escape. The other two may be anything that is not plain. */
#include "text/needle.h"

#include <limits.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "base/word.h"
#include "text/fold.h"
#include "base/hidden.h"

/* ---- what to look for ---- */

enum form { FOLDED, RAW, EXACT }; /* the last two in raw text */

/* The first bytes of characters beyond ASCII that fold to it: of the letters of Latin-1, and the highest,
 * of KELVIN SIGN, ANGSTROM SIGN and what folds to `<`, `=` and `>`. */
enum { LATIN_1 = 0xc3, HIGHEST = 0xe2 };

static bool has_accents(char letter)
{
  return letter != '\0' && strchr("aceinouy", letter) != NULL;
}

static bool has_short_escape(char byte)
{
  return memchr("\"\\/\b\f\n\r\t", byte, 8) != NULL;
}

/* How common a byte is in text, roughly: letters by their frequency in English. */
static int commonness(char byte)
{
  static const char rising[] = "zqjxvbywgpfmucdlhrnioate ";
  const char *place = memchr(rising, byte, sizeof rising - 1);
  return place != NULL ? (int)(place - rising) + 2 : 1;
}

void needle_set(struct needle *needle, const char *text, size_t length)
{
  int least = INT_MAX;
  *needle = (struct needle){text, length, 0};
  for (size_t i = 0; i < length; i++) {
    int common = has_accents(text[i]) || has_short_escape(text[i]) ? 128 : 0;
    for (size_t j = i; j < i + 3; j++) common += j < length ? commonness(text[j]) : 30;
    if (common >= least) continue;
    least = common;
    needle->rare = i;
  }
}

/* ---- where it may be ---- */

/* The bit in which a folded ASCII letter differs from its capital. Setting it in folded text, which
 * has no capitals, turns no other byte into a letter. */
static unsigned char fold_bit(char byte, enum form form)
{
  return form != EXACT && byte >= 'a' && byte <= 'z' ? 0x20 : 0;
}

/* A newline in raw text ends the line. */
static bool is_same(char byte, char wanted, enum form form)
{
  return (char)(byte | fold_bit(wanted, form)) == wanted && (byte != '\n' || form == FOLDED);
}

/* Whether the needle is at p, where `left` bytes are left. */
static bool is_needle(const struct needle *needle, const char *p, size_t left)
{
  if (left < needle->length) return false;
  for (size_t i = 0; i < needle->length; i++)
    if (!is_same(p[i], needle->text[i], FOLDED)) return false;
  return true;
}

/* Whether what is at p in raw text may stand for any character. */
static bool is_odd(const char *p, enum form form)
{
  return form == EXACT ? *p == '\\' : (unsigned char)*p >= 0x80 || (p[0] == '\\' && p[1] == 'u');
}

/* Whether the first `count` bytes of the needle are before p, or something that may stand for them. */
static bool is_before(const struct needle *needle, size_t count, const char *p, const char *from,
                      enum form form)
{
  for (; count > 0; count--, p--) {
    if (p == from) return false;
    const bool digits = p - from >= 6 && p[-6] == '\\' && p[-5] == 'u';
    const bool letter = p - from >= 2 && p[-2] == '\\' && form == EXACT;
    if (digits || letter || is_odd(p - 1, form)) return true;
    if (!is_same(p[-1], needle->text[count - 1], form)) return false;
  }
  return true;
}

/* The same of those from the place `i` on, which are to be at p and after it. */
static bool is_behind(const struct needle *needle, size_t i, const char *p, enum form form)
{
  for (; i < needle->length; i++, p++) {
    if (is_odd(p, form)) return true;
    if (!is_same(*p, needle->text[i], form)) return false;
  }
  return true;
}

/* Whether its first rare byte is among those that the escape at p stands for, and the rest may be around it. */
static bool is_in_escape(const struct needle *needle, const char *p, const char *from)
{
  char decoded[UTF8_LONGEST], *out = decoded;
  const char *behind = escape_decode(p, &out);
  const size_t size = (size_t)(out - decoded), rare = needle->rare, left = needle->length - rare;
  for (size_t i = 0; i < size; i++) {
    const size_t before = rare < i ? rare : i, rest = left < size - i ? left : size - i;
    if (memcmp(decoded + i - before, needle->text + rare - before, before + rest) == 0 &&
        is_before(needle, rare - before, p, from, EXACT) &&
        is_behind(needle, rare + rest, behind, EXACT))
      return true;
  }
  return false;
}

/* Whether what is at p in raw text may fold to the character; and its size. */
static bool may_be(char folded, const char *p, const char *end, size_t *size)
{
  const unsigned char lead = (unsigned char)*p;
  uint32_t code = 0;
  *size = 1;
  if (lead >= 0xc0) {
    code = utf8_decode(p, (size_t)(end - p), size);
  } else if (p[0] == '\\' && p[1] == 'u') {
    code = (uint32_t)escape_digits(p + 2);
    *size = 6;
    if (code >= 0xdc80 && code <= 0xdcff) return true; /* a byte of any character: see escape.h */
  } else {
    return is_same(*p, folded, RAW);
  }
  return fold_to_ascii(code) == folded;
}

/* Whether the needle's first rare character is at p, and the rest of it around that; in raw text, whether
 * it may be. */
static bool is_around(const struct needle *needle, const char *p, const char *from, const char *end,
                      enum form form)
{
  const size_t rare = needle->rare;
  size_t size = 1;
  if (form == FOLDED)
    return (size_t)(p - from) >= rare && is_needle(needle, p - rare, (size_t)(end - p) + rare);
  if (form == EXACT && *p == '\\' && is_in_escape(needle, p, from)) return true;
  return (form == EXACT ? is_same(*p, needle->text[rare], form)
                        : may_be(needle->text[rare], p, end, &size)) &&
         is_behind(needle, rare + 1, p + size, form) && is_before(needle, rare, p, from, form);
}

/* ---- looking ---- */

/* The byte that is there once the bits are set. */
struct wanted {
  uint8_t byte, bits;
};

static const struct wanted ANY = {0xff, 0xff};

struct three {
  const struct needle *needle;
  enum form form;
  struct wanted first, second, third;
  struct wanted letter; /* behind the backslash of an escape that may stand for one of them */
  uint8_t odd; /* the high bit if what has it is not plain */
  uint8_t
      leads; /* a byte minus this is below `few`, as signed, if it begins a character that may */
  int8_t few; /* fold to the first: one comparison for a range */
};

/* Behind the needle, any byte. */
static struct wanted byte_at(const struct needle *needle, size_t i, enum form form)
{
  if (i >= needle->length) return ANY;
  return (struct wanted){(uint8_t)needle->text[i], fold_bit(needle->text[i], form)};
}

static bool has_short_escapes(const char *p, size_t length)
{
  for (; length > 0; p++, length--)
    if (has_short_escape(*p)) return true;
  return false;
}

static struct three three(const struct needle *needle, enum form form)
{
  const size_t i = needle->rare, left = needle->length - i;
  const char *p = needle->text + i;
  const int lowest = has_accents(*p) ? LATIN_1 : LATIN_1 + 1;
  const int highest = memchr("ak<=>", *p, 5) != NULL ? HIGHEST : HIGHEST - 1;
  const bool any = has_short_escapes(p, left < 3 ? left : 3);
  return (struct three){.needle = needle,
                        .form = form,
                        .first = byte_at(needle, i, form),
                        .second = byte_at(needle, i + 1, form),
                        .third = byte_at(needle, i + 2, form),
                        .letter = any ? ANY : (struct wanted){'u', 0},
                        .odd = form == RAW ? 0x80 : 0,
                        .leads = (uint8_t)(lowest + 0x80),
                        .few = (int8_t)(form == RAW ? highest + 1 - lowest - 0x80 : -0x80)};
}

static const uint64_t HIGHS = 0x8080808080808080U; /* bits */

#define LANES 16
#define LANES_NAME(name) name##_16
#define LANES_TARGET
#include "text/lanes.h"

#if defined(__x86_64__)
#define LANES 32
#define LANES_NAME(name) name##_32
#define LANES_TARGET __attribute__((target("avx2")))
#include "text/lanes.h"
#endif

/* Looks in whole steps from *p on; `from`: where the text begins. True: the needle is around *p; false: *p
 * is where the steps end. */
typedef bool look(const struct three *three, const char **p, const char *from, const char *end);

static look *widest(void)
{
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return look_32;
#endif
  return look_16;
}

static const char *find_by(look *way, const struct needle *needle, const char *from,
                           const char *end, enum form form)
{
  const struct three wanted = three(needle, form);
  const char *p = from;
  if (way(&wanted, &p, from, end)) return p;
  for (; p < end; p++)
    if (is_around(needle, p, from, end, form)) return p;
  return NULL;
}

const char *needle_find(const struct needle *needle, const char *p, const char *end)
{
  const char *place = find_by(widest(), needle, p, end, FOLDED);
  return place != NULL ? place - needle->rare : NULL;
}

const char *needle_find_line(const struct needle *needle, bool exact, const char *p,
                             const char *end)
{
  const char *place = find_by(widest(), needle, p, end, exact ? EXACT : RAW);
  const char *newline = place != NULL ? last_newline(p, (size_t)(place - p)) : NULL;
  return newline != NULL ? newline + 1 : place != NULL ? p : NULL;
}
