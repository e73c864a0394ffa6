/* aish_history.c: the door: what a Lua program gets by require("aish_history").
 *
 * The folders, one floor above the other. A folder includes itself and what is below it; of two that
 * share a floor, neither knows the other. Only binding/ and this file know Lua, and only base/sys.c
 * calls the system.
 *
 *   binding/   Lua in, Lua out
 *     args, class, scratch         arguments, options and results; userdata; buffers
 *     encode, decode               Lua values to JSON text, and back
 *     memory_handle, items         open(), its handle, and the items that it gives
 *     session_handle               session(), its handle, and append()
 *     load, scan                   whole files as tables; one record at a time
 *     sessions, hits               lists of sessions; what was said in them
 *     upkeep, lock                 verify() and compact(); flock()
 *   memory/    a memory file       session/   a session's file
 *     record, index                what a line says; which items there are
 *     memory, compact, verify      adding and forgetting; rewriting; judging
 *     filter, rank                 which items are wanted, and which of them first
 *                                    turn, summary, dir   lines; files; directories
 *                                    search               what was said
 *   file/      lines of any file: read, looked up, appended to
 *     reader, lines, tail, window  in blocks; one by one; from the end; at a place
 *     path, follow, journal        names; a file that grows; appending under a lock
 *   json/      JSON text           text/      words in text
 *     span, json, walk             strings; the grammar; members
 *     slice, number                strings in place; numbers
 *                                    fold, casefold       case folding
 *                                    needle, query, words finding
 *   base/      system calls (sys), failures, bytes (buf), order (sort), times (timestamp),
 *     characters (ascii, utf8)
 *
 * The promises about files:
 * 1. One record is one line of JSON and one write. Readers skip lines that are not JSON objects.
 * 2. Nothing is glued to a line that has no newline, and no byte of a fragment is thrown away.
 * 3. A call that fails leaves the file as it was, or in a state that the next call repairs.
 * 4. What was acknowledged under sync = "full" is on the disk.
 * 5. No id is given twice. */
#include <lauxlib.h>
#include <lua.h>
#include <sys/file.h>

#include "base/sys.h"
#include "binding/args.h"
#include "binding/decode.h"
#include "binding/encode.h"
#include "binding/hits.h"
#include "binding/load.h"
#include "binding/lock.h"
#include "binding/memory_handle.h"
#include "binding/scan.h"
#include "binding/session_handle.h"
#include "binding/sessions.h"
#include "binding/upkeep.h"
#include "version.h"

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
