/* turn.c: finds the members of a turn that lists and searches need. */
#include "session/turn.h"

#include "base/utf8.h"
#include "text/fold.h"
#include "json/objects.h"
#include "base/hidden.h"

bool turn_parse(const char *p, struct turn *turn)
{
  struct json_error error;
  memset(turn, 0, sizeof *turn);
  turn->start = p = json_space(p, p);
  turn->end = *p == '{' ? json_value(p, p, 0, &error) : NULL;
  if (turn->end == NULL) return false;
  struct walk members;
  bool role = false, content = false;
  for (walk_begin(&members, p); walk_next(&members);) {
    if (walk_key_is(&members, "role")) {
      role = walk_is_true(&members);
      if (!walk_string(&members, &turn->role)) turn->role.start = NULL;
    } else if (walk_key_is(&members, "content")) {
      content = walk_is_true(&members);
      turn->content = members.value;
      turn->content_end = members.end;
    } else if (walk_key_is(&members, "ts")) {
      if (!walk_string(&members, &turn->ts)) turn->ts.start = NULL;
    } else if (walk_key_is(&members, "meta")) {
      turn->meta = walk_is_true(&members) ? members.value : NULL;
      turn->meta_end = members.end;
    }
  }
  turn->is_turn = role && content;
  if (turn->is_turn) turn->meta = NULL;
  return true;
}

bool turn_each(const char *line, const char *newline,
               bool (*take)(void *context, const struct turn *turn), void *context)
{
  struct turn turn;
  struct objects objects;
  struct part part;
  if (turn_parse(line, &turn) && json_space(turn.end, turn.end) == newline)
    return take(context, &turn);
  objects_begin(&objects, line, newline, false);
  while (objects_next(&objects, &part))
    if (part.reason == NULL && turn_parse(part.start, &turn) && !take(context, &turn)) return false;
  return true;
}

bool turn_strings(const struct turn *turn, bool (*visit)(void *context, const struct slice *string),
                  void *context)
{
  struct walk members;
  for (walk_begin(&members, turn->start); walk_next(&members);)
    if (!walk_key_is(&members, "role") && !walk_key_is(&members, "ts") &&
        !walk_strings(members.value, members.end, visit, context))
      return false;
  return true;
}

static bool keep_string(void *context, const struct slice *string)
{
  *(struct slice *)context = *string;
  return false;
}

/* The string under the key `text` of the first part that has one. */
static bool find_part(const char *content, struct slice *text)
{
  struct walk parts, members;
  if (*content != '[') return false;
  for (walk_begin(&parts, content); walk_next(&parts);) {
    if (*parts.value != '{') continue;
    for (walk_begin(&members, parts.value); walk_next(&members);)
      if (walk_key_is(&members, "text") && walk_string(&members, text)) return true;
  }
  return false;
}

bool turn_text(const struct turn *turn, struct buf *buf)
{
  struct slice text = {NULL, NULL, false};
  if (!find_part(turn->content, &text))
    walk_strings(turn->content, turn->content_end, keep_string, &text);
  return text.start == NULL || slice_append(&text, buf);
}

bool turn_moment(const struct turn *turn, struct buf *decoded, struct moment *moment)
{
  struct bytes ts;
  if (!slice_bytes(&turn->ts, decoded, &ts)) return false;
  *moment = moment_of(ts.start, ts.length);
  return true;
}

int turn_passes(const struct turn *turn, const struct turn_filter *filter, struct buf *decoded)
{
  struct moment moment;
  const struct bytes *role = &filter->role;
  if (role->start != NULL &&
      (turn->role.start == NULL || !slice_is(&turn->role, role->start, role->length)))
    return 0;
  if (!filter->since.given && !filter->before.given) return 1;
  if (!turn_moment(turn, decoded, &moment)) return -1;
  return bounds_hold(&filter->since, &filter->before, moment);
}

/* ---- what one says ---- */

void said_free(struct said *said)
{
  buf_free(&said->decoded);
  buf_free(&said->folded);
}

bool said_take(struct said *said, const struct slice *string)
{
  said->decoded.length = said->folded.length = 0;
  return slice_append(string, &said->decoded) &&
         fold(&said->folded, said->decoded.data, said->decoded.length);
}

struct bytes said_excerpt(const struct said *said, size_t place)
{
  enum { MOST = 240, BEFORE = 80 }; /* bytes */
  const char *text = said->decoded.data;
  size_t start = 0, end = said->decoded.length;
  place = fold_source(text, end, place);
  if (place > BEFORE && end > MOST) start = utf8_start(text, place - BEFORE);
  if (end - start > MOST) end = utf8_start(text, start + MOST);
  return (struct bytes){text + start, end - start};
}
