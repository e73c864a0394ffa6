--- Loading the active items of a memory file as Lua tables, newest first: the large file in
-- processes of their own, which also shows the memory, and one of 1,000 lines over and over.
-- Held against: lua-cjson's decode a line, table.sort; and the floor: the same tables and strings
-- made from what is already known (native/floor.c).
local aish = require("aish_history")
local corpus = require("corpus")
local idioms = require("idioms")
local measure = require("measure")

local function child(interpreter, task, path, most)
  return function() return measure.child(interpreter, task, path) end, most
end

local function large(bench, interpreter)
  local path = corpus.memory(bench.records)
  local plan = bench.dir .. "/plan"
  measure.child(interpreter, "plan", path, plan)
  local ways = {
    { name = "aish_history", run = child(interpreter, "load_memory", path) },
    { name = "table-building floor", run = child(interpreter, "floor", plan) },
  }
  if bench.has.cjson then
    ways[3] = { name = "cjson idiom", run = child(interpreter, "cjson_load_memory", path), most = bench.rounds(2, 1) }
  end
  local job = ("load_memory, %d lines, %s"):format(bench.records, interpreter)
  local results = measure.interleave(ways, bench.rounds(7, 3))
  bench.compare(job, results, "aish_history", "cjson idiom", { at_least = 4.5 })
  bench.compare(job, results, "aish_history", "table-building floor", { at_most = 1.15 })
  bench.row({ job = "peak memory of it", ours = ("%.0f MB"):format(results["aish_history"].kilobytes / 1024),
    reference = bench.has.cjson and "cjson idiom" or "",
    theirs = bench.has.cjson and ("%.0f MB"):format(results["cjson idiom"].kilobytes / 1024) or "", text = "" })
end

local function small(bench)
  local path = corpus.memory(1000)
  local ways = {
    { name = "aish_history", run = function()
      return measure.time(function() for _ = 1, 10 do aish.load_memory(path) end end) / 10
    end },
  }
  for _, library in ipairs({ "cjson", "dkjson" }) do
    if bench.has[library] then
      ways[#ways + 1] = { name = library .. " idiom", run = function()
        return measure.time(function() for _ = 1, 4 do idioms.load_memory(library, path) end end) / 4
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
