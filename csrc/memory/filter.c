/* filter.c: kind and time are known from the index; only tags and sources are looked up in the
 * file. */
#include "memory/filter.h"

#include <errno.h>

#include "json/walk.h"

static bool has_tag(const struct filter *filter, const char *value)
{
  struct walk elements;
  struct slice element;
  if (*value != '[') return false;
  for (walk_begin(&elements, value); walk_next(&elements);)
    if (walk_string(&elements, &element) &&
        slice_is(&element, filter->tag.start, filter->tag.length))
      return true;
  return false;
}

/* The tag and the source, in an item's line. */
static bool has_tag_and_source(const struct filter *filter, const char *line)
{
  struct walk members;
  struct slice source;
  bool tag = filter->tag.start == NULL, sourced = filter->source.start == NULL;
  for (walk_begin(&members, line); walk_next(&members);) {
    if (filter->tag.start != NULL && walk_key_is(&members, "tags"))
      tag = has_tag(filter, members.value);
    if (filter->source.start != NULL && walk_key_is(&members, "source"))
      sourced = walk_string(&members, &source) &&
                slice_is(&source, filter->source.start, filter->source.length);
  }
  return tag && sourced;
}

int filter_item(const struct filter *filter, const struct index *index, const struct item *item,
                struct window *window)
{
  if (filter->kinds != 0 && (filter->kinds >> item_kind(item) & 1) == 0) return 0;
  if (!bounds_hold(&filter->since, &filter->before, item_moment(index, item))) return 0;
  if (filter->tag.start == NULL && filter->source.start == NULL) return 1;
  const char *line = window_line(window, item_offset(item), item_length(item));
  if (line == NULL) return errno == 0 ? 0 : -1;
  return has_tag_and_source(filter, line);
}
