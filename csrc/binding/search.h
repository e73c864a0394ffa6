/* search.h: the lists of sessions, and searching in what was said. */
#ifndef AISH_SEARCH_H
#define AISH_SEARCH_H

#include <lua.h>
#include <stdbool.h>

#include "text/query.h"

#pragma GCC visibility push(hidden)

/* Reads a query at `argument`. On an error of the caller it raises, everything being freed.
 * [-0, +0, e] */
void check_query(lua_State *L, int argument, struct query *query, bool exact);

int list_l(lua_State *L);
int sessions_l(lua_State *L);
int search_l(lua_State *L);

#pragma GCC visibility pop
#endif
