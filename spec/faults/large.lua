--- Makes each allocation of the module fail once in calls on values of more than a megabyte, for which
-- no buffer is kept from call to call, and prints each problem and how many cases there were.
-- Argument: a directory.
local aish = require("aish_history")
local seam = require("aish_history.seam")
local tree = require("spec.faults.tree")
local lfs = require("lfs")

local root = ...
local memory_path, log_path = root .. "/memory.jsonl", root .. "/logs/2026.jsonl"
assert(lfs.mkdir(root .. "/logs"))

local large = ("\n\0 large "):rep(140000) -- 1.2 million bytes, more when escaped
local plain = ("large text "):rep(100000)
local not_utf8 = ("\255"):rep(300000)
local id_key, damaged = '{"id":2,"ts":"', ("x"):rep(600000) .. "\n"

local function item(id, ts, content)
  return ('{"id":%d,"ts":"%s","kind":"fact","content":"%s"}\n'):format(id, ts, content)
end

-- Ids and times in no order, an id twice, and a long line that is damaged.
local before = item(4, "2026-01-02", plain) .. item(2, "2026-01-03", "two") .. damaged .. item(3, "2026-01-01", "three")
  .. item(2, "2026-01-04", plain) .. id_key
tree.write(memory_path, before)
tree.write(log_path, '{"role":"user","content":"' .. plain .. '"}\n')

local memory, session

-- Each is made again and again on files as they were; what changes them is `writes`.
local calls = {
  { "encode", function() return aish.encode({ large, { [large] = 1 } }) end },
  { "encode of what is not UTF-8", function() return aish.encode({ not_utf8, ("\208\176"):rep(40) .. not_utf8 }) end },
  { "decode", function() return aish.decode('["' .. ("\\n"):rep(1000000) .. '"]') end },
  { "add", function() return memory:add("fact", large, { large }, large) end, writes = true },
  { "add_many", function()
    return memory:add_many({ { kind = "fact", content = "small" }, { kind = "pref", content = large, tags = { large } } })
  end, writes = true },
  { "session:append", function() return session:append({ role = "user", content = large }) end, writes = true },
  { "append", function() return aish.append(log_path, { [large] = { 1, large } }) end, writes = true },
  { "session with a meta table", function()
    local opened, message = aish.session(root .. "/new.jsonl", { model = large })
    if opened then opened:close() end
    os.remove(root .. "/new.jsonl")
    return opened, message
  end },
  { "open", function()
    local opened, message = aish.open(memory_path, { shared = true })
    if opened then opened:close() end
    return opened, message
  end },
  { "items", function() return memory:items() end },
  { "items with a filter", function() return memory:items({ source = "x" }) end },
  { "memory:search", function() return memory:search("large TEXT") end },
  { "memory:recall", function() return memory:recall("larger texts") end },
  { "load_memory", function() return aish.load_memory(memory_path) end },
  { "load", function() return aish.load(log_path) end },
  { "load with last", function() return aish.load(log_path, { last = 1 }) end },
  { "search of a session", function() return aish.search(log_path, "text LARGE") end },
  { "recall of a session", function() return aish.recall(log_path, "larger texts") end },
  { "sessions", function() -- what is wrong with a file stands in its entry
    local sessions, message = aish.sessions(root .. "/logs")
    if sessions and sessions[1].error then return nil, sessions[1].error end
    return sessions, message
  end },
  { "verify", function() return aish.verify(memory_path) end },
  { "compact, dry", function() return memory:compact({ dry_run = true }) end },
  { "scan", function()
    for number, _, _, reason in aish.scan(memory_path, { malformed = true }) do assert(number == 3 or number > 5 or not reason) end
    return true
  end },
}

local function wants_memory(why)
  return why:find("not enough memory", 1, true) or why:find("Cannot allocate memory", 1, true)
end

local function fresh()
  if memory then memory:close() end
  if session then session:close() end
  tree.write(memory_path, before)
  memory = assert(aish.open(memory_path))
  session = assert(aish.session(log_path))
end

local cases = 0
local problem, problems = require("spec.faults.problems")("")

local function try(what, call, k, writes)
  local memory_before, log_before = writes and tree.read(memory_path), writes and tree.read(log_path)
  seam.arm({ at = 0 })
  seam.refuse(k)
  local ok, result, message = pcall(call)
  local refused = seam.disarm()
  if not refused then
    if not (ok and result) then problem(what, " failed, and nothing was refused: ", tostring(ok and message or result)) end
    return false
  end
  cases = cases + 1
  if ok and result then problem(what, ", allocation ", k, ": done all the same") end
  local why = tostring(not ok and result or message)
  if not wants_memory(why) then problem(what, ", allocation ", k, ": ", why:sub(1, 200)) end
  if writes and (tree.read(memory_path) ~= memory_before or tree.read(log_path) ~= log_before) then
    problem(what, ", allocation ", k, " failed and left a file other than it was")
  end
  return true
end

for _, case in ipairs(calls) do
  local what, call = case[1], case[2]
  if case.writes or not memory then fresh() end
  local k = 1
  while try(what, call, k, case.writes) do k = k + 1 end
  if k == 1 then problem(what, " allocates nothing") end
end

memory:close()
session:close()
collectgarbage()
collectgarbage()
local descriptors = seam.live()
if descriptors ~= 0 then problem(descriptors, " descriptors left open") end
print(("%d cases, %d with problems"):format(cases, problems()))
