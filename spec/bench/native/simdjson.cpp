/* simdjson.cpp: the ids, kinds, targets and times of a memory file by simdjson's on-demand parser,
 * which is told that lines follow each other (iterate_many). It runs in one thread, as we do, and is
 * compiled for the very processor it runs on, which we are not. */
#include <simdjson.h>

extern "C" {
#include <lauxlib.h>
#include <lua.h>
}

using namespace simdjson;

struct totals {
  uint64_t lines = 0, ids = 0, targets = 0, kinds = 0, times = 0;
};

/* The fields may come in any order, so each key is looked at once. A line that is no object of
 * that kind counts as a line. */
static void take_up(ondemand::object object, totals &sum)
{
  for (auto result : object) {
    ondemand::field field;
    if (std::move(result).get(field)) return;
    ondemand::raw_json_string key = field.key();
    uint64_t number;
    std::string_view text;
    if (key == "id") {
      if (!field.value().get_uint64().get(number)) sum.ids += number;
    } else if (key == "target") {
      if (!field.value().get_uint64().get(number)) sum.targets += number;
    } else if (key == "kind") {
      if (!field.value().get_string().get(text)) sum.kinds += text.size();
    } else if (key == "ts") {
      if (!field.value().get_string().get(text)) sum.times += text.size();
    }
  }
}

/* scan(path): how many lines, the sum of the ids, of the targets. */
static int scan(lua_State *L)
{
  ondemand::parser parser;
  padded_string text;
  ondemand::document_stream stream;
  totals sum;
  if (padded_string::load(luaL_checkstring(L, 1)).get(text)) return luaL_error(L, "simdjson: cannot read");
  if (parser.iterate_many(text, 1 << 20).get(stream)) return luaL_error(L, "simdjson: cannot parse");
  for (auto document : stream) {
    ondemand::object object;
    sum.lines++;
    if (!document.get_object().get(object)) take_up(object, sum);
  }
  lua_pushnumber(L, static_cast<lua_Number>(sum.lines));
  lua_pushnumber(L, static_cast<lua_Number>(sum.ids));
  lua_pushnumber(L, static_cast<lua_Number>(sum.targets));
  return 3;
}

extern "C" __attribute__((visibility("default"))) int luaopen_simdjson(lua_State *L)
{
  lua_newtable(L);
  lua_pushcfunction(L, scan);
  lua_setfield(L, -2, "scan");
  lua_pushstring(L, SIMDJSON_STRINGIFY(SIMDJSON_VERSION));
  lua_setfield(L, -2, "version");
  return 1;
}
