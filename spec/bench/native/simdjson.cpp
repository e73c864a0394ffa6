/* simdjson.cpp: the ids, kinds, targets and times of a memory file by simdjson's on-demand parser,
 * which is told that lines follow each other (iterate_many). It reads blocks of 256 KiB. Their memory
 * and the parser's are kept from call to call, as simdjson's documentation advises, so that no page
 * is asked for twice. It runs in one thread, as we do, and is compiled for the very processor it runs
 * on, which we are not. What a line holds besides these members is not validated. */
#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <simdjson.h>
#include <unistd.h>

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

static constexpr size_t BLOCK = 256 * 1024;

/* What is kept: a parser, and room for a block behind the beginning of a line. */
struct scanner {
  ondemand::parser parser;
  size_t room = 0;
  std::unique_ptr<char[]> bytes;

  void make_room(size_t size)
  {
    if (size <= room) return;
    std::unique_ptr<char[]> larger(new char[size + SIMDJSON_PADDING]());
    if (room > 0) memcpy(larger.get(), bytes.get(), room);
    bytes = std::move(larger);
    room = size;
  }

  /* Takes up the lines that the first `size` bytes are. */
  bool take_lines(size_t size, totals &sum)
  {
    ondemand::document_stream stream;
    if (size == 0) return true;
    if (parser.iterate_many(bytes.get(), size, std::max(size, BLOCK)).get(stream)) return false;
    for (auto document : stream) {
      ondemand::object object;
      sum.lines++;
      if (!document.get_object().get(object)) take_up(object, sum);
    }
    return true;
  }

  bool take_file(int fd, totals &sum)
  {
    size_t held = 0;
    for (;;) {
      make_room(held + BLOCK);
      ssize_t got = read(fd, bytes.get() + held, BLOCK);
      if (got <= 0) return got == 0 && take_lines(held, sum);
      size_t end = held + size_t(got);
      const void *newline = memrchr(bytes.get() + held, '\n', size_t(got));
      size_t whole =
          newline == nullptr ? 0 : size_t(static_cast<const char *>(newline) + 1 - bytes.get());
      if (!take_lines(whole, sum)) return false;
      memmove(bytes.get(), bytes.get() + whole, end - whole);
      held = end - whole;
    }
  }
};

/* scan(path): how many lines, the sum of the ids, of the targets. */
static int scan(lua_State *L)
{
  static scanner kept;
  totals sum;
  int fd = open(luaL_checkstring(L, 1), O_RDONLY);
  bool done = fd >= 0 && kept.take_file(fd, sum);
  if (fd >= 0) close(fd);
  if (!done) return luaL_error(L, "simdjson: cannot read");
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
