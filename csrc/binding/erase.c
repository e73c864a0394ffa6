/* erase.c: erase().
 *
 * A function of the caller's is called before any lock is taken, for all texts of all files; what it has
 * said is looked up in C, so that Lua does nothing while files are written. What others append after that
 * is as if it had come after the call. Where they have rewritten a file, it is asked about anew. */
#include "binding/erase.h"

#include "base/hash.h"
#include "base/sys.h"
#include "base/table.h"
#include "binding/args.h"
#include "binding/class.h"
#include "file/beside.h"
#include "file/path.h"
#include "memory/erasure.h"
#include "memory/kind.h"
#include "memory/memory.h"
#include "session/dir.h"
#include "base/hidden.h"

/* What the caller's function has made of a text, for which two hashes with random keys stand. */
struct answer {
  uint64_t hash, other;
  struct bytes text; /* Lua's, and kept in a table */
};

/* What is known of a file. */
struct entry {
  struct asked asked;
  struct purged found;
  bool over; /* it has failed, or another name of its file came before */
  bool outside; /* it leads to another directory */
};

/* What is in the stack after the table of failures: the table of answers, so that they live; ask_l; and a
 * table of the places that were seen. */
enum { ANSWERS = 1, ASK, SEEN };

/* A job, and what it holds while the caller's function runs and results are pushed. */
struct job {
  lua_State *L;
  const struct eraser *eraser; /* NULL: of a path */
  const char *given; /* the path */
  int failed; /* where the table of failures is in the stack; see ANSWERS */
  int first; /* where the results for the first failure are; 0: there is none yet */
  struct bytes text; /* what the function is asked about */
  bool raised; /* by it; the message is on top of the stack */
  bool closed; /* and so is the handle */
  struct purge purge;
  struct literal literal;
  struct table table; /* of the answers, by the lower half of their hashes: */
  struct buf answers; /* struct answer */
  struct hash_key keys[2];
  uint64_t grown; /* bytes by which answers are longer than their texts, in all */
  struct dir dir;
  struct buf entries; /* struct entry: of each file */
  struct entry *entry; /* of the file that is looked at */
  char *path; /* of that, */
  char *place; /* and where that leads to, or NULL */
  int fd;
  double wait; /* for a lock; below 0: as long as the handle does */
  bool dry_run; /* nothing is changed */
};

static void release_job(void *object)
{
  struct job *job = object;
  if (job->fd >= 0) sys_close(job->fd);
  job->fd = -1;
  purge_free(&job->purge);
  literal_free(&job->literal);
  table_free(&job->table);
  buf_free(&job->answers);
  buf_free(&job->entries);
  dir_free(&job->dir);
  sys_free(job->path);
  sys_free(job->place);
  job->path = job->place = NULL;
}

static const struct object_class JOB = {.name = "erasure", .release = release_job};

/* ---- what takes the place of a text ---- */

static struct answer name_text(const struct job *job, struct bytes text)
{
  return (struct answer){.hash = hash_text(&job->keys[0], text.start, text.length),
                         .other = hash_text(&job->keys[1], text.start, text.length)};
}

/* NULL: there is none; the text stays as it is, or was not asked about. */
static const struct answer *find_answer(const struct job *job, struct bytes text)
{
  const struct answer name = name_text(job, text);
  struct probe probe = table_probe(&job->table, (uint32_t)name.hash);
  while (probe_next(&probe, &job->table)) {
    const struct answer *answer = &BUF_ITEMS(struct answer, &job->answers)[probe.number];
    if (answer->hash == name.hash && answer->other == name.other) return answer;
  }
  return NULL;
}

static bool add_answer(struct job *job, const struct answer *answer)
{
  const uint32_t number = (uint32_t)BUF_COUNT(struct answer, &job->answers);
  return BUF_PUSH(&job->answers, answer) && table_put(&job->table, (uint32_t)answer->hash, number);
}

