/* timestamp.c: the calendar, without gmtime's static memory. */
#include "timestamp.h"

#include <string.h>

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

void timestamp_text(int64_t key, char text[TIMESTAMP_LENGTH + 1])
{
  memcpy(text, FORM, sizeof FORM);
  for (int i = TIMESTAMP_LENGTH - 1; i >= 0; i--) {
    if (FORM[i] != '0') continue;
    text[i] = (char)('0' + key % 10);
    key /= 10;
  }
}
