/* session_handle.c: the session handle, and appending without one. */
#include "binding/session_handle.h"

#include "binding/args.h"
#include "binding/budget.h"
#include "binding/encode.h"
#include "binding/erase.h"
#include "binding/handle.h"
#include "binding/redact.h"
#include "file/format.h"
#include "memory/kind.h"
#include "base/hidden.h"

struct session {
  struct common common;
  struct journal journal;
};

/* ---- one record ---- */

static void check_record(lua_State *L, int argument, const char *name)
{
  if (!lua_istable(L, argument))
    argument_error(L, argument, "%s must be a table, got %s", name, luaL_typename(L, argument));
}

/* Puts together the line that a record is, after the newline that journal_append wants. `name` is
 * what an error calls the record; a meta is also put into a member of that name. */
static void encode_line(lua_State *L, struct scratch *scratch, int index, const char *name,
                        bool meta)
{
  struct buf *line = &scratch->text;
  bool done = buf_add(line, "\n{\"meta\":", meta ? 9 : 1);
  if (done && !encode(L, index, scratch, name, meta, true)) {
    release_scratch(scratch);
    luaL_error(L, "%s", lua_tostring(L, -1));
  }
  if (!done || (meta && !buf_add(line, "}", 1)) || !buf_add(line, "\n", 1)) raise_no_memory(L);
}

/* Whether the file is one that a session may be appended to, by its first record; if it is to be
 * `new`, it must have none. */
static bool is_fit(const struct journal *journal, bool new, struct failure *failure)
{
  enum file_kind kind;
  if (journal->size == 0) return true;
  if (!file_kind(journal->fd, FILE_OTHER, &kind)) return fail(failure, "read");
  if (kind == FILE_MEMORY)
    return fail_because(failure, EINVAL, "open", "it is a memory, not a session");
  errno = EEXIST;
  return !new || kind == FILE_UNKNOWN || fail(failure, "open");
}

/* Whether it still is, under the lock. What this handle wrote last is still there, unless somebody has
 * rewritten the file. */
static bool is_still_fit(const struct journal *journal, struct failure *failure)
{
  const struct extent *known = &journal->known;
  uint64_t place;
  if (journal->size == 0 || journal->size == known->size) return true;
  if (!extent_compare(known, journal->fd, &place)) return fail(failure, "read");
  if (known->size > 0 && place == known->size) return true;
  return format_is_lines(journal->fd, journal->size, failure) && is_fit(journal, false, failure);
}

enum condition { ALWAYS, IF_EMPTY, IF_NEW, IF_SESSION };

/* Writes the line, if there is one, under the lock; true also where the file is not empty, though it
 * is to be. */
static bool write_line(struct journal *journal, const struct buf *line, enum condition condition,
                       struct failure *failure)
{
  uint64_t offset;
  if (!journal_attach(journal, true, failure)) return false;
  bool none = line == NULL || (condition == IF_EMPTY && journal->size > 0);
  bool met = condition == IF_NEW ? is_fit(journal, true, failure)
                                 : condition != IF_SESSION || is_still_fit(journal, failure);
  bool done = met && (none || journal_append(journal, line, &offset, failure));
  journal_detach(journal);
  return done;
}

/* ---- methods ---- */

static int close_session(struct session *session)
{
  if (!session->common.open) return 0;
  session->common.open = false;
  return journal_close(&session->journal);
}

static void release_session(void *session)
{
  close_session(session);
}

/* The session of a method that uses its file. */
static struct session *check_session(lua_State *L)
{
  struct session *session = check_object(L, &SESSION_HANDLE);
  if (session->common.open) check_cost(L, &session->common);
  return session;
}

/* session:close(): closes the handle. A second time does nothing.
 * Returns true; or nil, message, errno where the system reports a failure. */
static int session_close_l(lua_State *L)
{
  struct session *session = check_session(L);
  struct failure failure;
  check_count(L, 1);
  bool done = close_session(session) == 0 || fail(&failure, "close");
  return push_done(L, done, &failure, session->common.path);
}

static int push_closed(lua_State *L)
{
  lua_pushboolean(L, 0);
  lua_pushliteral(L, "session closed");
  return 2;
}

/* session:append(turn): appends a turn, in one write.
 * turn: table that is a JSON object; {} is an empty one. Returns true; false and "session closed";
 * or false, message, errno. Raises on wrong arguments, and on a value that JSON cannot hold, with
 * the path to it. */
static int session_append_l(lua_State *L)
{
  struct session *session = check_session(L);
  struct failure failure;
  if (!session->common.open) return push_closed(L);
  check_count(L, 2);
  check_record(L, 2, "turn");
  struct scratch *scratch = handle_scratch(L, &session->common);
  encode_line(L, scratch, 2, "turn", false);
  bool open = session->common.open; /* a finalizer may have closed it, or redact */
  bool done = open && write_line(&session->journal, &scratch->text, IF_SESSION, &failure);
  release_scratch(scratch);
  if (!open) return push_closed(L);
  return done ? push_true(L) : push_false_failure(L, &failure, session->common.path);
}

/* session:sync(): everything appended so far reaches the disk. Returns true; false and "session
 * closed"; or false, message, errno. */
static int session_sync_l(lua_State *L)
{
  struct session *session = check_session(L);
  struct failure failure;
  if (!session->common.open) return push_closed(L);
  check_count(L, 1);
  bool done = journal_sync_all(&session->journal, &failure);
  return done ? push_true(L) : push_false_failure(L, &failure, session->common.path);
}

/* session:erase(what [, opts]): takes text out of the file for good; see erase(path). Also returns false
 * and "session closed". */
