/* memory_handle.c: the memory handle: adding, forgetting, asking, its fields, what a state knows of its
 * handles, and open(), which reads the options, makes a handle, and has memory_open open the file. */
#include "binding/memory_handle.h"

#include <math.h>

#include "binding/args.h"
#include "binding/budget.h"
#include "binding/decode.h"
#include "binding/drafts.h"
#include "binding/encode.h"
#include "binding/erase.h"
#include "binding/handle.h"
#include "binding/hits.h"
#include "binding/items.h"
#include "binding/redact.h"
#include "binding/upkeep.h"
#include "file/window.h"
#include "memory/change.h"
#include "memory/rank.h"
#include "memory/recall.h"
#include "base/hidden.h"

struct handle {
  struct common common;
  struct memory memory;
  uint64_t next_id; /* what it was when the handle was closed */
  bool shared;
};

static struct handle *check_usable(lua_State *L, struct handle *handle, const char *method)
{
  if (!handle->common.open) raise_plain(L, "memory:%s on closed handle", method);
  check_cost(L, &handle->common);
  return handle;
}

static struct handle *check_open(lua_State *L, const char *method)
{
  return check_usable(L, check_object(L, &MEMORY_HANDLE), method);
}

static int close_handle(struct handle *handle)
{
  if (!handle->common.open) return 0;
  handle->common.open = false;
  handle->next_id = memory_next_id(&handle->memory);
  return memory_close(&handle->memory);
}

static void release_handle(void *handle)
{
  close_handle(handle);
}

/* memory:close(): closes the handle, and with it the lock. A second time does nothing.
 * Returns true; or nil, message, errno where the system reports a failure. */
static int memory_close_l(lua_State *L)
{
  struct handle *handle = check_object(L, &MEMORY_HANDLE);
  struct failure failure;
  check_count(L, 1);
  if (handle->common.open) check_cost(L, &handle->common);
  bool done = close_handle(handle) == 0 || fail(&failure, "close");
  return push_done(L, done, &failure, handle->common.path);
}

/* ---- adding ---- */

/* After the drafts: a function of the caller's, or a finalizer, may have closed the handle. */
static void check_still_usable(lua_State *L, struct handle *handle, struct scratch *scratch,
                               const char *method)
{
  if (!handle->common.open) release_scratch(scratch);
  check_usable(L, handle, method);
}

/* memory:add(kind, content [, tags [, source]]) or memory:add(item): appends an item.
 * kind: "fact", "pref" or "context". content: string, not empty. tags: table that JSON can hold.
 * source: string. item: table of these and of further members of any value that JSON holds, whose
 * names are not those of the format: id, uid, ts, target, of, rev, replaces, replaces_uid, meta, score.
 * Returns its id; of a unique memory, where an active item has this kind and content, that item's id and
 * true, nothing being written; or nil, message, errno, and then no id is used up. Raises on wrong
 * arguments. */
static int memory_add_l(lua_State *L)
{
  struct handle *handle = check_open(L, "add");
  struct failure failure;
  int top = lua_gettop(L);
  bool table = top == 2 && lua_istable(L, 2);
  check_count(L, 1 + FIELDS);
  if (top < 3) lua_settop(L, 3);
  struct draft draft;
  struct scratch *scratch = handle_scratch(L, &handle->common);
  if (table) draft_table(L, scratch, 2, "memory:add", &draft);
  else draft_fields(L, scratch, 2, top < 3 ? 2 : top - 1, "memory:add", &draft);
  check_still_usable(L, handle, scratch, "add");
  bool done = memory_add(&handle->memory, &draft, 1, scratch->text.data, &failure);
  release_scratch(scratch);
  if (!done) return push_nil_failure(L, &failure, handle->common.path);
  push_whole(L, draft.id);
  return draft.present ? 1 + push_true(L) : 1;
}

/* The length of an array that is nothing else and has no holes. */
static int check_array(lua_State *L, int argument)
{
  luaL_checktype(L, argument, LUA_TTABLE);
  int count = (int)lua_objlen(L, argument), found = 0;
  for (lua_pushnil(L); lua_next(L, argument) != 0; lua_pop(L, 1)) {
    lua_Number key = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
    if (key < 1 || key > count || key != floor(key))
      argument_error(L, argument, "an array of items expected");
    found++;
  }
  return found == count ? count
                        : argument_error(L, argument, "an array of items without holes expected");
}

/* memory:add_many(items): appends items in one write and one sync, all of them or none.
 * items: array of tables as in add.
 * Returns an array of their ids, as of add; or nil, message, errno. Raises on wrong arguments. */
