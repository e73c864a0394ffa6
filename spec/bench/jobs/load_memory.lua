--- Loading the active items of a memory file as Lua tables, newest first: the large file in
-- processes of their own, which also shows the memory, and one of 1,000 lines over and over.
-- Held against: lua-cjson's decode a line, table.sort, the collector stopped as ours is; and the floor: the same tables and strings
-- made from what is already known (native/floor.c).
local aish = require("aish_history")
local corpus = require("corpus")
local idioms = require("idioms")
local measure = require("measure")

-- A way that runs the task in a process; `collected` gets its samples with a full collection after it.
local function child(interpreter, task, path, collected)
  collected.samples = {}
  return function()
    local seconds, highest, _, collecting = measure.child(interpreter, task, path)
    table.insert(collected.samples, seconds + collecting)
    return seconds, highest
  end
end

local function large(bench, interpreter)
  local path = corpus.memory(bench.records)
  local plan = bench.dir .. "/plan"
  measure.child(interpreter, "plan", path, plan)
  local collected = { aish_history = {}, ["table-building floor"] = {}, ["cjson idiom"] = bench.has.cjson and {} or nil }
  local ways = {
    { name = "aish_history", run = child(interpreter, "load_memory", path, collected.aish_history) },
    { name = "table-building floor", run = child(interpreter, "floor", plan, collected["table-building floor"]) },
  }
  if bench.has.cjson then
    ways[3] = { name = "cjson idiom", run = child(interpreter, "cjson_load_memory", path, collected["cjson idiom"]),
      most = bench.rounds(2, 1) }
  end
  local job = ("load_memory, %d lines, %s"):format(bench.records, interpreter)
  local results = measure.interleave(ways, bench.rounds(7, 3))
  bench.compare(job, results, "aish_history", "cjson idiom", { at_least = 4 })
  for _, result in pairs(collected) do result.median = measure.median(result.samples) end
  bench.compare(job .. ", and collecting afterwards", collected, "aish_history", "cjson idiom")
  bench.compare(job, results, "aish_history", "table-building floor", { at_most = 1.15 })
  bench.row({ job = "peak memory of it", ours = ("%.0f MB"):format(results["aish_history"].kilobytes / 1024),
    reference = bench.has.cjson and "cjson idiom" or "",
    theirs = bench.has.cjson and ("%.0f MB"):format(results["cjson idiom"].kilobytes / 1024) or "", text = "" })
end

-- What was made is collected within the time.
local function small(bench)
  local path = corpus.memory(1000)
  local ways = {
    { name = "aish_history", run = function()
      return measure.time(function() for _ = 1, 10 do aish.load_memory(path) end collectgarbage() end) / 10
    end },
  }
  for _, library in ipairs({ "cjson", "dkjson" }) do
    if bench.has[library] then
      ways[#ways + 1] = { name = library .. " idiom", run = function()
        return measure.time(function() for _ = 1, 10 do idioms.load_memory(library, path) end collectgarbage() end) / 10
      end }
    end
  end
  local results = measure.interleave(ways, bench.rounds(41, 11))
  bench.compare("load_memory, 1000 lines", results, "aish_history", "cjson idiom", { at_least = 4 })
  bench.compare("load_memory, 1000 lines", results, "aish_history", "dkjson idiom")
end

return function(bench)
  for _, interpreter in ipairs(bench.interpreters) do large(bench, interpreter) end
  small(bench)
end
