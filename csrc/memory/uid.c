/* uid.c: six random bits a character; of the 64 numbers that these make, two are thrown away, so that
 * no character is likelier than another. */
#include "memory/uid.h"

#include "base/sys.h"

static bool next(struct uids *uids, unsigned *number)
{
  if (uids->left == 0) {
    if (sys_random(uids->bytes, sizeof uids->bytes) != 0) return false;
    uids->left = sizeof uids->bytes;
  }
  *number = uids->bytes[--uids->left] & 63;
  return true;
}

bool uid_make(struct uids *uids, char uid[UID_LENGTH])
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (int i = 0; i < UID_LENGTH;) {
    unsigned number;
    if (!next(uids, &number)) return false;
    if (number < sizeof letters - 1) uid[i++] = letters[number];
  }
  return true;
}
