/* timestamp.c: the calendar, without gmtime's static memory. */
#include "base/timestamp.h"

#include <math.h>

#include "base/utf8.h"
#include "base/word.h"
#include "base/hidden.h"

static const char FORM[] = "0000-00-00T00:00:00Z";

/* 0000-01-01 and the end of 9999, in seconds since 1970. */
static const int64_t FIRST = -62167219200, LAST = 253402300799;

/* The key of seconds since 1970: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
 * civil_from_days: years begin in March, so that the leap day is their last. Years before 0 and
 * after 9999, to which offsets lead, sort right too. */
static int64_t key_of_seconds(int64_t seconds)
{
  int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
  int64_t of_day = seconds - days * 86400;
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * of_year + 2) / 153, month = shifted < 10 ? shifted + 3 : shifted - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2);
  int64_t day = of_year - (153 * shifted + 2) / 5 + 1;
  int64_t key = ((year / 100 * 128 + year % 100) * 16 + month) * 32 + day;
  return ((key * 32 + of_day / 3600) * 64 + of_day / 60 % 60) * 64 + of_day % 60;
}

/* The same backwards: days_from_civil. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719468;
}

static int64_t days_of_month(int64_t year, int64_t month)
{
  if (month != 2) return 30 + ((month + (month >> 3)) & 1);
  return 28 + (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

void timestamp_print(int64_t seconds, char text[TIMESTAMP_LENGTH + 1])
{
  static const struct {
    int place, bits;
  } fields[] = {{17, 6}, {14, 6}, {11, 5}, {8, 5}, {5, 4}, {2, 7}, {0, 7}}; /* of two digits each */
  int64_t key = key_of_seconds(seconds < FIRST ? FIRST : seconds > LAST ? LAST : seconds);
  memcpy(text, FORM, sizeof FORM);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; key >>= fields[i++].bits) {
    int value = (int)(key & ((1 << fields[i].bits) - 1));
    text[fields[i].place] = (char)('0' + value / 10);
    text[fields[i].place + 1] = (char)('0' + value % 10);
  }
}

int64_t moment_seconds(struct moment moment)
{
  if (moment.second == MOMENT_NONE) return MOMENT_NONE;
  int64_t key = moment.second, minutes = key >> 6, hours = minutes >> 6, days = hours >> 5;
  int64_t months = days >> 5, years = months >> 4;
  int64_t year = (years >> 7) * 100 + (years & 127);
  int64_t of_day = ((hours & 31) * 60 + (minutes & 63)) * 60 + (key & 63);
  return days_since_1970(year, months & 15, days & 31) * 86400 + of_day;
}

/* ---- reading ---- */

#define BYTE(number, place) ((uint64_t)(number) << (8 * (place)))

/* Eight bytes of the form at once, as opening a file would spend a tenth of its time on them one by
 * one. Taken together with the form, a digit becomes its value and what is as in the form 0; adding
 * `most` then sets the high bit of a byte beyond 9, or beyond 0 where no digit is due: such bits
 * are added to *wrong. What is left are ten times each digit and the next. */
static inline uint64_t read_pairs(const char *text, const char *form, uint64_t most,
                                  uint64_t *wrong)
{
  uint64_t word = word_load(text) ^ word_load(form);
  *wrong |= (word + most) | word;
  return word * 10 + (word >> 8);
}

int64_t timestamp_key(const char text[TIMESTAMP_LENGTH])
{
  /* A byte of `most` is 76 for a digit, 7f for what is fixed; the first byte is the last one. */
  uint64_t wrong = 0;
  uint64_t date = read_pairs(text, FORM, 0x7f76767f76767676U, &wrong);
  uint64_t time = read_pairs(text + 8, FORM + 8, 0x76767f76767f7676U, &wrong);
  uint64_t end = read_pairs(text + 12, FORM + 12, 0x7f76767f76767f76U, &wrong);
  date &= BYTE(0xff, 0) | BYTE(0xff, 2) | BYTE(0xff, 5); /* century, year in it, month */
  time &= BYTE(0xff, 0) | BYTE(0xff, 3) | BYTE(0xff, 6); /* day, hour, minute */
  uint64_t second = end >> 40 & 0xff;
  /* 1 less than what begins at 1 has its high bit set if that is 0; so has a number that is too large
   * with what it lacks to 128 added. */
  uint64_t less = (time | second << 8 | (date & BYTE(0xff, 5))) - (BYTE(1, 0) | BYTE(1, 5));
  wrong |= less | (less + (BYTE(128 - 31, 0) | BYTE(128 - 60, 1) | BYTE(128 - 24, 3) |
                           BYTE(128 - 12, 5) | BYTE(128 - 60, 6)));
  if ((wrong & 0x8080808080808080U) != 0) return -1;
  int64_t day = (int64_t)(time & 0xff);
  int64_t year = (int64_t)((date & 0xff) * 100 + (date >> 16 & 0xff));
  if (day > 28 && day > days_of_month(year, (int64_t)(date >> 40))) return -1;
  /* Each product brings three bytes together at its top, where the key has them. */
  date = date * (BYTE(8, 6) | BYTE(16, 3) | 1) >> 40;
  time = time * (BYTE(8, 7) | BYTE(64, 3) | 1) >> 42;
  return (int64_t)(date << 22 | time | second);
}

