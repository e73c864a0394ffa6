/* timestamp.c: the calendar without gmtime(3), whose result is static memory. */
#include "base/timestamp.h"

#include <math.h>
#include <string.h>

#include "base/ascii.h"

static const char FORM[] = "0000-00-00T00:00:00Z";

static void put_digits(char *text, int count, int64_t value)
{
  while (count-- > 0) {
    text[count] = (char)('0' + value % 10);
    value /= 10;
  }
}

/* Days since 1970 to year, month, day: H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", civil_from_days: years begin in March, so that the leap day is their last. */
static void civil(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  *day = of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted < 10 ? shifted + 3 : shifted - 9;
  *year = year_of_era + era * 400 + (*month <= 2);
}

void timestamp_print(int64_t seconds, char text[TIMESTAMP_LENGTH + 1])
{
  const int64_t first = -62167219200, last = 253402300799; /* 0000-01-01 and the end of 9999 */
  if (seconds < first) seconds = first;
  if (seconds > last) seconds = last;
  int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
  int64_t of_day = seconds - days * 86400, year, month, day;
  civil(days, &year, &month, &day);
  memcpy(text, FORM, sizeof FORM);
  put_digits(text, 4, year);
  put_digits(text + 5, 2, month);
  put_digits(text + 8, 2, day);
  put_digits(text + 11, 2, of_day / 3600);
  put_digits(text + 14, 2, of_day / 60 % 60);
  put_digits(text + 17, 2, of_day % 60);
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Reads eight bytes of the form at once; one by one, they took a tenth of the time of opening a
 * file. XOR with the form turns a digit into its value and every other byte that is right into 0.
 * Adding `most` then sets the high bit of each byte that is too large, above 9 for a digit and
 * above 0 elsewhere; these bits are added to *wrong. Each byte of the result is ten times a digit
 * plus the next one. */
static inline uint64_t read_pairs(const char *text, const char *form, uint64_t most,
                                  uint64_t *wrong)
{
  uint64_t word, model;
  memcpy(&word, text, sizeof word);
  memcpy(&model, form, sizeof model);
  word ^= model;
  *wrong |= ((word + most) | word) & 0x8080808080808080U;
  return word * 10 + (word >> 8);
}

static inline int64_t pair(uint64_t pairs, int byte)
{
  return (int64_t)(pairs >> (8 * byte) & 0xff);
}

int64_t timestamp_key(const char text[TIMESTAMP_LENGTH])
{
  /* A byte of `most` is 76 for a digit and 7f for what is fixed, the first byte being the last. */
  uint64_t wrong = 0;
  uint64_t date = read_pairs(text, FORM, 0x7f76767f76767676U, &wrong);
  uint64_t time = read_pairs(text + 8, FORM + 8, 0x76767f76767f7676U, &wrong);
  uint64_t end = read_pairs(text + 12, FORM + 12, 0x7f76767f76767f76U, &wrong);
  if (wrong != 0) return -1;
  int64_t key = pair(date, 0) * 100 + pair(date, 2);
  key = key * 10000 + pair(date, 5) * 100 + pair(time, 0);
  return key * 1000000 + pair(time, 3) * 10000 + pair(time, 6) * 100 + pair(end, 5);
}
#else
int64_t timestamp_key(const char text[TIMESTAMP_LENGTH])
{
  int64_t key = 0;
  for (int i = 0; i < TIMESTAMP_LENGTH; i++) {
    if (FORM[i] != '0') {
      if (text[i] != FORM[i]) return -1;
    } else {
      unsigned digit = (unsigned char)text[i] - (unsigned)'0';
      if (digit > 9) return -1;
      key = key * 10 + digit;
    }
  }
  return key;
}
#endif

void timestamp_text(int64_t key, char text[TIMESTAMP_LENGTH + 1])
{
  memcpy(text, FORM, sizeof FORM);
  for (int i = TIMESTAMP_LENGTH - 1; i >= 0; i--) {
    if (FORM[i] != '0') continue;
    text[i] = (char)('0' + key % 10);
    key /= 10;
  }
}

/* ---- bounds: compared as bytes, which for UTC in one form is the order of times ---- */

static int number_of(const char *digits)
{
  return (digits[0] - '0') * 10 + (digits[1] - '0');
}

static bool two_digits(const char *text, int least, int most)
{
  if (!is_digit(text[0]) || !is_digit(text[1])) return false;
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

static int compare_bound(const char *ts, size_t length, const struct bound *bound)
{
  int order = memcmp(ts, bound->text, length < bound->length ? length : bound->length);
  return order != 0 ? order : (length > bound->length) - (length < bound->length);
}

bool bounds_hold(const struct bound *since, const struct bound *before, const char *ts,
                 size_t length)
{
  if (since->length > 0 && compare_bound(ts, length, since) < 0) return false;
  return before->length == 0 || compare_bound(ts, length, before) < 0;
}
