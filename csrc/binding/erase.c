/* erase.c: erase().
 *
 * A function of the caller's is called before any lock is taken, for all texts of all files; what it has
 * said is kept in C, so that Lua does nothing while files are written. What others append after that is
 * as if it had come after the call. */
#include "binding/erase.h"

#include <errno.h>

#include "base/sys.h"
#include "binding/args.h"
#include "binding/class.h"
#include "file/beside.h"
#include "file/path.h"
#include "file/purge.h"
#include "memory/erasure.h"
#include "session/dir.h"
#include "text/answers.h"

/* What is held while the caller's function runs and results are pushed. */
struct job {
  struct purge purge;
  struct literal literal;
  struct answers answers;
  struct dir dir;
  char *path; /* of the file that is looked at, if the caller did not name it */
  int fd;
  double wait; /* for a lock; below 0: as long as the handle does */
  bool dry_run; /* nothing is changed */
};

static void release_job(void *object)
{
  struct job *job = object;
  if (job->fd >= 0) sys_close(job->fd);
  purge_free(&job->purge);
  literal_free(&job->literal);
  answers_free(&job->answers);
  dir_free(&job->dir);
  sys_free(job->path);
  job->path = NULL;
  job->fd = -1;
}

static const struct object_class JOB = {.name = "erasure", .release = release_job};

/* ---- what takes the place of a text ---- */

static bool change_literal(void *context, struct bytes text, struct bytes *result, uint64_t *found)
{
  return literal_replace(context, text, result, found);
}

static bool change_known(void *context, struct bytes text, struct bytes *result, uint64_t *found)
{
  struct bytes answer;
  *found = answers_find(context, text, &answer);
  if (*found > 0 && result != NULL) *result = answer;
  return true;
}

struct asking {
  lua_State *L;
  int ask; /* where ask_l is in the stack; the caller's function is at 2 */
  struct answers *answers;
  struct bytes text;
  bool raised; /* the message is on top of the stack */
};

/* Called with the caller's function and what is asked, protected. */
static int ask_l(lua_State *L)
{
  struct asking *asking = lua_touserdata(L, 2);
  struct answers *answers = asking->answers;
  const struct bytes text = asking->text;
  struct bytes answer;
  lua_pushvalue(L, 1);
  lua_pushlstring(L, text.start, text.length);
  lua_call(L, 1, 1);
  if (lua_type(L, -1) != LUA_TSTRING)
    return luaL_error(L, "erase: what must return a string, got %s", luaL_typename(L, -1));
  answer.start = lua_tolstring(L, -1, &answer.length);
  if (bytes_compare(text, answer) == 0) return 0;
  if (answers->grown + answer.length > LITERAL_GROWTH + text.length)
    return luaL_error(L, "erase: what makes text longer by more than 64 MiB");
  return answers_put(answers, text, answer) ? 0 : raise_no_memory(L);
}

static bool change_asked(void *context, struct bytes text, struct bytes *result, uint64_t *found)
{
  struct asking *asking = context;
  lua_State *L = asking->L;
  change_known(asking->answers, text, result, found);
  if (*found > 0) return true;
  asking->text = text.length > 0 ? text : (struct bytes){"", 0};
  lua_pushvalue(L, asking->ask);
  lua_pushvalue(L, 2);
  lua_pushlightuserdata(L, asking);
  asking->raised = lua_pcall(L, 2, 0, 0) != 0;
  return !asking->raised && change_known(asking->answers, text, result, found);
}

/* ---- files ---- */

/* Looks for it; `all`: also behind the first. */
static bool look_into(struct job *job, const char *path, bool all, struct purged *found,
                      struct failure *failure)
{
  struct purge *purge = &job->purge;
  struct stat st;
  job->fd = open_to_read(path, &st, failure);
  if (job->fd < 0) return false;
  bool done = erase_look(purge, job->fd, purge->literal == NULL) || fail(failure, "read");
  done = done && purge_look(purge, job->fd, &st, path, all, found, failure);
  sys_close(job->fd);
  job->fd = -1;
  return done;
}