static int memory_add_many_l(lua_State *L)
{
  struct handle *handle = check_open(L, "add_many");
  struct failure failure;
  check_count(L, 2);
  int count = check_array(L, 2);
  struct scratch *scratch = handle_scratch(L, &handle->common);
  for (int i = 1; i <= count; i++) {
    struct draft draft;
    lua_settop(L, 4);
    const char *who = lua_pushfstring(L, "memory:add_many: items[%d]", i);
    lua_rawgeti(L, 2, i);
    draft_table(L, scratch, 6, who, &draft);
    if (!BUF_PUSH(&scratch->drafts, &draft)) raise_no_memory(L);
  }
  lua_createtable(L, count, 0); /* before: it may raise */
  check_still_usable(L, handle, scratch, "add_many");
  struct draft *drafts = BUF_ITEMS(struct draft, &scratch->drafts);
  bool done = count == 0 ||
              memory_add(&handle->memory, drafts, (size_t)count, scratch->text.data, &failure);
  for (int i = 0; done && i < count; i++) {
    push_whole(L, drafts[i].id);
    lua_rawseti(L, -2, i + 1);
  }
  release_scratch(scratch);
  return done ? 1 : push_nil_failure(L, &failure, handle->common.path);
}

/* ---- forgetting and reading ---- */

/* The id at an index, which is argument 2 or that of an item there. */
static lua_Number check_id(lua_State *L, int index)
{
  if (lua_type(L, index) != LUA_TNUMBER)
    argument_error(L, 2, "id must be a number, got %s", luaL_typename(L, index));
  return lua_tonumber(L, index);
}

/* A number as an id; 0, which no item has, if it cannot be one. */
static uint64_t to_id(lua_Number number)
{
  return number >= 1 && number <= (lua_Number)RECORD_ID_MAX && number == floor(number)
             ? (uint64_t)number
             : 0;
}

/* The id at 2, or that of the item there, whose name stays on the stack if it has one; *named: it is an
 * item. */
static lua_Number check_name(lua_State *L, struct bytes *name, bool *named)
{
  static const char *const members[] = {"uid", "ts", "id"};
  int place = lua_gettop(L) + 1;
  *named = lua_istable(L, 2);
  if (!*named) return check_id(L, 2);
  for (int i = 0; i < 3; i++) {
    lua_pushstring(L, members[i]);
    lua_rawget(L, 2);
  }
  lua_Number id = check_id(L, -1);
  if (lua_type(L, place) != LUA_TSTRING) place++;
  if (lua_type(L, place) == LUA_TSTRING) name->start = lua_tolstring(L, place, &name->length);
  return id;
}

static int push_not_active(lua_State *L, lua_Number id)
{
  lua_pushboolean(L, 0);
  push_number_text(L, id);
  lua_pushfstring(L, "no active item %s", lua_tostring(L, -1));
  lua_remove(L, -2);
  return 2;
}

/* memory:forget(id or item): appends a tombstone for an active item.
 * id: number; of several items that share it, the newest is forgotten. item: a table that a call has
 * returned; exactly that one is.
 * Returns true and, of an id, how many active items still share it, if any do; or false and
 * "no active item N", nothing being written; or false, message, errno. */
static int memory_forget_l(lua_State *L)
{
  check_open(L, "forget");
  struct failure failure;
  struct bytes name = {NULL, 0};
  bool found, named;
  size_t left;
  check_count(L, 2);
  lua_Number number = check_name(L, &name, &named);
  struct handle *handle = check_open(L, "forget"); /* a finalizer may have closed it meanwhile */
  if (!memory_forget(&handle->memory, to_id(number), named ? &name : NULL, &found, &left, &failure))
    return push_false_failure(L, &failure, handle->common.path);
  if (!found) return push_not_active(L, number);
  push_true(L);
  if (named || left == 0) return 1;
  push_whole(L, left);
  return 2;
}

/* memory:update(id or item, changes): appends an item in the place of an active one, in one write: with
 * its members, byte for byte, but for the changes; `replaces`, its id; and `replaces_uid`.
 * id or item: as of forget. changes: table as an item of add's, of which all may be missing; null takes
 * a member away, but not kind or content.
 * Returns the new item's id; or false and "no active item N", nothing being written; or nil, message,
 * errno. Raises as add. */
