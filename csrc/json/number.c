/* number.c: doubles to decimal and back.
 *
 * 1. Nearly all numbers take a fast path on which double arithmetic is exact. Decimals of up to 15
 *    digits and powers of ten up to 10^22 are doubles themselves, so one multiplication or division
 *    rounds once (Clinger, "How to read floating point numbers accurately", PLDI 1990). And at most
 *    one decimal of up to 15 digits reads back as a given double.
 * 2. The others take integers of any size. Printing follows Steele and White, "How to print
 *    floating-point numbers accurately", PLDI 1990, with the scaling of Burger and Dybvig, PLDI
 *    1996; reading compares the decimal with the midpoints around a first guess. */
#include "json/number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/ascii.h"

#if FLT_RADIX != 2 || DBL_MANT_DIG != 53
#error "number.c needs IEEE 754 doubles"
#endif

static const double TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum {
  TENS_EXACT = 22, /* the highest power of ten that is a double */
  DIGITS_KEPT = 800, /* more than the 767 that can tell a decimal from a midpoint */
  DIGITS_MOST = 17,
  LIMBS = 176 /* 5,632 bits; the largest, 800 digits over 2^1075, takes 3,740 */
};

static const double TWO_53 = 9007199254740992.0;

/* ---- integers of any size, least limb first ---- */

struct big {
  int length;
  uint32_t limb[LIMBS];
};

static void big_set(struct big *a, uint64_t value)
{
  a->length = 0;
  for (; value != 0; value >>= 32) a->limb[a->length++] = (uint32_t)value;
}

static void big_multiply_add(struct big *a, uint32_t factor, uint32_t addend)
{
  uint64_t carry = addend;
  for (int i = 0; i < a->length; i++) {
    carry += (uint64_t)a->limb[i] * factor;
    a->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry != 0) a->limb[a->length++] = (uint32_t)carry;
}

static void big_multiply_power5(struct big *a, int power)
{
  for (; power >= 13; power -= 13) big_multiply_add(a, 1220703125, 0);
  uint32_t rest = 1;
  while (power-- > 0) rest *= 5;
  big_multiply_add(a, rest, 0);
}

static void big_shift(struct big *a, int bits)
{
  int limbs = bits / 32, rest = bits % 32;
  if (a->length == 0 || bits == 0) return;
  memmove(a->limb + limbs, a->limb, (size_t)a->length * sizeof *a->limb);
  memset(a->limb, 0, (size_t)limbs * sizeof *a->limb);
  a->length += limbs;
  if (rest == 0) return;
  uint32_t carry = 0;
  for (int i = limbs; i < a->length; i++) {
    uint32_t limb = a->limb[i];
    a->limb[i] = limb << rest | carry;
    carry = limb >> (32 - rest);
  }
  if (carry != 0) a->limb[a->length++] = carry;
}

static int big_compare(const struct big *a, const struct big *b)
{
  if (a->length != b->length) return a->length < b->length ? -1 : 1;
  for (int i = a->length - 1; i >= 0; i--)
    if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
  return 0;
}

