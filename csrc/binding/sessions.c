/* sessions.c: the list of a directory's sessions. */
#include "binding/sessions.h"

#include "base/sys.h"
#include "binding/args.h"
#include "binding/class.h"
#include "binding/decode.h"
#include "session/dir.h"
#include "session/summary.h"
#include "base/hidden.h"

/* What is held while tables are made. */
struct listing {
  struct dir dir;
  struct summary summary;
};

static void release_listing(void *object)
{
  struct listing *listing = object;
  dir_free(&listing->dir);
  summary_free(&listing->summary);
}

static const struct object_class LISTING = {.name = "listing", .release = release_listing};

/* Pushes what the caller gets of a directory that could not be listed. */
static int push_unlisted(lua_State *L, const char *path)
{
  struct failure failure;
  fail(&failure, "list");
  if (failure.number == ENOENT) return lua_newtable(L), 1;
  return push_nil_failure(L, &failure, path);
}

/* list(dir): the sorted names of the *.jsonl files of a directory, without those that begin with
 * a dot; {} if there is no such directory; nil, message, errno where it cannot be read. */
int list_l(lua_State *L)
{
  struct failure failure;
  check_count(L, 1);
  const char *path = check_path(L, 1, &failure);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct listing *listing = new_object(L, &LISTING, sizeof *listing);
  if (!dir_list(&listing->dir, path)) return push_unlisted(L, path);
  lua_createtable(L, (int)listing->dir.count, 0);
  for (size_t i = 0; i < listing->dir.count; i++) {
    lua_pushstring(L, dir_name(&listing->dir, i));
    lua_rawseti(L, -2, (int)i + 1);
  }
  release_listing(listing);
  return 1;
}

struct sessions_options {
  size_t limit;
  struct bytes before;
  bool count, empty;
};

static void set_text(lua_State *L, const char *name, const struct buf *text)
{
  lua_pushlstring(L, text->data != NULL ? text->data : "", text->length);
  lua_setfield(L, -2, name);
}

static void set_meta(lua_State *L, const struct buf *meta)
{
  int entry = lua_gettop(L);
  struct decoder *decoder = acquire_decoder(L);
  const char *end = meta->data + meta->length;
  if (decode(decoder, meta->data, end, 0) != NULL) lua_setfield(L, entry, "meta");
  release_decoder(decoder);
  lua_settop(L, entry);
}

static void set_error(lua_State *L, const struct failure *failure, const char *path)
{
  int entry = lua_gettop(L);
  push_nil_failure(L, failure, path);
  lua_pushvalue(L, entry + 2);
  lua_setfield(L, entry, "error");
  lua_pushvalue(L, entry + 3);
  lua_setfield(L, entry, "errno");
  lua_settop(L, entry);
}

/* Pushes the entry of the session of that number; false, and nothing: it is one to be left out. */
static bool push_session(lua_State *L, struct listing *listing, const char *path, size_t number,
                         const struct sessions_options *options)
{
  uint64_t turns = options->count ? UINT64_MAX : !options->empty;
  struct summary *summary = &listing->summary;
  struct dir *dir = &listing->dir;
  struct failure failure;
  bool done = dir_open(dir, path, number, &failure);
  if (dir->path == NULL) return raise_no_memory(L);
  summary_free(summary);
  if (done && summary_read(summary, dir->fd, (uint64_t)dir->st.st_size, turns) != 0)
    done = fail(&failure, "read");
  if (done && summary->turns == 0 && !options->empty) return false;
  lua_createtable(L, 0, 8);
  lua_pushstring(L, dir_name(dir, number));
  lua_setfield(L, -2, "name");
  lua_pushstring(L, dir->path);
  lua_setfield(L, -2, "path");
  if (!done) return set_error(L, &failure, dir->path), true;
  set_whole(L, "bytes", (uint64_t)dir->st.st_size);
  set_whole(L, "mtime", (uint64_t)dir->st.st_mtime);
  if (options->count) set_whole(L, "turns", summary->turns);
  if (summary->has_first) set_text(L, "first", &summary->first);
  if (summary->last_ts.length > 0) set_text(L, "last_ts", &summary->last_ts);
  if (summary->has_meta) set_meta(L, &summary->meta);
  return true;
}

/* sessions(dir [, opts]): the sessions of a directory, newest first: by name, descending.
 * dir: string. opts: table of limit, before (only names that sort before this one, for paging),
 * count (boolean; true: turns are counted, for which each file is read whole) and empty (boolean;
 * true; false: sessions without a turn are left out).
 * Returns an array of tables with name, path, bytes, mtime (seconds since 1970), turns, meta, first
 * (the first user turn's text, cut to 200 bytes; without count it is looked for in the first MiB)
 * and last_ts (the time of the last turn that has one; without count, of the last 64 lines); of a
 * file that cannot be read or is larger than 4 GiB, error and errno instead. {} if there is no such
 * directory; nil, message, errno where it cannot be read. */
int sessions_l(lua_State *L)
{
  struct failure failure;
  struct sessions_options options = {.limit = SIZE_MAX, .count = true, .empty = true};
  const struct option known[] = {{"limit", read_limit, &options.limit},
                                 {"count", read_boolean, &options.count},
                                 {"empty", read_boolean, &options.empty},
                                 {"before", read_text, &options.before},
                                 {NULL, NULL, NULL}};
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_options(L, 2, known);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct listing *listing = new_object(L, &LISTING, sizeof *listing);
  if (!dir_list(&listing->dir, path)) return push_unlisted(L, path);
  lua_newtable(L);
  int given = 0;
  for (size_t i = listing->dir.count; i-- > 0 && (size_t)given < options.limit;) {
    const char *before = options.before.start;
    if (before != NULL && strcmp(dir_name(&listing->dir, i), before) >= 0) continue;
    if (push_session(L, listing, path, i, &options)) lua_rawseti(L, -2, ++given);
  }
  release_listing(listing);
  return 1;
}
