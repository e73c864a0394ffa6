/* plain.c: one byte after the other, one line after the other, every line compared with all. */
#include "plain.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* ---- JSON ---- */

enum { LEVELS = 1000 };

static void add_byte(struct plain_text *text, unsigned byte)
{
  if (text->length == text->capacity) {
    text->capacity = text->capacity * 2 + 16;
    text->bytes = fuzz_alloc(text->bytes, text->capacity);
  }
  text->bytes[text->length++] = (char)byte;
}

static void add_code(struct plain_text *text, unsigned code)
{
  if (code < 0x80) {
    add_byte(text, code);
    return;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned first[] = {0, 0xc0, 0xe0, 0xf0};
  add_byte(text, first[more] | code >> 6 * more);
  while (more-- > 0) add_byte(text, 0x80 | (code >> 6 * more & 0x3f));
}

/* The next byte, or -1 at the end. */
static int next(const struct plain_cursor *c)
{
  return c->p < c->end ? (unsigned char)*c->p : -1;
}

static bool take(struct plain_cursor *c, int byte)
{
  if (next(c) != byte) return false;
  c->p++;
  return true;
}

static void space(struct plain_cursor *c)
{
  while (take(c, ' ') || take(c, '\t') || take(c, '\r') || (c->newlines && take(c, '\n'))) {
  }
}

static bool hex(struct plain_cursor *c, unsigned *code)
{
  *code = 0;
  for (int i = 0; i < 4; i++) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit = next(c) > 0 ? strchr(digits, next(c)) : NULL;
    if (digit == NULL) return false;
    *code = *code * 16 + (unsigned)((digit - digits) % 16);
    c->p++;
  }
  return true;
}

/* Behind `\u`. */
static bool code_point(struct plain_cursor *c)
{
  unsigned code, low;
  if (!hex(c, &code)) return false;
  if (code >= 0xd800 && code <= 0xdbff) {
    struct plain_cursor ahead = *c;
    if (take(&ahead, '\\') && take(&ahead, 'u') && hex(&ahead, &low) && low >= 0xdc00 &&
        low <= 0xdfff) {
      code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
      c->p = ahead.p;
    }
  }
  if (code >= 0xdc80 && code <= 0xdcff) add_byte(&c->string, code - 0xdc00);
  else add_code(&c->string, code);
  return true;
}

static bool escape(struct plain_cursor *c)
{
  static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  if (take(c, 'u')) return code_point(c);
  const char *letter = next(c) > 0 ? strchr(letters, next(c)) : NULL;
  if (letter == NULL) return false;
  add_byte(&c->string, (unsigned char)meanings[letter - letters]);
  c->p++;
  return true;
}

static bool string(struct plain_cursor *c)
{
  c->string.length = 0;
  c->start = c->p;
  if (!take(c, '"')) return false;
  while (!take(c, '"')) {
    if (next(c) < 0x20) return false;
    if (take(c, '\\')) {
      if (!escape(c)) return false;
    } else {
      add_byte(&c->string, (unsigned)next(c));
      c->p++;
    }
  }
  c->type = '"';
  if (c->visit != NULL) c->visit(c);
  return true;
}

static bool digits(struct plain_cursor *c)
{
  if (next(c) < '0' || next(c) > '9') return false;
  while (next(c) >= '0' && next(c) <= '9') c->p++;
  return true;
}

static bool number(struct plain_cursor *c)
{
  c->start = c->p;
  take(c, '-');
  if (!take(c, '0') && !digits(c)) return false;
  if (take(c, '.') && !digits(c)) return false;
  if (take(c, 'e') || take(c, 'E')) {
    if (!take(c, '+')) take(c, '-');
    if (!digits(c)) return false;
  }
  size_t length = (size_t)(c->p - c->start);
  char *copy = fuzz_alloc(NULL, length + 1);
  memcpy(copy, c->start, length);
  copy[length] = '\0';
  c->number = strtod(copy, NULL);
  free(copy);
  c->type = '0';
  if (c->visit != NULL) c->visit(c);
  return true;
}

static bool word(struct plain_cursor *c, const char *letters)
{
  char type = *letters;
  while (*letters != '\0')
    if (!take(c, *letters++)) return false;
  c->type = type;
  return true;
}