static bool rewrite(struct job *job, const struct eraser *eraser, const char *path,
                    struct failure *failure)
{
  struct journal own, *journal = eraser != NULL ? eraser->journal : &own;
  if (eraser == NULL && !journal_init(&own, path)) return fail(failure, "open");
  const double wait = journal->wait;
  if (job->wait >= 0) journal->wait = job->wait;
  bool done = erase_file(&job->purge, journal, failure);
  journal->wait = wait;
  if (eraser == NULL) journal_close(&own);
  return done;
}

static bool erase_path(struct job *job, const struct eraser *eraser, const char *path,
                       struct failure *failure)
{
  struct purged found = {0}, *sum = job->dry_run ? &job->purge.total : &found;
  if (!look_into(job, path, job->dry_run, sum, failure)) return false;
  if (found.occurrences > 0) return rewrite(job, eraser, path, failure);
  job->purge.total.left += found.left;
  return true;
}

/* ---- calls ---- */

struct call {
  lua_State *L;
  struct job *job;
  const struct eraser *eraser; /* NULL: of a path */
  const char *path;
  int failed; /* where the table of failures is in the stack */
  int first; /* where the results for the first of them are; 0: none yet */
};

static void note_failure(struct call *call, const struct failure *failure, const char *path)
{
  lua_State *L = call->L;
  int top = lua_gettop(L);
  push_nil_failure(L, failure, path);
  lua_pushstring(L, path);
  lua_pushvalue(L, top + 2);
  lua_rawset(L, call->failed);
  lua_settop(L, call->first == 0 ? top + 3 : top);
  if (call->first == 0) call->first = top + 1;
}

static bool has_failed(const struct call *call, const char *path)
{
  lua_pushstring(call->L, path);
  lua_rawget(call->L, call->failed);
  bool failed = !lua_isnil(call->L, -1);
  lua_pop(call->L, 1);
  return failed;
}

/* Has the caller's function say what it makes of each text. Raises what it raises. */
static bool ask_about(const struct call *call, const char *path, struct failure *failure)
{
  struct job *job = call->job;
  struct purged ignored = {0};
  struct asking asking = {.L = call->L, .ask = call->failed + 1, .answers = &job->answers};
  job->purge.reword.change = change_asked;
  job->purge.reword.context = &asking;
  bool done = look_into(job, path, true, &ignored, failure);
  job->purge.reword.change = change_known;
  job->purge.reword.context = &job->answers;
  if (!asking.raised) return done;
  release_job(job);
  return lua_error(call->L);
}

static void do_file(struct call *call, const char *path, bool asks)
{
  struct failure failure;
  if (has_failed(call, path)) return;
  bool done =
      asks ? ask_about(call, path, &failure) : erase_path(call->job, call->eraser, path, &failure);
  if (!done) note_failure(call, &failure, call->eraser != NULL ? call->eraser->path : path);
}

static void do_files(struct call *call, bool asks)
{
  struct job *job = call->job;
  for (size_t i = 0; i < job->dir.count; i++) {
    sys_free(job->path);
    job->path = job->dir.single ? path_with_suffix(call->path, "")
                                : path_join(call->path, dir_name(&job->dir, i));
    if (job->path == NULL) raise_no_memory(call->L);
    do_file(call, job->path, asks);
  }
}

static int push_totals(const struct call *call)
{
  lua_State *L = call->L;
  const struct purged *total = &call->job->purge.total;
  for (int i = 0; call->first > 0 && i < 3; i++) lua_pushvalue(L, call->first + i);
  lua_createtable(L, 0, 5);
  set_whole(L, "files", total->files);
  set_whole(L, "records", total->records);
  set_whole(L, "occurrences", total->occurrences);
  set_whole(L, "left", total->left);
  lua_pushvalue(L, call->failed);
  lua_setfield(L, -2, "failed");
  return call->first > 0 ? 4 : 1;
}

static int run_call(struct call *call)
{
  struct failure failure;
  struct job *job = call->job;
  if (!dir_list_any(&job->dir, call->path)) {
    fail(&failure, "list");
    note_failure(call, &failure, call->path);
    return push_totals(call);
  }
  if (!job->dir.single) job->purge.directory = sys_realpath(call->path);
  if (job->purge.literal == NULL) do_files(call, true);
  if (call->eraser != NULL && !*call->eraser->open) return release_job(job), 0;
  if (!job->dry_run) beside_clean(call->path);
  do_files(call, false);
  if (!purge_settle(&job->purge)) {
    fail(&failure, "erase: sync");
    note_failure(call, &failure, call->path);
  }
  release_job(job);
  return push_totals(call);
}

