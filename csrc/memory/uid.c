/* uid.c: six random bits a character; of the 64 numbers that these make, two are no character, so that
 * eight with one of them are thrown away: no character is likelier than another. */
#include "memory/uid.h"

#include "base/sys.h"

static bool next(struct uids *uids, uint64_t *word)
{
  if (uids->left == 0) {
    if (sys_random(uids->words, sizeof uids->words) != 0) return false;
    uids->left = sizeof uids->words / sizeof *word;
  }
  *word = uids->words[--uids->left];
  return true;
}

bool uid_make(struct uids *uids, char uid[UID_LENGTH])
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const uint64_t ones = 0x0101010101010101U;
  uint64_t word;
  do {
    if (!next(uids, &word)) return false;
    word &= ones * 63;
  } while (((word + ones * 2) & (ones * 64)) != 0);
  for (int i = 0; i < UID_LENGTH; i++, word >>= 8) uid[i] = letters[word & 63];
  return true;
}
