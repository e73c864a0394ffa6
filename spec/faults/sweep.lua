--- Plays a script once for every call in it and every way in which that call can fail, or once for
-- every allocation in it that can fail, and prints each problem and how many cases there were.
-- Arguments: the script's name, a directory, and "calls" or "memory".
local Player = require("spec.faults.player")
local aish = require("aish_history")
local scripts = require("spec.faults.scripts")
local seam = require("aish_history.seam")
local tree = require("spec.faults.tree")
local lfs = require("lfs")

local wanted, root, what = ...
local most_problems = 20

-- After these EINTR the module makes the call again, so that nobody hears of it.
local retried = { open = true, pread = true, write = true, ftruncate = true, fdatasync = true, fsync = true, flock = true }

--- The ways in which a call of this name can fail.
local function faults_of(name)
  local faults = {}
  local function add(number, more)
    local fault = more or {}
    fault.number = seam[number] or 0
    fault.reason = number
    faults[#faults + 1] = fault
  end
  add("EINTR")
  if name == "nanosleep" then return faults end
  for _, number in ipairs({ "EIO", "ENOSPC", "EDQUOT" }) do add(number) end
  add("EIO", { after = "all" })
  add("ENOSPC", { after = "same" })
  if name == "write" or name == "fdatasync" or name == "fsync" then
    add("EIO", { truncates = seam.EIO })
    add("ENOSPC", { truncates = seam.EIO })
  end
  if name == "write" then
    for _, part in ipairs({ "one", "half", "most" }) do
      add("ENOSPC", { part = part })
      add("EIO", { part = part, truncates = seam.EIO })
      add("ENOSPC", { part = part, after = "all" })
      add("EINTR", { part = part })
      add("nothing", { part = part })
    end
  end
  if name == "open" then add("EMFILE") add("EACCES") end
  if name == "flock" then add("EAGAIN") add("ENOLCK") end
  if name == "fsync" then add("EINVAL") end
  if name == "realpath" then add("ENOMEM") end
  return faults
end

local function describe(script, k, name, fault)
  local words = { script.name, ": call ", k, ", ", name, ", ", fault.reason }
  for _, key in ipairs({ "part", "after" }) do
    if fault[key] then words[#words + 1] = ", " .. key .. " " .. fault[key] end
  end
  if fault.truncates then words[#words + 1] = ", truncates fail" end
  return table.concat(words)
end

-- ---- the end of a case ----

local function check_memory(p, name)
  local ids = p:check_lines(name)
  local items, message = aish.load_memory(p:path(name))
  if not items then return p:problem("%s cannot be read afterwards: %s", name, message) end
  p:compare_items(name, items, name)
  local memory, refusal = aish.open(p:path(name))
  if not memory then return p:problem("%s cannot be opened afterwards: %s", name, refusal) end
  local id, failure = memory:add("fact", "afterwards")
  if not id then p:problem("%s cannot be added to afterwards: %s", name, failure) end
  if ids[id] then p:problem("%s: id %d is given again", name, id) end
  for _, event in ipairs(p.events) do
    if event.name == name and event.id == id and event.what == "item" then p:problem("id %d is given again", id) end
  end
  if id and memory:get(id).content ~= "afterwards" then p:problem("%s: what was added is another", name) end
  memory:close()
end

local function check_session(p, name)
  p:check_lines(name)
  local turns, message = aish.load(p:path(name))
  if not turns then return p:problem("%s cannot be read afterwards: %s", name, tostring(message)) end
  p:compare_turns(name, turns)
  local done, failure = aish.append(p:path(name), { role = "user", content = "afterwards" }, { wait = 0 })
  if not done then p:problem("%s cannot be appended to afterwards: %s", name, failure) end
  turns = aish.load(p:path(name))
  if turns[#turns].content ~= "afterwards" then p:problem("%s: what was appended is another", name) end
end

-- What was there before the script and is not to be lost: damaged lines go into a file of their own.
local function check_fixture(p, script, name)
  p:check_damaged(script, name)
  local items = aish.load_memory(p:path(name)) or {}
  local contents = {}
  for _, item in ipairs(items) do contents[item.id] = item.content end
  for id, content in pairs(script.fixture or {}) do
    if not p.targets[id] and not p.is_content(script, contents[id], content) then p:problem("%s: lost item %d", name, id) end
  end
end

-- A temporary file may stay only where it could not be removed, and only until the next compaction.
local function check_strays(p, name)
  local function stray()
    for entry in lfs.dir(p:path(name):match("^(.*)/")) do
      if entry:find("%.compact") then return entry end
    end
  end
  if stray() and p.fired ~= "unlink" and not p.cannot_unlink then p:problem("%s: left %s behind", name, stray()) end
  if not aish.compact then return end
  local done, message = aish.compact(p:path(name))
  if not done then p:problem("%s cannot be compacted afterwards: %s", name, tostring(message)) end
  if stray() then p:problem("%s: a compaction left %s behind", name, stray()) end
  local items = aish.load_memory(p:path(name))
  p:compare_items(name, items, name .. ", compacted")
end

local kept -- blocks, by the module for its next call: as many as after the first time

local function finish(p, script)
  p:disarm()
  for handle in pairs(p.handles) do p:close(handle) end
  p:written_lines(seam.log())
  p.attempted.afterwards = true
  for _, name in ipairs(script.memories) do
    if lfs.attributes(p:path(name)) then
      check_memory(p, name)
      check_fixture(p, script, name)
      check_strays(p, name)
    end
  end
  for _, name in ipairs(script.sessions) do
    if lfs.attributes(p:path(name)) then check_session(p, name) end
  end
  collectgarbage()
  collectgarbage()
  local descriptors, blocks = seam.live()
  kept = kept or blocks
  if descriptors ~= 0 then p:problem("%d descriptors left open", descriptors) end
  if blocks > kept then p:problem("%d blocks not freed", blocks - kept) end
end

-- ---- all cases ----

local function prepare(script)
  tree.empty(root)
  tree.build(root, script.files, script.links)
end

local function player(script, fault)
  local p = Player.new(aish, seam, root, fault)
  p:know(script)
  p.cannot_unlink = fault and fault.after == "all"
  return p
end

local function play(script, fault)
  prepare(script)
  local p = player(script, fault)
  seam.record(true)
  seam.arm(fault)
  if fault.memory then seam.refuse(fault.memory, fault.lasting) end
  local ok, message = xpcall(function()
    script.play(p)
    finish(p, script)
  end, debug.traceback)
  seam.disarm()
  if not ok then
    p:problem("%s", message)
    p.handles = {}
  end
  return p
end

--- The names of a script's calls, in order, and the number of its allocations.
local function calls_of(script)
  play(script, { at = 0 }) -- what is allocated the first time only is not to be counted
  prepare(script)
  local p = player(script)
  seam.arm({ at = 0 })
  seam.refuse(0)
  script.play(p)
  local names, allocations = seam.calls(), seam.refuse(0)
  finish(p, script)
  if #p.problems > 0 then error(script.name .. ": " .. table.concat(p.problems, "\n")) end
  return names, allocations
end

local cases, bad = 0, 0

local function try(script, fault, title)
  local p = play(script, fault)
  cases = cases + 1
  if fault.reason == "EINTR" and retried[p.fired] and p.failures > 0 then p:problem("the call was not made again") end
  if p.fired == nil then p:problem("nothing failed") end
  if #p.problems == 0 then return end
  bad = bad + 1
  if bad > most_problems then return end
  print(title)
  for _, problem in ipairs(p.problems) do print("  " .. problem) end
end

for _, script in ipairs(scripts) do
  if script.name == wanted then
    local names, allocations = calls_of(script)
    for k, name in ipairs(what == "calls" and names or {}) do
      for _, fault in ipairs(faults_of(name)) do
        fault.at = k
        try(script, fault, describe(script, k, name, fault))
      end
    end
    for k = 1, what == "memory" and allocations or 0 do
      for _, lasting in ipairs({ false, true }) do
        local title = ("%s: allocation %d%s"):format(script.name, k, lasting and " and all after it" or "")
        try(script, { at = 0, memory = k, lasting = lasting }, title)
      end
    end
    print(("%d calls, %d allocations, %d cases, %d with problems"):format(#names, allocations, cases, bad))
  end
end
