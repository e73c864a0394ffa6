--- A shell's start: the modules, the memory opened, its 1,000 items loaded, 200 sessions listed. Whole
-- processes, by the time they computed; what a bare interpreter takes is measured beside and taken off.
-- The idiom decodes the file once, for the items and the next id.
-- The memory is, as a shell's mostly is, not of the last three seconds: such a one is looked through twice.
local corpus = require("corpus")
local limits = require("limits")
local measure = require("measure")

local ours = [[
local history = require("history")
local memory = history.open_memory(arg[1])
local items = history.load_memory(arg[1])
local names = history.list_sessions(arg[2])
]]

local theirs = [[
local idioms = require("idioms")
local file = assert(io.open(arg[1], "a"))
local items, next_id = idioms.load_memory("cjson", arg[1])
local names = idioms.list(arg[2])
]]

local function script(bench, name, text)
  local path = bench.dir .. "/" .. name .. ".lua"
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

return function(bench)
  local path, dir = corpus.memory(1250), corpus.sessions(200)
  local function way(name, text)
    local file = script(bench, name:gsub("%W", "_"), text)
    local _, status = limits.run("luajit", file, path, dir)
    assert(status == 0, name .. " failed")
    return { name = name, run = function()
      local _, _, seconds = limits.run("luajit", file, path, dir)
      return seconds
    end }
  end
  os.execute("sleep 3")
  local ways = { way("aish_history", ours), way("bare luajit", "") }
  if bench.has.cjson and bench.has.lfs then ways[3] = way("cjson + lfs idiom", theirs) end
  local results = measure.interleave(ways, bench.rounds(101, 31))
  local bare = results["bare luajit"]
  for _, way_of in ipairs(ways) do -- above the bare interpreter of the same round
    local result = results[way_of.name]
    if result ~= bare then
      result.whole = result.median
      for i, seconds in ipairs(result.samples) do result.samples[i] = math.max(seconds - bare.samples[i], 1e-6) end
      result.median = measure.median(result.samples)
    end
  end
  local own = results["aish_history"]
  bench.row({ job = "a shell's start", ours = bench.seconds_text(own.whole), reference = "bare luajit",
    theirs = bench.seconds_text(bare.median), value = own.median * 1e3, below = 2,
    text = ("%.2f ms more"):format(own.median * 1e3), target = "under 2 ms" })
  bench.compare("a shell's start, above a bare luajit", results, "aish_history", "cjson + lfs idiom", { at_least = 3 })
end
