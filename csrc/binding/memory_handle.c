/* memory_handle.c: the memory handle. */
#include "binding/memory_handle.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "binding/args.h"
#include "binding/budget.h"
#include "binding/class.h"
#include "binding/decode.h"
#include "binding/drafts.h"
#include "binding/hits.h"
#include "binding/items.h"
#include "binding/redact.h"
#include "binding/scratch.h"
#include "binding/upkeep.h"
#include "file/window.h"
#include "memory/change.h"
#include "memory/rank.h"
#include "memory/recall.h"

struct handle {
  struct memory memory;
  uint64_t next_id; /* what it was when the handle was closed */
  bool open, shared;
  bool redacts; /* it keeps a function for that */
  char path[]; /* as it was given */
};

/* Also of a handle that was open: a function of the caller's, or a finalizer, may have closed it. */
static struct handle *check_usable(lua_State *L, struct handle *handle, const char *method)
{
  if (!handle->open) raise_plain(L, "memory:%s on closed handle", method);
  budget_check(L, handle->memory.journal.place);
  return handle;
}

static struct handle *check_open(lua_State *L, const char *method)
{
  return check_usable(L, check_object(L), method);
}

static int close_handle(struct handle *handle)
{
  if (!handle->open) return 0;
  handle->open = false;
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
  struct handle *handle = check_object(L);
  struct failure failure;
  check_count(L, 1);
  if (handle->open) budget_check(L, handle->memory.journal.place);
  bool done = close_handle(handle) == 0 || fail(&failure, "close");
  return push_done(L, done, &failure, handle->path);
}

/* ---- adding ---- */

/* A scratch for drafts, and before it on the stack what redacts them, or nil. */
static struct scratch *acquire_drafts(lua_State *L, const struct handle *handle)
{
  int redact = handle->redacts ? push_redact(L) : 0;
  if (redact == 0) lua_pushnil(L);
  struct scratch *scratch = acquire_scratch(L);
  scratch->redact = redact;
  return scratch;
}

/* Writes the drafts. */
static bool add_drafts(lua_State *L, struct handle *handle, struct scratch *scratch,
                       const char *method, struct failure *failure)
{
  check_usable(L, handle, method);
  return memory_add(&handle->memory, BUF_ITEMS(struct draft, &scratch->drafts),
                    BUF_COUNT(struct draft, &scratch->drafts), scratch->text.data, failure);
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
  bool table = lua_gettop(L) == 2 && lua_istable(L, 2);
  check_count(L, 1 + FIELDS);
  lua_settop(L, 1 + FIELDS);
  struct scratch *scratch = acquire_drafts(L, handle);
  if (table) draft_table(L, scratch, 2, "memory:add");
  else draft_fields(L, scratch, 2, "memory:add");
  bool done = add_drafts(L, handle, scratch, "add", &failure);
  const struct draft draft = *BUF_ITEMS(struct draft, &scratch->drafts);
  release_scratch(scratch);
  if (!done) return push_nil_failure(L, &failure, handle->path);
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
  struct scratch *scratch = acquire_drafts(L, handle);
  for (int i = 1; i <= count; i++) {
    lua_settop(L, 4);
    const char *who = lua_pushfstring(L, "memory:add_many: items[%d]", i);
    lua_rawgeti(L, 2, i);
    draft_table(L, scratch, 6, who);
  }
  lua_createtable(L, count, 0); /* before: it may raise */
  bool done = count == 0 || add_drafts(L, handle, scratch, "add_many", &failure);
  for (int i = 0; i < count; i++) {
    push_whole(L, BUF_ITEMS(struct draft, &scratch->drafts)[i].id);
    lua_rawseti(L, -2, i + 1);
  }
  release_scratch(scratch);
  return done ? 1 : push_nil_failure(L, &failure, handle->path);
}

/* ---- forgetting and reading ---- */

static lua_Number check_id(lua_State *L)
{
  if (lua_type(L, 2) != LUA_TNUMBER)
    argument_error(L, 2, "id must be a number, got %s", luaL_typename(L, 2));
  return lua_tonumber(L, 2);
}

