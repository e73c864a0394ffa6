/* uid.h: the random names that tell items of one id apart. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { UID_LENGTH = 8 };

/* The numbers that names are made of. A forked child has the same ones: it must not make names from
 * its parent's. */
struct uids {
  uint64_t state;
  bool begun;
};

/* Makes one of 62^8 names of letters and digits, each as likely. False with errno. */
bool uid_make(struct uids *uids, char uid[UID_LENGTH]);

#pragma GCC visibility pop