static bool value(struct plain_cursor *c, int level);

static bool array(struct plain_cursor *c, int level)
{
  space(c);
  if (!take(c, ']')) {
    do {
      space(c);
      if (!value(c, level)) return false;
      space(c);
    } while (take(c, ','));
    if (!take(c, ']')) return false;
  }
  c->type = '[';
  return true;
}

static bool object(struct plain_cursor *c, int level, struct plain_line *line);

static bool value(struct plain_cursor *c, int level)
{
  switch (next(c)) {
  case '"':
    return string(c);
  case 't':
    return word(c, "true");
  case 'f':
    return word(c, "false");
  case 'n':
    return word(c, "null");
  case '[':
    if (level == LEVELS) return false;
    c->p++;
    return array(c, level + 1);
  case '{':
    if (level == LEVELS) return false;
    c->p++;
    return object(c, level + 1, NULL);
  default:
    return number(c);
  }
}

bool plain_json(struct plain_cursor *c)
{
  space(c);
  if (!value(c, 0)) return false;
  space(c);
  return c->p == c->end;
}

/* By table 3-7 of the Unicode Standard. */
size_t plain_character(const unsigned char *bytes, size_t size)
{
  static const struct {
    unsigned char first[2], second[2];
    size_t size;
  } rows[] = {{{0x00, 0x7f}, {0, 0}, 1},       {{0xc2, 0xdf}, {0x80, 0xbf}, 2},
              {{0xe0, 0xe0}, {0xa0, 0xbf}, 3}, {{0xe1, 0xec}, {0x80, 0xbf}, 3},
              {{0xed, 0xed}, {0x80, 0x9f}, 3}, {{0xee, 0xef}, {0x80, 0xbf}, 3},
              {{0xf0, 0xf0}, {0x90, 0xbf}, 4}, {{0xf1, 0xf3}, {0x80, 0xbf}, 4},
              {{0xf4, 0xf4}, {0x80, 0x8f}, 4}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (bytes[0] < rows[i].first[0] || bytes[0] > rows[i].first[1]) continue;
    if (size < rows[i].size) return 0;
    for (size_t j = 1; j < rows[i].size; j++) {
      unsigned char low = j == 1 ? rows[i].second[0] : 0x80;
      unsigned char high = j == 1 ? rows[i].second[1] : 0xbf;
      if (bytes[j] < low || bytes[j] > high) return 0;
    }
    return rows[i].size;
  }
  return 0;
}

static void add_escape(struct plain_text *text, unsigned code)
{
  static const char letters[] = "\"\\bfnrt", meanings[] = "\"\\\b\f\n\r\t";
  const char *letter = code > 0 && code < 0x80 ? strchr(meanings, (int)code) : NULL;
  add_byte(text, '\\');
  if (letter != NULL) {
    add_byte(text, (unsigned char)letters[letter - meanings]);
    return;
  }
  add_byte(text, 'u');
  for (int shift = 12; shift >= 0; shift -= 4)
    add_byte(text, (unsigned char)"0123456789abcdef"[code >> shift & 15]);
}

void plain_quote(struct plain_text *text, const char *bytes, size_t size)
{
  add_byte(text, '"');
  for (size_t i = 0, length; i < size; i += length) {
    const unsigned char *p = (const unsigned char *)bytes + i;
    length = plain_character(p, size - i);
    if (length == 0) add_escape(text, 0xdc00U + *p), length = 1;
    else if (*p < 0x20 || *p == '"' || *p == '\\') add_escape(text, *p);
    else
      for (size_t j = 0; j < length; j++) add_byte(text, p[j]);
  }
  add_byte(text, '"');
}

/* ---- records ---- */

static const char MARK[] = "\xef\xbb\xbf";

static bool is(const struct plain_text *text, const char *name)
{
  return text->length == strlen(name) && memcmp(text->bytes, name, text->length) == 0;
}

static uint64_t id_of(const struct plain_cursor *c)
{
  if (c->type != '0' || !(c->number >= 1 && c->number <= 9007199254740991.0)) return 0;
  return (double)(uint64_t)c->number == c->number ? (uint64_t)c->number : 0;
}