static void big_add(struct big *a, const struct big *b)
{
  uint64_t carry = 0;
  for (int i = 0; i < b->length || carry != 0; i++) {
    if (i == a->length) a->limb[a->length++] = 0;
    carry += (uint64_t)a->limb[i] + (i < b->length ? b->limb[i] : 0);
    a->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

/* a -= b, where a >= b. */
static void big_subtract(struct big *a, const struct big *b)
{
  int64_t borrow = 0;
  for (int i = 0; i < a->length; i++) {
    borrow += (int64_t)a->limb[i] - (i < b->length ? b->limb[i] : 0);
    a->limb[i] = (uint32_t)borrow;
    borrow >>= 32;
  }
  while (a->length > 0 && a->limb[a->length - 1] == 0) a->length--;
}

/* ---- the parts of a double ---- */

static uint64_t to_bits(double number)
{
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}

static double from_bits(uint64_t bits)
{
  double number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

/* A finite double without its sign is mantissa * 2^*exponent. */
static uint64_t mantissa_of(uint64_t bits, int *exponent)
{
  uint64_t mantissa = bits & 0xfffffffffffffU;
  int field = (int)(bits >> 52 & 0x7ff);
  *exponent = (field == 0 ? 1 : field) - 1075;
  return field == 0 ? mantissa : mantissa | 1ULL << 52;
}

/* ---- printing ---- */

/* A decimal: 0.DIGITS * 10^point. */
struct decimal {
  int length, point;
  char digits[DIGITS_MOST + 1];
};

static int print_unsigned(uint64_t value, char *text)
{
  char reversed[20];
  int length = 0;
  do {
    reversed[length++] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  for (int i = 0; i < length; i++) text[i] = reversed[length - 1 - i];
  return length;
}

static void strip_zeros(struct decimal *decimal)
{
  while (decimal->length > 1 && decimal->digits[decimal->length - 1] == '0') decimal->length--;
}

/* Finds the decimal of up to 15 digits that reads back as the number, if there is one. */
static bool short_decimal(double number, struct decimal *decimal)
{
#if FLT_EVAL_METHOD == 0
  if (number < 1e-7 || number >= 1e15) return false;
  for (int power = 0; power <= TENS_EXACT; power++) {
    double scaled = (double)(uint64_t)(number * TENS[power] + 0.5);
    if (scaled >= 1e15) return false;
    if (scaled / TENS[power] == number) {
      decimal->length = print_unsigned((uint64_t)scaled, decimal->digits);
      decimal->point = decimal->length - power;
      strip_zeros(decimal);
      return true;
    }
  }
#else
  (void)number, (void)decimal;
#endif
  return false;
}

/* The interval of what reads back as the number r/s: the midpoints to its neighbours, (r - below)/s
 * and (r + above)/s, are its ends, and belong to it if it is closed. */
struct interval {
  struct big r, s, below, above;
  bool closed;
};

static void interval_set(struct interval *v, double number)
{
  int exponent;
  uint64_t mantissa = mantissa_of(to_bits(number), &exponent);
  /* A power of two is only half as far from the number below it as from the one above. */
  int narrow = mantissa == 1ULL << 52 && exponent > -1074;
  v->closed = mantissa % 2 == 0;
  big_set(&v->r, mantissa);
  big_shift(&v->r, 1 + narrow + (exponent > 0 ? exponent : 0));
  big_set(&v->s, 1);
  big_shift(&v->s, 1 + narrow + (exponent < 0 ? -exponent : 0));
  big_set(&v->below, 1);
  big_shift(&v->below, exponent > 0 ? exponent : 0);
  v->above = v->below;
  big_shift(&v->above, narrow);
}

static bool reaches_one(const struct interval *v)
{
  struct big high = v->r;
  big_add(&high, &v->above);
  int order = big_compare(&high, &v->s);
  return order > 0 || (order == 0 && v->closed);
}

static void interval_times_ten(struct interval *v)
{
  big_multiply_add(&v->r, 10, 0);
  big_multiply_add(&v->below, 10, 0);
  big_multiply_add(&v->above, 10, 0);
}

/* Scales r/s into [1/10, 1) and returns the power of ten taken out. */
static int interval_scale(struct interval *v, double number)
{
  int point = (int)ceil(log10(number) - 1e-10);
  int fives = point < 0 ? -point : point;
  if (point >= 0) {
    big_multiply_power5(&v->s, fives);
    big_shift(&v->s, fives);
  } else {
    struct big *const scaled[] = {&v->r, &v->below, &v->above};
    for (int i = 0; i < 3; i++) {
      big_multiply_power5(scaled[i], fives);
      big_shift(scaled[i], fives);
    }
  }
  if (!reaches_one(v)) return point;
  big_multiply_add(&v->s, 10, 0);
  return point + 1;
}

static void shortest_decimal(double number, struct decimal *decimal)
{
  struct interval v;
  interval_set(&v, number);
  decimal->point = interval_scale(&v, number);
  decimal->length = 0;
  for (;;) {
    interval_times_ten(&v);
    char digit = '0';
    while (big_compare(&v.r, &v.s) >= 0) {
      big_subtract(&v.r, &v.s);
      digit++;
    }
    int order = big_compare(&v.r, &v.below);
    bool low = order < 0 || (order == 0 && v.closed);
    bool high = reaches_one(&v);
    /* Both the digit and the next one do: take the nearer, or the even one. */
    if (low && high) {
      big_shift(&v.r, 1);
      order = big_compare(&v.r, &v.s);
      high = order > 0 || (order == 0 && digit % 2 == 1);
    }
    if (high) digit++;
    decimal->digits[decimal->length++] = digit;
    if (low || high) return;
  }
}

static size_t print_exponent(int exponent, char *text)
{
  size_t sign = exponent < 0;
  text[0] = 'e';
  if (sign) text[1] = '-';
  return 1 + sign +
         (size_t)print_unsigned((uint64_t)(sign ? -exponent : exponent), text + 1 + sign);
}

static size_t print_plain(const struct decimal *d, char *text)
{
  size_t length = (size_t)d->length;
  if (d->point >= d->length) {
    memcpy(text, d->digits, length);
    memset(text + length, '0', (size_t)(d->point - d->length));
    return (size_t)d->point;
  }
  if (d->point > 0) {
    size_t whole = (size_t)d->point;
    memcpy(text, d->digits, whole);
    text[whole] = '.';
    memcpy(text + whole + 1, d->digits + whole, length - whole);
    return length + 1;
  }
  size_t zeros = (size_t)-d->point;
  text[0] = '0', text[1] = '.';
  memset(text + 2, '0', zeros);
  memcpy(text + 2 + zeros, d->digits, length);
  return 2 + zeros + length;
}

/* The shortest of 1200, 12e2 and 1.2e3. */
static size_t print_decimal(const struct decimal *d, char *text)
{
  char tail[8], scientific_tail[8];
  size_t digits = (size_t)d->length;
  size_t whole = digits + print_exponent(d->point - d->length, tail);
  size_t scientific = digits + (digits > 1) + print_exponent(d->point - 1, scientific_tail);
  size_t plain = d->point >= d->length ? (size_t)d->point
                 : d->point > 0        ? digits + 1
                                       : digits + 2 + (size_t)-d->point;
  if (plain <= whole && plain <= scientific) return print_plain(d, text);
  if (whole < scientific) {
    memcpy(text, d->digits, digits);
    memcpy(text + digits, tail, whole - digits);
    return whole;
  }
  size_t point = digits > 1;
  text[0] = d->digits[0];
  text[1] = '.';
  memcpy(text + 1 + point, d->digits + 1, digits - 1);
  memcpy(text + digits + point, scientific_tail, scientific - digits - point);
  return scientific;
}

size_t number_print(double number, char text[NUMBER_SIZE])
{
  size_t sign = signbit(number) != 0;
  if (sign) {
    text[0] = '-';
    number = -number;
  }
  if (number <= TWO_53 && (double)(uint64_t)number == number)
    return sign + (size_t)print_unsigned((uint64_t)number, text + sign);
  struct decimal decimal;
  if (!short_decimal(number, &decimal)) shortest_decimal(number, &decimal);
  return sign + print_decimal(&decimal, text + sign);
}

/* ---- reading ---- */

/* The digits of a number's text without leading zeros: value = digits * 10^exponent. */
struct literal {
  const char *start, *end; /* of the significant digits, a point perhaps among them */
  int count; /* of significant digits */
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

/* The digits as an integer. Those past DIGITS_KEPT only tell that there is more. */
static void big_set_literal(struct big *a, struct literal *literal)
{
  int kept = 0;
  bool more = false;
  big_set(a, 0);
  for (const char *p = literal->start; p < literal->end; p++) {
    if (*p == '.') continue;
    if (kept < DIGITS_KEPT) {
      if (a->length == 0) big_set(a, (uint64_t)(*p - '0'));
      else big_multiply_add(a, 10, (uint32_t)(*p - '0'));
      kept++;
    } else if (*p != '0') {
      more = true;
    }
  }
  literal->exponent += literal->count - kept;
  if (more) {
    big_multiply_add(a, 10, 1);
    literal->exponent--;
  }
}

static double first_guess(const struct literal *literal)
{
  double guess = (double)literal->leading;
  int exponent = (int)literal->exponent + (literal->count > 19 ? literal->count - 19 : 0);
  for (; exponent > TENS_EXACT && guess <= DBL_MAX; exponent -= TENS_EXACT) guess *= 1e22;
  for (; exponent < -TENS_EXACT && guess > 0; exponent += TENS_EXACT) guess /= 1e22;
  guess = exponent < 0 ? guess / TENS[-exponent > 22 ? 22 : -exponent]
                       : guess * TENS[exponent > 22 ? 22 : exponent];
  return guess > DBL_MAX ? DBL_MAX : guess;
}

/* Compares digits * 10^exponent with the midpoint between a double and the next larger one.
 * `scaled` is digits * 5^exponent where the exponent is positive, else digits. */
static int compare_midpoint(const struct big *scaled, int exponent, uint64_t bits)
{
  int binary;
  uint64_t mantissa = mantissa_of(bits, &binary);
  struct big left = *scaled, right;
  big_set(&right, 2 * mantissa + 1);
  if (exponent < 0) big_multiply_power5(&right, -exponent);
  int shift = exponent - (binary - 1);
  if (shift > 0) big_shift(&left, shift);
  else big_shift(&right, -shift);
  return big_compare(&left, &right);
}

static double nearest(struct literal *literal)
{
  struct big digits;
  uint64_t bits = to_bits(first_guess(literal));
  big_set_literal(&digits, literal);
  int exponent = (int)literal->exponent;
  if (exponent > 0) big_multiply_power5(&digits, exponent);
  const uint64_t infinity = 0x7ff0000000000000U;
  for (;;) {
    int order = bits < infinity ? compare_midpoint(&digits, exponent, bits) : -1;
    if (order > 0 || (order == 0 && bits % 2 == 1)) {
      bits++;
      continue;
    }
    order = bits > 0 ? compare_midpoint(&digits, exponent, bits - 1) : 1;
    if (order > 0 || (order == 0 && bits % 2 == 0)) return from_bits(bits);
    bits--;
  }
}

double number_parse(const char *start, const char *end)
{
  bool negative = *start == '-';
  struct literal literal = read_literal(start + negative, end);
  double number;
  int64_t magnitude = literal.exponent + literal.count; /* number < 10^magnitude */
  if (literal.count == 0 || magnitude < -330) number = 0;
  else if (magnitude > 310) number = HUGE_VAL;
#if FLT_EVAL_METHOD == 0
  else if (literal.count <= 19 && literal.leading <= 1ULL << 53 &&
           literal.exponent >= -TENS_EXACT && literal.exponent <= TENS_EXACT)
    number = literal.exponent < 0 ? (double)literal.leading / TENS[-literal.exponent]
                                  : (double)literal.leading * TENS[literal.exponent];
#endif
  else number = nearest(&literal);
  return negative ? -number : number;
}