/* A number as an id; 0, which no item has, if it cannot be one. */
static uint64_t to_id(lua_Number number)
{
  return number >= 1 && number <= (lua_Number)RECORD_ID_MAX && number == floor(number)
             ? (uint64_t)number
             : 0;
}

/* Leaves the item at 2 as its id, and its name, if it has one, on the stack; true if it is an item. */
static bool check_name(lua_State *L, struct bytes *name)
{
  static const char *const members[] = {"uid", "ts", "id"};
  int place = lua_gettop(L) + 1;
  if (!lua_istable(L, 2)) return false;
  for (int i = 0; i < 3; i++) {
    lua_pushstring(L, members[i]);
    lua_rawget(L, 2);
  }
  lua_replace(L, 2);
  if (lua_type(L, place) != LUA_TSTRING) place++;
  if (lua_type(L, place) == LUA_TSTRING) name->start = lua_tolstring(L, place, &name->length);
  return true;
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
  bool found;
  size_t left;
  check_count(L, 2);
  bool named = check_name(L, &name);
  lua_Number number = check_id(L);
  struct handle *handle = check_open(L, "forget"); /* a finalizer may have closed it meanwhile */
  if (!memory_forget(&handle->memory, to_id(number), named ? &name : NULL, &found, &left, &failure))
    return push_false_failure(L, &failure, handle->path);
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
  bool found;
  check_count(L, 3);
  lua_settop(L, 3);
  bool named = check_name(L, &name);
  lua_Number number = check_id(L);
  struct scratch *scratch = acquire_drafts(L, handle);
  draft_changes(L, scratch, 3, "memory:update");
  check_open(L, "update"); /* a finalizer may have closed it meanwhile, or redact */
  struct draft *changes = BUF_ITEMS(struct draft, &scratch->drafts);
  bool done = memory_update(&handle->memory, to_id(number), named ? &name : NULL, changes,
                            scratch->text.data, &found, &failure);
  uint64_t id = changes->id;
  release_scratch(scratch);
  if (!done) return push_nil_failure(L, &failure, handle->path);
  if (!found) return push_not_active(L, number);
  push_whole(L, id);
  return 1;
}

/* Pushes the record of an item: 1; 0 where its line is not there any more; -1 and errno. */
static int push_item(lua_State *L, struct window *window, const struct item *item)
{
  const char *line = window_line(window, item->offset, item_length(item));
  if (line == NULL) return errno == 0 ? 0 : -1;
  struct decoder *decoder = acquire_decoder(L);
  bool decoded = decode_record(decoder, line, item->members) != NULL;
  release_decoder(decoder);
  if (!decoded) return 0;
  lua_getfield(L, -1, "id");
  bool same = lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == (lua_Number)item->id;
  lua_pop(L, 1);
  return same;
}

struct get {
  struct window window;
  struct item item; /* a copy: a finalizer that adds or closes may move the index */
};

/* Called with a struct get, protected. */
static int push_item_l(lua_State *L)
{
  struct get *get = lua_touserdata(L, 1);
  return push_item(L, &get->window, &get->item) > 0;
}

/* Pushes the active item of that id, or nil if there is none; false: its line is not where it was. */
static bool push_active(lua_State *L, struct memory *memory, uint64_t id)
{
  const struct item *item = index_find(&memory->index, id, NULL);
  if (item == NULL) return lua_pushnil(L), true;
  struct get get = {.item = *item};
  memory_window(memory, &get.window);
  lua_pushcfunction(L, push_item_l);
  lua_pushlightuserdata(L, &get);
  int status = lua_pcall(L, 1, 1, 0);
  window_close(&get.window);
  if (status != 0) lua_error(L);
  return !lua_isnil(L, -1);
}

/* memory:get(id): the active item of that id, or nil; nil, message, errno where it cannot be read.
 */
static int memory_get_l(lua_State *L)
{
  struct handle *handle = check_open(L, "get");
  struct failure failure;
  check_count(L, 2);
  uint64_t id = to_id(check_id(L));
  for (int lost = 0; memory_refresh(&handle->memory, lost, &failure); lost++) {
    if (push_active(L, &handle->memory, id) || lost == MEMORY_TRIES) return 1;
    lua_pop(L, 1);
    check_open(L, "get");
  }
  return push_nil_failure(L, &failure, handle->path);
}