static enum plain_kind kind_of(const struct plain_cursor *c)
{
  static const char *const names[] = {"fact", "pref", "context", "forget"};
  for (int i = 0; i < 4; i++)
    if (c->type == '"' && is(&c->string, names[i])) return (enum plain_kind)(PLAIN_FACT + i);
  return PLAIN_OTHER;
}

static void copy_string(struct plain_text *text, const struct plain_cursor *c)
{
  text->length = 0;
  for (size_t i = 0; c->type == '"' && i < c->string.length; i++)
    add_byte(text, (unsigned char)c->string.bytes[i]);
}

/* A member's value was read. */
static void note(struct plain_line *line, const struct plain_text *key,
                 const struct plain_cursor *c)
{
  bool string = c->type == '"';
  line->members++;
  if (is(key, "id")) {
    line->has_id = true;
    line->true_id = c->type != 'n' && c->type != 'f';
    line->id = id_of(c);
  }
  if (is(key, "target")) {
    line->target = id_of(c);
    line->zero_target = c->type == '0' && c->p - c->start == 1 && *c->start == '0';
  }
  if (is(key, "rev")) line->rev = id_of(c);
  if (is(key, "kind")) line->kind = kind_of(c);
  if (is(key, "uid")) {
    line->has_uid = string;
    copy_string(&line->uid, c);
  }
  if (is(key, "ts")) {
    line->has_ts = string;
    copy_string(&line->ts, c);
  }
  if (is(key, "of")) {
    line->of_form = string ? PLAIN_OF_TEXT : c->type == 'n' ? PLAIN_OF_NULL : PLAIN_NO_OF;
    copy_string(&line->of, c);
  }
}

/* Behind the `{`. A line is given for the object that is all of it. */
static bool object(struct plain_cursor *c, int level, struct plain_line *line)
{
  space(c);
  if (!take(c, '}')) {
    do {
      space(c);
      if (!string(c)) return false;
      struct plain_text key = c->string;
      if (line != NULL) memset(&c->string, 0, sizeof c->string);
      space(c);
      bool read = take(c, ':') && (space(c), value(c, level));
      if (line != NULL) {
        if (read) note(line, &key, c);
        free(key.bytes);
      }
      if (!read) return false;
      space(c);
    } while (take(c, ','));
    if (!take(c, '}')) return false;
  }
  c->type = '{';
  return true;
}

/* The byte behind the object at p, or NULL. */
static const char *object_end(const char *p, const char *end, struct plain_line *line)
{
  struct plain_cursor c = {.p = p, .end = end};
  bool whole = take(&c, '{') && object(&c, 1, line);
  free(c.string.bytes);
  return whole ? c.p : NULL;
}

/* Whether the line is one object. */
static bool is_object(struct plain_line *line, const char *text)
{
  struct plain_cursor c = {.p = text, .end = text + line->length};
  if (line->offset == 0 && line->length >= 3 && memcmp(text, MARK, 3) == 0) c.p += 3;
  space(&c);
  c.p = object_end(c.p, c.end, line);
  if (c.p != NULL) space(&c);
  return c.p == c.end;
}

/* ---- lines that are not one object ---- */

