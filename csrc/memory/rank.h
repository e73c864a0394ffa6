/* rank.h: the active items that hold a query's words, the most relevant first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "memory/ranking.h"

#pragma GCC visibility push(hidden)

/* Fills `ranked` with struct ranked: the filter's limit of them at most. 0, or -1 and errno. */
int rank_items(int fd, struct index *index, struct query *query, struct filter *filter,
               struct buf *ranked);

#pragma GCC visibility pop
