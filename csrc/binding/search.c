/* search.c: the lists of sessions, and what was said in them. */
#include "binding/search.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/sys.h"
#include "base/utf8.h"
#include "file/lines.h"
#include "memory/filter.h"
#include "session/dir.h"
#include "session/summary.h"
#include "session/turn.h"
#include "text/fold.h"
#include "json/walk.h"

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
  luaL_error(L, "not enough memory");
}

/* A name in a directory, to be freed with sys_free; without one, a copy of the name. */
static char *join(const char *directory, const char *name)
{
  size_t length = directory != NULL ? strlen(directory) : 0, size = strlen(name) + 1;
  bool slash = length > 0 && directory[length - 1] != '/';
  char *path = sys_realloc(NULL, length + 1 + size);
  if (path == NULL) return NULL;
  if (length > 0) memcpy(path, directory, length);
  path[length] = '/';
  memcpy(path + length + slash, name, size);
  return path;
}

/* Opens a session's file. What is larger than any session can be is not read, not even its ends. */
static int open_session(const char *path, struct stat *st, struct failure *failure)
{
  int fd = open_to_read(path, st, failure);
  if (fd < 0 || (uint64_t)st->st_size <= SESSION_LARGEST) return fd;
  sys_close(fd);
  fail_because(failure, EFBIG, "read", "larger than 4 GiB, which no session is");
  return -1;
}

/* ---- sessions ---- */

/* What is held while tables are made: in a userdata, as that may raise. */
struct listing {
  struct dir dir;
  struct summary summary;
  char *path;
  int fd;
};

static void close_entry(struct listing *listing)
{
  if (listing->fd >= 0) sys_close(listing->fd);
  listing->fd = -1;
  sys_free(listing->path);
  listing->path = NULL;
  summary_free(&listing->summary);
}

static int listing_gc(lua_State *L)
{
  struct listing *listing = lua_touserdata(L, 1);
  close_entry(listing);
  dir_free(&listing->dir);
  return 0;
}

static struct listing *new_listing(lua_State *L)
{
  struct listing *listing = lua_newuserdata(L, sizeof *listing);
  memset(listing, 0, sizeof *listing);
  listing->fd = -1;
  if (begin_class(L, "aish_history.listing")) {
    lua_pushcfunction(L, listing_gc);
    lua_setfield(L, -2, "__gc");
    end_class(L, "aish_history.listing");
  }
  lua_setmetatable(L, -2);
  return listing;
}

struct sessions_options {
  size_t limit;
  const char *before; /* on the stack */
  bool count;
};

/* Leaves a value on the stack, for `before`. */
static void check_sessions_options(lua_State *L, int argument, struct sessions_options *options)
{
  size_t length;
  options->limit = SIZE_MAX;
  options->before = NULL;
  options->count = true;
  lua_settop(L, argument);
  lua_pushnil(L);
  if (lua_isnil(L, argument)) return;
  luaL_checktype(L, argument, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, argument) != 0; lua_pop(L, 1)) {
    const char *name = option_name(L, argument);
    if (strcmp(name, "limit") == 0) options->limit = check_limit(L, argument, name);
    else if (strcmp(name, "count") == 0) options->count = read_boolean(L, argument, name);
    else if (strcmp(name, "before") == 0)
      options->before = keep_text(L, argument, name, argument + 1, &length);
    else argument_error(L, argument, "unknown option \"%s\"", name);
  }
}

static void set_text(lua_State *L, const char *name, const struct buf *text)
{
  lua_pushlstring(L, text->data != NULL ? text->data : "", text->length);
  lua_setfield(L, -2, name);
}