/* Called with the caller's function, the table of answers and the job, protected. */
static int ask_l(lua_State *L)
{
  struct job *job = lua_touserdata(L, 3);
  const struct bytes text = job->text;
  struct answer answer = name_text(job, text);
  lua_pushlstring(L, text.length > 0 ? text.start : "", text.length);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 4);
  lua_call(L, 1, 1);
  if (lua_type(L, 5) != LUA_TSTRING)
    return luaL_error(L, "erase: what must return a string, got %s", luaL_typename(L, 5));
  if (lua_rawequal(L, 4, 5)) return 0;
  answer.text.start = lua_tolstring(L, 5, &answer.text.length);
  if (answer.text.length > text.length) job->grown += answer.text.length - text.length;
  if (job->grown > LITERAL_GROWTH)
    return luaL_error(L, "erase: what makes text longer by more than 64 MiB");
  luaL_ref(L, 2);
  return add_answer(job, &answer) ? 0 : raise_no_memory(L);
}

static bool ask_function(struct job *job, struct bytes text)
{
  lua_State *L = job->L;
  job->text = text;
  lua_pushvalue(L, job->failed + ASK);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, job->failed + ANSWERS);
  lua_pushlightuserdata(L, job);
  job->raised = lua_pcall(L, 3, 0, 0) != 0;
  return !job->raised;
}

/* What the function is not asked about stays as it is. */
static bool change_text(void *context, struct bytes text, struct bytes *result, uint64_t *found)
{
  struct job *job = context;
  const struct answer *answer = find_answer(job, text);
  if (answer == NULL && job->purge.asking) {
    if (!ask_function(job, text)) return false;
    answer = find_answer(job, text);
  }
  *found = answer != NULL;
  if (answer != NULL && result != NULL) *result = answer->text;
  return true;
}

/* ---- files ---- */

/* Looks for what is to be erased. The caller's function is asked about each text; what it raises is
 * raised. */
static bool look_into(struct job *job, struct failure *failure)
{
  struct stat st;
  job->entry->found = (struct purged){0};
  job->fd = open_to_read(job->path, &st, failure);
  if (job->fd < 0) return false;
  job->purge.asking = true;
  bool done = purge_look(&job->purge, job->fd, &st, job->path, &job->entry->found, failure);
  job->purge.asking = false;
  sys_close(job->fd);
  job->fd = -1;
  job->closed = job->eraser != NULL && !*job->eraser->open;
  if (!job->raised) return done;
  release_job(job);
  return lua_error(job->L);
}

/* Whether the path is the first one that leads to its file. */
static bool is_first_name(struct job *job)
{
  lua_State *L = job->L;
  sys_free(job->place);
  job->place = !job->dir.single ? sys_realpath(job->path) : NULL;
  if (job->place == NULL) return true;
  job->entry->outside = !purge_has_within(&job->purge, job->place);
  lua_getfield(L, job->failed + SEEN, job->place);
  bool seen = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  lua_pushboolean(L, true);
  lua_setfield(L, job->failed + SEEN, job->place);
  return !seen;
}

static bool look_at_path(struct job *job, struct failure *failure)
{
  job->entry->over = !is_first_name(job);
  return job->entry->over || look_into(job, failure);
}

static bool rewrite(struct job *job, struct failure *failure)
{
  struct journal own, *journal = &own;
  if (job->eraser != NULL) journal = job->eraser->journal;
  if (journal == &own && !journal_init(&own, job->path)) return fail(failure, "open");
  const double wait = journal->wait;
  if (job->wait >= 0) journal->wait = job->wait;
  job->purge.stale = false;
  bool done = erase_file(&job->purge, journal, failure);
  journal->wait = wait;
  if (journal == &own) journal_close(&own);
  return done;
}

/* What a crash has left beside a file of another directory goes. */
static void clean_outside(struct job *job)
{
  sys_free(job->place);
  job->place = sys_realpath(job->path);
  if (job->place != NULL) beside_clean(job->place);
}

