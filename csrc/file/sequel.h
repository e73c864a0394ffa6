/* sequel.h: where the lines of a file go on in the one that has its place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct sequel {
  uint64_t size; /* of the new file: what it had then is what the old one had, */
  uint64_t lines; /* and so many newlines are in it */
};

/* Leaves word of it in the old file, as far as possible: its lock is held, and no path leads to it any
 * more. */
void sequel_leave(int old, int new, const struct sequel *sequel);
/* Whether the old file has word of its sequel, and the new one is that. */
bool sequel_find(int old, int new, struct sequel *sequel);

#pragma GCC visibility pop
