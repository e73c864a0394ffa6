/* record.c: one pass over a line that validates all of it and picks out the members that the
 * index needs, in any order, the last of a name counting, escaped or not. */
#include "memory/record.h"

#include <stddef.h>

#include "base/escape.h"
#include "base/timestamp.h"
#include "base/utf8.h"
#include "base/word.h"
#include "json/number.h"

const char *record_kind_name(enum record_kind kind)
{
#define KIND_NAME(NAME, name, letter) [KIND_##NAME] = (name),
  static const char *const names[] = {RECORD_KINDS(KIND_NAME)};
  return names[kind];
}

const char *record_kind_names(void)
{
#define KIND_IN_LIST(NAME, name, letter) "|" name
  static const char names[] = RECORD_ITEM_KINDS(KIND_IN_LIST);
  return names + 1;
}

enum key { KEY_OTHER, KEY_ID, KEY_UID, KEY_TS, KEY_KIND, KEY_TARGET, KEY_OF, KEY_REV };

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

#define KEY_PLACE(first, second, third) ((2 * (first) + (second) + (third)) & 31)

/* The key of ours that stands before the quote at p's end, or NULL. */
static inline const struct name *find_key(const char *p)
{
  static const struct name keys[32] = {
      [KEY_PLACE('i', 'd', '"')] = NAME("id", KEY_ID),
      [KEY_PLACE('u', 'i', 'd')] = NAME("uid", KEY_UID),
      [KEY_PLACE('t', 's', '"')] = NAME("ts", KEY_TS),
      [KEY_PLACE('k', 'i', 'n')] = NAME("kind", KEY_KIND),
      [KEY_PLACE('t', 'a', 'r')] = NAME("target", KEY_TARGET),
      [KEY_PLACE('o', 'f', '"')] = NAME("of", KEY_OF),
      [KEY_PLACE('c', 'o', 'n')] = NAME("content", KEY_OTHER),
      [KEY_PLACE('t', 'a', 'g')] = NAME("tags", KEY_OTHER),
      [KEY_PLACE('s', 'o', 'u')] = NAME("source", KEY_OTHER),
      [KEY_PLACE('r', 'e', 'v')] = NAME("rev", KEY_REV),
  };
  const struct name *name = &keys[KEY_PLACE(p[0], p[1], p[2])];
  return is_name(p, name) ? name : NULL;
}

static inline const struct name *find_kind(const char *p)
{
#define KIND_IN_PLACE(NAME_, name_, letter) [(letter)&7] = NAME(name_, KIND_##NAME_),
  static const struct name kinds[8] = {RECORD_KINDS(KIND_IN_PLACE)};
  const struct name *name = &kinds[p[2] & 7];
  return is_name(p, name) ? name : NULL;
}

enum { LONGEST_NAME = 7, LONGEST_ESCAPE = 6 /* of one byte */ };

/* What a string stands for, its closing quote behind it; `none` for other names. */
static int meaning(const struct name *(*find)(const char *), const struct slice *text, int none)
{
  const struct name *name = find(text->start);
  if (name != NULL) return name->value;
  char decoded[LONGEST_NAME * LONGEST_ESCAPE + 1] = {0};
  if (!text->escaped || text->end - text->start >= (ptrdiff_t)sizeof decoded) return none;
  size_t length = escape_decode_all(text->start, text->end, decoded);
  decoded[length] = '"';
  name = find(decoded);
  return name != NULL && (size_t)name->length == length + 1 ? name->value : none;
}

enum record_kind record_kind(const char *name, size_t length)
{
  for (enum record_kind kind = KIND_NONE + 1; kind < KIND_UNKNOWN; kind++)
    if (strlen(record_kind_name(kind)) == length &&
        memcmp(record_kind_name(kind), name, length) == 0)
      return kind;
  return KIND_UNKNOWN;
}

/* *p is behind the opening quote and moves behind the closing one; NULL where the key is bad. */
static inline enum key read_key(const char **p, struct json_error *error)
{
  struct slice key = {.start = *p};
  const struct name *name = find_key(key.start);
  if (name != NULL) return *p += name->length, (enum key)name->value;
  *p = json_string(*p, &key.escaped, error);
  if (*p == NULL) return KEY_OTHER;
  key.end = *p - 1;
  return (enum key)meaning(find_key, &key, KEY_OTHER);
}

/* ---- values as the module writes them: NULL where one is not ---- */

#define EXPECT(text) (memcmp(p, (text), sizeof(text) - 1) == 0)

