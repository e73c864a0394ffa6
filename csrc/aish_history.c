/* aish_history.c: the door: what a Lua program gets by require("aish_history").
 *
 * The folders, from the top floor down. A folder includes itself and the floors below it; memory/
 * and session/ share a floor and do not know each other, nor do json/ and text/. Only binding/ and
 * this file know Lua, and only base/sys.c calls the system.
 *
 * binding/   Lua in, Lua out
 *   compat                  what the versions of Lua have under different names
 *   args, class             arguments, options and results; userdata, and what a state keeps
 *   encode, decode, redact  Lua values as JSON text, and back; what of them is not written
 *   handle                  what the handles of memories and sessions have in common
 *   memory_handle, items    open(), its handle, and the items that it returns
 *   drafts                  items that are to be written
 *   session_handle          session(), its handle, and append()
 *   load, scan              whole files as tables; their records one at a time
 *   sessions, hits          lists of sessions; what was said in them
 *   budget                  what fits into one, of what is recalled
 *   upkeep, lock            verify() and compact(); flock()
 *   erase                   erase()
 *   screen                  display()
 * memory/    a memory file
 *   record, kind, index     what a line holds; what the file is by it; which items are active
 *   tombstones, twins       what was forgotten; items that share an id
 *   memory                  the index and the file in step
 *   change, contents        adding, updating and forgetting; which item says what
 *   filter                  which items are wanted
 *   rank, recall            by the words that they hold; by a text that they bear on
 *   verify, compact         checking the file; rewriting it
 *   erasure                 what erasing does to items
 * session/   a session's file
 *   turn, summary           what a line holds; what a file holds
 *   dir                     the files of a directory
 *   search, retrieve        finding what was said by its words; by a text that it bears on
 * file/      lines of any file
 *   format, extent          what kind of file it is; what is known of one that others change
 *   reader, lines, tail     in blocks; one at a time; from the end
 *   window, follow          at an offset; from a file that grows
 *   path, journal           names and directories; appending under a lock
 *   beside, replace         files made beside another; taking its place
 *   purge, sequel           taking text out; where a follower goes on after that
 * json/      JSON text
 *   span, json, number      plain runs of bytes; the grammar; numbers
 *   walk, objects           members and elements; what a damaged line holds
 *   quote, reword           strings that are written; other ones in a record
 * text/      words in text
 *   fold, query             case folding; finding several words
 *   needle, lanes           finding one; where it may be, in wide steps
 *   words                   which items hold which words, for ranking
 *   grams, bm25             what a question and a text have in common; what that is worth
 *   display                 text as a terminal may be given it
 *   literal                 a text to the byte, and another in its place
 *   casefold, widths, rows  Unicode's tables, made by the scripts beside them; finding a row
 * base/      what everything stands on
 *   sys, failure            system calls; why one failed
 *   buf, sort, timestamp    bytes; order; times
 *   utf8, escape            characters; escapes in strings
 *   hash, table             hashes; numbers by their hashes
 *   word, std, hidden       eight bytes at once; the C library's types; what is not exported
 *
 * The promises about files:
 * 1. One record is one line of JSON and one write. Readers skip lines that are not JSON objects.
 * 2. Nothing is glued to a line that has no newline, and no byte of a fragment is thrown away.
 * 3. A call that fails leaves the file as it was, or in a state that the next call repairs.
 * 4. What was acknowledged under sync = "full" is on the disk.
 * 5. No id is given twice. */
#include <sys/file.h>

#include "base/sys.h"
#include "binding/args.h"
#include "binding/class.h"
#include "binding/compat.h"
#include "binding/decode.h"
#include "binding/encode.h"
#include "binding/erase.h"
#include "binding/hits.h"
#include "binding/load.h"
#include "binding/lock.h"
#include "binding/memory_handle.h"
#include "binding/scan.h"
#include "binding/screen.h"
#include "binding/session_handle.h"
#include "binding/sessions.h"
#include "binding/upkeep.h"
#include "version.h"
#include "base/hidden.h"

static int call_l(lua_State *L)
{
  return call_twice(L, lua_tocfunction(L, lua_upvalueindex(1)));
}

/* The one symbol of the module. Returns its table. */
__attribute__((visibility("default"))) int luaopen_aish_history(lua_State *L);

int luaopen_aish_history(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"open", memory_open_l},
      {"session", session_open_l},
      {"append", append_l},
      {"flock", flock_l},
      {"scan", scan_l},
      {"follow", follow_l},
      {"sessions", sessions_l},
      {"search", search_l},
      {"recall", recall_l},
      {"load", load_l},
      {"load_memory", load_memory_l},
      {"list", list_l},
      {"encode", encode_l},
      {"decode", decode_l},
      {"verify", verify_l},
      {"compact", compact_l},
      {"erase", erase_l},
      {"display", display_l},
      {NULL, NULL},
  };
  static const struct {
    const char *name;
    int value;
  } constants[] = {
      {"LOCK_SH", LOCK_SH}, {"LOCK_EX", LOCK_EX}, {"LOCK_NB", LOCK_NB}, {"LOCK_UN", LOCK_UN}};
  check_version(L);
  sys_stay_loaded();
  begin_state(L);
  lua_newtable(L);
  for (const luaL_Reg *function = functions; function->name != NULL; function++) {
    lua_pushcfunction(L, function->func);
    lua_pushcclosure(L, call_l, 1);
    lua_setfield(L, -2, function->name);
  }
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
