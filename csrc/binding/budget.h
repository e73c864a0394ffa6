/* budget.h: of what was found, what fits into a budget. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/sys.h"
#include "binding/args.h"
#include "binding/compat.h"

#pragma GCC visibility push(hidden)

struct budget {
  double bytes; /* what all results together may cost; below 0: anything */
  bool has_cost; /* a function tells what one does */
  size_t limit; /* of results */
};

option_reader read_cost; /* bool: it is given */

/* Of an array of options. */
#define BUDGET_OPTIONS(budget)                                                                     \
  {"budget", read_amount, &(budget)->bytes},                                                       \
  {                                                                                                \
    "cost", read_cost, &(budget)->has_cost                                                         \
  }

/* Pushes the cost of the options at 3, or nil. With a budget, as many as can be looked at take the
 * place of the limit of what is to be found. [-0, +1, m] */
void budget_begin(lua_State *L, struct budget *budget, size_t *limit);
/* Leaves, of the array on top of the stack, below which is what budget_begin has pushed, those that
 * fit: in their order, each that does into what those before it left. What one costs without a
 * function: the bytes of its member of that name. path: what the results are of; sources: struct source
 * of the files, where it is a directory, or NULL. Raises what the function does. [-1, +1, e] */
void budget_fit(lua_State *L, const struct budget *budget, const char *member, const char *path,
                const struct buf *sources);
/* These two raise while a cost is asked, by any call of this state, of results of that file, or of that
 * directory, whatever it is called here. [-0, +0, e] */
void budget_check(lua_State *L, const char *path);
void budget_check_file(lua_State *L, const struct stat *st, const char *name);

#pragma GCC visibility pop
