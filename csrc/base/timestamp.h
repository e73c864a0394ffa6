/* timestamp.h: times as the files spell them, `YYYY-MM-DDTHH:MM:SSZ` in UTC (RFC 3339). */
#ifndef AISH_TIMESTAMP_H
#define AISH_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { TIMESTAMP_LENGTH = 20 };

/* Writes the 20 bytes of a time given in seconds since 1970, and a NUL. Years 0 to 9999; times
 * outside are clamped. */
void timestamp_print(int64_t seconds, char text[TIMESTAMP_LENGTH + 1]);

/* The 14 digits of a text of exactly this form as one number, which sorts as the text does; -1
 * for any other text. */
int64_t timestamp_key(const char text[TIMESTAMP_LENGTH]);
/* The text that a key stands for. */
void timestamp_text(int64_t key, char text[TIMESTAMP_LENGTH + 1]);

/* A time that others are compared with. */
struct bound {
  char text[24];
  size_t length; /* 0: none */
};

/* Reads `YYYY-MM-DD`, or that with `THH:MM` or `THH:MM:SS`, and then with or without a `Z`. */
bool bound_read(struct bound *bound, const char *text, size_t length);
/* The first whole second from this time on, in seconds since 1970. */
void bound_from_seconds(struct bound *bound, double seconds);
/* Whether a time is neither earlier than `since` nor as late as `before`. */
bool bounds_hold(const struct bound *since, const struct bound *before, const char *ts,
                 size_t length);

#pragma GCC visibility pop
#endif
