/* record.c: one pass over a line that validates all of it and picks out the members that the
 * index needs, in any order, the last of a name counting, escaped or not. */
#include "memory/record.h"

#include "base/timestamp.h"
#include "base/utf8.h"
#include "base/word.h"
#include "json/number.h"
#include "base/hidden.h"

struct bytes record_kind_name(enum record_kind kind)
{
#define KIND_NAME(NAME, name, letter) [KIND_##NAME] = {name, sizeof(name) - 1},
  static const struct bytes names[] = {RECORD_KINDS(KIND_NAME)};
  return names[kind];
}

const char *record_kind_names(void)
{
#define KIND_IN_LIST(NAME, name, letter) "|" name
  static const char names[] = RECORD_ITEM_KINDS(KIND_IN_LIST);
  return names + 1;
}

enum record_kind record_kind(const struct slice *name)
{
  enum record_kind kind = KIND_NONE + 1;
  for (; kind < KIND_UNKNOWN; kind++) {
    const struct bytes one = record_kind_name(kind);
    if (slice_is(name, one.start, one.length)) break;
  }
  return kind;
}

/* ---- members as the module writes them: NULL where one is not ---- */

/* The name of a kind with its closing quote. A processor cannot guess the next: it is looked up by its
 * third letter, and then compared as one word. */
struct name {
  char text[8];
  int kind, length; /* 0: there is none */
};

static inline const char *read_kind_quickly(const char *p, enum record_kind *kind)
{
#define KIND_IN_PLACE(NAME, name, letter) [(letter)&7] = {name "\"", KIND_##NAME, sizeof(name)},
  static const struct name names[8] = {RECORD_KINDS(KIND_IN_PLACE)};
  static const char ones[16] = "\xff\xff\xff\xff\xff\xff\xff\xff";
  const struct name *name = &names[p[2] & 7];
  uint64_t word, text, mask; /* of the first `length` bytes */
  memcpy(&word, p, sizeof word);
  memcpy(&text, name->text, sizeof text);
  memcpy(&mask, ones + 8 - name->length, sizeof mask);
  if ((word & mask) != text || name->length == 0) return NULL;
  *kind = (enum record_kind)name->kind;
  return p + name->length;
}

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
  *kind = p != NULL && name.start != NULL ? record_kind(&name) : KIND_UNKNOWN;
  return p;
}

static const char *read_ts(const char *p, struct record *record, struct json_error *error)
{
  const char *end = *p == '"' ? read_ts_quickly(p + 1, record) : NULL;
  if (end != NULL) return end;
  record->ts_key = -1;
  return read_string(p, &record->ts, error);
}

/* Members that the index has no use for are only counted. */
enum key { KEY_ID, KEY_UID, KEY_TS, KEY_KIND, KEY_TARGET, KEY_OF, KEY_REV, KEY_OTHER };

static inline enum key member_key(const struct slice *name)
{
  if (slice_is(name, "id", 2)) return KEY_ID;
  if (slice_is(name, "ts", 2)) return KEY_TS;
  if (slice_is(name, "of", 2)) return KEY_OF;
  if (slice_is(name, "uid", 3)) return KEY_UID;
  if (slice_is(name, "rev", 3)) return KEY_REV;
  if (slice_is(name, "kind", 4)) return KEY_KIND;
  return slice_is(name, "target", 6) ? KEY_TARGET : KEY_OTHER;
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
  struct slice name;
  for (;; first = false) {
    p = json_space(p, p);
    if (*p == '}') return p + 1;
    if (!first && *p != ',') return NULL;
    p = json_key(first ? p : json_space(p + 1, p), p, &name, &error);
    if (p == NULL || (p = read_member(member_key(&name), p, record, &error)) == NULL) return NULL;
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