static bool take_fraction(const char **p, const char *end, uint64_t *fraction)
{
  uint64_t unit = 1000000000000000000;
  *fraction = 0;
  if (*p == end || **p != '.') return true;
  const char *start = ++*p;
  for (; *p < end && is_digit(**p); ++*p, unit /= 10) *fraction += unit * (uint64_t)(**p - '0');
  return *p > start;
}

/* How far the clock is ahead of UTC: all of a text, `Z` or `+HH:MM`. */
static bool read_utc_offset(const char *p, const char *end, int64_t *seconds)
{
  char form[] = "1970-01-01T00:00:00Z";
  *seconds = 0;
  if (end - p == 1 && (*p | 0x20) == 'z') return true;
  if (end - p != 6 || (*p != '+' && *p != '-')) return false;
  memcpy(form + 11, p + 1, 5);
  const int64_t key = timestamp_key(form), ahead = moment_seconds((struct moment){key, 0});
  *seconds = *p == '-' ? -ahead : ahead;
  return key >= 0;
}

/* All of a text, of which a part that may be left out is there or ends the text. */
static bool read_moment(struct moment *moment, const char *text, size_t length, bool may_be_short)
{
  enum { DATE = 10, MINUTE = 16, SECOND = 19 }; /* where these end */
  char form[] = "0000-01-01T00:00:00Z";
  const char *p, *end;
  size_t given = SECOND;
  int64_t key, ahead = 0;
  uint64_t fraction = 0;
  if (may_be_short && length == DATE) given = DATE;
  else if (may_be_short && length >= MINUTE && (length == MINUTE || text[MINUTE] != ':'))
    given = MINUTE;
  if (length < given) return false; /* there may be no text */
  end = text + length;
  memcpy(form, text, given);
  if (form[DATE] == 't') form[DATE] = 'T'; /* RFC 3339's letters are of either case */
  const bool leap = memcmp(form + SECOND - 2, "60", 2) == 0;
  if (leap) memcpy(form + SECOND - 2, "59", 2);
  p = text + given;
  if ((key = timestamp_key(form)) < 0) return false;
  if (given == SECOND && !take_fraction(&p, end, &fraction)) return false;
  if (!(may_be_short && p == end) && !read_utc_offset(p, end, &ahead)) return false;
  const int64_t seconds = moment_seconds((struct moment){key, 0}) + leap - ahead;
  *moment = (struct moment){key_of_seconds(seconds), fraction};
  return true;
}

struct moment moment_of(const char *text, size_t length)
{
  struct moment moment;
  return read_moment(&moment, text, length, false) ? moment : (struct moment){MOMENT_NONE, 0};
}

/* ---- bounds ---- */

bool bound_read(struct bound *bound, const char *text, size_t length)
{
  return bound->given = read_moment(&bound->moment, text, length, true);
}

void bound_from_seconds(struct bound *bound, double seconds)
{
  const double day = 86400; /* offsets lead so far beyond the years that are written */
  double whole = floor(seconds);
  bound->given = true;
  bound->moment = (struct moment){seconds < 0 ? MOMENT_NONE + 1 : INT64_MAX, 0};
  if (whole > (double)FIRST - day && whole < (double)LAST + day)
    bound->moment =
        (struct moment){key_of_seconds((int64_t)whole), (uint64_t)((seconds - whole) * 1e19)};
}

bool bounds_hold(const struct bound *since, const struct bound *before, struct moment moment)
{
  if (since->given && moment_compare(moment, since->moment) < 0) return false;
  return !before->given || moment_compare(moment, before->moment) < 0;
}
