/* record.c: one pass over a line that validates all of it and picks out the members that the
 * index needs, in any order, the last of a name counting, escaped or not. */
#include "memory/record.h"

#include "base/timestamp.h"
#include "json/number.h"
#include "json/walk.h"

const char *record_kind_name(enum record_kind kind)
{
  static const char *const names[] = {"", "fact", "pref", "context", "forget"};
  return names[kind];
}

enum key { KEY_OTHER, KEY_ID, KEY_TS, KEY_KIND, KEY_TARGET, KEY_CONTENT, KEY_TAGS };

/* A name with its closing quote, among several of which a processor cannot guess the next: they are
 * looked up by letters that tell them apart, and then compared as one word. */
struct name {
  char text[8];
  int value, length; /* 0: there is none */
};

#define NAME(string, meaning)                                                                      \
  {                                                                                                \
    .text = string "\"", .value = (meaning), .length = sizeof(string)                              \
  }

static inline bool is_name(const char *p, const struct name *name)
{
  static const char ones[16] = "\xff\xff\xff\xff\xff\xff\xff\xff";
  uint64_t word, text, mask; /* of the first `length` bytes */
  memcpy(&word, p, sizeof word);
  memcpy(&text, name->text, sizeof text);
  memcpy(&mask, ones + 8 - name->length, sizeof mask);
  return (word & mask) == text && name->length > 0;
}

/* The key of ours that stands before the quote at p's end, or NULL. */
static inline const struct name *find_key(const char *p)
{
  static const struct name keys[16] = {
      [('a' + 'r') & 15] = NAME("target", KEY_TARGET),
      [('o' + 'u') & 15] = NAME("source", KEY_OTHER),
      [('s' + '"') & 15] = NAME("ts", KEY_TS),
      [('d' + '"') & 15] = NAME("id", KEY_ID),
      [('i' + 'n') & 15] = NAME("kind", KEY_KIND),
      [('a' + 'g') & 15] = NAME("tags", KEY_TAGS),
      [('o' + 'n') & 15] = NAME("content", KEY_CONTENT),
  };
  const struct name *name = &keys[(p[1] + p[2]) & 15];
  return is_name(p, name) ? name : NULL;
}

static inline const struct name *find_kind(const char *p)
{
  static const struct name kinds[8] = {
      ['r' & 7] = NAME("forget", KIND_FORGET),
      ['c' & 7] = NAME("fact", KIND_FACT),
      ['e' & 7] = NAME("pref", KIND_PREF),
      ['n' & 7] = NAME("context", KIND_CONTEXT),
  };
  const struct name *name = &kinds[p[2] & 7];
  return is_name(p, name) ? name : NULL;
}

enum { LONGEST_NAME = 7 };

/* What a name means that stands without a quote behind it; `none` for other names. */
static int meaning(const struct name *(*find)(const char *), const char *text, size_t length,
                   int none)
{
  char quoted[LONGEST_NAME + 1] = {0};
  if (length > LONGEST_NAME) return none;
  memcpy(quoted, text, length);
  quoted[length] = '"';
  const struct name *name = find(quoted);
  return name != NULL && (size_t)name->length == length + 1 ? name->value : none;
}

/* The same for one with escapes, none of which makes more than six bytes of one. */
static int escaped_meaning(const struct name *(*find)(const char *), const char *start,
                           const char *end, int none)
{
  char name[LONGEST_NAME * 6];
  if ((size_t)(end - start) > sizeof name) return none;
  return meaning(find, name, json_unescape(start, end, name), none);
}

enum record_kind record_kind(const char *name, size_t length)
{
  return (enum record_kind)meaning(find_kind, name, length, KIND_UNKNOWN);
}

/* *p is behind the opening quote and moves behind the closing one; NULL where the key is bad. */
static inline enum key read_key(const char **p, struct json_error *error)
{
  const char *start = *p;
  const struct name *name = find_key(start);
  if (name != NULL) return *p = start + name->length, (enum key)name->value;
  bool escaped;
  *p = json_string(start, &escaped, error);
  if (*p == NULL || !escaped) return KEY_OTHER;
  return (enum key)escaped_meaning(find_key, start, *p - 1, KEY_OTHER);
}

/* ---- values as the module writes them: NULL where one is not ---- */

#define EXPECT(text) (memcmp(p, (text), sizeof(text) - 1) == 0)

