/* reword.c: one pass over a record; what is between the strings that change is copied. */
#include "json/reword.h"

#include "base/utf8.h"
#include "json/json.h"
#include "json/number.h"
#include "json/objects.h"
#include "json/quote.h"
#include "json/walk.h"
#include "base/hidden.h"

struct pass {
  struct reword *reword;
  struct buf *out;
  struct reworded *result;
  const char *copied; /* up to here the record was */
};

/* Copies what comes before `from`; what is after `to` is next. */
static bool copy_to(struct pass *pass, const char *from, const char *to)
{
  const char *copied = pass->copied;
  pass->copied = to;
  return buf_add(pass->out, copied, (size_t)(from - copied));
}

/* A text that stays. */
static bool look_at(struct pass *pass, struct bytes text)
{
  const struct reword *reword = pass->reword;
  uint64_t found = 0;
  if (!reword->about_all || pass->result->left) return true;
  if (!reword->change(reword->context, text, NULL, &found)) return false;
  pass->result->left = found > 0;
  return true;
}

static bool pass_string(struct pass *pass, const struct slice *string, bool stays)
{
  struct reword *reword = pass->reword;
  struct bytes text, new;
  uint64_t found = 0;
  if (!slice_bytes(string, &reword->decoded, &text)) return false;
  if (stays) return look_at(pass, text);
  if (!reword->change(reword->context, text, &new, &found)) return false;
  pass->result->found += found;
  return found == 0 || (copy_to(pass, string->start - 1, string->end + 1) &&
                        quote_text(pass->out, new.length > 0 ? new.start : "", new.length));
}

/* All keys, strings and numbers up to `end`, however deeply they are nested. */
static bool pass_tokens(struct pass *pass, const char *p, const char *end, bool stays)
{
  struct json_error error;
  struct slice string;
  while (p < end) {
    const char *start = p;
    bool done = true;
    if (*p == '"') {
      string.start = p + 1;
      p = json_string(string.start, &string.escaped, &error);
      if (p == NULL) break; /* the text has changed */
      string.end = p - 1;
      done = pass_string(pass, &string, stays || *json_space(p, p) == ':');
    } else if (*p == '-' || is_digit(*p)) {
      p += strspn(p, "+-.0123456789eE");
      done = look_at(pass, (struct bytes){start, (size_t)(p - start)});
    } else {
      p++;
    }
    if (!done) return false;
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

static bool put_rev(struct buf *out, uint64_t number)
{
  if (!buf_reserve(out, NUMBER_SIZE)) return false;
  out->length += (size_t)number_print_whole(number, out->data + out->length);
  return true;
}

bool reword_record(struct reword *reword, const char *start, const char *end, uint64_t rev,
                   bool revise, struct buf *out, struct reworded *result)
{
  static const char name[] = ",\"rev\":";
  struct pass pass = {reword, out, result, start};
  struct walk member;
  const size_t before = out->length;
  bool done = true, has_rev = false;
  for (walk_begin(&member, start); done && walk_next(&member);) {
    bool is_rev = rev != 0 && walk_key_is(&member, "rev");
    done = pass_tokens(&pass, member.key.start - 1, is_rev ? member.value : member.end,
                       is_plain_string(&member)) &&
           (!is_rev || (copy_to(&pass, member.value, member.end) && put_rev(out, rev)));
    has_rev = has_rev || is_rev;
  }
  if (done && rev != 0 && !has_rev)
    done = copy_to(&pass, end - 1, end - 1) && buf_add(out, name, sizeof name - 1) &&
           put_rev(out, rev);
  if (done && result->found == 0 && !revise) out->length = before, pass.copied = start;
  return done && copy_to(&pass, end, end);
}
