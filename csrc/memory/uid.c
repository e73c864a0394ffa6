/* uid.c: numbers of 64 bits that look random (splitmix64; Steele, Lea and Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014), from a start that is. Of six bits a character, two of
 * 64 numbers are none: what has one of them is thrown away, so that no character is likelier than
 * another. */
#include "memory/uid.h"

#include "base/sys.h"
#include "base/word.h"

static uint64_t next(struct uids *uids)
{
  uint64_t word = uids->state += 0x9e3779b97f4a7c15U;
  word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9U;
  word = (word ^ word >> 27) * 0x94d049bb133111ebU;
  return word ^ word >> 31;
}

bool uid_make(struct uids *uids, char uid[UID_LENGTH])
{
  const uint64_t ones = 0x0101010101010101U;
  uint64_t word;
  if (!uids->begun && sys_random(&uids->state, sizeof uids->state) != 0) return false;
  uids->begun = true;
  do word = next(uids) & ones * 63;
  while (((word + ones * 2) & ones * 64) != 0);
  /* In each byte: from 26 on a small letter, from 52 on a digit. */
  uint64_t small = (word + ones * (128 - 26)) >> 7 & ones;
  uint64_t digit = (word + ones * (128 - 52)) >> 7 & ones;
  word += ones * 'A' + small * ('a' - 26 - 'A') - digit * ('a' - 26 - ('0' - 52));
  word_store(word, uid);
  return true;
}
