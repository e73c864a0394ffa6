/* recall.h: the active items that bear on a text, the most relevant first. */
#pragma once

#include "memory/rank.h"

/* Fills `ranked` with struct ranked: the filter's limit of them at most; of a text without a word the
 * newest. half_life: in seconds, a score halves with each that the item is old; 0: it does not. 0, or
 * -1 and errno. */
int recall_items(int fd, struct index *index, struct bytes text, double half_life,
                 const struct filter *filter, struct buf *ranked);
