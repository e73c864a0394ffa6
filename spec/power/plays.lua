--- Scripts of calls (spec/faults/scripts.lua) played on real files until the power goes, and what must
-- be there when it is back.
--
-- A script does the same each time. So all that need be known of a play that was cut is its last
-- moment: how many things had been acknowledged by then. Which ones, a rehearsal says.
local Player = require("spec.faults.player")
local aish = require("aish_history")
local judge = require("spec.faults.judge")
local scripts = require("spec.faults.scripts")
local tree = require("spec.faults.tree")

local plays = { scripts = {} }

for _, script in ipairs(scripts) do
  if not script.elsewhere then table.insert(plays.scripts, script) end
end

-- A player below `root` whose moments are told to `reached`.
local function player(script, root, reached)
  local moment = 0
  local p = Player.new(aish, {
    recorded = function()
      moment = moment + 1
      reached(moment)
      return moment
    end,
    live = function() return 0 end,
    fired = function() return nil end,
    disarm = function() return nil end,
  }, root)
  p:know(script)
  return p
end

--- Makes the files that a script begins with; they are to be on the disk before it is played.
function plays.prepare(script, root)
  tree.build(root, script.files, script.links)
end

--- Plays a script; calls `reached(moment)` whenever something has been acknowledged. Raises what did
-- not go as it should. Returns the player.
function plays.play(script, root, reached)
  local p = player(script, root, reached)
  script.play(p)
  for handle in pairs(p.handles) do p:close(handle) end
  if #p.problems > 0 then error(table.concat(p.problems, "\n"), 0) end
  return p
end

local rehearsed = {}

-- The events of a script that nothing cuts, and the number of its moments.
local function rehearse(script, scratch)
  if not rehearsed[script] then
    local last = 0
    tree.empty(scratch)
    plays.prepare(script, scratch)
    local p = plays.play(script, scratch, function(moment) last = moment end)
    tree.empty(scratch)
    rehearsed[script] = { events = p.events, attempted = p.attempted, moments = last }
  end
  return rehearsed[script]
end

--- How many moments a script has. `scratch`: a directory whose files may be removed.
function plays.moments(script, scratch)
  return rehearse(script, scratch).moments
end

-- A cut leaves beginnings of records, whose times and uids no rehearsal knows.
local function is_fragment(p, line)
  local start = line:gsub("%z+$", "")
  for _, key in ipairs({ '{"meta":', '{"id":', '{"role":' }) do
    if start:sub(1, #key) == key:sub(1, #start) then return true end
  end
  return Player.is_fragment(p, line)
end

--- Judges what a play left behind below `root`, and adds to it.
--
-- `past`: {moment=, its last one, added={{name=, id=, item=}, ...}, what earlier judgements added}.
-- `serial`: of this judgement; none has it twice. `added(name, id, item)`: told of what this one adds,
-- when that is acknowledged. Returns an array of what is wrong.
function plays.judge(script, root, scratch, past, serial, added)
  local known = rehearse(script, scratch)
  local p = player(script, root, function() end)
  p.attempted = setmetatable({}, { __index = function(_, text)
    return known.attempted[text] or tonumber(text:match("^afterwards (%d+)$") or serial + 1) <= serial
  end })
  p.is_fragment = is_fragment
  p.afterwards = "afterwards " .. serial
  p.added = function(_, name, id, item) added(name, id, item) end
  for _, event in ipairs(known.events) do
    p.events[#p.events + 1] = event
    -- The tombstone that was being written may be there, though nobody was told.
    if event.what == "forget" and event.at <= past.moment + 1 then p.targets[event.id] = true end
  end
  for _, one in ipairs(past.added) do
    p.events[#p.events + 1] = { at = 0, durable_at = 0, what = one.id and "item" or "turn", name = one.name,
      id = one.id, item = one.item }
  end
  judge.files(p, script, past.moment, serial % 2 == 0)
  return p.problems
end

return plays
