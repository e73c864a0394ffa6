/* timestamp.h: times as text (RFC 3339), as points in time that can be compared, and as bounds of
 * what is looked for. */
#pragma once

#include "base/std.h"

enum { TIMESTAMP_LENGTH = 20 };

/* Writes the 20 bytes `YYYY-MM-DDTHH:MM:SSZ` of a time given in seconds since 1970, and a NUL. Years
 * 0 to 9999; times outside are cut to them. */
void timestamp_print(int64_t seconds, char text[TIMESTAMP_LENGTH + 1]);

/* A time in UTC to the second as one number of 40 bits, which sorts as the times do: century, year,
 * month, day, hour, minute and second, in 7, 7, 4, 5, 5, 6 and 6 bits. Of a text of exactly the form
 * above; -1 for any other text, for a date that no calendar has, and for the 60th second. */
int64_t timestamp_key(const char text[TIMESTAMP_LENGTH]);

/* A point in time; or none, which is before all points in time. */
struct moment {
  int64_t second; /* as of timestamp_key; MOMENT_NONE */
  uint64_t fraction; /* of that second, in units of 10^-19 */
};

#define MOMENT_NONE INT64_MIN

/* Whole seconds since 1970, of a point in time; MOMENT_NONE of none. */
int64_t moment_seconds(struct moment moment);

/* Below 0, 0 or above. */
static inline int moment_compare(struct moment a, struct moment b)
{
  if (a.second != b.second) return a.second < b.second ? -1 : 1;
  return (a.fraction > b.fraction) - (a.fraction < b.fraction);
}

/* The point in time that a text names in RFC 3339's form: a date, `T`, a time with any fraction of a
 * second (digits from the 20th on do not count), and `Z` or an offset. The 60th second is the next
 * minute's first. None for any other text. */
struct moment moment_of(const char *text, size_t length);

/* From or up to when something is looked for. */
struct bound {
  struct moment moment;
  bool given;
};

/* Reads a time as moment_of does, of which everything after the date, or after the minute, may be
 * left out, and the offset: UTC is meant. */
bool bound_read(struct bound *bound, const char *text, size_t length);
/* From seconds since 1970. */
void bound_from_seconds(struct bound *bound, double seconds);
/* Whether a point in time lies from `since` on and before `before`. */
bool bounds_hold(const struct bound *since, const struct bound *before, struct moment moment);
