/* drafts.h: items that a program gives, put together as they will be written.
 *
 * Each becomes a draft and a body in scratch->text; what is wrong with one raises, with a
 * message that begins with `who`. */
#pragma once

#include "binding/compat.h"
#include "binding/encode.h"
#include "memory/change.h"

/* What an item is made of, as places on the stack, besides further members. */
enum { FIELD_KIND, FIELD_CONTENT, FIELD_TAGS, FIELD_SOURCE, FIELDS };

/* The item whose fields stand at `base` and following: the first `count`, at least two. [-0, +0, e] */
void draft_fields(lua_State *L, struct scratch *scratch, int base, int count, const char *who,
                  struct draft *draft);
/* The item that is the value at `table`. [-0, +0, e] */
void draft_table(lua_State *L, struct scratch *scratch, int table, const char *who,
                 struct draft *draft);
/* The changes of one: all may be missing, and null takes away what need not be there. [-0, +0, e] */
void draft_changes(lua_State *L, struct scratch *scratch, int table, const char *who,
                   struct draft *draft);
