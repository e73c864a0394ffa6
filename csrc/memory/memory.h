/* memory.h: the store of what was learnt about the user: a journal and the index of it. */
#pragma once

#include "base/timestamp.h"
#include "file/journal.h"
#include "file/window.h"
#include "memory/index.h"

/* How often what was read without the lock, and then undone, is read again without it. */
#ifndef MEMORY_TRIES
#define MEMORY_TRIES 16
#endif
/* Why a call fails with EAGAIN for which there is no lock. */
#define MEMORY_CHANGING "it changed again and again while it was read"

enum { UID_LENGTH = 8 };

struct memory {
  struct journal journal;
  struct index index;
  uint64_t highest_id; /* ever certain or given: ids do not come back with another file */
  struct buf lines; /* what is written next, for journal_append */
  uint64_t uids; /* what uids are made of; a forked child has the same, and must make none */
  bool has_uids;
  struct record added; /* as which an item that was written enters the index */
  bool unique; /* what an active item says is not added again */
  struct hash_key key; /* of contents, so that no file is made to have its contents collide */
  bool has_key;
  int64_t now; /* the second that ts is of */
  char ts[TIMESTAMP_LENGTH + 1];
  int64_t ts_key; /* the timestamp_key of it */
};

/* How a memory is opened. */
struct memory_options {
  double wait; /* seconds for the lock */
  bool durable; /* an append that is reported has reached the disk */
  bool shared; /* the lock is held for each write, not for as long as it is open */
  bool unique; /* what an active item says is not added again */
};

/* A memory that is closed, to be ended with memory_close. False with errno ENOMEM. */
bool memory_init(struct memory *memory, const char *path, const struct memory_options *options);
/* Opens the file and reads it, or makes it with its first line. */
bool memory_open(struct memory *memory, struct failure *failure);
/* -1 and errno if closing the descriptor failed; all is freed even so. */
int memory_close(struct memory *memory);

/* Reads the lines of a file into the index, which is to be settled then, from the end of what is known
 * of it: with the lock held, it is certain. 0, or -1 and errno, and then nothing is known. */
int memory_read(struct index *index, struct extent *known, int fd, bool locked);

/* Brings the index up to what is in the file now, and settles it; where there is none, it is empty. What
 * is read of the file after that, by the index, is checked with memory_holds. lost: how many times that
 * was in vain; from MEMORY_TRIES on the file is read under the lock, so that it cannot be again. */
bool memory_refresh(struct memory *memory, int lost, struct failure *failure);
/* Whether the file still has what the index says: without the lock, a write that it has seen may
 * have been undone; and a finalizer may have had the file rewritten. If not, what was read by the
 * index is read again, from memory_refresh on. */
bool memory_holds(const struct memory *memory);
/* Brings the index up under the lock, which is given back with journal_detach; on failure it is
 * already. Fails where there is no file. Whoever asks for items settles the index. */
bool memory_lock(struct memory *memory, struct failure *failure);
/* The same, but makes the file with its first line, if need be. */
bool memory_begin(struct memory *memory, struct failure *failure);
bool memory_settle(struct memory *memory, struct failure *failure);
/* Whether the index is of that file as it is now, told by its times. */
bool memory_is_of(const struct memory *memory, const struct stat *st);

/* Begins to read items of the open file, to be ended with window_close. */
void memory_window(const struct memory *memory, struct window *window);

/* The highest id ever seen; and the one that is given next, RECORD_ID_MAX + 1 if there is none left. */
uint64_t memory_highest_id(const struct memory *memory);
uint64_t memory_next_id(struct memory *memory);
/* The time of what is written now. */
const char *memory_ts(struct memory *memory);