static void set_meta(lua_State *L, const struct buf *meta)
{
  int entry = lua_gettop(L);
  struct decoder *decoder = take_decoder(L);
  const char *end = meta->data + meta->length;
  if (decode(decoder, meta->data, end, 0) != NULL) lua_setfield(L, entry, "meta");
  give_decoder(decoder);
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

/* Fills the entry on top of the stack. */
static void describe(lua_State *L, struct listing *listing, bool count)
{
  struct summary *summary = &listing->summary;
  struct failure failure;
  struct stat st;
  listing->fd = open_session(listing->path, &st, &failure);
  bool done = listing->fd >= 0;
  if (done && summary_read(summary, listing->fd, (uint64_t)st.st_size, count) != 0)
    done = fail(&failure, "read");
  if (!done) {
    set_error(L, &failure, listing->path);
    return;
  }
  push_whole(L, (uint64_t)st.st_size);
  lua_setfield(L, -2, "bytes");
  lua_pushnumber(L, (lua_Number)st.st_mtime);
  lua_setfield(L, -2, "mtime");
  if (count) push_whole(L, summary->turns), lua_setfield(L, -2, "turns");
  if (summary->has_first) set_text(L, "first", &summary->first);
  if (summary->last_ts.length > 0) set_text(L, "last_ts", &summary->last_ts);
  if (summary->has_meta) set_meta(L, &summary->meta);
}

/* sessions(dir [, opts]): the sessions of a directory, newest first: by name, descending.
 * dir: string. opts: table of limit, before (only names that sort before this one, for paging) and
 * count (boolean; true: turns are counted, for which each file is read whole).
 * Returns an array of tables with name, path, bytes, mtime (seconds since 1970), turns, meta, first
 * (the first user turn's text, cut to 200 bytes) and last_ts (the time of the last turn that has
 * one); of a file that cannot be read, error and errno instead. {} if there is no such directory;
 * nil, message, errno where it cannot be read. */
int sessions_l(lua_State *L)
{
  struct failure failure;
  struct sessions_options options;
  check_count(L, 2);
  const char *path = check_path(L, 1, &failure);
  check_sessions_options(L, 2, &options);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  struct listing *listing = new_listing(L);
  if (!dir_list(&listing->dir, path)) {
    fail(&failure, "list");
    if (failure.number == ENOENT) return lua_newtable(L), 1;
    return push_nil_failure(L, &failure, path);
  }
  lua_newtable(L);
  int result = lua_gettop(L), given = 0;
  for (size_t i = listing->dir.count; i-- > 0 && (size_t)given < options.limit;) {
    const char *name = dir_name(&listing->dir, i);
    if (options.before != NULL && strcmp(name, options.before) >= 0) continue;
    lua_createtable(L, 0, 8);
    listing->path = join(path, name);
    if (listing->path == NULL) return luaL_error(L, "not enough memory");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, listing->path);
    lua_setfield(L, -2, "path");
    describe(L, listing, options.count);
    close_entry(listing);
    lua_rawseti(L, result, ++given);
  }
  return 1;
}

/* ---- search ---- */

enum { SNIPPET = 240, SNIPPET_BEFORE = 80 };

/* Where something was found. */
struct hit {
  uint64_t offset, number;
};

/* What is held while files are searched and tables are made. */
struct search {
  struct listing listing; /* dir, path and descriptor */
  struct query query;
  struct buf folded, decoded, scratch;
  struct buf hits; /* struct hit: in the file that is read, a ring of `limit` */
  struct bound since, before;
  const char *role; /* on the stack */
  size_t role_length, limit, found; /* found: hits in this file */
  uint64_t first; /* the number of its first line that is not blank; 0: not come upon yet */
  uint64_t missing; /* of a line: a bit for each word not found yet */
  struct slice text; /* of a line: the string that holds the first word */
};

static void close_search(struct search *search)
{
  close_entry(&search->listing);
  dir_free(&search->listing.dir);
  query_free(&search->query);
  buf_free(&search->folded);
  buf_free(&search->decoded);
  buf_free(&search->scratch);
  buf_free(&search->hits);
}

static int search_gc(lua_State *L)
{
  close_search(lua_touserdata(L, 1));
  return 0;
}