/* A whole number from 1 on, of up to seven digits at once: most ids are. Exclusive or with zeros
 * makes a digit its value; adding 0x76 then sets the high bit of a byte beyond 9, and the first
 * such byte ends the number. Its digits, moved to the end of the word, are joined to pairs, fours
 * and eights. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline const char *read_digits(const char *p, uint64_t *number)
{
  uint64_t word;
  memcpy(&word, p, sizeof word);
  word ^= 0x3030303030303030U;
  uint64_t end = (word | (word + 0x7676767676767676U)) & 0x8080808080808080U;
  if (end == 0) return NULL;
  int bits = __builtin_ctzll(end) & ~7;
  if (bits == 0) return NULL;
  word <<= 64 - bits;
  word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ffU;
  word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffffU;
  *number = (word * 10000 + (word >> 32)) & 0xffffffffU;
  return p + bits / 8;
}
#else
static inline const char *read_digits(const char *p, uint64_t *number)
{
  const char *start = p;
  for (*number = 0; *p >= '0' && *p <= '9' && p - start < 8; p++)
    *number = *number * 10 + (uint64_t)(*p - '0');
  return p - start < 8 ? p : NULL;
}
#endif

static inline const char *read_number_quickly(const char *p, uint64_t *number)
{
  if (*p < '1' || *p > '9') return NULL;
  p = read_digits(p, number);
  return p == NULL || *p == '.' || *p == 'e' || *p == 'E' ? NULL : p;
}

static inline const char *read_kind_quickly(const char *p, enum record_kind *kind)
{
  const struct name *name = find_kind(p);
  if (name == NULL) return NULL;
  *kind = (enum record_kind)name->value;
  return p + name->length;
}

static const char *read_strings_quickly(const char *p)
{
  if (*p != '"') return NULL;
  for (;;) {
    p = span_plain(p + 1);
    if (*p != '"') return NULL;
    if (p[1] == ']') return p + 2;
    if (p[1] != ',' || p[2] != '"') return NULL;
    p += 2;
  }
}

/* ---- any values ---- */

/* An id is judged by its value, as Lua sees it: 1e2 is 100. */
static const char *read_id(const char *p, uint64_t *id, struct json_error *error)
{
  const char *start = p, *end = read_number_quickly(p, id);
  if (end != NULL) return end;
  uint64_t value = 0;
  while (*p >= '0' && *p <= '9' && p - start < 16) value = value * 10 + (uint64_t)(*p++ - '0');
  bool plain = p > start && (*start != '0') && !(*p >= '0' && *p <= '9') && *p != '.' &&
               *p != 'e' && *p != 'E';
  if (!plain) {
    p = json_number(start, error);
    if (p == NULL) return NULL;
    double number = number_parse(start, p);
    value = number >= 1 && number <= (double)RECORD_ID_MAX ? (uint64_t)number : 0;
    if ((double)value != number) value = 0;
  }
  *id = value <= RECORD_ID_MAX ? value : 0;
  return p;
}

static inline bool starts_number(char byte)
{
  return (byte >= '0' && byte <= '9') || byte == '-';
}

/* p is behind the opening quote. */
static inline const char *read_long_string(const char *p, struct json_error *error)
{
  bool escaped;
  p = span_long(p);
  return *p == '"' ? p + 1 : json_string_slowly(p, &escaped, error);
}

static const char *read_other(const char *p, struct json_error *error)
{
  bool escaped;
  if (*p == '"') return json_string(p + 1, &escaped, error);
  return json_value(p, p, 1, error);
}

static const char *read_kind(const char *p, enum record_kind *kind, struct json_error *error)
{
  *kind = KIND_UNKNOWN;
  if (*p != '"') return read_other(p, error);
  const char *start = p + 1, *end = read_kind_quickly(start, kind);
  if (end != NULL) return end;
  bool escaped;
  p = json_string(start, &escaped, error);
  if (p != NULL && escaped)
    *kind = (enum record_kind)escaped_meaning(find_kind, start, p - 1, KIND_UNKNOWN);
  return p;
}

static const char *read_ts(const char *p, struct record *record, struct json_error *error)
{
  struct slice *ts = &record->ts;
  record->ts_key = -1;
  ts->start = NULL;
  if (*p != '"') return read_other(p, error);
  ts->start = p + 1;
  int64_t key = timestamp_key(ts->start);
  if (key >= 0 && ts->start[TIMESTAMP_LENGTH] == '"') {
    record->ts_key = key;
    ts->escaped = false;
    ts->end = ts->start + TIMESTAMP_LENGTH;
    return ts->end + 1;
  }
  p = json_string(p + 1, &ts->escaped, error);
  ts->end = p != NULL ? p - 1 : NULL;
  return p;
}

