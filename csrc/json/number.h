/* number.h: converts doubles to JSON numbers and back, exactly and in every locale. */
#pragma once

#include "base/std.h"

enum { NUMBER_SIZE = 32 };

/* Writes the shortest text that reads back as the same double: integers up to 2^53 without a point
 * or an exponent, other numbers in the shortest notation, the plain one on a tie. The number must
 * be finite. Returns the length; no NUL is added. */
size_t number_print(double number, char text[NUMBER_SIZE]);

/* The same of a whole number: up to 20 digits. */
int number_print_whole(uint64_t value, char *text);

/* The double nearest to a number of RFC 8259, section 6, ties to even; an infinity beyond all. */
double number_parse(const char *start, const char *end);