static int memory_update_l(lua_State *L)
{
  struct handle *handle = check_open(L, "update");
  struct failure failure;
  struct bytes name = {NULL, 0};
  bool found, named;
  check_count(L, 3);
  lua_settop(L, 3);
  lua_Number number = check_name(L, &name, &named);
  luaL_checktype(L, 3, LUA_TTABLE);
  struct draft changes;
  struct scratch *scratch = handle_scratch(L, &handle->common);
  draft_changes(L, scratch, 3, "memory:update", &changes);
  check_still_usable(L, handle, scratch, "update");
  bool done = memory_update(&handle->memory, to_id(number), named ? &name : NULL, &changes,
                            scratch->text.data, &found, &failure);
  release_scratch(scratch);
  if (!done) return push_nil_failure(L, &failure, handle->common.path);
  if (!found) return push_not_active(L, number);
  push_whole(L, changes.id);
  return 1;
}

/* What is asked of a memory besides a filter: an item of an id; or argument 2 is a query, or a text. */
struct asking {
  const char *method;
  enum { ASKED_ITEMS, ASKED_ID, ASKED_QUERY, ASKED_TEXT } what;
  uint64_t id;
  bool exact; /* of a query */
  double half_life; /* of what is recalled, in days */
  struct filter filter;
};

/* Fills job->ranked. False with errno. */
static bool rank(lua_State *L, const struct items_job *job, struct asking *asking,
                 struct buf *ranked)
{
  struct query query = {0};
  struct bytes text;
  const double day = 86400;
  int fd = job->memory->journal.fd;
  if (asking->what == ASKED_ID) {
    const struct item *item = index_find(job->index, asking->id, NULL);
    const struct ranked found = {.item = item != NULL ? *item : (struct item){0}};
    return item == NULL || BUF_PUSH(ranked, &found);
  }
  if (asking->what == ASKED_TEXT) {
    text.start = lua_tolstring(L, 2, &text.length);
    return recall_items(fd, job->index, text, asking->half_life * day, &asking->filter, ranked) ==
           0;
  }
  check_query(L, 2, &query, asking->exact);
  bool done = rank_items(fd, job->index, &query, &asking->filter, ranked) == 0;
  query_free(&query);
  return done;
}

/* Pushes the array of the items, or a failure; returns how many results. It starts over where a write
 * that it has seen was undone meanwhile. */
static int push_asked(lua_State *L, struct asking *asking)
{
  struct items_job job;
  struct failure failure;
  int top = lua_gettop(L), lost = 0;
  bool again;
  do {
    lua_settop(L, top);
    items_prepare(L, &job);
    struct handle *handle = check_open(L, asking->method); /* a finalizer may have closed it */
    struct memory *memory = &handle->memory;
    if (!memory_refresh(memory, lost++, &failure))
      return push_nil_failure(L, &failure, handle->common.path);
    job.memory = memory;
    job.index = &memory->index;
    job.filter = &asking->filter;
    job.is_ranked = asking->what != ASKED_ITEMS;
    job.scored = asking->what > ASKED_ID;
    if (job.is_ranked) job.failed = !rank(L, &job, asking, &job.ranked);
    int result = items_build(L, &job, &failure);
    /* A finalizer closes it in a call that does not hold the collector. */
    bool closed = !handle->common.open;
    again = result > 0 && !closed && !memory_holds(memory);
    release_collector(L, &job.collector);
    if (result < 0) return lua_error(L);
    if (closed) check_open(L, asking->method);
    if (result == 0) return push_nil_failure(L, &failure, handle->common.path);
  } while (again);
  return 1;
}

/* memory:get(id): the active item of that id, or nil; nil, message, errno where it cannot be read. */
static int memory_get_l(lua_State *L)
{
  check_open(L, "get");
  check_count(L, 2);
  struct asking asking = {.method = "get", .what = ASKED_ID, .id = to_id(check_id(L, 2))};
  int count = push_asked(L, &asking);
  if (count == 1) lua_rawgeti(L, -1, 1);
  return count;
}

/* memory:items([filter]): an array of the active items, newest first.
 * filter: table of kind (a name or an array of names), tag, source, where (a table of members and the
 * strings, numbers or booleans that they are equal to), since (inclusive), before (exclusive; times as
 * text or seconds since 1970) and limit.
 * nil, message, errno where the file cannot be read. */
static int memory_items_l(lua_State *L)
{
  check_open(L, "items");
  struct asking asking = {.method = "items", .filter.limit = SIZE_MAX};
  const struct option known[] = {FILTER_OPTIONS(&asking.filter), {NULL, NULL, NULL}};
  check_count(L, 2);
  check_options(L, 2, known);
  return push_asked(L, &asking);
}

