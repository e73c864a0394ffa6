/* hits.c: what was said in sessions, as tables. */
#include "binding/hits.h"

#include "binding/args.h"
#include "binding/budget.h"
#include "binding/class.h"
#include "binding/decode.h"
#include "memory/memory.h"
#include "session/dir.h"
#include "session/retrieve.h"
#include "session/search.h"
#include "base/hidden.h"

void check_query(lua_State *L, int argument, struct query *query, bool exact)
{
  size_t length;
  const char *text = check_string(L, argument, "query", &length);
  enum query_error error = query_read(query, text, length, exact);
  if (error == QUERY_GOOD) return;
  query_free(query);
  if (error == QUERY_EMPTY) argument_error(L, argument, "query is empty");
  if (error == QUERY_TOO_LONG)
    argument_error(L, argument, "query is longer than %d bytes or %d words", QUERY_LONGEST,
                   QUERY_WORDS);
  raise_no_memory(L);
}

/* What is held while files are looked through and tables are made. */
struct finding {
  struct search search;
  struct retrieval retrieval;
  struct dir dir;
  int hits, errors; /* where on the stack these tables are */
  size_t given; /* hits in the table */
  bool recalls; /* by a text; otherwise it searches by a query */
};

static void release_finding(void *object)
{
  struct finding *finding = object;
  dir_free(&finding->dir);
  search_free(&finding->search);
  retrieve_free(&finding->retrieval);
}

static const struct object_class FINDING = {.name = "search", .release = release_finding};

static struct finding *new_finding(lua_State *L, bool recalls)
{
  struct finding *finding = new_object(L, &FINDING, sizeof *finding);
  finding->recalls = recalls;
  finding->search.limit = finding->retrieval.limit = 20;
  return finding;
}

/* Moves a member from the record on top of the stack to the hit below it. */
static void copy_member(lua_State *L, const char *name)
{
  lua_getfield(L, -1, name);
  lua_setfield(L, -3, name);
}

/* Pushes the hit as a table; false, and nothing: its line is no record any more. */
static bool push_hit(lua_State *L, const struct hit *hit, const char *path)
{
  int top = lua_gettop(L);
  lua_createtable(L, 0, 6);
  lua_pushstring(L, path);
  lua_setfield(L, -2, "path");
  set_whole(L, "line", hit->number);
  lua_pushlstring(L, hit->text.start, hit->text.length);
  lua_setfield(L, -2, "text");
  struct decoder *decoder = acquire_decoder(L);
  bool decoded = decode_record(decoder, hit->record, 0) != NULL;
  release_decoder(decoder);
  if (!decoded) return lua_settop(L, top), false;
  lua_replace(L, top + 2); /* the decoder's table */
  lua_settop(L, top + 2);
  copy_member(L, "ts");
  copy_member(L, "role");
  lua_setfield(L, -2, "record");
  return true;
}

/* Names a file that cannot be read in the table of these; false: it is the only one. */
static bool add_error(lua_State *L, const struct finding *finding, const struct failure *failure)
{
  const struct dir *dir = &finding->dir;
  int top = lua_gettop(L);
  if (dir->single || dir->path == NULL) return false;
  lua_pushstring(L, dir->path);
  push_nil_failure(L, failure, dir->path);
  lua_pushvalue(L, top + 3); /* the message */
  lua_replace(L, top + 2);
  lua_settop(L, top + 2);
  lua_rawset(L, finding->errors);
  return true;
}

/* Appends the hits of the file, the last line first. */
static bool search_look(lua_State *L, struct finding *finding)
{
  struct search *search = &finding->search;
  if (search->limit == 0) return true;
  if (!search_file(search, finding->dir.fd)) return false;
  const size_t count = search_count(search);
  for (size_t i = 0; i < count && finding->given < search->limit; i++) {
    struct hit hit;
    int result = search_hit(search, i, &hit);
    if (result < 0) return false;
    if (result > 0 && push_hit(L, &hit, finding->dir.path))
      lua_rawseti(L, finding->hits, (int)++finding->given);
  }
  return true;
}

/* Looks through the file that is open. False and errno. */
static bool look(lua_State *L, struct finding *finding)
{
  const struct dir *dir = &finding->dir;
  return finding->recalls ? retrieve_look(&finding->retrieval, dir->fd, &dir->st, dir->number)
                          : search_look(L, finding);
}

/* Whether older files are of no concern any more. */
static bool is_full(const struct finding *finding)
{
  return finding->recalls ? retrieve_is_full(&finding->retrieval)
                          : finding->given >= finding->search.limit;
}

/* Pushes an array for hits and a table for errors, and looks through a session, or those of a directory,
 * the newest first. */
static bool look_through(lua_State *L, struct finding *finding, const char *path,
                         struct failure *failure)
{
  struct dir *dir = &finding->dir;
  lua_newtable(L);
  lua_newtable(L);
  finding->errors = lua_gettop(L);
  finding->hits = finding->errors - 1;
  finding->given = 0;
  if (!dir_list_any(dir, path)) return fail(failure, "list");
  for (size_t i = dir->count; i-- > 0 && !is_full(finding);)
    if (!(dir_open(dir, path, i, failure) && (look(L, finding) || fail(failure, "read"))) &&
        !add_error(L, finding, failure))
      return false;
  return true;
}

/* ---- searching ---- */

static void check_search_options(lua_State *L, int argument, struct search *search, bool *exact)
{
  const struct option known[] = {{"role", read_text, &search->filter.role},
                                 {"since", read_time, &search->filter.since},
                                 {"before", read_time, &search->filter.before},
                                 {"limit", read_limit, &search->limit},
                                 {"exact", read_boolean, exact},
                                 {NULL, NULL, NULL}};
  check_options(L, argument, known);
}