static const char *separators(const char *p, const char *end)
{
  for (;;) {
    if (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\0')) p++;
    else if (end - p >= 3 && memcmp(p, MARK, 3) == 0) p += 3;
    else return p;
  }
}

/* How many objects there are from p to the end, if there is nothing else; or 0. *first: the byte
 * behind the first of them. */
static size_t row(const char *p, const char *end, const char **first)
{
  size_t count = 0;
  for (; p < end; p = separators(p, end)) {
    p = object_end(p, end, NULL);
    if (p == NULL) return 0;
    if (count++ == 0) *first = p;
  }
  return count;
}

/* The value of the last member of this name, in an object or the beginning of one; or NULL. */
static const char *member_of(const char *text, const char *end, const char *name)
{
  struct plain_cursor c = {.p = text, .end = end};
  const char *found = NULL;
  bool more = take(&c, '{');
  while (more) {
    space(&c);
    more = string(&c);
    bool named = more && is(&c.string, name);
    space(&c);
    more = more && take(&c, ':');
    space(&c);
    if (more && named) found = c.p;
    more = more && value(&c, 1);
    space(&c);
    more = more && take(&c, ',');
  }
  free(c.string.bytes);
  return found;
}

/* Whether an object at the end of a text is directly the value of a member that never has one: the last
 * three only in a memory. */
static bool is_misplaced(const char *text, const char *end, const char *object, bool in_memory)
{
  static const char *const names[] = {"id", "uid",  "ts",      "kind", "target",
                                      "of", "role", "content", "tags", "source"};
  const size_t count = sizeof names / sizeof *names;
  for (size_t i = 0; i < (in_memory ? count : count - 3); i++)
    if (member_of(text, end, names[i]) == object) return true;
  return false;
}

static bool is_meta(const char *object, const char *end)
{
  const char *meta = member_of(object, end, "meta");
  if (meta == NULL || *meta != '{') return false;
  const char *version = member_of(meta, end, "aish_version");
  const char *created = member_of(meta, end, "created");
  return version != NULL && *version == '"' && created != NULL && *created == '"';
}

/* Where a text stops being JSON. */
static const char *find_stop(const char *text, const char *end)
{
  struct plain_cursor c = {.p = text, .end = end};
  if (value(&c, 0)) space(&c);
  free(c.string.bytes);
  return c.p;
}

/* Where the records at the end of a damaged text begin. */
static const char *find_records(const char *text, const char *stop, const char *end, bool in_memory)
{
  for (const char *p = text; p < end; p++) {
    const char *first;
    struct plain_cursor inside = {.p = p + 1, .end = end};
    size_t count = *p == '{' ? row(p, end, &first) : 0;
    if (count == 0) continue;
    space(&inside);
    if (p <= stop && first > stop && next(&inside) == '"') return p;
    if (count == 1 && stop == end && is_misplaced(text, end, p, in_memory)) return p;
  }
  return end;
}

bool plain_is_item(const struct plain_line *line)
{
  return line->verdict == PLAIN_OBJECT && line->id != 0 && line->kind >= PLAIN_FACT &&
         line->kind <= PLAIN_CONTEXT;
}

bool plain_is_tombstone(const struct plain_line *line)
{
  return line->verdict == PLAIN_OBJECT && line->true_id && line->kind == PLAIN_FORGET &&
         line->target != 0;
}

bool plain_is_mark(const struct plain_line *line)
{
  return line->verdict == PLAIN_OBJECT && line->id != 0 && line->kind == PLAIN_FORGET &&
         line->zero_target;
}

/* ---- times ---- */

/* The digits at a place of a text, or -1. */
static int number_at(const struct plain_text *text, size_t at, int count)
{
  int value = 0;
  for (; count > 0; count--, at++) {
    if (at >= text->length || text->bytes[at] < '0' || text->bytes[at] > '9') return -1;
    value = value * 10 + (text->bytes[at] - '0');
  }
  return value;
}

static bool has_at(const struct plain_text *text, size_t at, const char *any)
{
  return at < text->length && text->bytes[at] != '\0' && strchr(any, text->bytes[at]) != NULL;
}

static int days_of(int year, int month)
{
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap);
}

/* From the end of the fraction, if there is one, to the end of the text. */
static bool read_offset(const struct plain_text *ts, size_t at, int64_t *minutes)
{
  if (has_at(ts, at, "Zz")) return at + 1 == ts->length;
  int hour = number_at(ts, at + 1, 2), minute = number_at(ts, at + 4, 2);
  if (!has_at(ts, at, "+-") || !has_at(ts, at + 3, ":") || at + 6 != ts->length) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  *minutes = (hour * 60 + minute) * (ts->bytes[at] == '-' ? -1 : 1);
  return true;
}