/* A whole number from 1 on, of up to seven digits at once: most ids are. Exclusive or with zeros
 * makes a digit its value; adding 0x76 then sets the high bit of a byte beyond 9, and the first
 * such byte ends the number. Its digits, moved to the end of the word, are joined to pairs, fours
 * and eights. */
static inline const char *read_digits(const char *p, uint64_t *number)
{
  uint64_t word = word_load(p) ^ 0x3030303030303030U;
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

static inline const char *read_number_quickly(const char *p, uint64_t *number)
{
  if (*p < '1' || *p > '9') return NULL;
  p = read_digits(p, number);
  return p != NULL && (*p == ',' || *p == '}') ? p : NULL;
}

static inline const char *read_kind_quickly(const char *p, enum record_kind *kind)
{
  const struct name *name = find_kind(p);
  if (name == NULL) return NULL;
  *kind = (enum record_kind)name->value;
  return p + name->length;
}

static inline const char *read_ts_quickly(const char *p, struct record *record)
{
  int64_t key = timestamp_key(p);
  const char *end = key >= 0 ? p + TIMESTAMP_LENGTH : span_plain(p);
  if (*end != '"') return NULL;
  record->ts_key = key;
  record->ts = (struct slice){.start = p, .end = end};
  return end + 1;
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
  const char *end = read_number_quickly(p, id);
  if (end != NULL) return end;
  end = json_number(p, error);
  if (end == NULL) return NULL;
  double number = number_parse(p, end);
  *id = number >= 1 && number <= (double)RECORD_ID_MAX ? (uint64_t)number : 0;
  if ((double)*id != number) *id = 0;
  return end;
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
  const char *end = *p == '[' ? read_strings_quickly(p + 1) : NULL;
  return end != NULL ? end : json_value(p, p, 1, error);
}

/* A whole number from 1 on; 0 for any other value. */
static const char *read_whole(const char *p, uint64_t *number, struct json_error *error)
{
  *number = 0;
  return *p == '-' || is_digit(*p) ? read_id(p, number, error) : read_other(p, error);
}

/* A string; no other value is one. */
static const char *read_string(const char *p, struct slice *string, struct json_error *error)
{
  string->start = NULL;
  if (*p != '"') return read_other(p, error);
  string->start = p + 1;
  p = json_string(p + 1, &string->escaped, error);
  string->end = p != NULL ? p - 1 : NULL;
  return p;
}

static const char *read_kind(const char *p, enum record_kind *kind, struct json_error *error)
{
  struct slice name;
  const char *end = *p == '"' ? read_kind_quickly(p + 1, kind) : NULL;
  if (end != NULL) return end;
  p = read_string(p, &name, error);
  *kind = KIND_UNKNOWN;
  if (p != NULL && name.start != NULL)
    *kind = (enum record_kind)meaning(find_kind, &name, KIND_UNKNOWN);
  return p;
}

static const char *read_ts(const char *p, struct record *record, struct json_error *error)
{
  const char *end = *p == '"' ? read_ts_quickly(p + 1, record) : NULL;
  if (end != NULL) return end;
  record->ts_key = -1;
  return read_string(p, &record->ts, error);
}

static const char *read_member(enum key key, const char *p, struct record *record,
                               struct json_error *error)
{
  switch (key) {
  case KEY_ID:
    record->has_id = true;
    record->id_is_true = *p != 'n' && *p != 'f';
    return read_whole(p, &record->id, error);
  case KEY_TARGET:
    return read_whole(p, &record->target, error);
  case KEY_REV:
    return read_whole(p, &record->rev, error);
  case KEY_TS:
    return read_ts(p, record, error);
  case KEY_UID:
    return read_string(p, &record->uid, error);
  case KEY_OF:
    record->of_null = *p == 'n';
    return read_string(p, &record->of, error);
  case KEY_KIND:
    return read_kind(p, &record->kind, error);
  default:
    return read_other(p, error);
  }
}

/* Moves *p behind a member, unless that is NULL: it was not read. */
static inline bool pass_member(const char **p, const char *next, struct record *record)
{
  if (next == NULL) return false;
  record->members++;
  *p = next;
  return true;
}

/* A member that is a string without escapes, from its comma on. */
static inline __attribute__((always_inline)) const char *
read_member_quickly(const char *p, const char *name, size_t length, struct slice *string)
{
  if (memcmp(p, name, length) != 0) return NULL;
  const char *end = span_plain(p + length);
  if (*end != '"') return NULL;
  *string = (struct slice){.start = p + length, .end = end};
  return end + 1;
}

#define READ_STRING(name, string)                                                                  \
  read_member_quickly(p, ",\"" name "\":\"", sizeof(name) + 4, (string))

/* What comes behind the kind of an item. */
static inline const char *read_item_quickly(const char *p, struct record *record)
{
  struct json_error error;
  struct slice source;
  if (!pass_member(&p, read_long_string(p + 12, &error), record)) return p;
  if (EXPECT(",\"tags\":[")) pass_member(&p, read_strings_quickly(p + 9), record);
  pass_member(&p, READ_STRING("source", &source), record);
  return p;
}

static const char *read_tombstone_quickly(const char *p, struct record *record)
{
  if (EXPECT(",\"target\":") &&
      pass_member(&p, read_number_quickly(p + 10, &record->target), record))
    pass_member(&p, READ_STRING("of", &record->of), record);
  return p;
}

/* The members of a line, read in the order in which the module writes them and without spaces, as
 * far as that goes. Here the place of each is known before the one before it has been read, which
 * is what a processor needs to work on several at once. Stops before a member that is not the one
 * expected, or whose short strings have escapes, and leaves it to the general way: returns the byte
 * where a key or the closing brace is to come, which is p if there was nothing to read. */
static inline const char *read_quickly(const char *p, struct record *record)
{
  if (!EXPECT("\"id\":") || !pass_member(&p, read_number_quickly(p + 5, &record->id), record))
    return p;
  record->has_id = record->id_is_true = true;
  pass_member(&p, READ_STRING("uid", &record->uid), record);
  if (!EXPECT(",\"ts\":\"") || !pass_member(&p, read_ts_quickly(p + 7, record), record)) return p;
  if (!EXPECT(",\"kind\":\"") || !pass_member(&p, read_kind_quickly(p + 9, &record->kind), record))
    return p;
  return EXPECT(",\"content\":\"") ? read_item_quickly(p, record)
                                   : read_tombstone_quickly(p, record);
}

/* The members from p on, of which the first comes without a comma; returns the byte behind the
 * closing brace. */
static const char *read_members(const char *p, bool first, struct record *record)
{
  struct json_error error;
  for (;; first = false) {
    p = json_space(p, p);
    if (*p == '}') return p + 1;
    if (!first && *p != ',') return NULL;
    if (!first) p = json_space(p + 1, p);
    if (*p != '"') return NULL;
    p++;
    enum key key = read_key(&p, &error);
    if (p == NULL) return NULL;
    p = json_space(p, p);
    if (*p != ':') return NULL;
    p = read_member(key, json_space(p + 1, p), record, &error);
    if (p == NULL) return NULL;
    record->members++;
  }
}

/* memset would cost as much as reading the time does. Of a string that is not there, only the start
 * is looked at. */
static inline void clear(struct record *record)
{
  record->id = record->target = record->rev = 0;
  record->kind = KIND_NONE;
  record->members = 0;
  record->has_id = record->id_is_true = record->of_null = false;
  record->uid.start = record->ts.start = record->of.start = NULL;
  record->ts_key = -1;
}

const char *record_parse_part(const char *p, struct record *record)
{
  clear(record);
  p = json_space(p, p);
  if (*p != '{') return NULL;
  p = read_quickly(p + 1, record);
  return *p == '}' ? p + 1 : read_members(p, record->members == 0, record);
}

const char *record_parse(const char *p, struct record *record)
{
  p = record_parse_part(p, record);
  if (p != NULL && *p != '\n') p = json_space(p, p);
  return p != NULL && *p == '\n' ? p : NULL;
}

static bool has_text(const char *object, struct bytes name)
{
  struct walk member;
  return walk_find(&member, object, name) && *member.value == '"';
}

bool record_is_meta(const char *object)
{
  struct walk meta;
  return walk_find(&meta, object, (struct bytes){"meta", 4}) && *meta.value == '{' &&
         has_text(meta.value, (struct bytes){"aish_version", 12}) &&
         has_text(meta.value, (struct bytes){"created", 7});
}

bool record_is_mark(const struct record *record, const char *object)
{
  struct walk target;
  return record->kind == KIND_FORGET && record->id != 0 && record->target == 0 &&
         walk_find(&target, object, (struct bytes){"target", 6}) && *target.value == '0' &&
         target.end - target.value == 1;
}
