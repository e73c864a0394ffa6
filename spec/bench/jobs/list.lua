--- The sorted names of a directory's sessions. Held against readdir and qsort in C, which makes no Lua
-- strings, and LuaFileSystem with table.sort.
local aish = require("aish_history")
local corpus = require("corpus")
local idioms = require("idioms")
local limits = require("limits")
local measure = require("measure")

return function(bench)
  local count = bench.quick and 2000 or 10000
  local dir = corpus.sessions(count)
  local ways = {
    { name = "aish_history", run = function() return measure.time(function() aish.list(dir) end) end },
    { name = "readdir + qsort", run = function() return measure.time(function() limits.list(dir) end) end },
  }
  if bench.has.lfs then
    ways[3] = { name = "lfs + table.sort", run = function() return measure.time(function() idioms.list(dir) end) end }
  end
  local results = measure.interleave(ways, bench.rounds(41, 21))
  local job = ("list, %d files"):format(count)
  bench.compare(job, results, "aish_history", "readdir + qsort", { at_most = 1.3 })
  bench.compare(job, results, "aish_history", "lfs + table.sort")
end
