/* hits.h: what was said in sessions, as tables. */
#pragma once

#include "binding/compat.h"
#include "text/query.h"

/* Reads the query at `argument`; if the caller has made a mistake, it is freed before it raises.
 * [-0, +0, e] */
void check_query(lua_State *L, int argument, struct query *query, bool exact);

int search_l(lua_State *L);
int recall_l(lua_State *L);