static int session_erase_l(lua_State *L)
{
  struct session *session = check_session(L);
  const struct eraser eraser = {session->common.path, &session->journal, &session->common.open};
  int count = session->common.open ? erase_by(L, &eraser) : 0;
  return count > 0 ? count : push_closed(L);
}

/* ---- fields ---- */

static int session_index_l(lua_State *L)
{
  return push_method(L) || push_common(L, &SESSION_HANDLE);
}

static int session_tostring_l(lua_State *L)
{
  const struct session *session = check_object(L, &SESSION_HANDLE);
  return push_description(L, &SESSION_HANDLE,
                          session->journal.keeps_lock ? "open, exclusive" : "open");
}

static const luaL_Reg METHODS[] = {
    {"append", session_append_l},
    {"erase", session_erase_l},
    {"sync", session_sync_l},
    {"close", session_close_l},
    {NULL, NULL},
};
static const luaL_Reg METAMETHODS[] = {
    {"__index", session_index_l},
    {"__tostring", session_tostring_l},
    {NULL, NULL},
};
const struct object_class SESSION_HANDLE = {"session handle", "session", release_session, METHODS,
                                            METAMETHODS};

/* ---- functions of the module ---- */

struct session_options {
  double wait;
  bool durable, exclusive, new;
  int redact; /* where the function stands; 0: there is none */
};

/* Reads a session's options over their defaults; the first two are those of a handle only. */
static struct session_options check_session_options(lua_State *L, int argument, bool handle)
{
  struct session_options options = {.wait = -1};
  const struct option known[] = {
      {"exclusive", read_boolean, &options.exclusive}, {"new", read_boolean, &options.new},
      {"sync", read_sync, &options.durable},           {"wait", read_wait, &options.wait},
      {"redact", read_function, &options.redact},      {NULL, NULL, NULL}};
  check_options(L, argument, handle ? known : known + 2);
  if (options.wait < 0) options.wait = options.exclusive ? 0 : 5;
  return options;
}

static bool open_session(struct session *session, const struct session_options *options,
                         struct failure *failure)
{
  session->common.open = true;
  if (!journal_init(&session->journal, session->common.path)) return fail(failure, "open");
  session->journal.durable = options->durable;
  session->journal.wait = options->wait;
  session->journal.keeps_lock = options->exclusive;
  return journal_attach(&session->journal, false, failure);
}

/* Opens the file and writes its first line, if it is given one and has none. Whether it is new is
 * looked at under the lock alone: what is seen without it may be undone. */
static bool begin_session(struct session *session, const struct session_options *options,
                          const struct buf *meta, struct failure *failure)
{
  struct journal *journal = &session->journal;
  if (!open_session(session, options, failure) || !is_fit(journal, false, failure)) return false;
  if (!options->new && (meta == NULL || journal->size > 0)) return true;
  return write_line(journal, meta, options->new ? IF_NEW : IF_EMPTY, failure);
}

/* session(path [, meta [, opts]]): opens a session's file, or makes it.
 * path: string. meta: table that is a JSON object, written as {"meta":...} in the first line if the
 * file is new or empty; with `new`, if it has no record. opts: table of
 *   sync ("full" or "none"; "none"),
 *   wait (seconds for the lock; 5, or 0 if exclusive),
 *   exclusive (boolean; false: the lock is held for each write; true: for the handle's life, so that
 *     there is one such handle at a time, and nobody else appends),
 *   new (boolean; false; true: fails with EEXIST where the file has a record),
 *   redact (a function from text to text, for every string value of the meta and of turns, except a
 *     turn's own id, uid, ts, kind, target, of and role: what it returns is written. It runs before
 *     the lock is taken; what it raises is raised, and so is a result that is no string, and nothing
 *     is written).
 * Returns the handle; or nil, message, errno, also where the file is a memory, and, where the lock
 * is held and the system tells, the holder's process id. Raises on wrong arguments. */
int session_open_l(lua_State *L)
{
  struct failure failure;
  check_count(L, 3);
  const char *path = check_path(L, 1, &failure);
  bool has_meta = !lua_isnoneornil(L, 2);
  if (has_meta) check_record(L, 2, "meta");
  struct session_options options = check_session_options(L, 3, true);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct session *session = new_handle(L, &SESSION_HANDLE, sizeof *session,
                                       offsetof(struct session, journal), path, options.redact);
  struct scratch *scratch = acquire_scratch(L, session->common.scratch);
  scratch->redact = options.redact;
  if (has_meta) encode_line(L, scratch, 2, "meta", true);
  bool done = begin_session(session, &options, has_meta ? &scratch->text : NULL, &failure);
  release_scratch(scratch);
  lua_pop(L, 1);
  if (done) return 1;
  close_session(session);
  return push_nil_failure(L, &failure, path);
}

/* append(path, value [, opts]): appends one record to a file of JSON lines, under its lock.
 * path: string. value: as session:append's turn. opts: sync, wait and redact, as session's.
 * Returns true; or nil, message, errno. Raises as session:append. */
int append_l(lua_State *L)
{
  struct failure failure;
  check_count(L, 3);
  const char *path = check_path(L, 1, &failure);
  check_record(L, 2, "value");
  struct session_options options = check_session_options(L, 3, false);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct session *session =
      new_handle(L, &SESSION_HANDLE, sizeof *session, offsetof(struct session, journal), path, 0);
  struct scratch *scratch = acquire_scratch(L, session->common.scratch);
  scratch->redact = options.redact;
  encode_line(L, scratch, 2, "value", false);
  bool done = open_session(session, &options, &failure) &&
              write_line(&session->journal, &scratch->text, ALWAYS, &failure);
  release_scratch(scratch);
  close_session(session); /* if that fails, the record is in the file and cannot be taken back */
  return push_done(L, done, &failure, path);
}
