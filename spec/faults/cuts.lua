--- Plays a script, cuts the power at every call of it, and opens every state of the disk that may be
-- left; prints each problem and how many states there were.
-- Arguments: the script's name, a directory, and "faults" to make each call fail besides.
--
-- What is built is listed at the head of crash_spec.lua.
local Disk = require("spec.faults.disk")
local Player = require("spec.faults.player")
local aish = require("aish_history")
local judge = require("spec.faults.judge")
local scripts = require("spec.faults.scripts")
local seam = require("aish_history.seam")
local tree = require("spec.faults.tree")

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
        if not judge.files(p, script, at, counted % 5 == 0) then
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
    local counts = judge.durable_by(at)
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
  p:know(script)
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
