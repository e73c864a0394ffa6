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
-- of what stands behind `cuts` bytes (nil: of nothing).
local function sweep(what, path, bytes, rest, cuts, prepare, call, check)
  tree.write(path, bytes)
  local argument = prepare()
  tree.write(path, bytes)
  arm({ at = 0 })
  local before = call(argument)
  local names = seam.calls()
  seam.disarm()
  tree.write(path, bytes:sub(1, cuts) .. rest:match("^[^\n]*\n"))
  local between = call(argument)
  tree.write(path, bytes:sub(1, cuts) .. rest)
  local after = call(argument)
  if type(argument) == "userdata" then argument:close() end
  for at, name in ipairs(names) do
    if name == "pread" then
      cases = cases + 1
      argument = prepare()
      tree.write(path, bytes)
      arm({ at = at, grows = path, by = rest, cuts = cuts })
      local result = call(argument)
      if seam.disarm() ~= "pread" then problem(what, at, "the call was not made again") end
      if result ~= before and result ~= between and result ~= after then
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

-- The files: lines one, two and three, of which two is there up to `cut`; if it is undone, it is another
-- line that is there, up to there.
local function texts(line, content, cut, undone)
  local first, second = line(1, content .. "one"), line(2, content .. "two")
  local third = line(3, content .. "three")
  if not undone then return first, first .. second:sub(1, cut), second:sub(cut + 1) .. third end
  return first, first .. line(2, content:upper() .. "gone"):sub(1, cut), second .. third, #first
end

local function turn(_, content) return ('{"role":"user","content":"%s"}\n'):format(content) end

local function sweep_readers(label, content, cut, undone)
  for what, reader in pairs(readers) do
    local path, call = reader[1], reader[2]
    local _, bytes, rest, cuts = texts(path == memory_path and support.item or turn, content, cut, undone)
    sweep(label .. what, path, bytes, rest, cuts, function() return path end, call)
  end
end

local function sweep_looks(label, content, cut, undone)
  local first, bytes, rest, cuts = texts(support.item, content, cut, undone)
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
local function sweep_follow(label, content, cut, undone)
  local seen
  local _, bytes, rest, cuts = texts(turn, content, cut, undone)
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

-- In the first block, in one behind it, and longer than one is.
for _, undone in ipairs({ false, true }) do
  for _, size in ipairs({ 10, 20000, 300000 }) do
    local content = ("x"):rep(size) .. " text "
    local length = #turn(2, content .. "gone")
    for _, cut in ipairs({ math.floor(length / 2), size == 10 and 1 or nil, size == 10 and length - 2 or nil, undone and 0 or nil }) do
      local label = ("%s, cut at %s of %d, "):format(undone and "undone" or "grown", cut, length)
      sweep_readers(label, content, cut, undone)
      sweep_looks(label, content, cut, undone)
      sweep_follow(label, content, cut, undone)
    end
  end
end

collectgarbage()
collectgarbage()
if seam.live() ~= 0 then problem((seam.live()) .. " descriptors left open") end
print(("%d cases, %d with problems"):format(cases, problems()))
