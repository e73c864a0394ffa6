/* hits.h: queries as arguments. */
#ifndef AISH_HITS_H
#define AISH_HITS_H

#include "binding/binding.h"
#include "text/query.h"

#pragma GCC visibility push(hidden)

/* Reads the query at `argument`. If the caller has made a mistake it raises, and all is freed.
 * [-0, +0, e] */
void check_query(lua_State *L, int argument, struct query *query, bool exact);

#pragma GCC visibility pop
#endif
