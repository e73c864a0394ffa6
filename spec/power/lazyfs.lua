--- Plays the scripts on LazyFS, which keeps what is written in its own memory until it is synced, and
-- kills it: what is in the directory below is what a power cut leaves. Names are made, changed and
-- removed there at once; spec/power/machine.lua is for these.
--
--   luajit spec/power/lazyfs.lua DIRECTORY LAZYFS CUTS [unsynced]
--
-- LAZYFS: the program. AISH_HISTORY_CPATH names the directory of the module.
package.path = "./?.lua;" .. package.path
package.cpath = os.getenv("AISH_HISTORY_CPATH") .. "/?.so;" .. package.cpath

local Tally = require("spec.power.tally")
local children = require("spec.support.children")
local plays = require("spec.power.plays")
local tree = require("spec.faults.tree")
local lfs = require("lfs")

local work, program, cuts, how = ...
local below, mounted, scratch = work .. "/below", work .. "/mounted", work .. "/scratch"
local tally = Tally.new("LazyFS", how == "unsynced")

for _, directory in ipairs({ below, mounted, scratch }) do lfs.mkdir(directory) end
tree.write(work .. "/lazyfs.toml", ([[
[faults]
fifo_path="%s/fifo"
[cache]
apply_eviction=false
[cache.simple]
custom_size="16mb"
blocks_per_page=1
[filesystem]
log_all_operations=false
logfile=""
]]):format(work))

local function mount()
  local before = lfs.attributes(mounted, "dev")
  local child = children.exec({ program, mounted, "--config-path", work .. "/lazyfs.toml", "-o", "modules=subdir",
    "-o", "subdir=" .. below, "-f" })
  for _ = 1, 1000 do
    if lfs.attributes(mounted, "dev") ~= before then return child end
    Tally.pause(20)
  end
  error("LazyFS is not mounted: " .. children.kill(child))
end

-- The last moment that a child has told of, 0 if none.
local function last_moment(said)
  return select(2, said:gsub("moment\n", ""))
end

-- Plays until a moment, and kills the file system a little later; returns the last moment reached.
local function play_until(script, moment)
  local disk = mount()
  local child = children.fork(function(say)
    plays.play(script, mounted, function() say("moment\n") end)
  end)
  while last_moment(table.concat(child.said)) < moment and children.hear(child) do end -- luacheck: ignore
  Tally.pause(3)
  children.kill(disk)
  local said = children.join(child)
  os.execute("fusermount3 -uz '" .. mounted .. "'")
  if last_moment(said) < moment then error(("%s fails on LazyFS: %s"):format(script.name, said)) end
  return last_moment(said)
end

for cut = 1, cuts do
  local script = plays.scripts[cut % #plays.scripts + 1]
  tree.empty(below)
  plays.prepare(script, below)
  local moment = play_until(script, math.random(0, plays.moments(script, scratch)))
  tally.cuts = cut
  local problems = plays.judge(script, below, scratch, { moment = moment, added = {} }, cut, function() end)
  if #problems > 0 then table.insert(problems, 1, ("%s, cut after moment %d"):format(script.name, moment)) end
  tally:judge(problems)
end
tally:finish()