static bool erase_path(struct job *job, struct failure *failure)
{
  struct purge *purge = &job->purge;
  if (!job->dry_run && job->entry->outside) clean_outside(job);
  for (int tries = 0; !job->dry_run && job->entry->found.occurrences > 0; tries++) {
    if (rewrite(job, failure)) return true;
    if (!purge->stale) return false;
    if (tries == MEMORY_TRIES) return fail_because(failure, EAGAIN, "erase", MEMORY_CHANGING);
    if (!look_into(job, failure)) return false;
    if (job->closed) return true;
  }
  purged_add(&purge->total, &job->entry->found);
  return true;
}

static void note_failure(struct job *job, const struct failure *failure, const char *path)
{
  lua_State *L = job->L;
  int top = lua_gettop(L);
  push_nil_failure(L, failure, path);
  lua_pushvalue(L, top + 2);
  lua_setfield(L, job->failed, path);
  lua_settop(L, job->first == 0 ? top + 3 : top);
  if (job->first == 0) job->first = top + 1;
}

/* Acts on each file that is not over. */
static void do_files(struct job *job, bool (*act)(struct job *job, struct failure *failure))
{
  struct failure failure;
  for (size_t i = 0; i < job->dir.count && !job->closed; i++) {
    job->entry = &BUF_ITEMS(struct entry, &job->entries)[i];
    if (job->entry->over) continue;
    if (job->purge.literal == NULL) job->purge.asked = &job->entry->asked;
    sys_free(job->path);
    job->path = job->dir.single ? path_with_suffix(job->given, "")
                                : path_join(job->given, dir_name(&job->dir, i));
    if (job->path == NULL) raise_no_memory(job->L);
    if (act(job, &failure) || job->closed) continue;
    job->entry->over = true;
    note_failure(job, &failure, job->eraser != NULL ? job->eraser->path : job->path);
  }
}

/* ---- calls ---- */

/* The failure, of that path, is one more; NULL: there is none. */
static int end_call(struct job *job, const struct failure *failure, const char *path)
{
  lua_State *L = job->L;
  const struct purged *total = &job->purge.total;
  if (failure != NULL) note_failure(job, failure, path);
  for (int i = 0; job->first > 0 && i < 3; i++) lua_pushvalue(L, job->first + i);
  lua_createtable(L, 0, 5);
  set_whole(L, "files", total->files);
  set_whole(L, "records", total->records);
  set_whole(L, "occurrences", total->occurrences);
  set_whole(L, "left", total->left);
  lua_pushvalue(L, job->failed);
  lua_setfield(L, -2, "failed");
  release_job(job);
  return job->first > 0 ? 4 : 1;
}

static int run_call(struct job *job)
{
  struct failure failure;
  if (sys_random(job->keys, sizeof job->keys) != 0)
    return fail(&failure, "erase"), end_call(job, &failure, job->given);
  job->purge.key = job->keys[0];
  if (!dir_list_any(&job->dir, job->given))
    return fail(&failure, "list"), end_call(job, &failure, job->given);
  if (!job->dir.single) job->purge.directory = sys_realpath(job->given);
  const size_t size = job->dir.count * sizeof(struct entry);
  if (!buf_reserve(&job->entries, size + 1)) raise_no_memory(job->L);
  memset(job->entries.data, 0, size);
  if (job->purge.literal == NULL) job->purge.reword.context = job;
  do_files(job, look_at_path);
  if (!job->dry_run && !job->closed) beside_clean(job->given);
  do_files(job, erase_path);
  if (job->closed) return release_job(job), 0;
  bool done = purge_settle(&job->purge) || fail(&failure, "erase: sync");
  return end_call(job, done ? NULL : &failure, job->given);
}