static bool match_string(void *context, const struct slice *string)
{
  struct search *search = context;
  search->decoded.length = search->folded.length = 0;
  if (!slice_append(string, &search->decoded) ||
      !fold(&search->folded, search->decoded.data, search->decoded.length))
    return false;
  for (size_t i = 0; i < search->query.count; i++) {
    size_t first;
    if ((search->missing >> i & 1) == 0) continue;
    if (query_count(&search->query.words[i], search->folded.data, search->folded.length, &first) ==
        0)
      continue;
    search->missing &= ~(1ULL << i);
    if (i == 0) search->text = *string;
  }
  return search->missing != 0;
}

static bool is_role(struct search *search, const struct turn *turn)
{
  if (search->role == NULL) return true;
  return turn->role.start != NULL && slice_is(&turn->role, search->role, search->role_length);
}

static bool is_in_time(struct search *search, const struct turn *turn)
{
  struct text ts;
  if (!search->since.given && !search->before.given) return true;
  if (!slice_text(&turn->ts, &search->scratch, &ts)) return false;
  return bounds_hold(&search->since, &search->before, moment_of(ts.start, ts.length));
}

/* Whether the line holds all words in its strings, and is of the role and the time. The meta, which
 * is in the first line that is not blank, is not searched. errno is 0 unless memory ran out, and
 * then the answer is false. */
static bool matches(struct search *search, const char *line, uint64_t number)
{
  struct turn turn;
  struct json_error error;
  errno = 0;
  if (turn_parse(line, &turn, &error) == NULL || (number == search->first && turn.meta != NULL))
    return false;
  if (!is_role(search, &turn) || !is_in_time(search, &turn)) return false;
  search->missing = search->query.count == 64 ? UINT64_MAX : (1ULL << search->query.count) - 1;
  search->text.start = NULL;
  turn_strings(json_space(line, line), match_string, search);
  return search->missing == 0;
}

static bool keep_hit(struct search *search, uint64_t offset, uint64_t number)
{
  const struct hit hit = {offset, number};
  size_t place = search->found++ % search->limit * sizeof hit;
  if (place == search->hits.length) return buf_add(&search->hits, (const char *)&hit, sizeof hit);
  memcpy(search->hits.data + place, &hit, sizeof hit);
  return true;
}

static const char *line_start(const char *p, const char *start)
{
  while (p > start && p[-1] != '\n') p--;
  return p;
}

/* Whether no other word is ruled out by the line's bytes. */
static bool may_hold_all(const struct query *query, const char *line, const char *end)
{
  for (size_t i = 0; i < query->count; i++)
    if (query_candidate(&query->words[i], line, end) == NULL) return false;
  return true;
}

static void find_first_line(struct search *search, const struct block *block, uint64_t number)
{
  const char *p = block->start;
  while (p < block->end && (*p == '\n' || json_space(p, p) > p)) p++;
  if (p < block->end) search->first = number + 1 + count_newlines(block->start, p);
}

/* *number: how many lines there were before this block. */
static bool search_block(struct search *search, const struct block *block, uint64_t *number)
{
  const struct query *query = &search->query;
  const char *counted = block->start, *p = block->start;
  while ((p = query_candidate(&query->words[query->rarest], p, block->end)) != NULL) {
    const char *line = line_start(p, counted);
    const char *end = (const char *)memchr(p, '\n', (size_t)(block->end - p)) + 1;
    *number += count_newlines(counted, line);
    if (may_hold_all(query, line, end)) {
      bool hit = matches(search, line, *number + 1);
      if (!hit && errno != 0) return false;
      if (hit && !keep_hit(search, block->offset + (uint64_t)(line - block->start), *number + 1))
        return false;
    }
    counted = line;
    p = end;
  }
  *number += count_newlines(counted, block->end);
  return true;
}

/* Finds the last `limit` hits of the open file. */
static bool search_file(struct search *search, struct failure *failure)
{
  struct reader reader;
  struct block block;
  uint64_t number = 0;
  int result;
  bool done = true;
  search->found = search->hits.length = 0;
  search->first = 0;
  reader_open(&reader, search->listing.fd, 0);
  while (done && (result = reader_next(&reader, &block)) > 0) {
    if (search->first == 0) find_first_line(search, &block, number);
    if (block.hopeless) number++;
    else done = search_block(search, &block, &number);
  }
  done = done && result == 0;
  if (!done) fail(failure, "read");
  reader_close(&reader);
  return done;
}

