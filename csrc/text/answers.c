/* answers.c: a hash table with open addressing, of which at most half is taken. */
#include "text/answers.h"

#include <string.h>

#include "base/sys.h"

struct answer {
  uint64_t hash, other; /* of the text */
  size_t end, length; /* of the answer; where it is free, the end is 0 */
};

bool answers_begin(struct answers *answers)
{
  memset(answers, 0, sizeof *answers);
  return sys_random(answers->keys, sizeof answers->keys) == 0;
}

void answers_free(struct answers *answers)
{
  buf_free(&answers->texts);
  sys_free(answers->slots);
  answers->slots = NULL;
  answers->slot_count = 0;
}

static struct answer name_text(const struct answers *answers, struct bytes text)
{
  return (struct answer){.hash = hash_text(&answers->keys[0], text.start, text.length),
                         .other = hash_text(&answers->keys[1], text.start, text.length)};
}

/* Where the answer is, or is to be. */
static struct answer *slot_of(const struct answers *answers, const struct answer *name)
{
  for (size_t i = (size_t)name->hash;; i++) {
    struct answer *slot = &answers->slots[i & (answers->slot_count - 1)];
    if (slot->end == 0 || (slot->hash == name->hash && slot->other == name->other)) return slot;
  }
}

bool answers_find(const struct answers *answers, struct bytes text, struct bytes *answer)
{
  if (answers->slot_count == 0) return false;
  const struct answer name = name_text(answers, text), *slot = slot_of(answers, &name);
  if (slot->end == 0) return false;
  *answer = (struct bytes){answers->texts.data + slot->end - slot->length, slot->length};
  return true;
}

static bool make_room(struct answers *answers)
{
  enum { FIRST = 64 };
  struct answers larger = *answers;
  if (2 * answers->count < answers->slot_count) return true;
  larger.slot_count = answers->slot_count > 0 ? 2 * answers->slot_count : FIRST;
  larger.slots = sys_realloc(NULL, larger.slot_count * sizeof *larger.slots);
  if (larger.slots == NULL) return false;
  memset(larger.slots, 0, larger.slot_count * sizeof *larger.slots);
  for (size_t i = 0; i < answers->slot_count; i++)
    if (answers->slots[i].end > 0) *slot_of(&larger, &answers->slots[i]) = answers->slots[i];
  sys_free(answers->slots);
  *answers = larger;
  return true;
}

bool answers_put(struct answers *answers, struct bytes text, struct bytes answer)
{
  struct answer entry = name_text(answers, text);
  /* No answer ends at 0. */
  if (!make_room(answers) || !buf_add(&answers->texts, "", answers->count == 0) ||
      !buf_add(&answers->texts, answer.start, answer.length))
    return false;
  entry.end = answers->texts.length;
  entry.length = answer.length;
  *slot_of(answers, &entry) = entry;
  answers->count++;
  if (answer.length > text.length) answers->grown += answer.length - text.length;
  return true;
}
