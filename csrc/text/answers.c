/* answers.c: a hash table with open addressing. */
#include "text/answers.h"

#include <string.h>

#include "base/sys.h"

struct answer {
  uint64_t hash, other; /* of the text */
  size_t start, length; /* of the answer */
};

bool answers_begin(struct answers *answers)
{
  memset(answers, 0, sizeof *answers);
  return sys_random(answers->keys, sizeof answers->keys) == 0;
}

void answers_free(struct answers *answers)
{
  buf_free(&answers->entries);
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

/* Where the entry's number is, or is to be. */
static uint32_t *slot_of(const struct answers *answers, const struct answer *name)
{
  const struct answer *entries = BUF_ITEMS(struct answer, &answers->entries);
  for (size_t i = (size_t)name->hash;; i++) {
    uint32_t *slot = &answers->slots[i & (answers->slot_count - 1)];
    if (*slot == 0) return slot;
    const struct answer *entry = &entries[*slot - 1];
    if (entry->hash == name->hash && entry->other == name->other) return slot;
  }
}

bool answers_find(const struct answers *answers, struct bytes text, struct bytes *answer)
{
  if (answers->slot_count == 0) return false;
  const struct answer name = name_text(answers, text);
  uint32_t number = *slot_of(answers, &name);
  if (number == 0) return false;
  const struct answer *entry = &BUF_ITEMS(struct answer, &answers->entries)[number - 1];
  *answer = (struct bytes){answers->texts.data + entry->start, entry->length};
  return true;
}

/* Half of the slots are free at least. */
static bool make_room(struct answers *answers)
{
  enum { FIRST = 64 };
  size_t count = BUF_COUNT(struct answer, &answers->entries);
  if (2 * (count + 1) <= answers->slot_count) return true;
  size_t slot_count = answers->slot_count > 0 ? 2 * answers->slot_count : FIRST;
  uint32_t *slots = sys_realloc(NULL, slot_count * sizeof *slots);
  if (slots == NULL) return false;
  memset(slots, 0, slot_count * sizeof *slots);
  sys_free(answers->slots);
  answers->slots = slots;
  answers->slot_count = slot_count;
  for (size_t i = 0; i < count; i++)
    *slot_of(answers, &BUF_ITEMS(struct answer, &answers->entries)[i]) = (uint32_t)i + 1;
  return true;
}

bool answers_put(struct answers *answers, struct bytes text, struct bytes answer)
{
  struct answer entry = name_text(answers, text);
  entry.start = answers->texts.length;
  entry.length = answer.length;
  if (!make_room(answers) || !buf_add(&answers->texts, answer.start, answer.length) ||
      !BUF_PUSH(&answers->entries, &entry))
    return false;
  if (answer.length > text.length) answers->grown += answer.length - text.length;
  *slot_of(answers, &entry) = (uint32_t)BUF_COUNT(struct answer, &answers->entries);
  return true;
}