/* ---- hits as tables ---- */

/* Pushes the text around the place, between characters. */
static void push_snippet(lua_State *L, const char *text, size_t length, size_t place)
{
  bool cut = place > SNIPPET_BEFORE && length > SNIPPET;
  size_t start = cut ? utf8_start(text, place - SNIPPET_BEFORE) : 0;
  size_t end = length - start > SNIPPET ? utf8_start(text, start + SNIPPET) : length;
  lua_pushlstring(L, text + start, end - start);
}

/* Sets `text` to the string that the first word is in. */
static void set_snippet(lua_State *L, struct search *search)
{
  size_t place = 0;
  search->decoded.length = search->folded.length = 0;
  if (!slice_append(&search->text, &search->decoded) ||
      !fold(&search->folded, search->decoded.data, search->decoded.length))
    luaL_error(L, "not enough memory");
  query_count(&search->query.words[0], search->folded.data, search->folded.length, &place);
  place = fold_source(search->decoded.data, search->decoded.length, place);
  push_snippet(L, search->decoded.data, search->decoded.length, place);
  lua_setfield(L, -2, "text");
}

/* Copies a member of the record, which is below the hit on top of the stack. */
static void copy_member(lua_State *L, const char *name)
{
  lua_getfield(L, -2, name);
  lua_setfield(L, -2, name);
}

/* Pushes the hit in the line; false: it is not there any more, or errno. */
static bool push_hit(lua_State *L, struct search *search, const struct hit *hit, const char *line)
{
  int top = lua_gettop(L);
  if (!matches(search, line, hit->number)) return false;
  lua_createtable(L, 0, 6);
  set_snippet(L, search);
  struct decoder *decoder = take_decoder(L);
  bool decoded = decode_line(decoder, line, 0) != NULL;
  give_decoder(decoder);
  if (!decoded) return lua_settop(L, top), errno = 0, false;
  lua_replace(L, top + 2);
  lua_settop(L, top + 2); /* the hit, the record */
  lua_insert(L, top + 1);
  copy_member(L, "ts");
  copy_member(L, "role");
  lua_insert(L, top + 1);
  lua_setfield(L, top + 1, "record");
  push_whole(L, hit->number);
  lua_setfield(L, -2, "line");
  lua_pushstring(L, search->listing.path);
  lua_setfield(L, -2, "path");
  return true;
}

/* Reads the line that begins at an offset; NULL and errno. */
static const char *read_line(struct search *search, struct buf *line, uint64_t offset)
{
  line->length = 0;
  for (size_t size = 4096;; size *= 2) {
    if (!buf_reserve(line, size + SPAN_PADDING)) return NULL;
    ssize_t got = sys_read_at(search->listing.fd, line->data, size, offset);
    if (got < 0) return NULL;
    memset(line->data + got, 0, SPAN_PADDING);
    if (memchr(line->data, '\n', (size_t)got) == NULL && (size_t)got == size) continue;
    if ((size_t)got < size) line->data[got] = '\n';
    if (offset == 0) reader_hide_mark(line->data, (size_t)got);
    return line->data;
  }
}

/* Appends the hits of the open file to the array at `result`, the last line first. False and errno:
 * a line cannot be read. */
static bool push_hits(lua_State *L, struct search *search, int result, int *given)
{
  struct buf *line = new_buffer(L);
  int top = lua_gettop(L);
  size_t kept = search->found < search->limit ? search->found : search->limit;
  for (size_t i = 0; i < kept && (size_t)*given < search->limit; i++) {
    struct hit hit;
    size_t place = (search->found - 1 - i) % search->limit;
    memcpy(&hit, search->hits.data + place * sizeof hit, sizeof hit);
    const char *text = read_line(search, line, hit.offset);
    if (text == NULL) return false;
    if (push_hit(L, search, &hit, text)) lua_rawseti(L, result, ++*given);
    else if (errno != 0) return false;
    lua_settop(L, top);
  }
  lua_pop(L, 1);
  return true;
}

