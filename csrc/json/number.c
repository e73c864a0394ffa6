/* number.c: doubles to decimal and back.
 *
 * 1. Nearly all numbers take a fast path on which double arithmetic is exact. Decimals of up to 15
 *    digits and powers of ten up to 10^22 are doubles themselves, so one multiplication or division
 *    rounds once (Clinger, "How to read floating point numbers accurately", PLDI 1990). And at most
 *    one decimal of up to 15 digits reads back as a given double.
 * 2. The others take the C library's conversions, which are exact too. What they are given and give
 *    has no decimal point, which depends on the locale: see sys_to_decimal. */
#include "json/number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/sys.h"
#include "base/utf8.h"
#include "base/hidden.h"

#if FLT_RADIX != 2 || DBL_MANT_DIG != 53
#error "number.c needs IEEE 754 doubles"
#endif

static const double TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum {
  FAST = FLT_EVAL_METHOD == 0, /* arithmetic rounds to a double at once */
  TENS_EXACT = 22, /* the highest power of ten that is a double */
  DIGITS_KEPT = 800, /* more than the 767 that can tell a decimal from a midpoint of two doubles */
  DIGITS_MOST = 17 /* that a double needs */
};

static const double TWO_53 = 9007199254740992.0;

/* digits * 10^exponent */
struct decimal {
  uint64_t digits;
  int exponent;
};

int number_print_whole(uint64_t value, char *text)
{
  int length = 1;
  for (uint64_t bound = 10; length < 20 && value >= bound; bound *= 10) length++;
  for (int i = length; i-- > 0; value /= 10) text[i] = (char)('0' + value % 10);
  return length;
}

static int print_exponent(int exponent, char *text)
{
  int sign = exponent < 0;
  text[0] = 'e';
  if (sign) text[1] = '-';
  return 1 + sign + number_print_whole((uint64_t)(sign ? -exponent : exponent), text + 1 + sign);
}

/* ---- printing ---- */

static double to_double(struct decimal decimal)
{
  char text[2 * NUMBER_SIZE];
  int length = number_print_whole(decimal.digits, text);
  length += print_exponent(decimal.exponent, text + length);
  return number_parse(text, text + length);
}

/* Finds the decimal of up to 15 digits that reads back as the number, if there is one. */
static bool short_decimal(double number, struct decimal *decimal)
{
  if (!FAST || number < 1e-7 || number >= 1e15) return false;
  for (int power = 0; power <= TENS_EXACT; power++) {
    double scaled = (double)(uint64_t)(number * TENS[power] + 0.5);
    if (scaled >= 1e15) return false;
    if (scaled / TENS[power] == number) {
      *decimal = (struct decimal){(uint64_t)scaled, -power};
      return true;
    }
  }
  return false;
}

/* Of a number's shortest decimals the nearest. Fewer than 15 digits are 15 that end in zeros, except
 * where doubles are less exact than that. A power of two is only half as far from the double below
 * it as from the one above, so that the next decimal may do where the nearest does not. */
static struct decimal shortest_decimal(double number)
{
  struct decimal decimal;
  for (int count = number < DBL_MIN ? 1 : DBL_DIG;; count++) {
    decimal.digits = sys_to_decimal(number, count, &decimal.exponent);
    if (count == DIGITS_MOST || to_double(decimal) == number) return decimal;
    decimal.digits++;
    if (to_double(decimal) == number) return decimal;
  }
}

/* Puts the point after so many of the digits, and an exponent after them unless it is 0. */
static int print_form(const char *digits, int length, int point, int exponent, char *text)
{
  int whole = point < 0 ? 0 : point < length ? point : length, zeros = abs(point - whole);
  char *out = text;
  memcpy(out, digits, (size_t)whole);
  out += whole;
  if (whole == 0) *out++ = '0';
  if (whole < length) *out++ = '.';
  memset(out, '0', (size_t)zeros);
  out += zeros;
  memcpy(out, digits + whole, (size_t)(length - whole));
  out += length - whole;
  if (exponent != 0) out += print_exponent(exponent, out);
  return (int)(out - text);
}

