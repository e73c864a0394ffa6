--- Opening a memory file. Ours takes the lock, reads the file in blocks, validates every byte of every
-- line as JSON, and keeps id, kind, time, place and length of each item and every tombstone, applied.
-- Held against: reading the same blocks and finding the newlines; simdjson's on-demand parser
-- looking at id, kind, target and ts of every line, keeping nothing and skipping the rest unvalidated,
-- from blocks of the same size.
local aish = require("aish_history")
local corpus = require("corpus")
local limits = require("limits")
local measure = require("measure")

local function ways(path, bench)
  local list = {
    { name = "aish_history", run = function()
      return measure.time(function() assert(aish.open(path)):close() end)
    end },
    { name = "read + memchr", run = function()
      return measure.time(function() limits.count_lines(path) end)
    end },
  }
  if bench.has.simdjson then
    local simdjson = require("simdjson")
    list[3] = { name = "simdjson on-demand", run = function()
      return measure.time(function() simdjson.scan(path) end)
    end }
  end
  return list
end

return function(bench)
  for _, shuffled in ipairs({ false, true }) do
    local path = corpus.memory(bench.records, shuffled)
    local job = ("open, %d lines, %s"):format(bench.records, shuffled and "keys in any order" or "our key order")
    local results = measure.interleave(ways(path, bench), bench.rounds(15, 7))
    bench.compare(job, results, "aish_history", "read + memchr", { at_most = shuffled and 3 or 2.3 })
    bench.compare(job, results, "aish_history", "simdjson on-demand", { at_least = shuffled and 1 or nil })
  end

  local path = corpus.memory(bench.records)
  local _, highest, kept = measure.child("luajit", "open", path)
  local _, _, bare = measure.child("luajit", "nothing")
  local each = (kept - bare) * 1024 / bench.records
  bench.row({ job = ("memory of an open handle, %d lines"):format(bench.records), ours = ("%.1f MB"):format((kept - bare) / 1024),
    reference = "records", theirs = "", value = each, at_most = 32, text = ("%.1f B a line"):format(each), target = "at most 32" })
  bench.row({ job = ("peak memory of opening it"):format(bench.records), ours = ("%.1f MB"):format(highest / 1024),
    reference = "", theirs = "", value = highest / 1024, below = not bench.quick and 45 or nil,
    text = ("%.1f MB"):format(highest / 1024), target = not bench.quick and "under 45 MB" or "" })
end
