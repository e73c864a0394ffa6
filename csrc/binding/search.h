/* search.h: searching as the memory handle needs it. */
#ifndef AISH_LUA_RECALL_H
#define AISH_LUA_RECALL_H

#include "binding/binding.h"
#include "text/query.h"

#pragma GCC visibility push(hidden)

/* Reads a query at `argument`. On an error of the caller it raises, everything being freed.
 * [-0, +0, e] */
void check_query(lua_State *L, int argument, struct query *query, bool exact);

#pragma GCC visibility pop
#endif
