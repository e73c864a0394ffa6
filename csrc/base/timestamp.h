/* timestamp.h: times as the files have them, `YYYY-MM-DDTHH:MM:SSZ` in UTC (RFC 3339). */
#ifndef AISH_TIMESTAMP_H
#define AISH_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { TIMESTAMP_LENGTH = 20 };

/* Writes the 20 bytes of a time given in seconds since 1970, and a NUL. Years 0 to 9999; times
 * outside are cut to them. */
void timestamp_print(int64_t seconds, char text[TIMESTAMP_LENGTH + 1]);

/* The 14 digits of a text of exactly this form as one number, which sorts as the text does; -1
 * for any other text. */
int64_t timestamp_key(const char text[TIMESTAMP_LENGTH]);
/* The text that a key stands for. */
void timestamp_text(int64_t key, char text[TIMESTAMP_LENGTH + 1]);

#pragma GCC visibility pop
#endif
