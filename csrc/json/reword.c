/* reword.c: one pass over a record; what is between the strings that change is copied. */
#include "json/reword.h"

#include <string.h>

#include "json/json.h"
#include "json/number.h"
#include "json/objects.h"
#include "json/quote.h"
#include "json/walk.h"

struct pass {
  struct reword *reword;
  struct buf *out;
  struct reworded *result;
  const char *copied; /* up to here the record was */
  bool stays; /* what is looked at is not changed */
};

static bool look_at_text(struct pass *pass, struct bytes text)
{
  const struct reword *reword = pass->reword;
  uint64_t found = 0;
  if (!reword->about_all || pass->result->left) return true;
  if (!reword->change(reword->context, text, NULL, &found)) return false;
  pass->result->left = found > 0;
  return true;
}

static bool look_at_string(struct pass *pass, const struct slice *string)
{
  struct bytes text;
  if (!pass->reword->about_all) return true;
  return slice_bytes(string, &pass->reword->decoded, &text) && look_at_text(pass, text);
}

/* Between two strings. */
static bool look_at_numbers(struct pass *pass, const char *p, const char *end)
{
  while (p < end) {
    size_t length = strspn(p, "+-.0123456789eE");
    if (length > 0 && (*p == '-' || (*p >= '0' && *p <= '9')) &&
        !look_at_text(pass, (struct bytes){p, length}))
      return false;
    p += length > 0 ? length : 1;
  }
  return true;
}

static bool change_string(struct pass *pass, const struct slice *string)
{
  const struct reword *reword = pass->reword;
  struct bytes text, new;
  uint64_t found = 0;
  if (!slice_bytes(string, &pass->reword->decoded, &text) ||
      !reword->change(reword->context, text, &new, &found))
    return false;
  if (found == 0) return true;
  size_t before = (size_t)(string->start - 1 - pass->copied);
  pass->result->found += found;
  if (!buf_add(pass->out, pass->copied, before) ||
      !quote_text(pass->out, new.length > 0 ? new.start : "", new.length))
    return false;
  pass->copied = string->end + 1;
  return true;
}

/* All strings and numbers of a value, however deeply they are nested. */
static bool pass_value(struct pass *pass, const char *p, const char *end)
{
  struct json_error error;
  struct slice string;
  while (p < end) {
    const char *quote = memchr(p, '"', (size_t)(end - p));
    if (pass->reword->about_all && !look_at_numbers(pass, p, quote != NULL ? quote : end))
      return false;
    if (quote == NULL) break;
    string.start = quote + 1;
    p = json_string(string.start, &string.escaped, &error);
    if (p == NULL) break; /* the text has changed */
    string.end = p - 1;
    bool stays = pass->stays || *json_space(p, p) == ':';
    if (!(stays ? look_at_string : change_string)(pass, &string)) return false;
  }
  return true;
}

/* Whether it is one of the record's own members; only strings are. */
static bool is_plain_string(const struct walk *member)
{
  if (*member->value != '"') return false;
  for (int i = 0; i < PLAIN_OF_ALL; i++)
    if (walk_key_is(member, PLAIN_MEMBERS[i])) return true;
  return false;
}

bool reword_record(struct reword *reword, const char *start, const char *end, struct buf *out,
                   struct reworded *result)
{
  struct pass pass = {reword, out, result, start, false};
  struct walk members;
  for (walk_begin(&members, start); walk_next(&members);) {
    pass.stays = is_plain_string(&members);
    if (!look_at_string(&pass, &members.key) || !pass_value(&pass, members.value, members.end))
      return false;
  }
  return buf_add(out, pass.copied, (size_t)(end - pass.copied));
}

/* ---- the revision ---- */

/* Puts a text in the place of the bytes from `start` to `end`. */
static bool splice(struct buf *buf, size_t start, size_t end, const char *text, size_t length)
{
  if (!buf_reserve(buf, length)) return false;
  memmove(buf->data + start + length, buf->data + end, buf->length - end);
  memcpy(buf->data + start, text, length);
  buf->length = buf->length - (end - start) + length;
  return true;
}

bool reword_rev(struct buf *out, size_t start, uint64_t rev)
{
  static const char name[] = ",\"rev\":";
  char text[sizeof name + NUMBER_SIZE];
  struct walk members;
  const char *value = NULL, *end = NULL;
  if (!buf_reserve(out, 1 + SPAN_PADDING)) return false;
  memset(out->data + out->length, '\n', 1 + SPAN_PADDING);
  for (walk_begin(&members, out->data + start); walk_next(&members);)
    if (walk_key_is(&members, "rev")) value = members.value, end = members.end;
  memcpy(text, name, sizeof name - 1);
  size_t length = sizeof name - 1 + number_print((double)rev, text + sizeof name - 1);
  if (value == NULL) return splice(out, out->length - 1, out->length - 1, text, length);
  return splice(out, (size_t)(value - out->data), (size_t)(end - out->data), text + sizeof name - 1,
                length - (sizeof name - 1));
}
