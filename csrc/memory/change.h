/* change.h: adding to a memory, updating what is in it, and forgetting. */
#pragma once

#include "memory/memory.h"

#define DRAFT_BEGINNING ",\"content\":\"" /* what a body begins with */

/* An item that has no uid and time yet, or the changes of one. */
struct draft {
  enum record_kind kind; /* KIND_NONE: the kind stays as it is */
  int members; /* of the whole object, id, uid, ts and kind among them */
  size_t start, length; /* of its body: `,"content":...}` and a newline, in JSON */
  size_t content; /* how long that is, as it stands behind DRAFT_BEGINNING; 0: there is none */
  /* What memory_add says: */
  uint64_t id; /* the item's */
  size_t line; /* how long its line is, with the newline */
  bool present; /* it was there before, or is that of a draft before this one */
  uint32_t hash;
  const struct draft *same; /* that draft */
};

/* Appends the drafts, all of them or none, in one write; of a unique memory those that are not present.
 * SPAN_PADDING bytes stand behind their bodies. */
bool memory_add(struct memory *memory, struct draft *drafts, size_t count, const char *bodies,
                struct failure *failure);

/* Puts in memory->lines a mark of an id; see record_is_mark. False with errno. */
bool memory_put_mark(struct memory *memory, uint64_t id);

/* Appends a tombstone for an active item of this id: the newest one, or, if a name is given, those of
 * that uid (of items without one: that ts; without either: that is no text). *found tells whether
 * there was one, *left how many active items of the id there still are. */
bool memory_forget(struct memory *memory, uint64_t id, const struct bytes *name, bool *found,
                   size_t *left, struct failure *failure);
/* In the place of such an item appends a new one, which has its members but for those that a body
 * has: these as they are there, null being none. *found, and the bytes behind the body, as above. */
bool memory_update(struct memory *memory, uint64_t id, const struct bytes *name,
                   struct draft *changes, const char *body, bool *found, struct failure *failure);
