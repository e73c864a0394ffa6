rockspec_format = "3.0"
package = "aish_history"
version = "dev-1"

source = {
  -- THE ADDRESS: whoever publishes this puts the public one here, and in the other rockspec.
  url = "git+https://example.org/aish_history.git",
  branch = "main",
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
        "csrc/base/buf.c",
        "csrc/base/escape.c",
        "csrc/base/hash.c",
        "csrc/base/sort.c",
        "csrc/base/sys.c",
        "csrc/base/timestamp.c",
        "csrc/base/utf8.c",
        "csrc/binding/args.c",
        "csrc/binding/budget.c",
        "csrc/binding/class.c",
        "csrc/binding/decode.c",
        "csrc/binding/drafts.c",
        "csrc/binding/encode.c",
        "csrc/binding/erase.c",
        "csrc/binding/hits.c",
        "csrc/binding/items.c",
        "csrc/binding/load.c",
        "csrc/binding/lock.c",
        "csrc/binding/memory_handle.c",
        "csrc/binding/redact.c",
        "csrc/binding/scan.c",
        "csrc/binding/scratch.c",
        "csrc/binding/screen.c",
        "csrc/binding/session_handle.c",
        "csrc/binding/sessions.c",
        "csrc/binding/upkeep.c",
        "csrc/file/beside.c",
        "csrc/file/extent.c",
        "csrc/file/follow.c",
        "csrc/file/format.c",
        "csrc/file/journal.c",
        "csrc/file/lines.c",
        "csrc/file/path.c",
        "csrc/file/purge.c",
        "csrc/file/reader.c",
        "csrc/file/replace.c",
        "csrc/file/sequel.c",
        "csrc/file/steady.c",
        "csrc/file/tail.c",
        "csrc/file/window.c",
        "csrc/json/json.c",
        "csrc/json/number.c",
        "csrc/json/objects.c",
        "csrc/json/quote.c",
        "csrc/json/reword.c",
        "csrc/json/walk.c",
        "csrc/memory/change.c",
        "csrc/memory/compact.c",
        "csrc/memory/contents.c",
        "csrc/memory/erasure.c",
        "csrc/memory/filter.c",
        "csrc/memory/index.c",
        "csrc/memory/kind.c",
        "csrc/memory/memory.c",
        "csrc/memory/rank.c",
        "csrc/memory/ranking.c",
        "csrc/memory/recall.c",
        "csrc/memory/record.c",
        "csrc/memory/standing.c",
        "csrc/memory/tombstones.c",
        "csrc/memory/twins.c",
        "csrc/memory/uid.c",
        "csrc/memory/verify.c",
        "csrc/session/dir.c",
        "csrc/session/retrieve.c",
        "csrc/session/search.c",
        "csrc/session/summary.c",
        "csrc/session/turn.c",
        "csrc/text/answers.c",
        "csrc/text/display.c",
        "csrc/text/fold.c",
        "csrc/text/literal.c",
        "csrc/text/grams.c",
        "csrc/text/needle.c",
        "csrc/text/query.c",
        "csrc/text/words.c",
      },
    },
    ["aish_history.secrets"] = "lua/aish_history/secrets.lua",
    history = "lua/history.lua",
  },
}

test = {
  type = "busted",
}
