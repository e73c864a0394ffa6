/* format.h: files that are no JSON Lines at all. */
#pragma once

#include "base/failure.h"

/* Whether an open file of `size` bytes may be JSON Lines: not if it is UTF-16 or UTF-32 by its first
 * bytes, or begins with `[` and ends with `]`, white space aside. Then false, and
 * *failure says what it is. Anything else may have damaged lines, and good ones among them; what
 * cannot be read may be anything. */
bool format_is_lines(int fd, uint64_t size, struct failure *failure);
