--- Erasing a literal in sessions: where no file has it, against ripgrep, and where each has it, against a
-- copy that is synced. MEGABYTES is how much there is of them (1,000; quick: 100).
local aish = require("aish_history")
local corpus = require("corpus")
local limits = require("limits")
local measure = require("measure")

local RARE = corpus.rare -- in about one turn of a thousand

local function script(dir, what)
  return "luajit -e " .. measure.quote(("package.cpath = %q assert(require(%q).erase(%q, %q, { replacement = %q }))"):format(
    package.cpath, "aish_history", dir, what, "-"))
end

-- Of whole processes, and of one processor.
local function without(bench, dir, title)
  if not bench.has.rg then return bench.skip("erase where no file has it", "ripgrep is not here") end
  local none = "quetzalcoatlus"
  local results = measure.interleave({
    { name = "aish_history", run = function() return (limits.run("bash", "-c", script(dir, none))) end },
    { name = "rg -j1 -F -l", run = function() return (limits.run("bash", "-c", "rg -j1 -F -l " .. none .. " " .. measure.quote(dir) .. " || true")) end },
  }, bench.rounds(11, 5))
  bench.compare(title .. " that do not have it", results, "aish_history", "rg -j1 -F -l", { at_most = 1.5 })
end

local function with(bench, dir, title)
  local copy = bench.dir .. "/erased"
  local function copied()
    measure.output("rm -rf " .. measure.quote(copy))
    return (limits.run("bash", "-c", ("cp -r %s %s && sync -f %s"):format(measure.quote(dir), measure.quote(copy), measure.quote(copy))))
  end
  local results = measure.interleave({
    { name = "cp -r, sync", run = copied },
    { name = "aish_history", run = function()
      copied()
      return measure.time(function() assert(aish.erase(copy, RARE, { replacement = "-" })) end, nil, true)
    end },
  }, bench.rounds(7, 3))
  measure.output("rm -rf " .. measure.quote(copy))
  bench.compare(title .. " that have it", results, "aish_history", "cp -r, sync", { at_most = 4 })
end

return function(bench)
  if not bench.offers("erase") then return bench.skip("erase", "it is not there yet") end
  local megabytes = tonumber(os.getenv("MEGABYTES")) or bench.quick and 100 or 1000
  local dir = corpus.directory(megabytes, 1e6)
  local title = ("erase in %d MB of sessions"):format(megabytes)
  without(bench, dir, title)
  with(bench, dir, title)
end