/* memory:items([filter]): an array of the active items, newest first.
 * filter: table of kind (a name or an array of names), tag, source, where (a table of members and the
 * strings, numbers or booleans that they are equal to), since (inclusive), before (exclusive; times as
 * text or seconds since 1970) and limit.
 * nil, message, errno where the file cannot be read. */
static int memory_items_l(lua_State *L)
{
  struct handle *handle = check_open(L, "items");
  struct memory *memory = &handle->memory;
  struct items_job job;
  struct filter filter = {.limit = SIZE_MAX};
  const struct option known[] = {FILTER_OPTIONS(&filter), {NULL, NULL, NULL}};
  struct failure failure;
  check_count(L, 2);
  check_options(L, 2, known);
  bool again;
  int result = 0, top = lua_gettop(L), lost = 0;
  do {
    lua_settop(L, top);
    items_prepare(L, &job);
    check_open(L, "items"); /* a finalizer may have closed it meanwhile */
    if (!memory_refresh(memory, lost++, &failure))
      return push_nil_failure(L, &failure, handle->path);
    job.memory = memory;
    job.index = &memory->index;
    job.filter = &filter;
    result = items_build(L, &job, &failure);
    again = result > 0 && !memory_holds(memory);
    release_collector(L, &job.collector);
    if (result < 0) return lua_error(L);
  } while (again);
  return result > 0 ? 1 : push_nil_failure(L, &failure, handle->path);
}

struct found {
  struct window window;
  struct buf ranked; /* struct ranked */
  int error; /* an errno: a line could not be read */
  struct collector collector; /* a finalizer may have the file compacted */
};

/* Called with what was found, protected. Returns the array of items, each with its score, or
 * nothing and found->error. */
static int build_found_l(lua_State *L)
{
  struct found *found = lua_touserdata(L, 1);
  const struct ranked *ranked = (const struct ranked *)(const void *)found->ranked.data;
  int count = (int)(found->ranked.length / sizeof *ranked), given = 0;
  hold_collector(L, &found->collector, false);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    lua_settop(L, 2);
    int pushed = push_item(L, &found->window, &ranked[i].item);
    if (pushed == 0) continue;
    if (pushed < 0) {
      found->error = errno;
      return 0;
    }
    lua_pushnumber(L, ranked[i].score);
    lua_setfield(L, -2, "score");
    lua_rawseti(L, 2, ++given);
  }
  lua_settop(L, 2);
  return 1;
}

/* What memory:search and memory:recall are asked; argument 2 is a query or a text. */
struct asking {
  bool recall;
  bool exact; /* of a query */
  double half_life; /* of what is recalled, in days */
  struct filter filter;
};

static bool find_ranked(lua_State *L, struct memory *memory, int lost, struct asking *asking,
                        struct found *found, struct failure *failure)
{
  struct query query = {0};
  struct bytes text = {NULL, 0};
  const double day = 86400;
  if (asking->recall) text.start = lua_tolstring(L, 2, &text.length);
  else check_query(L, 2, &query, asking->exact);
  bool done = memory_refresh(memory, lost, failure);
  if (done) {
    int fd = memory->journal.fd;
    struct index *index = &memory->index;
    memory_window(memory, &found->window);
    int result = asking->recall ? recall_items(fd, index, text, asking->half_life * day,
                                               &asking->filter, &found->ranked)
                                : rank_items(fd, index, &query, &asking->filter, &found->ranked);
    done = result == 0 || fail(failure, "read");
  }
  if (!asking->recall) query_free(&query);
  return done;
}

/* Pushes the array of the items that are found, or a failure; returns how many results. It starts over
 * where a write that it has seen was undone meanwhile. */
