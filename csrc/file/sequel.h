/* sequel.h: where the lines of a file go on in the one that has its place. */
#pragma once

#include "base/std.h"

/* Leaves word in the old file, as far as possible, that the new one, of `size` bytes, has what it had: its
 * lock is held, and no path leads to it any more. */
void sequel_leave(int old, int new, uint64_t size);
/* 1: the old file has word of its sequel, and the new one is that: what is new in it begins at *size, behind
 * *lines newlines; 0: it is another; -1 and errno: it is not known. */
int sequel_find(int old, int new, uint64_t *size, uint64_t *lines);
