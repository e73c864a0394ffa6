/* display.c: a character at a time: as it is, or as an escape. */
#include "text/display.h"

#include "base/utf8.h"
#include "text/rows.h"
#include "text/widths.h"
#include "base/hidden.h"

enum {
  MARKS_AT_MOST = 30, /* in a row: as in Unicode's stream-safe text */
  LONGEST_ESCAPE = 10,
  JOINER = 0x200d,
  JOINER_SIZE = 3,
  EMOJI_STYLE = 0xfe0f,
};
enum { COLUMNS = 3, ESCAPED = 3, MARK = 4 }; /* of a class: see widths.lua */

static unsigned width_class(uint32_t code)
{
  return row_digit(row_find(WIDTHS, sizeof WIDTHS - 1, 4, code << 3 | 7)) & 7;
}

/* Whether an invisible character has a meaning directly after another one. */
static bool has_meaning(uint32_t code, uint32_t before)
{
  static const uint32_t pairs[][4] = {
      /* Mongolian; joiners of letters, of emoji; styles of emoji, letters and symbols; forms of Han */
      {0x180b, 0x180f, 0x1820, 0x18aa},   {0x200c, 0x200d, 0x0600, 0x1cff},
      {0x200c, 0x200d, 0xa800, 0xabff},   {0x200c, 0x200d, 0x10a00, 0x11fff},
      {0x200c, 0x200d, 0x1e900, 0x1e95f}, {0x200d, 0x200d, 0x2190, 0x2bff},
      {0x200d, 0x200d, 0xfe0f, 0xfe0f},   {0x200d, 0x200d, 0x1f000, 0x1faff},
      {0xfe0e, 0xfe0f, '#', '#'},         {0xfe0e, 0xfe0f, '*', '*'},
      {0xfe0e, 0xfe0f, '0', '9'},         {0xfe0e, 0xfe0f, 0xa9, 0xa9},
      {0xfe0e, 0xfe0f, 0xae, 0xae},       {0xfe00, 0xfe0f, 0x1000, 0x109f},
      {0xfe00, 0xfe0f, 0x203c, 0x9fff},   {0xfe00, 0xfe0f, 0xa840, 0xa877},
      {0xfe00, 0xfe0f, 0x1f000, 0x1faff}, {0xe0100, 0xe01ef, 0x3400, 0x9fff},
      {0xe0100, 0xe01ef, 0xf900, 0xfaff}, {0xe0100, 0xe01ef, 0x20000, 0x3ffff}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (code >= pairs[i][0] && code <= pairs[i][1] && before >= pairs[i][2] &&
        before <= pairs[i][3])
      return true;
  return false;
}

/* The class of a character after `before`, which is 0 if that is an escape or nothing, and which
 * has `marks`. */
static unsigned class_after(uint32_t code, uint32_t before, unsigned marks)
{
  if (code >= ' ' && code <= '~') return 1;
  if (code == UTF8_INVALID) return ESCAPED;
  unsigned class = width_class(code);
  bool kept = class == ESCAPED && has_meaning(code, before);
  if (!kept && (class & MARK) == 0) return class;
  if (before == 0 || marks == MARKS_AT_MOST) return ESCAPED;
  if (!kept) return class;
  return MARK | (code == EMOJI_STYLE && width_class(before) == 1);
}

/* Writes the escape of the character that a text begins with; returns its size. */
static size_t escape(uint32_t code, const char *text, char out[LONGEST_ESCAPE])
{
  static const char named[] = "\tt\nn\rr", kinds[] = "xuU", digits[] = "0123456789abcdef";
  const char *name = code > 0 && code < ' ' ? strchr(named, (int)code) : NULL;
  size_t count = code < 0x80 || code == UTF8_INVALID ? 2 : code < 0x10000 ? 4 : 8;
  if (code == UTF8_INVALID) code = (unsigned char)*text;
  out[0] = '\\';
  if (name != NULL) {
    out[1] = name[1];
    return 2;
  }
  out[1] = kinds[count / 4];
  for (size_t i = count + 1; i > 1; i--, code >>= 4) out[i] = digits[code & 0xf];
  return count + 2;
}

bool display(struct buf *out, const char *text, size_t length, size_t width, size_t *columns)
{
  size_t cut = 0, columns_there = 0; /* before the last character, its marks and a joiner */
  uint32_t before = 0;
  unsigned marks = 0;
  *columns = 0;
  for (size_t i = 0, size; i < length; i += size) {
    uint32_t code = utf8_decode(text + i, length - i, &size);
    unsigned class = class_after(code, before, marks);
    if (!buf_reserve(out, LONGEST_ESCAPE)) return false;
    char *end = out->data + out->length;
    size_t added = class == ESCAPED ? escape(code, text + i, end) : utf8_encode(code, end);
    size_t more = class == ESCAPED ? added : class & COLUMNS;
    if ((class & MARK) == 0) {
      cut = out->length - (before == JOINER ? JOINER_SIZE : 0);
      columns_there = *columns;
    }
    if (more > width - *columns) {
      out->length = cut;
      *columns = columns_there;
      return true;
    }
    out->length += added;
    *columns += more;
    marks = class & MARK ? marks + 1 : 0;
    before = class == ESCAPED ? 0 : code;
  }
  return true;
}