/* memory:search(query [, opts]): the active items whose content and tags hold every word of the
 * query, letter case aside, the most relevant first (BM25), newer ones first where that ties.
 * query: string of words, split at white space. opts: a filter as of items, with a limit of 20, and
 * exact (boolean; false: the query is one literal text).
 * Returns an array of items with `score` added; nil, message, errno where the file cannot be read.
 */
static int memory_search_l(lua_State *L)
{
  check_open(L, "search");
  struct asking asking = {.method = "search", .what = ASKED_QUERY, .filter.limit = 20};
  const struct option known[] = {
      FILTER_OPTIONS(&asking.filter), {"exact", read_boolean, &asking.exact}, {NULL, NULL, NULL}};
  check_count(L, 3);
  check_string(L, 2, "query", NULL);
  check_options(L, 3, known);
  return push_asked(L, &asking);
}

/* memory:recall(text [, opts]): the active items that bear on a text, best first, newer ones first
 * where that ties. Any word of it counts, rare ones most, and so do other forms of a word.
 * text: string of any length, such as a prompt, of which the first and the last 16 KiB count; without a
 * word: the newest items are given.
 * opts: a filter as of items, with a limit of 20; half_life (days from 0; with each the score halves;
 * 0: it does not; what has no time comes last); budget (the most bytes of content that all results
 * together have: in their order, each of the first 1,000, or of as many as the limit says, that fits
 * into what those before it left); cost (a function from item to a number from 0, which takes the place
 * of the bytes; of the first 1,000 items at most; it must not use the handle).
 * Returns an array of items with `score` added; nil, message, errno where the file cannot be read.
 * Raises what cost raises. */
static int memory_recall_l(lua_State *L)
{
  check_open(L, "recall");
  struct asking asking = {.method = "recall", .what = ASKED_TEXT, .filter.limit = 20};
  struct budget budget = {.bytes = -1};
  const struct option known[] = {FILTER_OPTIONS(&asking.filter),
                                 {"half_life", read_amount, &asking.half_life},
                                 BUDGET_OPTIONS(&budget),
                                 {NULL, NULL, NULL}};
  check_count(L, 3);
  check_string(L, 2, "text", NULL);
  check_options(L, 3, known);
  budget_begin(L, &budget, &asking.filter.limit);
  int count = push_asked(L, &asking);
  if (count == 1 && budget.bytes >= 0) {
    const struct handle *handle = check_open(L, "recall"); /* a finalizer may have closed it */
    budget_fit(L, &budget, "content", handle->memory.journal.place, NULL);
  }
  return count;
}

/* memory:sync(): everything added so far reaches the disk. Returns true; or nil, message, errno. */
static int memory_sync_l(lua_State *L)
{
  struct handle *handle = check_open(L, "sync");
  struct failure failure;
  check_count(L, 1);
  bool done = journal_sync_all(&handle->memory.journal, &failure);
  return push_done(L, done, &failure, handle->common.path);
}

/* memory:compact([opts]): rewrites the file without what was forgotten; see compact(path).
 * opts: as there, without wait. */
static int memory_compact_l(lua_State *L)
{
  struct handle *handle = check_open(L, "compact");
  struct compact_options options = {.tombstones = true};
  const struct option known[] = {COMPACT_OPTIONS(&options), {NULL, NULL, NULL}};
  struct compaction result;
  struct failure failure;
  check_count(L, 2);
  check_options(L, 2, known);
  if (!memory_compact(&handle->memory, &options, &result, &failure))
    return push_nil_failure(L, &failure, handle->common.path);
  return push_compaction(L, &result);
}

/* memory:erase(what [, opts]): takes text out of the file for good; see erase(path). */
static int memory_erase_l(lua_State *L)
{
  struct handle *handle = check_open(L, "erase");
  const struct eraser eraser = {handle->common.path, &handle->memory.journal, &handle->common.open};
  int count = erase_by(L, &eraser);
  check_open(L, "erase");
  return count;
}

/* ---- fields ---- */

/* Besides what all handles have: next_id; a shared handle is brought up to date for that. */
static int memory_index_l(lua_State *L)
{
  if (push_method(L) || push_common(L, &MEMORY_HANDLE)) return 1;
  struct handle *handle = check_object(L, &MEMORY_HANDLE);
  struct failure ignored;
  size_t length = 0;
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &length) : "";
  if (!is_name(name, length, "next_id")) return 0;
  if (handle->common.open && handle->shared) memory_refresh(&handle->memory, 0, &ignored);
  push_whole(L, handle->common.open ? memory_next_id(&handle->memory) : handle->next_id);
  return 1;
}