static const char *read_member(enum key key, const char *p, struct record *record,
                               struct json_error *error)
{
  switch (key) {
  case KEY_ID:
    record->has_id = true;
    record->id = 0;
    return starts_number(*p) ? read_id(p, &record->id, error) : read_other(p, error);
  case KEY_TARGET:
    record->target = 0;
    return starts_number(*p) ? read_id(p, &record->target, error) : read_other(p, error);
  case KEY_TS:
    return read_ts(p, record, error);
  case KEY_KIND:
    return read_kind(p, &record->kind, error);
  case KEY_CONTENT:
    return *p == '"' ? read_long_string(p + 1, error) : read_other(p, error);
  case KEY_TAGS: {
    const char *end = EXPECT("[\"") ? read_strings_quickly(p + 1) : NULL;
    return end != NULL ? end : read_other(p, error);
  }
  default:
    return read_other(p, error);
  }
}

static const char *line_end(const char *p, struct json_error *error)
{
  p = json_space(p, p);
  return *p == '\n' ? p : json_fail(error, "text after the object", p);
}

/* What comes behind the kind of an item. */
static inline const char *read_item_quickly(const char *p, struct record *record)
{
  struct json_error error;
  const char *next = read_long_string(p + 12, &error);
  if (next == NULL) return p;
  record->members++;
  p = next;
  if (EXPECT(",\"tags\":[")) {
    next = read_strings_quickly(p + 9);
    if (next == NULL) return p;
    record->members++;
    p = next;
  }
  if (EXPECT(",\"source\":\"")) {
    next = span_plain(p + 11);
    if (*next != '"') return p;
    record->members++;
    p = next + 1;
  }
  return p;
}

/* The members of a line, read in the order in which the module writes them and without spaces, as
 * far as that goes. Here the place of each is known before the one before it has been read, which
 * is what a processor needs to work on several at once. Stops before a member that is not the one
 * expected, or whose short strings have escapes, and leaves it to the general way: returns the byte
 * where a key or the closing brace is to come, which is p if there was nothing to read. */
static inline const char *read_quickly(const char *p, struct record *record)
{
  const char *next;
  if (!EXPECT("\"id\":") || (next = read_number_quickly(p + 5, &record->id)) == NULL) return p;
  record->has_id = true;
  record->members = 1;
  p = next;
  if (!EXPECT(",\"ts\":\"")) return p;
  record->ts_key = timestamp_key(p + 7);
  next = record->ts_key >= 0 ? p + 7 + TIMESTAMP_LENGTH : span_plain(p + 7);
  if (*next != '"') return p;
  record->ts = (struct slice){.start = p + 7, .end = next};
  record->members = 2;
  p = next + 1;
  if (!EXPECT(",\"kind\":\"") || (next = read_kind_quickly(p + 9, &record->kind)) == NULL) return p;
  record->members = 3;
  p = next;
  if (EXPECT(",\"content\":\"")) return read_item_quickly(p, record);
  if (!EXPECT(",\"target\":") || (next = read_number_quickly(p + 10, &record->target)) == NULL)
    return p;
  record->members = 4;
  return next;
}

/* The members from p on, of which the first comes without a comma, and the closing brace. */
static const char *read_members(const char *p, bool first, struct record *record,
                                struct json_error *error)
{
  for (;; first = false) {
    p = json_space(p, p);
    if (*p == '}') return p + 1;
    if (!first) {
      if (*p != ',') return json_fail(error, "',' or '}' expected", p);
      p = json_space(p + 1, p);
    }
    if (*p != '"') return json_fail(error, "key expected", p);
    p++;
    enum key key = read_key(&p, error);
    if (p == NULL) return NULL;
    p = json_space(p, p);
    if (*p != ':') return json_fail(error, "':' expected", p);
    p = read_member(key, json_space(p + 1, p), record, error);
    if (p == NULL) return NULL;
    record->members++;
  }
}

static inline const char *read_object(const char *p, struct record *record,
                                      struct json_error *error)
{
  memset(record, 0, sizeof *record);
  record->ts_key = -1;
  p = json_space(p, p);
  if (*p != '{') return json_fail(error, "not an object", p);
  p = read_quickly(p + 1, record);
  if (*p == '}') return p + 1;
  return read_members(p, record->members == 0, record, error);
}

const char *record_parse(const char *p, struct record *record, struct json_error *error)
{
  p = read_object(p, record, error);
  return p == NULL || *p == '\n' ? p : line_end(p, error);
}

const char *record_parse_part(const char *p, struct record *record, struct json_error *error)
{
  return read_object(p, record, error);
}

static bool has_text(const char *object, const char *name)
{
  struct walk members;
  struct slice text;
  bool found = false;
  for (walk_begin(&members, object); walk_next(&members);)
    if (walk_key_is(&members, name)) found = walk_string(&members, &text);
  return found;
}

bool record_is_meta(const char *object)
{
  struct walk members;
  const char *meta = NULL;
  for (walk_begin(&members, object); walk_next(&members);)
    if (walk_key_is(&members, "meta")) meta = members.value;
  return meta != NULL && *meta == '{' && has_text(meta, "aish_version") &&
         has_text(meta, "created");
}
