/* items.h: items of a memory file as Lua tables. */
#pragma once

#include "base/buf.h"
#include "base/failure.h"
#include "binding/args.h"
#include "binding/compat.h"
#include "file/window.h"
#include "memory/filter.h"
#include "memory/index.h"
#include "memory/memory.h"
#include "memory/rank.h"

/* The collector, while it is held: it would find nothing to free while a large result is built, and its
 * finalizers could change what the result is built from. Lua 5.1 does not tell whether it was running:
 * there load, load_memory, items, memory:search and memory:recall start one that was stopped. */
struct collector {
  bool held; /* it was running, and is to go on */
  int before; /* how much there was when it was stopped, in kilobytes */
  int *rests; /* the state's: up to how much it begins no cycle; 0: it is in one */
};

/* Stops it. Before a `large` result it first ends its cycle: while it sweeps strings, Lua does not
 * grow its table of them, and finding one takes ever longer. Finalizers may run. [-0, +0, e] */
void hold_collector(lua_State *L, struct collector *collector, bool large);
/* Lets it go on, if it was held, with the work that it would have done meanwhile: none while it rests
 * until there is twice as much as after its last cycle. If so much was built that most of what there
 * is is in use, that counts as the end of a cycle. Finalizers may run, so that nothing which they
 * could take away may be in use. [-0, +0, e] */
void release_collector(lua_State *L, const struct collector *collector);

option_reader read_kinds; /* unsigned: a name or an array of names, as a bit for each kind */
option_reader read_where; /* struct where: a table from names to strings, numbers and booleans */

/* The options of a filter, among those of a function. */
#define FILTER_OPTIONS(filter)                                                                     \
  {"kind", read_kinds, &(filter)->kinds}, {"tag", read_text, &(filter)->tag},                      \
      {"source", read_text, &(filter)->source}, {"where", read_where, &(filter)->where},           \
      {"since", read_time, &(filter)->since}, {"before", read_time, &(filter)->before},            \
  {                                                                                                \
    "limit", read_limit, &(filter)->limit                                                          \
  }

/* The making of an array of the active items that pass a filter, newest first. Since it may raise,
 * and what it reads from must then be freed, it is done in three steps:
 * 1. items_prepare pushes what is called, before the file is opened; [-0, +2, m]
 * 2. items_build calls it, unless the job has failed already: 1 and the array; 0 and *failure; -1 and the
 *    error's value; [-2, +1, -]
 * 3. the caller frees what is its own, releases the collector, and raises the error if there is one. */
struct items_job {
  struct memory *memory; /* the file is a handle's; NULL: it is `fd` */
  int fd;
  struct index *index;
  struct filter *filter;
  struct window window;
  struct buf chosen; /* uint32_t: positions in the index, newest first; */
  struct buf ranked; /* or struct ranked, */
  bool is_ranked; /* if this is set: then the filter is of no use */
  bool scored; /* results have the score that they are ranked by */
  uint32_t *reading; /* places in `chosen`, in the order of the file */
  size_t count;
  struct collector collector;
  bool failed; /* errno says why */
};

void items_prepare(lua_State *L, struct items_job *job);
int items_build(lua_State *L, struct items_job *job, struct failure *failure);