/* Searches the file search->listing.path. */
static bool search_path(lua_State *L, struct search *search, int result, int *given,
                        struct failure *failure)
{
  struct stat st;
  search->listing.fd = open_session(search->listing.path, &st, failure);
  if (search->listing.fd < 0 || !search_file(search, failure)) return false;
  int top = lua_gettop(L);
  bool done = push_hits(L, search, result, given) || fail(failure, "read");
  lua_settop(L, top);
  return done;
}

/* A file that cannot be read is named in the table at `errors`; the others are searched. */
static bool search_directory(lua_State *L, struct search *search, const char *path, int result,
                             struct failure *failure)
{
  int given = 0, errors = result + 1;
  if (!dir_list(&search->listing.dir, path)) return fail(failure, "list");
  for (size_t i = search->listing.dir.count; i-- > 0 && (size_t)given < search->limit;) {
    search->listing.path = join(path, dir_name(&search->listing.dir, i));
    if (search->listing.path == NULL) return fail(failure, "search");
    if (!search_path(L, search, result, &given, failure)) {
      lua_pushstring(L, search->listing.path);
      lua_newtable(L);
      set_error(L, failure, search->listing.path);
      lua_getfield(L, -1, "error");
      lua_remove(L, -2);
      lua_rawset(L, errors);
    }
    close_entry(&search->listing);
  }
  return true;
}

static bool read_search_option(lua_State *L, int argument, const char *name, struct search *search,
                               bool *exact)
{
  if (strcmp(name, "role") == 0) {
    search->role = keep_text(L, argument, name, argument + 1, &search->role_length);
  } else if (strcmp(name, "since") == 0) {
    check_time(L, argument, name, &search->since);
  } else if (strcmp(name, "before") == 0) {
    check_time(L, argument, name, &search->before);
  } else if (strcmp(name, "limit") == 0) {
    search->limit = check_limit(L, argument, name);
  } else if (strcmp(name, "exact") == 0) {
    *exact = read_boolean(L, argument, name);
  } else {
    return false;
  }
  return true;
}

/* `role` gets the place behind the argument. */
static void check_search_options(lua_State *L, int argument, struct search *search, bool *exact)
{
  if (lua_isnoneornil(L, argument)) return;
  luaL_checktype(L, argument, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, argument) != 0; lua_pop(L, 1)) {
    const char *name = option_name(L, argument);
    if (!read_search_option(L, argument, name, search, exact))
      argument_error(L, argument, "unknown option \"%s\"", name);
  }
}

static struct search *new_search(lua_State *L)
{
  struct search *search = lua_newuserdata(L, sizeof *search);
  memset(search, 0, sizeof *search);
  search->listing.fd = -1;
  search->limit = 20;
  if (begin_class(L, "aish_history.search")) {
    lua_pushcfunction(L, search_gc);
    lua_setfield(L, -2, "__gc");
    end_class(L, "aish_history.search");
  }
  lua_setmetatable(L, -2);
  return search;
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
  lua_settop(L, 4); /* the last for the role */
  const char *path = check_path(L, 1, &failure);
  struct search *search = new_search(L);
  check_search_options(L, 3, search, &exact);
  check_query(L, 2, &search->query, exact);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  lua_newtable(L);
  lua_newtable(L);
  int result = lua_gettop(L) - 1, given = 0;
  if (search->limit == 0) return 2;
  bool done;
  if (sys_stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
    done = search_directory(L, search, path, result, &failure);
  } else {
    search->listing.path = join(NULL, path);
    done = search->listing.path != NULL || fail(&failure, "search");
    done = done && search_path(L, search, result, &given, &failure);
  }
  close_search(search);
  if (!done) return push_nil_failure(L, &failure, path);
  lua_settop(L, result + 1);
  return 2;
}
