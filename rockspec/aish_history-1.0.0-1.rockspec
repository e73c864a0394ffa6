rockspec_format = "3.0"
package = "aish_history"
version = "1.0.0-1"

source = {
  -- THE ADDRESS: whoever publishes this puts the public one here, and in the other rockspec.
  url = "git+https://example.org/aish_history.git",
  tag = "v1.0.0",
}

description = {
  summary = "Crash-safe session logs and memories for the aish shell",
  detailed = [[
    Session logs and a memory that sessions share, as files of JSON lines that survive crashes, full
    disks and many writers. With `history`, which takes the place of aish's own history.lua.]],
  license = "MIT",
  labels = { "json", "jsonl", "log", "history", "posix" },
}

supported_platforms = { "unix" }

dependencies = {
  "lua >= 5.1",
  "lua-cjson",
}

test_dependencies = {
  "busted",
  "luafilesystem",
  "luaposix",
}

build = {
  type = "builtin",
  modules = {
    aish_history = {
      incdirs = { "csrc" },
      libraries = { "m" },
      defines = { "_FILE_OFFSET_BITS=64" },
      sources = {
        "csrc/aish_history.c",
        "csrc/buf.c",
        "csrc/compact.c",
        "csrc/dir.c",
        "csrc/filter.c",
        "csrc/fold.c",
        "csrc/index.c",
        "csrc/journal.c",
        "csrc/json.c",
        "csrc/lines.c",
        "csrc/lua_args.c",
        "csrc/lua_compact.c",
        "csrc/lua_decode.c",
        "csrc/lua_encode.c",
        "csrc/lua_items.c",
        "csrc/lua_load.c",
        "csrc/lua_memory.c",
        "csrc/lua_recall.c",
        "csrc/lua_scan.c",
        "csrc/lua_session.c",
        "csrc/memory.c",
        "csrc/needle.c",
        "csrc/number.c",
        "csrc/query.c",
        "csrc/rank.c",
        "csrc/reader.c",
        "csrc/record.c",
        "csrc/sort.c",
        "csrc/summary.c",
        "csrc/sys.c",
        "csrc/tail.c",
        "csrc/timestamp.c",
        "csrc/turn.c",
        "csrc/verify.c",
        "csrc/walk.c",
        "csrc/window.c",
        "csrc/words.c",
      },
    },
    history = "lua/history.lua",
  },
}

test = {
  type = "busted",
}
