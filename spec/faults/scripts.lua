--- The scripts that the fault and crash specs play: {name=, files= and links= (what is there before),
-- fixture= (the contents in it, by id), erases= (what may be gone from them), highest= (its highest id), damaged= (lines of it that are not to be lost), play=,
-- memories= and sessions= (the files to look into afterwards)}.
local meta = '{"meta":{"aish_version":"phase4","created":"2026-01-01T00:00:00Z"}}\n'

local function item(id, content, more)
  return ('{"id":%d,"ts":"2026-01-01T00:00:%02dZ","kind":"fact","content":"%s"%s}\n'):format(
    id, id % 60, content, more or "")
end

local function tombstone(id, target)
  return ('{"id":%d,"ts":"2026-01-01T00:01:00Z","kind":"forget","target":%d}\n'):format(id, target)
end

local scripts = {}

local function script(name, definition)
  definition.name = name
  definition.files = definition.files or {}
  definition.memories = definition.memories or {}
  definition.sessions = definition.sessions or {}
  scripts[#scripts + 1] = definition
end

script("a new memory in new directories", {
  memories = { "new/deep/memory.jsonl" },
  play = function(p)
    local name = "new/deep/memory.jsonl"
    p:open("m", name)
    local first = p:add("m")
    p:add("m", "pref", nil, { "a", "b" }, "a source")
    local many = p:add_many("m", 3)
    p:forget("m", first)
    p:update("m", many[2])
    p:look("m")
    p:close("m")
    p:open("m", name)
    p:add("m")
    p:look("m")
    p:close("m")
    p:read(name)
  end,
})

script("a memory that ends in a fragment", {
  files = { ["dir/memory.jsonl"] = meta .. item(1, "one") .. item(2, "two") .. '{"id":3,"ts":"2026-01' },
  memories = { "dir/memory.jsonl" },
  fixture = { [1] = "one", [2] = "two" },
  play = function(p)
    p:open("m", "dir/memory.jsonl", { sync = "full" })
    p:look("m")
    p:add("m", "fact", 5000)
    p:forget("m", 1)
    p:add_many("m", 4, 1500)
    p:close("m")
    p:open("m", "dir/memory.jsonl", { sync = "none" })
    p:add("m")
    p:add("m")
    p:sync("m")
    p:add("m")
    p:close("m")
    p:read("dir/memory.jsonl")
  end,
})

script("a memory that is shared", {
  files = { ["dir/"] = true },
  memories = { "dir/memory.jsonl" },
  play = function(p)
    local name = "dir/memory.jsonl"
    p:open("a", name, { shared = true })
    p:open("b", name, { shared = true, wait = 0.01 })
    local first = p:add("a")
    local second = p:add("b")
    p:forget("b", first)
    local many = p:add_many("a", 2)
    p:look("b")
    p:forget("a", second)
    p:update("b", many[1])
    p:add("b")
    p:look("a")
    p:close("a")
    p:add("b")
    p:sync("b")
    p:open("x", name) -- between two calls of b the lock is free
    p:refused("b")
    p:add("x")
    p:close("x")
    p:add("b")
    p:close("b")
    p:open("x", name)
    p:add("x")
    p:close("x")
  end,
})

script("sessions", {
  files = { ["torn.jsonl"] = '{"meta":{"n":1}}\n{"role":"user","conte' },
  sessions = { "logs/2026/session.jsonl", "torn.jsonl", "once/log.jsonl" },
  play = function(p)
    local name = "logs/2026/session.jsonl"
    p:session("s", name, { model = "m" })
    p:append("s")
    p:append("s", 3000)
    p:close("s")
    p:session("s", name, { model = "m" }, { sync = "none" })
    p:append("s")
    p:append("s")
    p:sync("s")
    p:append("s")
    p:close("s")
    p:append_once(name)
    p:append_once("once/log.jsonl")
    p:append_once("once/log.jsonl", { sync = "none" })
    p:session("t", "torn.jsonl", { model = "m" })
    p:append("t")
    p:append("t")
    p:close("t")
    p:read(name)
  end,
})

script("a memory that is compacted", {
  files = {
    ["dir/memory.jsonl"] = meta .. item(1, "one") .. item(2, "two") .. '{"id":3,"ts":"2026-01\n' ..
      item(4, "four") .. tombstone(5, 2) .. "\0\0\0\0\n" .. item(6, "six", ',"more":[1.50]') .. '{"id":7,"ts"',
  },
  memories = { "dir/memory.jsonl" },
  fixture = { [1] = "one", [4] = "four", [6] = "six" },
  damaged = { '{"id":3,"ts":"2026-01\n', '{"id":7,"ts"' },
  play = function(p)
    local name = "dir/memory.jsonl"
    p:open("m", name)
    local first = p:add("m")
    p:add("m", "context", 700)
    p:forget("m", first)
    p:forget("m", 1)
    p:compact("m")
    p:add("m")
    p:look("m")
    p:forget("m", 4)
    p:close("m")
    p:compact(nil, name)
    p:open("a", name, { shared = true })
    p:open("b", name, { shared = true })
    p:add("b")
    local last = p:add("b")
    p:forget("a", last)
    p:compact("a")
    p:add("b")
    p:look("a")
    p:close("a")
    p:close("b")
    p:read(name)
    p:compact(nil, name)
    p:open("m", name)
    p:add("m")
    p:close("m")
  end,
})

script("a memory that a link leads to", {
  files = { ["real/memory.jsonl"] = meta .. item(1, "one") .. "{]\n" .. item(9, "nine") .. tombstone(2, 9) .. item(3, "three") .. item(4, "four") },
  links = { ["link.jsonl"] = "real/memory.jsonl" },
  memories = { "real/memory.jsonl" },
  by = "link.jsonl",
  fixture = { [3] = "three", [4] = "four" },
  highest = 9,
  damaged = { "{]\n" },
  play = function(p)
    p:compact(nil, "link.jsonl")
    p:open("m", "link.jsonl")
    p:add("m")
    p:forget("m", 1)
    p:close("m")
    p:compact(nil, "link.jsonl")
    p:open("m", "link.jsonl")
    p:add("m")
    p:close("m")
  end,
})

script("a memory that text is erased from", {
  files = {
    ["dir/memory.jsonl"] = meta .. item(1, "the secret") .. '{"id":3,"ts":"a secret\n' .. item(4, "a secret, a secret") ..
      '{"id":5,"ts":"2026-01\n' .. item(6, "hidden, third"),
    ["dir/memory.jsonl.damaged"] = "one\na secret\ntwo\n",
  },
  memories = { "dir/memory.jsonl" },
  fixture = { [1] = "the secret", [4] = "a secret, a secret", [6] = "hidden, third" },
  erases = { "secret", "hidden", "third" },
  damaged = { '{"id":5,"ts":"2026-01\n', "one\n", "two\n" },
  play = function(p)
    local name = "dir/memory.jsonl"
    p:open("m", name)
    p:add("m")
    p:erase("m", nil, "secret")
    p:add("m")
    p:look("m")
    p:close("m")
    p:open("a", name, { shared = true })
    p:open("b", name, { shared = true })
    p:add("b")
    p:erase("a", nil, "hidden")
    p:add("b")
    p:look("a")
    p:close("a")
    p:close("b")
    p:erase(nil, name, "third")
    p:erase(nil, name, "nowhere")
    p:read(name)
  end,
})

script("a session that text is erased from", {
  files = { ["dir/log.jsonl"] = '{"role":"user","content":"text of a s\\u0065cret"}\n{"role":"user","content":"a secret\n{"n":"x{"n":"third"}\n' },
  sessions = { "dir/log.jsonl" },
  fixture = {},
  play = function(p)
    local name = "dir/log.jsonl"
    p:session("s", name)
    p:append("s")
    p:erase("s", nil, "secret")
    p:append("s")
    p:erase("s", nil, "nowhere")
    p:close("s")
    p:erase(nil, name, "third")
    p:append_once(name)
  end,
})

script("directories made by one who does not sync", {
  sessions = { "a/b/log.jsonl" },
  play = function(p)
    p:session("s", "a/b/log.jsonl", nil, { sync = "none" })
    p:append("s")
    p:append_once("a/b/log.jsonl")
    p:close("s")
    p:append_once("a/b/log.jsonl")
  end,
})

script("a file that another takes the place of", {
  memories = { "dir/memory.jsonl" },
  sessions = { "dir/session.jsonl" },
  elsewhere = true, -- the renames are not the module's, so that no record of its calls has them
  play = function(p)
    p:open("m", "dir/memory.jsonl")
    p:add("m")
    p:replace("dir/memory.jsonl")
    p:add("m")
    p:look("m")
    p:close("m")
    p:session("s", "dir/session.jsonl", { model = "m" })
    p:append("s")
    p:replace("dir/session.jsonl")
    p:append("s")
    p:close("s")
  end,
})

return scripts