static bool read_time(struct plain_line *line)
{
  const struct plain_text *ts = &line->ts;
  int year = number_at(ts, 0, 4), month = number_at(ts, 5, 2), day = number_at(ts, 8, 2);
  int hour = number_at(ts, 11, 2), minute = number_at(ts, 14, 2), second = number_at(ts, 17, 2);
  if (!line->has_ts || year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 60 || day > days_of(year, month))
    return false;
  if (!has_at(ts, 4, "-") || !has_at(ts, 7, "-") || !has_at(ts, 10, "Tt") || !has_at(ts, 13, ":") ||
      !has_at(ts, 16, ":"))
    return false;
  size_t at = 19;
  if (has_at(ts, at, ".")) {
    line->fraction = ts->bytes + ++at;
    while (number_at(ts, at, 1) >= 0) at++;
    line->digits = (size_t)(ts->bytes + at - line->fraction);
    if (line->digits == 0) return false;
    while (line->digits > 0 && line->fraction[line->digits - 1] == '0') line->digits--;
    if (line->digits > 19) line->digits = 19; /* what comes behind does not count */
    while (line->digits > 0 && line->fraction[line->digits - 1] == '0') line->digits--;
  }
  int64_t days = day - 1, minutes = 0;
  for (int earlier = 0; earlier < year; earlier++) days += 337 + days_of(earlier, 2);
  for (int earlier = 1; earlier < month; earlier++) days += days_of(year, earlier);
  if (!read_offset(ts, at, &minutes)) return false;
  line->seconds = (days * 24 * 60 + hour * 60 + minute - minutes) * 60 + second;
  return true;
}

/* ---- names and order ---- */

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
  size_t shorter = a_length < b_length ? a_length : b_length;
  int order = shorter > 0 ? memcmp(a, b, shorter) : 0;
  return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_texts(const struct plain_text *a, const struct plain_text *b)
{
  return compare_bytes(a->bytes, a->length, b->bytes, b->length);
}

/* By uid, by ts or by neither. */
static int naming(const struct plain_line *line)
{
  return line->has_uid ? 2 : line->has_ts;
}

static const struct plain_text *name_of(const struct plain_line *line)
{
  return line->has_uid ? &line->uid : &line->ts;
}

bool plain_same_name(const struct plain_line *a, const struct plain_line *b)
{
  if (naming(a) == 0 || naming(b) == 0) return naming(a) == naming(b);
  return compare_texts(name_of(a), name_of(b)) == 0;
}

bool plain_retires(const struct plain_line *tombstone, const struct plain_line *item)
{
  if (!plain_is_tombstone(tombstone) || tombstone->target != item->id) return false;
  if (tombstone->id == tombstone->target) return false;
  if (tombstone->of_form == PLAIN_OF_NULL) return naming(item) == 0;
  return tombstone->of_form == PLAIN_NO_OF ||
         (naming(item) > 0 && compare_texts(&tombstone->of, name_of(item)) == 0);
}

bool plain_same_target(const struct plain_line *a, const struct plain_line *b)
{
  return a->target == b->target && a->of_form == b->of_form &&
         (a->of_form != PLAIN_OF_TEXT || compare_texts(&a->of, &b->of) == 0);
}

/* Whether a line is no item on account of another. */
static bool gives_way(const struct plain_line *line, const struct plain_line *to)
{
  if (!plain_is_item(to) || to->id != line->id) return false;
  if (to < line && compare_bytes(to->bytes, to->size, line->bytes, line->size) == 0) return true;
  return naming(to) == naming(line) && plain_same_name(to, line) && to->rev > line->rev;
}

bool plain_is_newer(const struct plain_line *a, const struct plain_line *b)
{
  int order = a->has_time - b->has_time;
  if (order == 0 && a->has_time) order = (a->seconds > b->seconds) - (a->seconds < b->seconds);
  if (order == 0 && a->has_time)
    order = compare_bytes(a->fraction, a->digits, b->fraction, b->digits);
  if (order == 0) order = (a->id > b->id) - (a->id < b->id);
  if (order == 0) order = a->has_uid - b->has_uid;
  if (order == 0) order = compare_texts(&a->uid, &b->uid);
  if (order == 0) order = compare_bytes(a->bytes, a->size, b->bytes, b->size);
  return order > 0;
}

const char *plain_problem(const struct plain_line *line)
{
  if (line->verdict == PLAIN_TORN) return "torn";
  if (line->verdict == PLAIN_DAMAGED) return "damaged";
  if (line->verdict == PLAIN_BLANK) return NULL;
  if (line->has_id && line->id == 0) return "bad id";
  if (!line->has_id && line->kind != PLAIN_NONE && line->kind != PLAIN_OTHER) return "no id";
  if (line->kind == PLAIN_FORGET && line->target == 0 && !plain_is_mark(line)) return "bad target";
  return NULL;
}

