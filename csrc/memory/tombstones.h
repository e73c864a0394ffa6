/* tombstones.h: which items the tombstones of a file retire, as an ordered set of 16 bytes each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sort.h"
#include "memory/record.h"

#pragma GCC visibility push(hidden)

/* Tombstones are settled once they have been applied to the items that were there. */
struct tombstones {
  struct buf all; /* struct keyed, see tombstones.c; the settled ones first */
  size_t settled;
  bool in_order; /* the settled ones are; the others are once tombstones_sort_new has run */
  uint64_t highest_target; /* of the settled ones */
  struct buf texts; /* of each `of` that is not 8 bytes long, its length before it */
  struct buf ahead; /* struct keyed: targets without `of` above all ids that came before */
  bool ahead_in_order;
};

/* The tombstones that have one target. */
struct targeting {
  uint64_t target;
  uint32_t from, to;
};

void tombstones_free(struct tombstones *tombstones);
/* Takes up a tombstone; the highest id so far decides whether it is in the way of ids to come. False
 * with errno ENOMEM. */
bool tombstones_add(struct tombstones *tombstones, const struct record *record,
                    uint64_t highest_id);

/* False with errno ENOMEM. */
bool tombstones_sort_new(struct tombstones *tombstones);
bool tombstones_sort_settled(struct tombstones *tombstones);
/* The new ones, target by target: the first is at `from` == settled, the next at its `to`. */
bool tombstones_next(const struct tombstones *tombstones, uint32_t from, struct targeting *next);
/* The settled ones of a target. */
bool tombstones_find(const struct tombstones *tombstones, uint64_t target, struct targeting *found);
/* The new ones have been applied; with `settled` false: all are to be applied again. */
void tombstones_settle(struct tombstones *tombstones, bool settled);

static inline bool tombstones_are_settled(const struct tombstones *tombstones)
{
  return tombstones->settled == BUF_COUNT(struct keyed, &tombstones->all);
}

/* Whether one of them has no `of`, and so retires all items of its target. */
bool tombstones_retire_all(const struct tombstones *tombstones, const struct targeting *targeting);
/* Whether the `of` of one is this name; of an item that has neither uid nor ts, start is NULL. */
bool tombstones_retire(const struct tombstones *tombstones, const struct targeting *targeting,
                       struct bytes name);

/* Where in their order the settled ones with the target and the `of` of a record begin, which are sorted
 * and have one such. `unescaped` is for the `of`. False with errno ENOMEM. */
bool tombstones_place(const struct tombstones *tombstones, const struct record *record,
                      struct buf *unescaped, size_t *place);

/* The first of `count` numbers in a row, from `id` on, which is above all ids so far, that no
 * tombstone without `of` targets. */
uint64_t tombstones_pass_over(struct tombstones *tombstones, uint64_t id, size_t count);

#pragma GCC visibility pop