/* ---- arguments ---- */

static void check_text(lua_State *L, struct job *job, struct bytes replacement)
{
  struct bytes text;
  text.start = lua_tolstring(L, 2, &text.length);
  if (text.length == 0) argument_error(L, 2, "what must not be empty");
  if (replacement.start == NULL) replacement = (struct bytes){"[erased]", 8};
  if (!literal_set(&job->literal, text, replacement)) raise_no_memory(L);
  if (literal_find(&job->literal, replacement.start, replacement.start + replacement.length))
    argument_error(L, 3, "the replacement holds what is to be erased");
  job->purge.literal = &job->literal;
  job->purge.reword.about_all = true;
  job->purge.reword.change = change_literal;
  job->purge.reword.context = &job->literal;
}

static void check_what(lua_State *L, struct job *job, struct bytes replacement)
{
  const char *got = luaL_typename(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING) check_text(L, job, replacement);
  else if (!lua_isfunction(L, 2))
    argument_error(L, 2, "what must be a string or a function, got %s", got);
  else if (replacement.start != NULL)
    argument_error(L, 3, "option \"replacement\" is for a text, not for a function");
  else if (!answers_begin(&job->answers)) luaL_error(L, "no random numbers");
}

/* Reads `what` and the options, at 2 and 3. */
static struct call check_call(lua_State *L, double wait)
{
  struct bytes replacement = {NULL, 0};
  check_count(L, 3);
  lua_settop(L, 3);
  struct job *job = new_object(L, &JOB, sizeof *job);
  job->fd = -1;
  job->wait = wait;
  const struct option known[] = {{"dry_run", read_boolean, &job->dry_run},
                                 {"replacement", read_text, &replacement},
                                 {"wait", read_wait, &job->wait},
                                 {NULL, NULL, NULL}};
  check_options(L, 3, known);
  check_what(L, job, replacement);
  luaL_checkstack(L, LUA_MINSTACK, "erase");
  lua_newtable(L);
  lua_pushcfunction(L, ask_l);
  return (struct call){.L = L, .job = job, .failed = lua_gettop(L) - 1};
}

/* erase(path, what [, opts]): takes text out for good: of a memory, of a session, or of all *.jsonl files
 * of a directory, and of what stands beside them (<file>.damaged; what a crash has left is removed).
 * path: string. what: string, not empty, which is found however it is escaped; or a function from text to
 * text, called for every string value but a record's own id, uid, ts, kind, target, of and role, and for
 * damaged lines, of all files before any is written, and without a lock. What it raises is raised, and so
 * is a result that is no string, and, together, 64 MiB more than the texts had; then nothing is written.
 * opts: table of
 *   replacement (string; "[erased]"; only for a string),
 *   dry_run (boolean; false; true: nothing is changed),
 *   wait (seconds for the lock of each file; 5).
 * A changed item of a memory gets the next `rev`, so that no older copy of it comes back with a merge. Of
 * a damaged line only the whole records stay. Keys and numbers are not changed.
 * Returns a table of files and records (that are changed), occurrences (of a function: strings), left
 * (records that still hold the string in keys, numbers or their own members; of a function: 0) and failed,
 * a table of path to message. Where a file failed: nil, the first message, errno and that table; the
 * other files are done. Raises on wrong arguments. */
int erase_l(lua_State *L)
{
  struct failure failure;
  const char *path = check_path(L, 1, &failure);
  struct call call = check_call(L, 5);
  call.path = path;
  if (path != NULL) return run_call(&call);
  note_failure(&call, &failure, lua_tostring(L, 1));
  return push_totals(&call);
}

int erase_by(lua_State *L, const struct eraser *eraser)
{
  struct failure failure;
  struct call call = check_call(L, -1);
  if (!*eraser->open) return 0;
  call.eraser = eraser;
  if (!journal_find(eraser->journal, false, &failure)) {
    note_failure(&call, &failure, eraser->path);
    return push_totals(&call);
  }
  call.path = eraser->journal->place;
  return run_call(&call);
}