/* ---- files ---- */

static void free_texts(struct plain_line *line)
{
  free(line->uid.bytes);
  free(line->ts.bytes);
  free(line->of.bytes);
}

static struct plain_line *add_part(struct plain *plain, size_t offset, size_t length)
{
  if (plain->count == plain->capacity) {
    plain->capacity = plain->capacity * 2 + 16;
    plain->lines = fuzz_alloc(plain->lines, plain->capacity * sizeof *plain->lines);
  }
  struct plain_line *line = &plain->lines[plain->count++];
  memset(line, 0, sizeof *line);
  line->offset = offset;
  line->length = length;
  line->number = plain->numbers;
  return line;
}

/* Adds the objects from p on; returns the byte behind the last. `bytes`: of the whole file. */
static const char *add_objects(struct plain *plain, const char *bytes, const char *p,
                               const char *end)
{
  const char *behind = p, *next_one;
  while ((next_one = object_end(separators(behind, end), end, NULL)) != NULL) {
    const char *start = separators(behind, end);
    struct plain_line *part = add_part(plain, (size_t)(start - bytes), (size_t)(next_one - start));
    part->verdict = PLAIN_OBJECT;
    object_end(start, end, part);
    plain->is_memory = plain->is_memory || is_meta(start, end);
    behind = next_one;
  }
  return behind;
}

static void add_parts(struct plain *plain, const char *bytes, const char *line, const char *end)
{
  const char *behind = add_objects(plain, bytes, line, end), *text = separators(behind, end);
  if (text == end && behind > line) return;
  const char *stop = find_stop(text, end),
             *records = find_records(text, stop, end, plain->in_memory);
  const char *start = behind == line ? line : text;
  struct plain_line *damage = add_part(plain, (size_t)(start - bytes), (size_t)(records - start));
  bool torn = behind == line && text < end && *text == '{' && stop == end;
  damage->verdict = torn ? PLAIN_TORN : PLAIN_DAMAGED;
  plain->torn += torn;
  plain->damaged += !torn;
  size_t before = plain->count - 1;
  add_objects(plain, bytes, records, end);
  plain->saved += plain->count - before - 1;
  plain->saved += before - plain->first_of_last;
}

static bool is_blank(const struct plain_line *line, const char *text)
{
  struct plain_cursor c = {.p = text, .end = text + line->length};
  if (line->offset == 0 && line->length >= 3 && memcmp(text, MARK, 3) == 0) c.p += 3;
  space(&c);
  return c.p == c.end;
}

static void add_line(struct plain *plain, const char *bytes, size_t offset, size_t length)
{
  const char *text = bytes + offset;
  plain->numbers++;
  plain->first_of_last = plain->count;
  struct plain_line *line = add_part(plain, offset, length);
  const char *object = memchr(text, '{', length);
  if (is_blank(line, text)) return;
  if (is_object(line, text)) {
    line->verdict = PLAIN_OBJECT;
    plain->is_memory = plain->is_memory || is_meta(object, text + length);
    return;
  }
  free_texts(line);
  plain->count--;
  add_parts(plain, bytes, text, text + length);
}

/* From the object's `{` to its `}`. */
static void measure(struct plain_line *line, const char *bytes)
{
  if (line->verdict != PLAIN_OBJECT) return;
  line->bytes = memchr(bytes + line->offset, '{', line->length);
  line->size = (size_t)(bytes + line->offset + line->length - line->bytes);
  while (line->bytes[line->size - 1] != '}') line->size--;
  line->has_time = read_time(line);
}

static void count_line(struct plain *plain, struct plain_line *line)
{
  plain->records += line->verdict == PLAIN_OBJECT;
  plain->items += plain_is_item(line);
  plain->tombstones += plain_is_tombstone(line) || plain_is_mark(line);
  if (line->id > plain->max_id) plain->max_id = line->id;
  line->item = line->active = plain_is_item(line);
  if (line->id == 0) return;
  for (const struct plain_line *other = plain->lines; other < plain->lines + plain->count;
       other++) {
    if (gives_way(line, other)) line->item = false;
    if (plain_retires(other, line)) line->active = false;
  }
  line->active = line->active && line->item;
  plain->active += line->active;
}