/* #memory: how many active items there are. */
static int memory_length_l(lua_State *L)
{
  struct handle *handle = check_open(L, "#");
  struct failure failure;
  if (!memory_refresh(&handle->memory, 0, &failure)) {
    int count = push_nil_failure(L, &failure, handle->common.path);
    return raise_plain(L, "%s", lua_tostring(L, 1 - count));
  }
  push_whole(L, handle->memory.index.active);
  return 1;
}

static int memory_tostring_l(lua_State *L)
{
  const struct handle *handle = check_object(L, &MEMORY_HANDLE);
  return push_description(L, &MEMORY_HANDLE, handle->shared ? "open, shared" : "open");
}

static const luaL_Reg METHODS[] = {
    {"add", memory_add_l},
    {"add_many", memory_add_many_l},
    {"forget", memory_forget_l},
    {"update", memory_update_l},
    {"search", memory_search_l},
    {"recall", memory_recall_l},
    {"get", memory_get_l},
    {"items", memory_items_l},
    {"sync", memory_sync_l},
    {"close", memory_close_l},
    {"compact", memory_compact_l},
    {"erase", memory_erase_l},
    {NULL, NULL},
};
static const luaL_Reg METAMETHODS[] = {
    {"__index", memory_index_l},
    {"__len", memory_length_l},
    {"__tostring", memory_tostring_l},
    {NULL, NULL},
};
const struct object_class MEMORY_HANDLE = {"memory handle", "memory", release_handle, METHODS,
                                           METAMETHODS};

/* ---- the handles of a state ---- */

/* Makes opened_memory find the handle on top of the stack, until it is collected. */
static void remember_handle(lua_State *L)
{
  push_kept(L, KEPT_HANDLES);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    keep(L, KEPT_HANDLES);
  }
  lua_pushvalue(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

struct memory *opened_memory(lua_State *L, int place, const struct stat *st)
{
  struct memory *found = NULL;
  int top = lua_gettop(L);
  push_kept(L, KEPT_HANDLES);
  bool any = lua_istable(L, -1);
  lua_pushnil(L);
  while (found == NULL && any && lua_next(L, top + 1) != 0) {
    struct handle *handle = to_object(L, top + 2);
    lua_settop(L, top + 2);
    if (!handle->common.open || !extent_is_fresh(&handle->memory.journal.known) ||
        !memory_is_of(&handle->memory, st))
      continue;
    found = &handle->memory;
    lua_pushvalue(L, top + 2);
    lua_replace(L, place);
  }
  lua_settop(L, top);
  return found;
}

/* ---- opening ---- */

static bool open_handle(struct handle *handle, struct memory_options *options,
                        struct failure *failure)
{
  if (options->wait < 0) options->wait = options->shared ? 5 : 0;
  handle->common.open = true;
  handle->shared = options->shared;
  if (!memory_init(&handle->memory, handle->common.path, options)) return fail(failure, "open");
  return memory_open(&handle->memory, failure);
}

/* open(path [, opts]): opens the memory file, or makes it, and takes its lock.
 * path: string. opts: table of
 *   sync ("full" or "none"; "full"),
 *   wait (seconds for the lock; 0, or 5 if shared),
 *   shared (boolean; false: the lock is held for the handle's life),
 *   unique (boolean; false; true: what has the kind and content of an active item is not added again),
 *   redact (a function from text to text, for every string of what is added, except its kind: what it
 *     returns is written. What it raises is raised, and so is a result that is no string, and nothing
 *     is written).
 * Returns the handle; or nil, message, errno and, where the lock is held and the system tells,
 * the holder's process id. Raises on wrong arguments. */
int memory_open_l(lua_State *L)
{
  struct memory_options options = {.wait = -1, .durable = true};
  int redact = 0;
  const struct option known[] = {
      {"sync", read_sync, &options.durable},     {"wait", read_wait, &options.wait},
      {"shared", read_boolean, &options.shared}, {"unique", read_boolean, &options.unique},
      {"redact", read_function, &redact},        {NULL, NULL, NULL}};
  struct failure failure;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_options(L, 2, known);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct handle *handle = new_handle(L, &MEMORY_HANDLE, sizeof *handle,
                                     offsetof(struct handle, memory.journal), path, redact);
  remember_handle(L);
  if (open_handle(handle, &options, &failure)) return 1;
  close_handle(handle);
  return push_nil_failure(L, &failure, path);
}
