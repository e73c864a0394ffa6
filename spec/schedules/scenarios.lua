--- What is played: {name=, files= (what is there before), processes=, foreign=, memories= (files to be
-- opened afterwards), faults= (instead of those of explore.lua), kills= (which processes may be killed),
-- held= (a lock that is held is no failure), bounds= (instead of those that run.lua has), apart= (only
-- played by its name)}.
--
-- A process is a function that prepares (no schedule yet) and returns what is scheduled. A foreign
-- program is {name=, run=, loses= (it takes away what is in the file), appends= (a whole line)}.
local gate = require("aish_history.gate")

local meta = '{"meta":{"aish_version":"phase4","created":"2026-01-01T00:00:00Z"}}\n'

local function item(id, content)
  return ('{"id":%d,"ts":"2026-01-01T00:00:%02dZ","kind":"fact","content":"%s"}\n'):format(id, id, content)
end

local function turn(content)
  return ('{"role":"user","content":"%s"}\n'):format(content)
end

local scenarios = {}

local function scenario(name, definition)
  definition.name = name
  definition.foreign = definition.foreign or {}
  scenarios[#scenarios + 1] = definition
end

-- ---- a log ----

local LOG = "log.jsonl"

-- Longer than what stands before it on its line, so that half a line ends within it.
local function text(letter, size)
  return "text " .. letter:rep((size or 80) - 5)
end

-- Appends two turns.
local function log_writer(p, size)
  local session = p:session(LOG)
  return function()
    p:append(session, text("A", size))
    p:append(session, text("B", size))
  end
end

local readers = {
  scan = function(p) p:scan(LOG) end,
  load = function(p) p:load(LOG) end,
  ["load last"] = function(p) p:load(LOG, 2) end,
  search = function(p) p:search_file(LOG, "text") end,
  ["search of a directory"] = function(p) p:search_file(LOG, "text", ".") end,
  recall = function(p) p:search_file(LOG, "text", nil, "recall") end,
  ["recall of a directory"] = function(p) p:search_file(LOG, "text", ".", "recall") end,
}

for name, read in pairs(readers) do
  scenario(name .. " beside a writer", {
    files = { [LOG] = turn("text one") .. turn("text two") },
    processes = { log_writer, function(p) return function() read(p) end end },
  })
end

-- One read has the beginning of a write that is undone, and the end of the one in its place.
scenario("scan beside a writer, in halves", {
  files = { [LOG] = "" },
  faults = { write = { "half" }, pread = { "split" } },
  bounds = { preemptions = 1, faults = 2 },
  processes = {
    function(p) return log_writer(p, 200) end,
    function(p) return function() p:scan(LOG) end end,
  },
})

-- ---- foreign programs that take no lock ----

local foreign = {}

function foreign.append(name, line)
  return { name = "append", appends = line, run = function(root) gate.write(root .. "/" .. name, line) end }
end

--- What a program leaves that was killed while it wrote.
function foreign.fragment(name, line)
  return { name = "fragment", run = function(root) gate.write(root .. "/" .. name, line:sub(1, #line / 2)) end }
end

--- An editor saves what it read, with a line more, and so loses what was added meanwhile.
function foreign.save(name, line)
  return {
    name = "save",
    loses = true,
    run = function(root)
      local path = root .. "/" .. name
      local bytes = gate.read(path)
      local ended = bytes == "" or bytes:sub(-1) == "\n"
      gate.write(path .. "~", bytes .. (ended and "" or "\n") .. line)
      gate.rename(path .. "~", path)
    end,
  }
end

function foreign.unlink(name)
  return { name = "unlink", loses = true, run = function(root) gate.unlink(root .. "/" .. name) end }
end

--- The three ways of logrotate.
function foreign.rotate(name, rotated)
  return { name = "rotate", run = function(root) gate.rename(root .. "/" .. name, root .. "/" .. rotated) end }
end

function foreign.create(name, rotated)
  return {
    name = "create",
    run = function(root)
      gate.rename(root .. "/" .. name, root .. "/" .. rotated)
      gate.write(root .. "/" .. name, "")
    end,
  }
end

function foreign.copytruncate(name, copy)
  return {
    name = "copytruncate",
    loses = true,
    run = function(root)
      gate.write(root .. "/" .. copy, gate.read(root .. "/" .. name))
      gate.truncate(root .. "/" .. name, 0)
    end,
  }
end

-- ---- a log that is followed, and rotated ----

local function follower(p, name)
  local following = p:follow(name or LOG)
  return function()
    p:poll(following)
    p:poll(following)
    p:drain(following)
  end
end

scenario("follow beside a writer", {
  files = { [LOG] = turn("text one") },
  processes = { log_writer, follower },
})

scenario("follow beside a writer and rotation", {
  files = { [LOG] = turn("text one") },
  foreign = { foreign.rotate(LOG, "log.jsonl.1"), foreign.copytruncate(LOG, "log.jsonl.1") },
  faults = {},
  processes = { log_writer, follower },
})

scenario("follow beside a writer and rotation that makes a new file", {
  files = { [LOG] = turn("text one") },
  foreign = { foreign.create(LOG, "log.jsonl.1") },
  faults = {},
  processes = { log_writer, follower },
})

-- ---- two sessions, one of which is killed ----

scenario("two sessions, one killed", {
  files = { [LOG] = turn("text one") },
  kills = { true, false },
  processes = {
    log_writer,
    function(p)
      local session = p:session(LOG)
      return function()
        p:append(session, text("C"))
        p:append_once(LOG, text("D"))
        p:load(LOG)
      end
    end,
  },
})

scenario("new sessions, one killed", {
  files = {},
  kills = { true, false },
  faults = {},
  processes = {
    function(p)
      return function()
        local session = p:session(LOG, nil, { n = 1 })
        p:append(session, text("A"))
      end
    end,
    function(p)
      return function()
        local session = p:session(LOG, nil, { n = 1 })
        p:append(session, text("B"))
      end
    end,
  },
})

-- ---- a memory ----

local MEMORY = "memory.jsonl"
local SHARED = { shared = true, sync = "none" }

local one = { [MEMORY] = meta .. item(1, "text one") }

--- Where its write comes through half, with the first of two items: that one is as long as the two that
-- it adds then in their place.
local function replacing_writer(p)
  local memory = p:open(MEMORY, SHARED)
  local size = p:overhead()
  return function()
    p:add_many(memory, "fact", { text("A", size + 160), text("X", size + 160) })
    p:add_many(memory, "pref", { text("C"), text("D") })
  end
end

local function shared(run)
  return function(p)
    local memory = p:open(MEMORY, SHARED)
    return function() run(p, memory) end
  end
end

-- Of what comes through half, two lines are whole, each longer than what a follower compares at once.
scenario("follow beside a writer of long lines", {
  bounds = { preemptions = 1, faults = 1 },
  files = one,
  memories = { MEMORY },
  processes = {
    shared(function(p, memory)
      p:add_many(memory, "fact", { text("A", 20000), text("X", 20000), text("Y", 50000) })
      p:add_many(memory, "pref", { text("C"), text("D", 60000) })
    end),
    function(p) return follower(p, MEMORY) end,
  },
})

scenario("# and add beside a shared writer", {
  files = one,
  memories = { MEMORY },
  processes = {
    replacing_writer,
    shared(function(p, memory)
      p:count(memory)
      p:add(memory, text("E"))
    end),
  },
})

scenario("items and get beside a shared writer", {
  files = one,
  memories = { MEMORY },
  processes = {
    replacing_writer,
    shared(function(p, memory)
      p:count(memory)
      p:items(memory, "fact")
      p:items(memory)
      p:get(memory, 2)
    end),
  },
})

scenario("next_id and search beside a shared writer", {
  files = one,
  memories = { MEMORY },
  processes = {
    replacing_writer,
    shared(function(p, memory)
      p:next_id(memory)
      p:search(memory, "text", "fact")
      p:next_id(memory)
    end),
  },
})

scenario("recall beside a shared writer", {
  files = one,
  memories = { MEMORY },
  processes = {
    replacing_writer,
    shared(function(p, memory) p:recall(memory, "which text?", "fact") end),
  },
})

scenario("two shared writers and a durable one", {
  files = one,
  memories = { MEMORY },
  faults = { write = { "half" }, fdatasync = { "fail" } },
  processes = {
    function(p)
      local memory = p:open(MEMORY, { shared = true })
      p:add(memory, text("0")) -- syncs the directories
      return function() p:add(memory, text("A")) end
    end,
    shared(function(p, memory)
      p:count(memory)
      p:items(memory, "fact")
    end),
    shared(function(p, memory) p:add(memory, text("C"), "pref") end),
  },
})

scenario("forget and add of two shared handles", {
  files = { [MEMORY] = meta .. item(1, "text one") .. item(2, "text two") },
  memories = { MEMORY },
  processes = {
    shared(function(p, memory)
      p:forget(memory, 1)
      p:add(memory, text("A"))
    end),
    shared(function(p, memory)
      p:get(memory, 1)
      p:items(memory)
      p:add(memory, text("B"))
    end),
  },
})

-- ---- compaction ----

scenario("compact beside a writer and a reader", {
  files = { [MEMORY] = meta .. item(1, "text one") .. "{damaged\n" },
  memories = { MEMORY },
  faults = { write = { "half" }, rename = { "fail" } },
  processes = {
    shared(function(p, memory) p:add(memory, text("A")) end),
    function(p) return function() p:compact_once(MEMORY) end end,
    shared(function(p, memory) p:items(memory) end),
  },
})

scenario("compact of a shared handle beside a writer", {
  files = { [MEMORY] = meta .. item(1, "text one") .. item(2, "text two") },
  memories = { MEMORY },
  faults = { write = { "half" } },
  processes = {
    replacing_writer,
    shared(function(p, memory)
      p:count(memory)
      p:compact(memory)
    end),
  },
})

scenario("compact beside an append without a lock", {
  files = { [MEMORY] = meta .. item(1, "text one") .. item(2, "text two") },
  memories = { MEMORY },
  foreign = { foreign.append(MEMORY, item(9, "text nine")) },
  processes = { function(p) return function() p:compact_once(MEMORY) end end },
})

scenario("compact, killed", {
  files = { [MEMORY] = meta .. item(1, "text one") .. item(2, "text two") .. "{damaged\n" },
  memories = { MEMORY },
  faults = {},
  kills = { true },
  processes = {
    function(p) return function() p:compact_once(MEMORY) end end,
    shared(function(p, memory)
      p:add(memory, text("A"))
      p:get(memory, 1)
    end),
  },
})

-- ---- erasing ----

local NOTE = '{"note":"a secret"}\n'

-- Where it cannot be said where the new file goes on, a follower reads that from its start.
scenario("erase beside a writer and a follower", {
  bounds = { preemptions = 1, faults = 1 },
  files = { [LOG] = turn("text one") .. NOTE },
  faults = { rename = { "fail" }, fdatasync = { "fail" } },
  processes = { log_writer, function(p) return function() p:erase_once(LOG, "secret") end end, follower },
})

scenario("erase beside a writer and a reader", {
  bounds = { preemptions = 1, faults = 1 },
  files = { [LOG] = turn("text one") .. NOTE .. "{damaged secret\n" },
  faults = { write = { "half" }, rename = { "fail" }, fsync = { "fail" } },
  processes = {
    log_writer,
    function(p) return function() p:erase_once(LOG, "secret") end end,
    function(p) return function() p:scan(LOG) end end,
  },
})

scenario("erase of a shared handle beside a writer and a reader", {
  bounds = { preemptions = 1, faults = 1 },
  files = { [MEMORY] = meta .. item(1, "text one") .. NOTE },
  memories = { MEMORY },
  faults = { write = { "half" } },
  processes = {
    shared(function(p, memory) p:add(memory, text("A")) end),
    shared(function(p, memory)
      p:erase(memory, "secret")
      p:add(memory, text("B"))
    end),
    shared(function(p, memory) p:items(memory) end),
  },
})

scenario("erase beside an append without a lock", {
  files = { [MEMORY] = meta .. item(1, "text one") .. NOTE },
  memories = { MEMORY },
  foreign = { foreign.append(MEMORY, item(9, "text nine")) },
  processes = { function(p) return function() p:erase_once(MEMORY, "secret") end end },
})

scenario("erase, killed", {
  bounds = { preemptions = 1, faults = 1 },
  files = { [MEMORY] = meta .. item(1, "text one") .. NOTE },
  memories = { MEMORY },
  faults = {},
  kills = { true },
  processes = {
    function(p) return function() p:erase_once(MEMORY, "secret") end end,
    shared(function(p, memory)
      p:add(memory, text("A"))
      p:get(memory, 1)
    end),
  },
})

-- ---- other programs ----

scenario("an editor beside a handle that keeps its lock", {
  files = one,
  memories = { MEMORY },
  foreign = { foreign.save(MEMORY, item(9, "text nine")), foreign.unlink(MEMORY) },
  held = true,
  processes = {
    function(p)
      local memory = p:open(MEMORY, { sync = "none" })
      return function()
        p:items(memory)
        p:add(memory, text("A"))
      end
    end,
    function(p)
      return function()
        local memory = p:open(MEMORY, { sync = "none" })
        p:add(memory, text("C"))
      end
    end,
  },
})

scenario("an append without a lock beside shared handles", {
  files = one,
  memories = { MEMORY },
  foreign = { foreign.append(MEMORY, '{"note":1}\n'), foreign.fragment(MEMORY, '{"note":"abcdefgh"}\n') },
  faults = {},
  processes = {
    shared(function(p, memory) p:add(memory, text("A")) end),
    shared(function(p, memory)
      p:items(memory)
      p:add(memory, text("C"))
    end),
  },
})

scenario("an append without a lock within a short write", {
  files = one,
  memories = { MEMORY },
  foreign = { foreign.append(MEMORY, '{"note":1}\n'), foreign.fragment(MEMORY, '{"note":"abcdefgh"}\n') },
  faults = { write = { "short" } },
  bounds = { preemptions = 1, faults = 2 },
  processes = {
    shared(function(p, memory) p:add(memory, text("A")) end),
    shared(function(p, memory) p:items(memory) end),
  },
})

-- ---- whole-file readers ----

scenario("verify beside a writer", {
  files = one,
  memories = { MEMORY },
  processes = { replacing_writer, function(p) return function() p:verify(MEMORY) end end },
})

-- Of one kind: the records that take the place of those that were undone are of the other.
scenario("load_memory beside a writer", {
  files = one,
  memories = { MEMORY },
  processes = { replacing_writer, function(p) return function() p:load_memory(MEMORY, "fact") end end },
})

scenario("load_memory in a process that has the file open", {
  files = one,
  memories = { MEMORY },
  foreign = { { name = "pause", run = function() gate.pass(5) end } },
  faults = { write = { "half" } },
  processes = {
    replacing_writer,
    shared(function(p)
      p:load_memory(MEMORY)
      p:load_memory(MEMORY)
    end),
  },
})

scenario("load_memory and verify beside compact", {
  files = { [MEMORY] = meta .. item(1, "text one") .. "{damaged\n" },
  memories = { MEMORY },
  faults = { write = { "half" }, rename = { "fail" }, fdatasync = { "fail" } },
  processes = {
    function(p) return function() p:compact_once(MEMORY) end end,
    function(p)
      return function()
        p:load_memory(MEMORY)
        p:verify(MEMORY)
      end
    end,
  },
})

-- ---- the oracle itself ----

scenario("something is lost, and nobody has said so", {
  apart = true,
  files = one,
  memories = { MEMORY },
  foreign = { { name = "unlink", run = foreign.unlink(MEMORY).run } },
  processes = { shared(function(p, memory) p:add(memory, text("A")) end) },
})

table.sort(scenarios, function(one_of, other) return one_of.name < other.name end)
return scenarios
