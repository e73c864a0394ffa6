/* aish_history.c: the module.
 *
 * | file                              | what it does                                            |
 * | sys                               | every system call                                       |
 * | buf, sort                         | bytes, order                                            |
 * | span, json, walk, number          | JSON: strings, grammar, members, numbers                |
 * | timestamp, fold (casefold)        | times; letters without their case                       |
 * | reader, lines, tail, window       | lines of a file: in blocks, one by one, from the end, at a
 * place | | record, index, filter             | what a memory file says | | turn, summary, dir |
 * what session files say                                  | | query, rank                       |
 * searching                                               | | journal, memory, compact, verify  |
 * how files are written to, rewritten and judged          | | lua_encode, lua_decode            |
 * Lua values and JSON                                     | | lua_memory, lua_session           |
 * the handles                                             | | lua_load, lua_items, lua_scan     |
 * files as Lua tables                                     | | lua_recall, lua_compact           |
 * lists and searches; verify and compact                  | | lua_args (binding.h)              |
 * arguments and results                                   |
 *
 * Includes point one way: lua_* to the rest, and within each row and between rows upwards.
 *
 * The promises about files:
 * 1. One record is one line of JSON and one write; a reader skips lines that are none.
 * 2. Nothing is glued to a line that has no newline, and no fragment's bytes are thrown away.
 * 3. What failed has left the file as it was, or in a state that the next call repairs.
 * 4. What was reported under sync = "full" is on the disk.
 * 5. An id is given once. */
#include <lualib.h>
#include <string.h>
#include <sys/file.h>

#include "binding/binding.h"
#include "session/dir.h"
#include "version.h"

/* encode(value): its JSON text; nil, message with the path to what JSON cannot hold. */
static int encode_l(lua_State *L)
{
  luaL_checkany(L, 1);
  check_count(L, 1);
  struct buf *buf = new_buffer(L);
  if (!encode(L, 1, buf, "value")) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushlstring(L, buf->data, buf->length);
  buf_free(buf);
  return 1;
}

static int push_decode_error(lua_State *L, struct decoder *decoder, const char *text)
{
  const struct json_error *error = &decoder->error;
  give_decoder(decoder);
  lua_pushnil(L);
  lua_pushfstring(L, "%s at byte %d", error->reason, (int)(error->at - text) + 1);
  return 2;
}

/* decode(text): the value of a JSON text (RFC 8259), null being nil; nil, message. */
static int decode_l(lua_State *L)
{
  size_t length;
  const char *source = check_string(L, 1, "text", &length);
  check_count(L, 1);
  char *text = lua_newuserdata(L, length + SPAN_PADDING);
  memcpy(text, source, length);
  memset(text + length, 0, SPAN_PADDING);
  struct decoder *decoder = take_decoder(L);
  const char *end = text + length, *p = decode(decoder, json_space(text, end), end, 0);
  if (p == NULL) return push_decode_error(L, decoder, text);
  p = json_space(p, end);
  if (p < end) {
    json_fail(&decoder->error, "text behind the value", p);
    return push_decode_error(L, decoder, text);
  }
  give_decoder(decoder);
  return 1;
}

/* The descriptor that flock's first argument stands for, and the handle's journal or NULL. -1 with
 * EPERM: the handle is another process's, whose lock a forked child must not release. */
static int check_descriptor(lua_State *L, int argument, struct journal **journal)
{
  if (memory_journal(L, argument, journal) || session_journal(L, argument, journal)) {
    if (*journal == NULL) return argument_error(L, argument, "closed handle");
    errno = EPERM;
    return (*journal)->owner == sys_pid() ? (*journal)->fd : -1;
  }
  *journal = NULL;
  errno = EBADF;
  if (lua_type(L, argument) == LUA_TNUMBER) {
    lua_Number number = lua_tonumber(L, argument);
    if (number >= -0x7fffffff && number <= 0x7fffffff && number == (lua_Number)(int)number)
      return (int)number;
    argument_error(L, argument, "descriptor must be a whole number, got %f", number);
  }
  FILE *const *file = test_userdata(L, argument, LUA_FILEHANDLE);
  if (file != NULL && *file == NULL) return argument_error(L, argument, "closed file");
  if (file != NULL) return sys_fileno(*file);
  return argument_error(L, argument, "descriptor, file or handle expected, got %s",
                        luaL_typename(L, argument));
}

