--- Plays a script, cuts the power at every call of it, and opens every state of the disk that may be
-- left; prints each problem and how many states there were.
-- Arguments: the script's name, a directory, and "faults" to make each call fail besides.
--
-- What is built is listed at the head of crash_spec.lua.
local Disk = require("spec.faults.disk")
local Player = require("spec.faults.player")
local aish = require("aish_history")
local scripts = require("spec.faults.scripts")
local seam = require("aish_history.seam")
local tree = require("spec.faults.tree")
local lfs = require("lfs")

local wanted, root, how = ...
local most_problems = 20
local all_subsets_of = 5 -- operations; of more, some subsets
local every_cut_of = 160 -- bytes; of longer writes, some places
local block = 512

-- A generator of numbers from 1 to n, the same under every interpreter.
local random
do
  local seed = 20260102
  function random(n)
    seed = seed * 16807 % 2147483647
    return seed % n + 1
  end
end

-- ---- which states ----

--- The places at which a write of `size` bytes is cut.
local function places(size)
  local chosen = {}
  local function add(place)
    if place >= 0 and place < size then chosen[place] = true end
  end
  if size <= every_cut_of then
    for place = 0, size - 1 do add(place) end
  else
    for place = 0, 8 do add(place) add(size - 1 - place) end
    for edge = block, size, block do add(edge - 1) add(edge) add(edge + 1) end
    for _ = 1, 16 do add(random(size) - 1) end
  end
  local list = {}
  for place in pairs(chosen) do list[#list + 1] = place end
  table.sort(list)
  return list
end

--- Calls visit(done) with subsets of the pending operations: all of them where they are few,
-- otherwise the beginnings, all but one, one alone, and some by chance.
local function subsets(ops, visit)
  local count = #ops
  local function pick(wants)
    local done = {}
    for index, op in ipairs(ops) do
      if wants(index) then done[op] = true end
    end
    visit(done)
  end
  if count <= all_subsets_of then
    for bits = 0, 2 ^ count - 1 do
      pick(function(index) return math.floor(bits / 2 ^ (index - 1)) % 2 == 1 end)
    end
    return
  end
  for some = 0, count do pick(function(index) return index <= some end) end
  for one = 1, count do
    pick(function(index) return index == one end)
    pick(function(index) return index ~= one end)
  end
  for _ = 1, 24 do pick(function() return random(2) == 1 end) end
end

--- Calls visit(files) with the states that may be left now.
local function states(disk, visit, whole_writes)
  local ops = disk:pending()
  subsets(ops, function(done)
    visit(disk:state(done))
    if whole_writes then return end
    for _, op in ipairs(ops) do
      if done[op] and op.kind == "write" then
        local size = #op.bytes
        for _, place in ipairs(places(size)) do
          visit(disk:state(done, { [op] = { cut = place } }))
          visit(disk:state(done, { [op] = { zeros = place } }))
        end
        if size > block then
          for from = 0, size - 1, block do visit(disk:state(done, { [op] = { hole = from, size = block } })) end
        end
      end
    end
  end)
end

-- ---- what must be true of one ----

local function durable_by(at)
  return function(event) return event.durable_at ~= nil and event.durable_at <= at end
end

local function check_memory(p, name, counts)
  local path = p:path(name)
  local items = p:expected(name, counts)
  local before = tree.read(path)
  if not before and next(items) then return p:problem("%s is gone", name) end
  local ids = p:check_lines(name, true)
  local memory, message = aish.open(path)
  if not memory then return p:problem("%s cannot be opened: %s", name, message) end
  p:compare_items(name, memory:items(), name, counts)
  local id, failure = memory:add("fact", "afterwards")
  if not id then p:problem("%s cannot be added to: %s", name, failure) end
  if ids[id] or items[id] then p:problem("%s: id %d is given again", name, id) end
  memory:close()
  local after = tree.read(path)
  if before and after:sub(1, #before) ~= before then p:problem("%s: bytes were changed", name) end
  local records = assert(aish.load_memory(path))
  local last = false
  for _, record in ipairs(records) do last = last or (record.id == id and record.content == "afterwards") end
  if not last then p:problem("%s: what was added afterwards is missing", name) end
  p:compare_items(name, records, name .. ", loaded", counts)
end

local function check_compaction(p, name, counts)
  if not aish.compact then return end
  local path = p:path(name)
  local done, message = aish.compact(path)
  if not done then return p:problem("%s cannot be compacted: %s", name, message) end
  p:compare_items(name, assert(aish.load_memory(path)), name .. ", compacted", counts)
  for entry in lfs.dir(path:match("^(.*)/")) do
    if entry:find("%.compact") then p:problem("%s: compaction left %s behind", name, entry) end
  end
end

local function check_session(p, name, counts)
  local path = p:path(name)
  local _, _, expected = p:expected(name, counts)
  local before = tree.read(path)
  if not before and expected[1] then return p:problem("%s is gone", name) end
  p:check_lines(name, true)
  local session, message = aish.session(path, { model = "m" }, { sync = "full" })
  if not session then return p:problem("%s cannot be opened: %s", name, message) end
  local done, failure = session:append({ role = "user", content = "afterwards" })
  if not done then p:problem("%s cannot be appended to: %s", name, failure) end
  session:close()
  local turns = assert(aish.load(path))
  if turns[#turns].content ~= "afterwards" then p:problem("%s: what was appended afterwards is missing", name) end
  p:compare_turns(name, turns, counts)
  if before and tree.read(path):sub(1, #before) ~= before then p:problem("%s: bytes were changed", name) end
end

-- What was there before the script.
local function check_fixture(p, script, name, at)
  local gone = {}
  for _, event in ipairs(p.events) do
    if event.what == "forget" then gone[event.id] = true end
  end
  for id in pairs(p.targets) do gone[id] = true end
  local contents = {}
  for _, item in ipairs(aish.load_memory(p:path(name)) or {}) do contents[item.id] = item.content end
  for id, content in pairs(script.fixture or {}) do
    if not gone[id] and contents[id] ~= content then p:problem("%s: lost item %d at %d", name, id, at) end
  end
  local bytes = ""
  for _, place in ipairs({ name, name .. ".damaged", (script.by or name) .. ".damaged" }) do
    bytes = bytes .. (tree.read(p:path(place)) or "")
  end
  for _, line in ipairs(script.damaged or {}) do
    if not bytes:find(line, 1, true) then p:problem("%s: lost %s", name, line) end
  end
end

-- ---- all of them ----

local counted, bad = 0, 0

-- One text for one state, so that it is opened once for all that was acknowledged by then.
local function key_of(files)
  local words = {}
  for path, bytes in pairs(files) do words[#words + 1] = path .. "\1" .. tostring(bytes) end
  table.sort(words)
  return table.concat(words, "\2")
end

local function report(p, files, where)
  bad = bad + 1
  if bad > most_problems then return end
  print(where)
  for _, problem in ipairs(p.problems) do print("  " .. problem) end
  for path, bytes in pairs(files) do print(("  %s: %q"):format(path, tostring(bytes))) end
end

local function acknowledged(p, at)
  local count = 0
  for _, event in ipairs(p.events) do
    if event.durable_at and event.durable_at <= at then count = count + 1 end
  end
  return count
end

--- Opens the state that is on the disk, and judges what the module makes of it.
local function judge(p, script, at)
  local counts = durable_by(at)
  p.problems = {}
  local ok, message = xpcall(function()
    for _, name in ipairs(script.memories) do
      check_memory(p, name, counts)
      if script.fixture then check_fixture(p, script, name, at) end
      if counted % 5 == 0 then check_compaction(p, name, counts) end
    end
    for _, name in ipairs(script.sessions) do check_session(p, name, counts) end
  end, debug.traceback)
  if not ok then p:problem("%s", message) end
  return #p.problems == 0
end

--- Cuts the power before the first and after each of the calls in `log`, the disk being `disk`.
-- `only`: only after these calls; then writes are whole.
local function cut_everywhere(p, script, disk, log, where, only, again)
  local seen = {}
  for at = 0, #log do
    if at > 0 then disk:take(log[at]) end
    local count = acknowledged(p, at)
    if not only or only[at] then
      states(disk, function(files)
        local key = count .. "\3" .. key_of(files)
        if seen[key] then return end
        seen[key] = true
        counted = counted + 1
        tree.empty(root)
        tree.build(root, files, script.links)
        if not judge(p, script, at) then
          report(p, files, ("%s, power cut after call %d%s"):format(where, at,
            at > 0 and ", " .. log[at].name or ""))
        end
        if again and counted % 97 == 0 then again(files, at) end
      end, only ~= nil)
    end
  end
end

--- A second cut while the first one is being repaired: the state is opened and added to once more,
-- on the record.
local function cut_again(p, script, where)
  return function(files, at)
    local counts = durable_by(at)
    local q = Player.new(aish, seam, root)
    q.links = p.links
    q.fixture, q.attempted, q.targets, q.lines = p.fixture, p.attempted, p.targets, p.lines
    q.attempted["second cut"] = true
    for _, event in ipairs(p.events) do
      if counts(event) then
        local copy = { at = 0, durable_at = 0, what = event.what, name = event.name, id = event.id, item = event.item }
        q.events[#q.events + 1] = copy
      end
    end
    tree.empty(root)
    tree.build(root, files, script.links)
    seam.record(true)
    for _, name in ipairs(script.memories) do
      local memory = assert(aish.open(q:path(name)))
      local id = assert(memory:add("fact", "second cut"))
      q:acknowledge({ what = "item", name = name, id = id, item = { kind = "fact", content = "second cut" } }, true)
      memory:close()
      if aish.compact then assert(aish.compact(q:path(name))) end
    end
    for _, name in ipairs(script.sessions) do
      local turn = { role = "user", content = "second cut" }
      assert(aish.append(q:path(name), turn, { sync = "full" }))
      q:acknowledge({ what = "turn", name = name, item = turn }, true)
    end
    local log = seam.log()
    seam.record(false)
    q:written_lines(log)
    local only = {}
    for index = 0, #log do only[index] = true end
    cut_everywhere(q, script, Disk.new(root, files), log, where .. ", then a cut of the repair", only)
  end
end

local function play(script, fault)
  tree.empty(root)
  tree.build(root, script.files, script.links)
  local p = Player.new(aish, seam, root, fault)
  p.fixture, p.links, p.highest = script.fixture, script.links or {}, script.highest or 0
  for _, bytes in pairs(script.files) do
    if bytes ~= true then
      for line in bytes:gmatch("[^\n]+") do p.lines[#p.lines + 1] = line end
    end
  end
  seam.record(true)
  seam.arm(fault or { at = 0 })
  script.play(p)
  for handle in pairs(p.handles) do p:close(handle) end
  seam.disarm()
  local log, calls = seam.log(), seam.calls()
  seam.record(false)
  p:written_lines(log)
  p.attempted.afterwards = true
  return p, log, calls
end

--- The states at the moments at which something was acknowledged, each call having failed in turn.
local function with_faults(script, calls)
  for k, name in ipairs(calls) do
    local p, log = play(script, { at = k, number = seam.EIO })
    local only = { [#log] = true }
    for _, event in ipairs(p.events) do only[event.durable_at or #log] = true end
    cut_everywhere(p, script, Disk.new(root, script.files), log,
      ("%s, call %d (%s) fails"):format(script.name, k, name), only)
  end
end

for _, script in ipairs(scripts) do
  if script.name == wanted then
    local p, log, calls = play(script)
    if #p.problems > 0 then error(table.concat(p.problems, "\n")) end
    if how == "faults" then
      with_faults(script, calls)
    else
      cut_everywhere(p, script, Disk.new(root, script.files), log, script.name, nil, cut_again(p, script, script.name))
    end
    print(("%d calls on the record, %d states, %d with problems"):format(#log, counted, bad))
  end
end