/* search(where, query [, opts]): what was said, newest first: sessions by name, descending, within
 * one the last line first. A record matches if the decoded strings in it hold every word of the
 * query, letter case aside.
 * where: a session's file, or a directory of them. query: string of words, split at white space.
 * opts: table of role, since, before (times as text or seconds since 1970), limit (20) and exact
 * (boolean; false: the query is one literal text, white space included).
 * Returns an array of {path=, line=, ts=, role=, text=, record=}, text being the string that holds
 * the first word, or its part around it; and, for a directory, a table of the files that could not
 * be read, path to message. nil, message, errno where `where` cannot be read. Raises on wrong
 * arguments. */
int search_l(lua_State *L)
{
  struct failure failure;
  bool exact = false;
  check_count(L, 3);
  lua_settop(L, 3);
  const char *path = check_path(L, 1, &failure);
  struct finding *finding = new_finding(L, false);
  check_search_options(L, 3, &finding->search, &exact);
  check_query(L, 2, &finding->search.query, exact);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  bool done = look_through(L, finding, path, &failure);
  release_finding(finding);
  return done ? 2 : push_nil_failure(L, &failure, path);
}

/* ---- recalling ---- */

/* Appends a hit to the table: 1; 0 where it is not there any more; -1 and *failure. */
static int push_recalled(lua_State *L, struct finding *finding, size_t index, const char *path,
                         struct failure *failure)
{
  struct retrieval *retrieval = &finding->retrieval;
  struct dir *dir = &finding->dir;
  struct hit hit;
  double score;
  if (!dir_open(dir, path, retrieve_file(retrieval, index), failure))
    return dir->path != NULL ? 0 : -1;
  int result = retrieve_hit(retrieval, index, dir->fd, &dir->st, &hit, &score);
  if (result < 0) return fail(failure, "read") - 1;
  if (result == 0 || !push_hit(L, &hit, dir->path)) return 0;
  lua_pushnumber(L, score);
  lua_setfield(L, -2, "score");
  lua_rawseti(L, finding->hits, (int)++finding->given);
  return 1;
}

/* Pushes the hits and the errors. 1; 0 where a file has become another one meanwhile, which is one of the
 * errors the `last` time; -1 and *failure. */
static int recall_once(lua_State *L, struct finding *finding, const char *path, bool last,
                       struct failure *failure)
{
  struct retrieval *retrieval = &finding->retrieval;
  size_t length;
  const char *text = lua_tolstring(L, 2, &length);
  if (!retrieve_begin(retrieval, text, length)) return fail(failure, "read") - 1;
  int result, top = lua_gettop(L);
  do {
    lua_settop(L, top);
    if (!look_through(L, finding, path, failure)) return -1;
  } while ((result = retrieve_weigh(retrieval)) > 0);
  if (result < 0) return fail(failure, "read") - 1;
  for (size_t i = 0; i < retrieve_count(retrieval); i++) {
    result = push_recalled(L, finding, i, path, failure);
    if (result == 0 && !last) return 0;
    if (result == 0) fail_because(failure, EAGAIN, "read", MEMORY_CHANGING);
    if (result <= 0 && !add_error(L, finding, failure)) return -1;
  }
  return 1;
}

/* recall(where, text [, opts]): what was said that bears on a text, best first; where that ties as
 * search has it. Any word of it counts, rare ones most, and so do other forms of a word; a turn is
 * scored together with the one before it, as an answer follows its question.
 * where: a session's file, or a directory of them. text: as memory:recall has it; without a word: what
 * was said last is given.
 * opts: table of role, since, before and limit as of search, and of half_life, budget and cost as of
 * memory:recall, of a hit and the bytes of its text; cost must not use the file, or those of the directory.
 * Returns as search an array of {path=, line=, ts=, role=, text=, record=, score=}, text being around
 * the word that bears on it most; and a table of the files that could not be read. nil, message, errno
 * where `where` cannot be read. Raises on wrong arguments, and what cost raises. */
int recall_l(lua_State *L)
{
  struct failure failure;
  struct budget budget = {.bytes = -1};
  const double day = 86400;
  check_count(L, 3);
  lua_settop(L, 3);
  const char *path = check_path(L, 1, &failure);
  check_string(L, 2, "text", NULL);
  struct finding *finding = new_finding(L, true);
  struct retrieval *retrieval = &finding->retrieval;
  const struct option known[] = {{"role", read_text, &retrieval->filter.role},
                                 {"since", read_time, &retrieval->filter.since},
                                 {"before", read_time, &retrieval->filter.before},
                                 {"limit", read_limit, &retrieval->limit},
                                 {"half_life", read_amount, &retrieval->half_life},
                                 BUDGET_OPTIONS(&budget),
                                 {NULL, NULL, NULL}};
  check_options(L, 3, known);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  retrieval->half_life *= day;
  budget_begin(L, &budget, &retrieval->limit);
  int result = 0, top = lua_gettop(L);
  for (int tries = MEMORY_TRIES; result == 0; tries--) {
    lua_settop(L, top);
    result = recall_once(L, finding, path, tries == 0, &failure);
  }
  dir_close(&finding->dir);
  if (result < 0) return push_nil_failure(L, &failure, path);
  if (budget.bytes < 0) return release_finding(finding), 2;
  lua_insert(L, -3); /* the errors, below the cost and the hits */
  budget_fit(L, &budget, "text", path, &retrieval->sources);
  release_finding(finding);
  lua_pushvalue(L, -3);
  return 2;
}
