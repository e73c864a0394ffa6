/* filter.c: kind and time are known from the index; other members are looked up in the file, where of
 * a repeated key the last counts. */
#include "memory/filter.h"

#include "json/number.h"
#include "json/walk.h"
#include "base/hidden.h"

static bool has_element(const struct walk *member, const struct bytes *text)
{
  struct walk elements;
  struct slice element;
  for (walk_begin(&elements, member->value); walk_next(&elements);)
    if (walk_string(&elements, &element) && slice_is(&element, text->start, text->length))
      return true;
  return false;
}

static bool has_value(const struct walk *member, const struct wanted *wanted)
{
  struct json_error error;
  struct slice string;
  if (wanted->type == '0')
    return json_number(member->value, &error) == member->end &&
           number_parse(member->value, member->end) == wanted->number;
  if (*member->value != wanted->type) return false;
  if (wanted->type == '[') return has_element(member, &wanted->text);
  return !walk_string(member, &string) ||
         slice_is(&string, wanted->text.start, wanted->text.length);
}

static bool holds_wanted(const char *line, const struct wanted *wanted)
{
  struct walk member;
  return walk_find(&member, line, wanted->name) && has_value(&member, wanted);
}

static bool line_passes(const struct filter *filter, const char *line)
{
  const struct wanted tag = {.name = {"tags", 4}, .type = '[', .text = filter->tag};
  const struct wanted source = {.name = {"source", 6}, .type = '"', .text = filter->source};
  if (filter->tag.start != NULL && !holds_wanted(line, &tag)) return false;
  if (filter->source.start != NULL && !holds_wanted(line, &source)) return false;
  for (size_t i = 0; i < filter->where.count; i++)
    if (!holds_wanted(line, &filter->where.members[i])) return false;
  return true;
}

int filter_item(const struct filter *filter, const struct index *index, const struct item *item,
                struct window *window)
{
  if (filter->kinds != 0 && (filter->kinds >> (enum record_kind)item->kind & 1) == 0) return 0;
  if (!bounds_hold(&filter->since, &filter->before, item_moment(index, item))) return 0;
  if (filter->tag.start == NULL && filter->source.start == NULL && filter->where.count == 0)
    return 1;
  const char *line;
  int read = item_line(item, window, &line);
  return read > 0 ? line_passes(filter, line) : read;
}
