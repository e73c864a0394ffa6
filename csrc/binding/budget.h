/* budget.h: of what was found, what fits into a budget. */
#pragma once

#include "base/buf.h"
#include "base/sys.h"
#include "binding/args.h"
#include "binding/compat.h"

struct budget {
  double bytes; /* what all results together may cost; below 0: anything */
  int cost; /* where the function stands that tells what one does; 0: there is none */
  size_t limit; /* of results */
};

/* Of an array of options. */
#define BUDGET_OPTIONS(budget)                                                                     \
  {"budget", read_amount, &(budget)->bytes},                                                       \
  {                                                                                                \
    "cost", read_function, &(budget)->cost                                                         \
  }

/* Pushes the cost, or nil. With a budget, as many as can be looked at take the
 * place of the limit of what is to be found. [-0, +1, m] */
void budget_begin(lua_State *L, struct budget *budget, size_t *limit);
/* Leaves, of the array on top of the stack, below which is what budget_begin has pushed, those that
 * fit: in their order, each that does into what those before it left. What one costs without a
 * function: the bytes of its member of that name. path: what the results are of; sources: struct source
 * of the files, where it is a directory, or NULL. Raises what the function does. [-1, +1, e] */
void budget_fit(lua_State *L, const struct budget *budget, const char *member, const char *path,
                const struct buf *sources);
/* What the costs that are being asked for are about: the state's, for as long as that lives. [-0, +0, m] */
struct costing;
const struct costing **kept_costing(lua_State *L);
/* These two raise while a cost is asked, by any call of this state, of results of that file, or of that
 * directory, whatever it is called here. [-0, +0, e] */
void budget_check(lua_State *L, const char *path);
void budget_check_file(lua_State *L, const struct stat *st, const char *name);
