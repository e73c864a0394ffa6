/* memory.h: the store of what was learnt about the user: a journal and the index of it. */
#ifndef AISH_MEMORY_H
#define AISH_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/timestamp.h"
#include "file/journal.h"
#include "memory/index.h"
#include "memory/uid.h"

#pragma GCC visibility push(hidden)

enum { MEMORY_TAIL = 32 };

struct memory {
  struct journal journal;
  struct index index;
  uint64_t seen; /* the size of the file when the index was brought up to it */
  uint64_t highest_id; /* ever seen through this handle: ids do not come back with another file */
  char tail[MEMORY_TAIL]; /* the bytes before index.end, which tell an append from an edit */
  size_t tail_length;
  struct buf lines; /* what is written next, for journal_append */
  struct uids uids;
  int64_t now; /* the second that ts is of */
  char ts[TIMESTAMP_LENGTH + 1];
  int64_t ts_key; /* the timestamp_key of it */
};

/* An item that has no id, uid and time yet. */
struct draft {
  enum record_kind kind;
  int members; /* of the whole object, id, uid, ts and kind among them */
  size_t length; /* of its body: `"content":...}` and a newline, in JSON */
};

/* A memory that is closed; the journal's options are set between init and open. */
bool memory_init(struct memory *memory, const char *path);
/* Opens the file and reads it, or makes it with its first line. */
bool memory_open(struct memory *memory, struct failure *failure);
/* -1 and errno if closing the descriptor failed; all is freed even so. */
int memory_close(struct memory *memory);

/* Brings the index up to what is in the file now, and settles it. */
bool memory_refresh(struct memory *memory, struct failure *failure);
/* Brings it up under the lock, which is given back with journal_detach; on failure it is already. The
 * index is not settled. */
bool memory_lock(struct memory *memory, struct failure *failure);
/* Whether the index is of that file as it is now, told by its times: see journal_is_fresh. */
bool memory_is_of(const struct memory *memory, const struct stat *st);
/* Forgets what the index says and reads the whole file. */
bool memory_reread(struct memory *memory, struct failure *failure);

/* The highest id ever seen; and the one that is given next, RECORD_ID_MAX + 1 if there is none left. */
uint64_t memory_highest_id(const struct memory *memory);
uint64_t memory_next_id(struct memory *memory);

/* Appends the drafts, all of them or none, in one write. Their bodies stand one behind the other;
 * their ids run on from *first. */
bool memory_add(struct memory *memory, const struct draft *drafts, size_t count, const char *bodies,
                uint64_t *first, struct failure *failure);
/* Appends a tombstone for an active item of this id: the newest one, or, if a name is given, those of
 * that uid (of items without one: that ts; without either: that is no text). *found tells whether
 * there was one, *left how many active items of the id there still are. */
bool memory_forget(struct memory *memory, uint64_t id, const struct text *name, bool *found,
                   size_t *left, struct failure *failure);

#pragma GCC visibility pop
#endif
