/* tombstones.h: which items the tombstones of a file retire, in 16 bytes each. */
#pragma once

#include "base/buf.h"
#include "memory/record.h"

struct tombstones {
  struct buf all; /* struct tombstone, see tombstones.c */
  struct buf texts; /* of each `of` that is not 8 bytes long, its length before it */
  struct buf unescaped; /* the `of` that is taken up */
  size_t settled; /* so many have been applied to the items that were there; the others are new */
  uint64_t highest; /* target */
  struct buf ahead; /* uint64_t: targets without `of` above all ids that came before */
  bool ahead_in_order;
};

/* The tombstones that have one target. */
struct targeting {
  uint64_t target;
  uint32_t from, to;
  bool all; /* one has no `of`, and so retires all items of the target */
};

void tombstones_free(struct tombstones *tombstones);
/* Takes up a tombstone; the highest id so far decides whether it is in the way of ids to come. False
 * with errno ENOMEM. */
bool tombstones_add(struct tombstones *tombstones, const struct record *record,
                    uint64_t highest_id);
size_t tombstones_count(const struct tombstones *tombstones);

/* Sorts the new ones, for what is below. False with errno ENOMEM. */
bool tombstones_sort(struct tombstones *tombstones);
/* The new ones, target by target: the first is at `from` == settled, the next at its `to`. */
bool tombstones_next(const struct tombstones *tombstones, size_t from, struct targeting *next);
/* Whether the `of` of one of them is this name; of an item that has neither uid nor ts, start is NULL. */
bool tombstones_retire(const struct tombstones *tombstones, const struct targeting *targeting,
                       struct bytes name);

/* The first of `count` numbers in a row, from `id` on, which is above all ids so far, that no
 * tombstone without `of` targets. */
uint64_t tombstones_pass_over(struct tombstones *tombstones, uint64_t id, size_t count);