/* Whether it is UTF-16 or UTF-32, by the bytes that are zero: `0` is one, `x` is none, `.` any. */
static bool is_wide(const char *bytes, size_t size)
{
  static const char *const forms[] = {"xx0x....", "xxx0....", "xx00....", "0x0x....",
                                      "x0x0....", "000x000x", "x000x000"};
  static const char *const marks[] = {"\xfe\xff", "\xff\xfe", "\xff\xfe", "", "", "", ""};
  char head[8] = {0};
  memcpy(head, bytes, size < 8 ? size : 8);
  if (size < 4) return false;
  if (memcmp(head, "\0\0\xfe\xff", 4) == 0) return true;
  for (int i = 0; i < 7; i++) {
    bool same = memcmp(head, marks[i], strlen(marks[i])) == 0;
    for (size_t at = 0; at < 8; at++)
      same = same && (forms[i][at] == '.' || (head[at] == 0) == (forms[i][at] == '0'));
    if (same) return true;
  }
  return false;
}

/* Whether it is that, or begins with `[` and ends with `]`. */
static bool is_other_text(const char *bytes, size_t size)
{
  static const char white[] = {' ', '\t', '\r', '\n'};
  size_t from = size >= 3 && memcmp(bytes, MARK, 3) == 0 ? 3 : 0, to = size;
  while (from < to && memchr(white, bytes[from], 4) != NULL) from++;
  while (to > from && memchr(white, bytes[to - 1], 4) != NULL) to--;
  return is_wide(bytes, size) || (to > from && bytes[from] == '[' && bytes[to - 1] == ']');
}

static void read_file(struct plain *plain, const char *bytes, size_t size, bool in_memory)
{
  memset(plain, 0, sizeof *plain);
  plain->in_memory = in_memory;
  for (size_t offset = 0; offset < size;) {
    const char *newline = memchr(bytes + offset, '\n', size - offset);
    size_t end = newline != NULL ? (size_t)(newline - bytes) : size;
    plain->unfinished = newline == NULL;
    plain->last = offset;
    add_line(plain, bytes, offset, end - offset);
    offset = end + 1;
  }
  for (size_t i = 0; i < plain->count; i++) measure(&plain->lines[i], bytes);
  for (size_t i = 0; i < plain->count; i++) count_line(plain, &plain->lines[i]);
  plain->is_memory = plain->is_memory || plain->items + plain->tombstones > 0;
  plain->refused = is_other_text(bytes, size) || (plain->records > 0 && !plain->is_memory);
}

/* What a torn line holds depends on whether any other record is one of a memory. */
void plain_read(struct plain *plain, const char *bytes, size_t size)
{
  read_file(plain, bytes, size, false);
  if (!plain->is_memory) return;
  plain_free(plain);
  read_file(plain, bytes, size, true);
}

void plain_free(struct plain *plain)
{
  for (size_t i = 0; i < plain->count; i++) free_texts(&plain->lines[i]);
  free(plain->lines);
  memset(plain, 0, sizeof *plain);
}

const struct plain_line *plain_find(const struct plain *plain, uint64_t id)
{
  const struct plain_line *found = NULL;
  for (size_t i = 0; i < plain->count; i++) {
    const struct plain_line *line = &plain->lines[i];
    if (line->active && line->id == id && (found == NULL || plain_is_newer(line, found)))
      found = line;
  }
  return found;
}

uint64_t plain_untargeted(const struct plain *plain, uint64_t id, size_t count)
{
  for (size_t i = 0; i < plain->count; i++) {
    const struct plain_line *line = &plain->lines[i];
    bool bare =
        plain_is_tombstone(line) && line->of_form == PLAIN_NO_OF && line->id != line->target;
    if (!bare || line->target < id || line->target - id >= count) continue;
    id = line->target + 1;
    i = (size_t)-1; /* from the first line on again */
  }
  return id;
}
