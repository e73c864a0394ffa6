--- What is played: {name=, files= (what is there before), processes=, foreign=, memories= (files to be
-- opened afterwards), faults= (instead of those of explore.lua), kills= (which processes may be killed),
-- held= (a lock that is held is no failure)}.
--
-- A process is a function that prepares (no schedule yet) and returns what is scheduled. A foreign
-- program is {name=, run=, loses= (it takes away what is in the file)}.
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
local function text(letter)
  return "text " .. letter:rep(80)
end

-- Appends two turns.
local function log_writer(p)
  local session = p:session(LOG)
  return function()
    p:append(session, text("A"))
    p:append(session, text("B"))
  end
end

local readers = {
  scan = function(p) p:scan(LOG) end,
  load = function(p) p:load(LOG) end,
  ["load last"] = function(p) p:load(LOG, 2) end,
  search = function(p) p:search_file(LOG, "text") end,
}

for name, read in pairs(readers) do
  scenario(name .. " beside a writer", {
    files = { [LOG] = turn("text one") .. turn("text two") },
    processes = { log_writer, function(p) return function() read(p) end end },
  })
end

scenario("follow beside a writer", {
  files = { [LOG] = turn("text one") },
  processes = {
    log_writer,
    function(p)
      local follower = p:follow(LOG)
      return function()
        p:poll(follower)
        p:poll(follower)
        p:drain(follower)
      end
    end,
  },
})

-- ---- a memory ----

local MEMORY = "memory.jsonl"

scenario("two shared writers", {
  files = { [MEMORY] = meta .. item(1, "one") },
  memories = { MEMORY },
  processes = {
    function(p)
      local memory = p:open(MEMORY, { shared = true, sync = "none" })
      return function()
        p:add(memory, text("A"))
        p:add(memory, text("B"))
      end
    end,
    function(p)
      local memory = p:open(MEMORY, { shared = true, sync = "none" })
      return function()
        p:count(memory)
        p:add(memory, text("C"))
        p:items(memory)
      end
    end,
  },
})

table.sort(scenarios, function(one, other) return one.name < other.name end)
return scenarios