static void check_text(lua_State *L, struct job *job, struct bytes replacement)
{
  struct bytes text;
  text.start = lua_tolstring(L, 2, &text.length);
  if (text.length == 0) argument_error(L, 2, "what must not be empty");
  if (replacement.start == NULL) replacement = (struct bytes){"[erased]", 8};
  literal_set(&job->literal, text, replacement);
  if (literal_find(&job->literal, replacement.start, replacement.start + replacement.length))
    argument_error(L, 3, "the replacement holds what is to be erased");
  job->purge.literal = &job->literal;
  job->purge.reword =
      (struct reword){.change = literal_replace, .context = &job->literal, .about_all = true};
}

static void check_what(lua_State *L, struct job *job, struct bytes replacement)
{
  const char *got = luaL_typename(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING) check_text(L, job, replacement);
  else if (!lua_isfunction(L, 2))
    argument_error(L, 2, "what must be a string or a function, got %s", got);
  else if (replacement.start != NULL)
    argument_error(L, 3, "option \"replacement\" is for a text, not for a function");
  else job->purge.reword.change = change_text;
}

/* Reads `what` and the options, at 2 and 3. */
static struct job *check_call(lua_State *L, double wait)
{
  struct bytes replacement = {NULL, 0};
  check_count(L, 3);
  lua_settop(L, 3);
  struct job *job = new_object(L, &JOB, sizeof *job);
  job->L = L;
  job->fd = -1;
  job->wait = wait;
  const struct option known[] = {{"dry_run", read_boolean, &job->dry_run},
                                 {"replacement", read_text, &replacement},
                                 {"wait", read_wait, &job->wait},
                                 {NULL, NULL, NULL}};
  check_options(L, 3, known);
  check_what(L, job, replacement);
  job->purge.is_memory = file_is_memory;
  job->purge.all = job->dry_run || job->purge.literal == NULL;
  luaL_checkstack(L, LUA_MINSTACK, "erase");
  lua_newtable(L);
  lua_newtable(L);
  lua_pushcfunction(L, ask_l);
  lua_newtable(L);
  job->failed = lua_gettop(L) - SEEN;
  return job;
}

/* erase(path, what [, opts]): takes text out for good: of a memory, of a session, or of all *.jsonl files
 * of a directory, and of what stands beside them (<file>.damaged; what a crash has left is removed).
 * path: string. what: string, not empty, which is found however it is escaped; or a function from text to
 * text, called for every string value but a record's own id, uid, ts, kind, target, of and role, and for
 * damaged lines, of all files before any is written, and without a lock; once more, up to 16 times (EAGAIN),
 * for a file that another process has rewritten meanwhile. What it raises is raised, and so is a result that
 * is no string, and, together, 64 MiB more than the texts had; then no more is written.
 * opts: table of
 *   replacement (string; "[erased]"; only for a string),
 *   dry_run (boolean; false; true: nothing is changed),
 *   wait (seconds for the lock of each file; 5).
 * A changed item of a memory gets the next `rev`, so that no older copy of it comes back with a merge (but
 * for one whose `rev` is the highest, 2^53-1), and with it each item of the same id and uid (or ts). Of
 * a damaged line only the whole records stay. Keys and numbers are not changed.
 * Returns a table of files (that are changed, a <file>.damaged being one of its own), records (that are
 * changed), occurrences (of a function: strings), left (records that still hold the string in keys, numbers
 * or their own members; of a function: 0) and failed, a table of path to message. Where a file failed: nil,
 * the first message, errno and that table; the other files are done. Raises on wrong arguments. */
int erase_l(lua_State *L)
{
  struct failure failure;
  const char *path = check_path(L, 1, &failure);
  struct job *job = check_call(L, 5);
  job->given = path;
  return path != NULL ? run_call(job) : end_call(job, &failure, lua_tostring(L, 1));
}

int erase_by(lua_State *L, const struct eraser *eraser)
{
  struct failure failure;
  struct job *job = check_call(L, -1);
  if (!*eraser->open) return 0;
  job->eraser = eraser;
  job->given = eraser->journal->place;
  bool found = journal_find(eraser->journal, false, &failure);
  return found ? run_call(job) : end_call(job, &failure, eraser->path);
}