static int check_operation(lua_State *L, int argument)
{
  const int known = LOCK_SH | LOCK_EX | LOCK_NB | LOCK_UN;
  if (lua_type(L, argument) != LUA_TNUMBER)
    argument_error(L, argument, "op must be a number, got %s", luaL_typename(L, argument));
  lua_Number op = lua_tonumber(L, argument);
  if (!(op >= 0 && op <= known) || op != (lua_Number)(int)op)
    argument_error(L, argument, "op must be a sum of LOCK_*, got %f", op);
  return (int)op;
}

/* flock(file, op): flock(2). file: a descriptor, a Lua file or a handle. op: a sum of LOCK_SH,
 * LOCK_EX, LOCK_NB and LOCK_UN. A handle that writes takes its lock again, and gives it back if it
 * does not keep it. Returns true; or false, the system's reason, errno. */
static int flock_l(lua_State *L)
{
  char text[128];
  struct journal *journal;
  check_count(L, 2);
  int op = check_operation(L, 2);
  int fd = check_descriptor(L, 1, &journal);
  int number = fd >= 0 ? 0 : errno;
  if (fd >= 0 && sys_flock(fd, op) != 0) number = errno;
  if (number == 0 && journal != NULL) journal->locked = (op & LOCK_EX) != 0;
  lua_pushboolean(L, number == 0);
  if (number == 0) return 1;
  lua_pushstring(L, sys_reason(number, text, sizeof text));
  lua_pushinteger(L, number);
  return 3;
}

/* Called with the dir, protected. */
static int push_names(lua_State *L)
{
  const struct dir *dir = lua_touserdata(L, 1);
  lua_createtable(L, (int)dir->count, 0);
  for (size_t i = 0; i < dir->count; i++) {
    lua_pushstring(L, dir_name(dir, i));
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* list(dir): the sorted names of the *.jsonl files of a directory, without those that begin with
 * a dot; {} if there is no such directory; nil, message, errno where it cannot be read. */
static int list_l(lua_State *L)
{
  struct failure failure;
  struct dir dir;
  check_count(L, 1);
  const char *path = check_path(L, 1, &failure);
  if (path == NULL) return push_nil_failure(L, &failure, lua_tostring(L, 1));
  lua_pushcfunction(L, push_names);
  lua_pushlightuserdata(L, &dir);
  bool listed = dir_list(&dir, path);
  if (!listed) fail(&failure, "list");
  int status = listed ? lua_pcall(L, 1, 1, 0) : 0;
  dir_free(&dir);
  if (status != 0) return lua_error(L);
  if (listed) return 1;
  if (failure.number == ENOENT) return lua_newtable(L), 1;
  return push_nil_failure(L, &failure, path);
}

/* The one symbol of the module. Returns its table. */
__attribute__((visibility("default"))) int luaopen_aish_history(lua_State *L);

int luaopen_aish_history(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"open", memory_open_l},  {"session", session_open_l},
      {"append", append_l},     {"flock", flock_l},
      {"scan", scan_l},         {"follow", follow_l},
      {"sessions", sessions_l}, {"search", search_l},
      {"load", load_l},         {"load_memory", load_memory_l},
      {"list", list_l},         {"encode", encode_l},
      {"decode", decode_l},     {"verify", verify_l},
      {"compact", compact_l},   {NULL, NULL},
  };
  static const struct {
    const char *name;
    int value;
  } constants[] = {
      {"LOCK_SH", LOCK_SH}, {"LOCK_EX", LOCK_EX}, {"LOCK_NB", LOCK_NB}, {"LOCK_UN", LOCK_UN}};
  sys_stay_loaded();
  decoder_setup(L);
  memory_setup(L);
  session_setup(L);
  scan_setup(L);
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
    lua_pushinteger(L, constants[i].value);
    lua_setfield(L, -2, constants[i].name);
  }
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lua_pushliteral(L, AISH_HISTORY_VERSION);
  lua_setfield(L, -2, "_VERSION");
  return 1;
}