static int push_found(lua_State *L, struct handle *handle, struct asking *asking)
{
  const char *method = asking->recall ? "recall" : "search";
  struct found found;
  struct failure failure;
  bool done = false, again;
  int top = lua_gettop(L), lost = 0;
  do {
    lua_settop(L, top);
    memset(&found, 0, sizeof found);
    lua_pushcfunction(L, build_found_l);
    lua_pushlightuserdata(L, &found);
    check_open(L, method); /* a finalizer may have closed it meanwhile */
    done = find_ranked(L, &handle->memory, lost++, asking, &found, &failure);
    int status = done ? lua_pcall(L, 1, 1, 0) : 0;
    window_close(&found.window);
    buf_free(&found.ranked);
    errno = found.error;
    if (done && found.error != 0) done = fail(&failure, "read");
    again = status == 0 && done && !memory_holds(&handle->memory);
    release_collector(L, &found.collector);
    if (status != 0) return lua_error(L);
  } while (again);
  return done ? 1 : push_nil_failure(L, &failure, handle->path);
}

/* memory:search(query [, opts]): the active items whose content and tags hold every word of the
 * query, letter case aside, the most relevant first (BM25), newer ones first where that ties.
 * query: string of words, split at white space. opts: a filter as of items, with a limit of 20, and
 * exact (boolean; false: the query is one literal text).
 * Returns an array of items with `score` added; nil, message, errno where the file cannot be read.
 */
static int memory_search_l(lua_State *L)
{
  struct handle *handle = check_open(L, "search");
  struct asking asking = {.filter.limit = 20};
  const struct option known[] = {
      FILTER_OPTIONS(&asking.filter), {"exact", read_boolean, &asking.exact}, {NULL, NULL, NULL}};
  check_count(L, 3);
  check_string(L, 2, "query", NULL);
  check_options(L, 3, known);
  return push_found(L, handle, &asking);
}

/* memory:recall(text [, opts]): the active items that bear on a text, best first, newer ones first
 * where that ties. Any word of it counts, rare ones most, and so do other forms of a word.
 * text: string of any length, such as a prompt; without a word: the newest items are given.
 * opts: a filter as of items, with a limit of 20; half_life (days from 0; with each the score halves;
 * 0: it does not; what has no time comes last); budget (the most bytes of content that all results
 * together have: in their order, each that fits into what those before it left); cost (a function from
 * item to a number from 0, which takes the place of the bytes; of the first 1,000 items at most; it
 * must not use the handle).
 * Returns an array of items with `score` added; nil, message, errno where the file cannot be read.
 * Raises what cost raises. */
static int memory_recall_l(lua_State *L)
{
  struct handle *handle = check_open(L, "recall");
  struct asking asking = {.recall = true, .filter.limit = 20};
  struct budget budget = {.bytes = -1};
  const struct option known[] = {FILTER_OPTIONS(&asking.filter),
                                 {"half_life", read_amount, &asking.half_life},
                                 BUDGET_OPTIONS(&budget),
                                 {NULL, NULL, NULL}};
  check_count(L, 3);
  check_string(L, 2, "text", NULL);
  check_options(L, 3, known);
  budget_begin(L, &budget, &asking.filter.limit);
  int count = push_found(L, handle, &asking);
  if (count == 1 && budget.bytes >= 0)
    budget_fit(L, &budget, "content", handle->memory.journal.place, NULL);
  return count;
}

/* memory:sync(): everything added so far reaches the disk. Returns true; or nil, message, errno. */
static int memory_sync_l(lua_State *L)
{
  struct handle *handle = check_open(L, "sync");
  struct failure failure;
  check_count(L, 1);
  bool done = journal_sync_all(&handle->memory.journal, &failure);
  return push_done(L, done, &failure, handle->path);
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
    return push_nil_failure(L, &failure, handle->path);
  return push_compaction(L, &result);
}

/* ---- fields ---- */

/* Brings a shared handle up to date, so that fields tell of what others have added. */
static void refresh_shared(struct handle *handle)
{
  struct failure ignored;
  if (handle->shared) memory_refresh(&handle->memory, 0, &ignored);
}

