--- Reads files whose last line is in the middle of being written: for each pread of each reading call,
-- the rest of the line, and a line more, arrive right behind it; or the write fails, the line is cut back,
-- and two others take its place. What a call gives must be what it gives before, when the line is there,
-- or when both are. Prints each problem and how many cases there were.
-- Argument: a directory.
local aish = require("aish_history")
local seam = require("aish_history.seam")
local support = require("spec.support.memories")
local tree = require("spec.faults.tree")

local root = ...
local log_path, memory_path = root .. "/logs/2026.jsonl", root .. "/memory.jsonl"
assert(require("lfs").mkdir(root .. "/logs"))

local cases = 0
local problem, problems = require("spec.faults.problems")(": ")

local function text(records)
  local contents = {}
  for index, record in ipairs(records) do contents[index] = tostring(record.content or record.text):sub(-20) end
  return table.concat(contents, " ")
end

local function walk(iterator)
  local found = {}
  for number, record, offset in iterator do found[#found + 1] = ("%d@%d:%s"):format(number, offset, record.content:sub(-20)) end
  return table.concat(found, " ")
end

local function report(path)
  local found = assert(aish.verify(path))
  return table.concat({ found.lines, found.records, found.items, found.active, found.damaged, tostring(found.torn) }, " ")
end

-- Each takes the path of a session or of a memory and returns text.
local readers = {
  ["load"] = { log_path, function(path) return text((aish.load(path))) end },
  ["load with last"] = { log_path, function(path) return text((aish.load(path, { last = 2 }))) end },
  ["search"] = { log_path, function(path)
    local hits = {}
    for index, hit in ipairs(aish.search(path, "text")) do hits[index] = hit.line .. ":" .. hit.text:sub(-20) end
    return table.concat(hits, " ")
  end },
  ["recall"] = { log_path, function(path)
    local hits = {}
    for index, hit in ipairs(aish.recall(path, "texts")) do hits[index] = hit.line .. ":" .. hit.text:sub(-20) end
    return table.concat(hits, " ")
  end },
  ["sessions"] = { log_path, function()
    local found = aish.sessions(root .. "/logs")[1]
    return found.turns .. " " .. found.first:sub(-20)
  end },
  ["scan"] = { log_path, function(path) return walk(aish.scan(path)) end },
  ["verify of a session"] = { log_path, report },
  ["verify of a memory"] = { memory_path, report },
  ["load_memory"] = { memory_path, function(path) return text(aish.load_memory(path)) end },
}

-- What a shared handle may be asked first.
local looks = {
  ["#"] = function(memory) return tostring(#memory) end,
  ["get"] = function(memory) return tostring((memory:get(2))) ~= "nil" and "there" or "not there" end,
  ["items"] = function(memory) return text(memory:items()) end,
  ["search"] = function(memory) return text(memory:search("text")) end,
  ["recall"] = function(memory) return text(memory:recall("texts")) end,
}

-- ---- the cases ----

-- What is garbage is collected before, so that no call of its finalizers is counted.
local function arm(fault)
  collectgarbage()
  seam.arm(fault)
end

--- For each pread of `call(prepare())`: `check(result)`, when `rest` has arrived behind it, in the place
-- of what stands behind `cuts` bytes (nil: of nothing). What it gives may be what it gives of the file before
-- or afterwards, or in between, when that was cut, or there is but one line more.
local function sweep(what, path, bytes, rest, cuts, prepare, call, check)
  tree.write(path, bytes)
  local argument = prepare()
  tree.write(path, bytes)
  arm({ at = 0 })
  local before = call(argument)
  local names = seam.calls()
  seam.disarm()
  local right = { [before] = true }
  local function also(content)
    tree.write(path, content)
    local result = call(argument)
    right[result] = true
    return result
  end
  also(bytes:sub(1, cuts))
  also(bytes:sub(1, cuts) .. rest:match("^\n?[^\n]*\n"))
  local after = also(bytes:sub(1, cuts) .. rest)
  if what:find("follow$") then right[before .. (after:match(" 2@.*") or "")] = true end -- what was undone was given
  if type(argument) == "userdata" then argument:close() end
  for at, name in ipairs(names) do
    if name == "pread" and (#names < 60 or at % 3 == 0) then -- of many, all of which read a long line, some do
      cases = cases + 1
      argument = prepare()
      tree.write(path, bytes)
      arm({ at = at, grows = path, by = rest, cuts = cuts })
      local result = call(argument)
      if seam.disarm() ~= "pread" then problem(what, at, "the call was not made again") end
      if not right[result] then
        problem(what, at, "neither " .. before .. " nor " .. after, tostring(result))
      end
      if check then check(what .. ": " .. at, argument) end
    end
  end
end

local function nothing_is_lost(what, memory)
  local id, message = memory:add("fact", "text four")
  if id ~= 4 then problem(what, "add gave " .. tostring(id), tostring(message)) end
  local known = text(memory:items())
  memory:close()
  local found = text(aish.load_memory(memory_path))
  if found ~= known then problem(what, "load_memory gives " .. found, "and the handle " .. known) end
  if #aish.load_memory(memory_path) ~= 4 then problem(what, "something is lost") end
  local problems_found = aish.verify(memory_path).problems
  if #problems_found > 0 then problem(what, problems_found[1].reason) end
end

-- The files: lines one, two and three, of which two is there as far as `cut` tells; if it is undone, it is
-- another line that is there, as far. size: of their contents; "read": so that the first two are as long as what
-- is read at first.
local READ = 16 * 1024

local function texts(line, size, cut, undone)
  local filler = ""
  if size == "read" then size = (READ - #line(1, filler) - #line(2, filler) - #" text one text gone") / 2 end
  filler = ("x"):rep(math.floor(size)) .. " text "
  local odd = ("y"):rep((size * 2) % 2)
  local first, second = line(1, filler .. odd .. "one"), line(2, filler .. "two")
  local third = line(3, filler .. "three")
  local there = undone and line(2, filler:upper() .. "gone") or second
  there = there:sub(1, cut(#there))
  if not undone then return first, first .. there, second:sub(#there + 1) .. third end
  return first, first .. there, second .. third, #first
end

local function turn(_, content) return ('{"role":"user","content":"%s"}\n'):format(content) end

local function sweep_readers(label, size, cut, undone)
  for what, reader in pairs(readers) do
    local path, call = reader[1], reader[2]
    local _, bytes, rest, cuts = texts(path == memory_path and support.item or turn, size, cut, undone)
    sweep(label .. what, path, bytes, rest, cuts, function() return path end, call)
  end
end

local function sweep_looks(label, size, cut, undone)
  local first, bytes, rest, cuts = texts(support.item, size, cut, undone)
  for what, look in pairs(looks) do
    sweep(label .. what .. " of a handle", memory_path, bytes, rest, cuts, function()
      tree.write(memory_path, first)
      local memory = assert(aish.open(memory_path, { shared = true }))
      assert(#memory == 1)
      return memory
    end, look, nothing_is_lost)
  end
end

-- What a follower does not give at once, it gives later.
local function sweep_follow(label, size, cut, undone)
  local seen
  local _, bytes, rest, cuts = texts(turn, size, cut, undone)
  sweep(label .. "follow", log_path, bytes, rest, cuts, function()
    seen = {}
    return log_path
  end, function(path)
    local follow = assert(aish.follow(path))
    seen[#seen + 1] = follow
    return walk(follow)
  end, function(what)
    local follow = table.remove(seen)
    local later = walk(follow)
    follow:close()
    if later ~= "" and not later:find("^2@.*two 3@.*three$") then problem(what, "later " .. later) end
  end)
end

-- How many bytes of a line are there.
local half = { half = function(length) return math.floor(length / 2) end }
local ends = { ["a byte"] = function() return 1 end, ["all but two bytes"] = function(length) return length - 2 end }
local whole = { nothing = function() return 0 end, all = function(length) return length end }

local function sweep_all(size, cuts, undone)
  for name, cut in pairs(cuts) do
    local label = ("%s, contents of %s bytes, of which %s is there, "):format(undone and "undone" or "grown", size, name)
    sweep_readers(label, size, cut, undone)
    sweep_looks(label, size, cut, undone)
    sweep_follow(label, size, cut, undone)
  end
end

-- In the first block, up to its end, in one behind it, and longer than one is.
for _, size in ipairs({ 10, "read", 20000, 300000 }) do
  for _, undone in ipairs({ false, true }) do
    sweep_all(size, half, undone)
    if size == 10 then sweep_all(size, ends, undone) end
    if undone and size ~= 20000 then sweep_all(size, whole, undone) end
  end
end

-- A last line without its newline is there, also when what another program wrote behind it, a newline first, is undone.
for _, size in ipairs({ 10, 20000 }) do
  local first, last = turn(1, "one"), turn(2, ("x"):rep(size) .. "two"):sub(1, -2)
  sweep(("a line of %d bytes without a newline, load with last"):format(size), log_path, first .. last .. "\n" .. turn(3, "three"),
    "\n" .. turn(4, "longer than that"), #first + #last, function() return log_path end,
    function(path) return text(aish.load(path, { last = 9 })):match("one.*two") or "none" end)
end

-- What has come to the place of what was found, and is as long, is another record.
for _, size in ipairs({ 10, 20000 }) do
  local content = ("x"):rep(size)
  local function dated(year, role) return ('{"role":"%s","ts":"%d-01-02T00:00:00Z","content":"%s disk"}\n'):format(role, year, content) end
  sweep(("recall of a turn of %d bytes that was replaced"):format(size), log_path, turn(1, "one") .. dated(2026, "user"),
    dated(2020, "tool"), #turn(1, "one"), function() return log_path end, function(path)
      local found = aish.recall(path, "disk", { role = "user", since = "2026-01-01T00:00:00Z" })
      return #found .. (found[1] and found[1].role .. found[1].ts or "")
    end)
  local function kept(year, kind)
    return ('{"id":2,"uid":"abcdefgh","ts":"%d-01-02T00:00:00Z","kind":"%s","content":"%s disk"}\n'):format(year, kind, content)
  end
  sweep(("load_memory of an item of %d bytes that was replaced"):format(size), memory_path,
    support.item(1, "one") .. kept(2026, "fact"), kept(2020, "pref"), #support.item(1, "one"),
    function() return memory_path end, function(path)
      local found = aish.load_memory(path, { kind = "fact", since = "2026-01-02T00:00:00Z" })
      return #found .. (found[1] and found[1].kind .. found[1].ts or "")
    end)
end

-- Two lines of one write are undone, the second of which was read already: nothing is damaged.
for _, size in ipairs({ 10, 20000, 300000 }) do
  local content = ("x"):rep(size)
  local first = turn(1, content .. "one")
  local damaged
  sweep(("two lines of %d bytes, undone, load with last"):format(size), log_path,
    first .. turn(2, content:upper() .. "two") .. turn(3, content .. "three"), turn(2, content .. content .. "two"), #first,
    function() return log_path end,
    function(path)
      local turns, _, lines = aish.load(path, { last = 3 })
      damaged = lines
      return text(turns):match("one") or "none"
    end,
    function(what)
      if damaged ~= 0 then problem(what, damaged .. " damaged") end
    end)
end

collectgarbage()
collectgarbage()
if seam.live() ~= 0 then problem((seam.live()) .. " descriptors left open") end
print(("%d cases, %d with problems"):format(cases, problems()))
