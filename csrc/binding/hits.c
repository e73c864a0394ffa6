/* hits.c: what was said in sessions, as tables. */
#include "binding/hits.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "binding/args.h"
#include "binding/class.h"
#include "binding/decode.h"
#include "file/path.h"
#include "session/dir.h"
#include "session/search.h"

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

/* What is held while files are searched and tables are made. */
struct finding {
  struct search search;
  struct dir dir;
  char *path; /* of the session in the directory that is searched */
  int fd;
  int hits, errors; /* where on the stack these tables are */
  size_t given; /* hits in the table */
};

static void close_file(struct finding *finding)
{
  if (finding->fd >= 0) sys_close(finding->fd);
  finding->fd = -1;
  sys_free(finding->path);
  finding->path = NULL;
}

static void release_finding(void *object)
{
  struct finding *finding = object;
  close_file(finding);
  dir_free(&finding->dir);
  search_free(&finding->search);
}

static const struct object_class FINDING = {.name = "search", .release = release_finding};

static struct finding *new_finding(lua_State *L)
{
  struct finding *finding = new_object(L, &FINDING, sizeof *finding);
  finding->fd = -1;
  finding->search.limit = 20;
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

/* Appends the hits of the file that was searched last, the last line first. False and errno. */
static bool push_hits(lua_State *L, struct finding *finding, const char *path)
{
  struct search *search = &finding->search;
  size_t count = search_count(search);
  for (size_t i = 0; i < count && finding->given < search->limit; i++) {
    struct hit hit;
    int result = search_hit(search, i, &hit);
    if (result < 0) return false;
    if (result > 0 && push_hit(L, &hit, path)) lua_rawseti(L, finding->hits, (int)++finding->given);
  }
  return true;
}

static bool find_in_file(lua_State *L, struct finding *finding, const char *path,
                         struct failure *failure)
{
  struct stat st;
  finding->fd = open_session_to_read(path, &st, failure);
  if (finding->fd < 0) return false;
  if (!search_file(&finding->search, finding->fd)) return fail(failure, "read");
  return push_hits(L, finding, path) || fail(failure, "read");
}

/* Names a file that cannot be read in the table of these. */
static void add_error(lua_State *L, const struct finding *finding, const struct failure *failure)
{
  int top = lua_gettop(L);
  lua_pushstring(L, finding->path);
  push_nil_failure(L, failure, finding->path);
  lua_pushvalue(L, top + 3); /* the message */
  lua_replace(L, top + 2);
  lua_settop(L, top + 2);
  lua_rawset(L, finding->errors);
}

/* Searches the sessions of a directory, those that cannot be read aside. */
static bool find_in_directory(lua_State *L, struct finding *finding, const char *path,
                              struct failure *failure)
{
  if (!dir_list(&finding->dir, path)) return fail(failure, "list");
  for (size_t i = finding->dir.count; i-- > 0 && finding->given < finding->search.limit;) {
    finding->path = path_join(path, dir_name(&finding->dir, i));
    if (finding->path == NULL) return fail(failure, "search");
    if (!find_in_file(L, finding, finding->path, failure)) add_error(L, finding, failure);
    close_file(finding);
  }
  return true;
}

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
  struct stat st;
  bool exact = false;
  check_count(L, 3);
  lua_settop(L, 3);
  const char *path = check_path(L, 1, &failure);
  struct finding *finding = new_finding(L);
  check_search_options(L, 3, &finding->search, &exact);
  check_query(L, 2, &finding->search.query, exact);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  lua_newtable(L);
  lua_newtable(L);
  finding->errors = lua_gettop(L);
  finding->hits = finding->errors - 1;
  if (finding->search.limit == 0) return 2;
  bool directory = sys_stat(path, &st) == 0 && S_ISDIR(st.st_mode);
  bool done = directory ? find_in_directory(L, finding, path, &failure)
                        : find_in_file(L, finding, path, &failure);
  release_finding(finding);
  return done ? 2 : push_nil_failure(L, &failure, path);
}