/* The shortest of 1200, 1.2e3 and 12e2, in this order on a tie. */
static int print_decimal(struct decimal decimal, char *text)
{
  enum { LONGEST_PLAIN = 24 }; /* than which each of the others is shorter */
  char digits[NUMBER_SIZE], form[NUMBER_SIZE + LONGEST_PLAIN];
  int length = number_print_whole(decimal.digits, digits), best = NUMBER_SIZE;
  for (; length > 1 && digits[length - 1] == '0'; length--) decimal.exponent++;
  int magnitude = length + decimal.exponent;
  if (magnitude > 0 && magnitude <= length) return print_form(digits, length, magnitude, 0, text);
  const int points[] = {magnitude, 1, length};
  for (int i = abs(magnitude) > LONGEST_PLAIN; i < 3; i++) {
    int size = print_form(digits, length, points[i], magnitude - points[i], form);
    if (size >= best) continue;
    memcpy(text, form, (size_t)size);
    best = size;
  }
  return best;
}

size_t number_print(double number, char text[NUMBER_SIZE])
{
  size_t sign = signbit(number) != 0;
  if (sign) {
    text[0] = '-';
    number = -number;
  }
  if (number <= TWO_53 && (double)(uint64_t)number == number)
    return sign + (size_t)number_print_whole((uint64_t)number, text + sign);
  struct decimal decimal;
  if (!short_decimal(number, &decimal)) decimal = shortest_decimal(number);
  return sign + (size_t)print_decimal(decimal, text + sign);
}

/* ---- reading ---- */

/* The digits of a number's text without leading zeros: value = digits * 10^exponent. */
struct literal {
  const char *start, *end; /* of the significant digits, a point perhaps among them */
  int64_t count; /* of significant digits */
  int64_t exponent; /* of ten, of the last digit */
  uint64_t leading; /* the first 19 digits */
};

static struct literal read_literal(const char *p, const char *end)
{
  struct literal literal = {NULL, NULL, 0, 0, 0};
  bool fraction = false;
  for (; p < end && (is_digit(*p) || *p == '.'); p++) {
    if (*p == '.') {
      fraction = true;
      continue;
    }
    literal.exponent -= fraction;
    if (literal.count == 0) {
      if (*p == '0') continue;
      literal.start = p;
    }
    if (literal.count < 19) literal.leading = literal.leading * 10 + (uint64_t)(*p - '0');
    literal.count++;
  }
  literal.end = p;
  if (p < end) { /* the exponent */
    bool negative = *++p == '-';
    if (*p == '-' || *p == '+') p++;
    int64_t exponent = 0;
    for (; p < end; p++)
      if (exponent < 1000000000000) exponent = exponent * 10 + (*p - '0');
    literal.exponent += negative ? -exponent : exponent;
  }
  return literal;
}

/* By the C library. Digits past DIGITS_KEPT only tell that there is more. */
static double convert(const struct literal *literal)
{
  char text[DIGITS_KEPT + NUMBER_SIZE];
  int length = 0;
  bool more = false;
  for (const char *p = literal->start; p < literal->end; p++) {
    if (*p == '.') continue;
    if (length < DIGITS_KEPT) text[length++] = *p;
    else more = more || *p != '0';
  }
  if (more) text[length++] = '1';
  int exponent = (int)(literal->exponent + literal->count - length);
  text[length + print_exponent(exponent, text + length)] = '\0';
  return sys_from_decimal(text);
}

double number_parse(const char *start, const char *end)
{
  bool negative = *start == '-';
  struct literal literal = read_literal(start + negative, end);
  double number;
  int64_t magnitude = literal.exponent + literal.count; /* number < 10^magnitude */
  if (literal.count == 0 || magnitude < -330) number = 0;
  else if (magnitude > 310) number = HUGE_VAL;
  else if (!FAST || literal.count > 19 || literal.leading > 1ULL << 53 ||
           literal.exponent < -TENS_EXACT || literal.exponent > TENS_EXACT)
    number = convert(&literal);
  else if (literal.exponent < 0) number = (double)literal.leading / TENS[-literal.exponent];
  else number = (double)literal.leading * TENS[literal.exponent];
  return negative ? -number : number;
}
