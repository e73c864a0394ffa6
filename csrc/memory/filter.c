/* filter.c: times are compared as bytes, which for UTC in one form is their order. */
#include "memory/filter.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/timestamp.h"
#include "json/walk.h"

/* ---- times ---- */

static int number_of(const char *digits)
{
  return (digits[0] - '0') * 10 + (digits[1] - '0');
}

static bool two_digits(const char *text, int least, int most)
{
  if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') return false;
  int value = number_of(text);
  return value >= least && value <= most;
}

static bool is_leap(int century, int year)
{
  return year != 0 ? year % 4 == 0 : century % 4 == 0;
}

static bool is_date(const char *text)
{
  static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!two_digits(text, 0, 99) || !two_digits(text + 2, 0, 99) || text[4] != '-') return false;
  if (!two_digits(text + 5, 1, 12) || text[7] != '-') return false;
  int month = number_of(text + 5);
  bool cut = month == 2 && !is_leap(number_of(text), number_of(text + 2));
  return two_digits(text + 8, 1, days[month - 1] - cut);
}

bool bound_read(struct bound *bound, const char *text, size_t length)
{
  bool zoned = length > 16 && text[length - 1] == 'Z';
  length -= zoned;
  if (length != 10 && length != 16 && length != 19) return false;
  if (!is_date(text)) return false;
  if (length >= 16 && !(text[10] == 'T' && two_digits(text + 11, 0, 23) && text[13] == ':' &&
                        two_digits(text + 14, 0, 59)))
    return false;
  if (length == 19 && !(text[16] == ':' && two_digits(text + 17, 0, 60))) return false;
  memcpy(bound->text, text, length);
  bound->length = length;
  return true;
}

void bound_from_seconds(struct bound *bound, double seconds)
{
  const double most = 1e15; /* far beyond the year 9999, to which timestamp_print cuts it */
  seconds = ceil(seconds);
  if (seconds > most) seconds = most;
  if (seconds < -most) seconds = -most;
  timestamp_print((int64_t)seconds, bound->text);
  bound->length = TIMESTAMP_LENGTH - 1; /* without the Z, so that it is not above 12:00:00.5Z */
}

static int compare(const char *ts, size_t length, const struct bound *bound)
{
  int order = memcmp(ts, bound->text, length < bound->length ? length : bound->length);
  return order != 0 ? order : (length > bound->length) - (length < bound->length);
}

bool bounds_hold(const struct bound *since, const struct bound *before, const char *ts,
                 size_t length)
{
  if (since->length > 0 && compare(ts, length, since) < 0) return false;
  return before->length == 0 || compare(ts, length, before) < 0;
}

/* ---- items ---- */

/* The kind and the time of an item. */
static bool has_kind_and_time(const struct filter *filter, const struct index *index,
                              const struct item *item)
{
  char text[24];
  size_t length;
  if (filter->kinds != 0 && (filter->kinds >> item_kind(item) & 1) == 0) return false;
  if (filter->since.length == 0 && filter->before.length == 0) return true;
  const char *ts = index_ts(index, item, text, &length);
  return bounds_hold(&filter->since, &filter->before, ts, length);
}

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
  if (!has_kind_and_time(filter, index, item)) return 0;
  if (filter->tag.start == NULL && filter->source.start == NULL) return 1;
  const char *line = window_line(window, item_offset(item), item_length(item));
  if (line == NULL) return errno == 0 ? 0 : -1;
  return has_tag_and_source(filter, line);
}
