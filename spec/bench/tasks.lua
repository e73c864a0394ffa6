--- What is run in processes of its own, for its memory or its instructions. A task gives the seconds
-- of what it is about and leaves out what comes before; its result stays alive until the end, so
-- that the memory is seen.
local idioms = require("idioms")
local limits = require("limits")

local tasks = {}

local function timed(work, ...)
  local start = limits.cpu()
  local result = { work(...) }
  return limits.cpu() - start, result
end

function tasks.nothing() return 0 end

function tasks.open(path)
  return timed(require("aish_history").open, path)
end

--- The first search or recall of a handle, which makes its index.
function tasks.find(path, method, text)
  local memory = assert(require("aish_history").open(path))
  local seconds, found = timed(memory[method], memory, text, { limit = 10 })
  return seconds, { memory, found }
end

function tasks.load_memory(path)
  return timed(require("aish_history").load_memory, path)
end

function tasks.cjson_load_memory(path)
  require("cjson")
  return timed(idioms.load_memory, "cjson", path)
end

function tasks.dkjson_load_memory(path)
  require("dkjson")
  return timed(idioms.load_memory, "dkjson", path)
end

--- Building the tables alone, from the plan of them.
function tasks.floor(path)
  local items, seconds = require("floor").build(path)
  return seconds, items
end

--- Writes the plan of a file's items.
function tasks.plan(path, plan)
  require("floor").plan(require("aish_history").load_memory(path), plan)
  return 0
end

function tasks.load(path)
  return timed(require("aish_history").load, path)
end

function tasks.cjson_load(path)
  require("cjson")
  return timed(idioms.load, "cjson", path)
end

function tasks.simdjson_load(path)
  require("simdjson")
  return timed(idioms.load, "simdjson", path)
end

--- One pass over a file's records as tables, none of them kept.
function tasks.scan(path)
  return timed(function()
    local count = 0
    for _ in require("aish_history").scan(path) do count = count + 1 end
    return count
  end)
end

--- `count` items of 200 bytes, not synced.
function tasks.add(path, count)
  local memory = assert(require("aish_history").open(path, { sync = "none" }))
  local content = ("x"):rep(137)
  return timed(function()
    for _ = 1, tonumber(count) do memory:add("fact", content) end
  end)
end

return tasks