static int push_field(lua_State *L, struct handle *handle, const char *name, size_t length)
{
  if (is_name(name, length, "path")) {
    lua_pushstring(L, handle->path);
  } else if (is_name(name, length, "closed")) {
    lua_pushboolean(L, !handle->open);
  } else if (is_name(name, length, "fd") && handle->open && handle->memory.journal.fd >= 0) {
    lua_pushinteger(L, handle->memory.journal.fd);
  } else if (is_name(name, length, "next_id")) {
    if (handle->open) refresh_shared(handle);
    push_whole(L, handle->open ? memory_next_id(&handle->memory) : handle->next_id);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

/* Besides the methods, which look at the handle themselves: path, fd, next_id and closed. */
static int memory_index_l(lua_State *L)
{
  push_method(L);
  if (!lua_isnil(L, -1) || lua_type(L, 2) != LUA_TSTRING) return 1;
  struct handle *handle = check_object(L);
  size_t length;
  const char *name = lua_tolstring(L, 2, &length);
  return push_field(L, handle, name, length);
}

/* #memory: how many active items there are. */
static int memory_length_l(lua_State *L)
{
  struct handle *handle = check_open(L, "#");
  struct failure failure;
  if (!memory_refresh(&handle->memory, 0, &failure)) {
    int count = push_nil_failure(L, &failure, handle->path);
    return raise_plain(L, "%s", lua_tostring(L, 1 - count));
  }
  push_whole(L, handle->memory.index.active);
  return 1;
}

static int memory_tostring_l(lua_State *L)
{
  const struct handle *handle = check_object(L);
  const char *state = !handle->open ? "closed" : handle->shared ? "open, shared" : "open";
  lua_pushfstring(L, "aish_history.memory (%s, %s)", handle->path, state);
  return 1;
}

static const luaL_Reg METHODS[] = {
    {"add", memory_add_l},       {"add_many", memory_add_many_l}, {"forget", memory_forget_l},
    {"update", memory_update_l}, {"search", memory_search_l},     {"recall", memory_recall_l},
    {"get", memory_get_l},       {"items", memory_items_l},       {"sync", memory_sync_l},
    {"close", memory_close_l},   {"compact", memory_compact_l},   {NULL, NULL},
};
static const luaL_Reg METAMETHODS[] = {
    {"__index", memory_index_l},
    {"__len", memory_length_l},
    {"__tostring", memory_tostring_l},
    {NULL, NULL},
};
static const struct object_class MEMORY = {"memory handle", "memory", release_handle, METHODS,
                                           METAMETHODS};

bool test_memory(lua_State *L, int index, struct journal **journal)
{
  struct handle *handle = test_object(L, index, &MEMORY);
  if (handle != NULL) *journal = handle->open ? &handle->memory.journal : NULL;
  return handle != NULL;
}

/* ---- the handles of a state ---- */

static const char HANDLES = 0; /* the table of them is kept under its address */

/* Makes opened_memory find the handle on top of the stack, until it is collected. */
static void remember_handle(lua_State *L)
{
  push_kept(L, &HANDLES);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    keep(L, &HANDLES);
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
  push_kept(L, &HANDLES);
  bool any = lua_istable(L, -1);
  lua_pushnil(L);
  while (found == NULL && any && lua_next(L, top + 1) != 0) {
    struct handle *handle = lua_touserdata(L, top + 2);
    lua_settop(L, top + 2);
    if (!handle->open || !extent_is_fresh(&handle->memory.journal.known) ||
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

/* Pushes a handle that is closed. */
static struct handle *new_handle(lua_State *L, const char *path)
{
  size_t size = strlen(path) + 1;
  struct handle *handle = new_object(L, &MEMORY, sizeof *handle + size);
  memcpy(handle->path, path, size);
  remember_handle(L);
  return handle;
}

static bool open_handle(struct handle *handle, struct memory_options *options,
                        struct failure *failure)
{
  if (options->wait < 0) options->wait = options->shared ? 5 : 0;
  handle->open = true;
  handle->shared = options->shared;
  if (!memory_init(&handle->memory, handle->path, options)) return fail(failure, "open");
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
      {"redact", read_redact, &redact},          {NULL, NULL, NULL}};
  struct failure failure;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_options(L, 2, known);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct handle *handle = new_handle(L, path);
  handle->redacts = redact != 0;
  keep_redact(L, redact);
  if (open_handle(handle, &options, &failure)) return 1;
  close_handle(handle);
  return push_nil_failure(L, &failure, path);
}
