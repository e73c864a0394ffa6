--- Reads files that somebody cuts short meanwhile: for each pread of each reading call, that one and
-- those behind it find the end of the file. Prints each problem and how many cases there were.
-- Argument: a directory.
local aish = require("aish_history")
local seam = require("aish_history.seam")
local tree = require("spec.faults.tree")
local lfs = require("lfs")

local root = ...
local memory_path, log_path = root .. "/memory.jsonl", root .. "/logs/2026.jsonl"
local BLOCK = 262144 -- what readers read at once; the files are longer

-- ---- the files, and what is in them: content or text to true ----

local contents = {}

local function text(index)
  local content = ("text %d."):format(index) .. ("x"):rep(BLOCK / 8 - 100)
  contents[content] = true
  return content
end

local memory_lines, log_lines = {}, { '{"meta":{"model":"m"}}\n' }
for index = 1, 12 do
  -- Times go back and forth, so that the order of reading is not that of the result.
  memory_lines[index] = ('{"id":%d,"ts":"2026-01-02T03:04:%02dZ","kind":"fact","content":"%s","source":"s"}\n'):format(
    index, index * 7 % 12, text(index))
  log_lines[index + 1] = ('{"role":"user","content":"%s","ts":"2026-01-02T03:04:05Z"}\n'):format(text(index))
end
assert(lfs.mkdir(root .. "/logs"))
tree.write(memory_path, table.concat(memory_lines))
tree.write(log_path, table.concat(log_lines))

local memory = assert(aish.open(memory_path, { shared = true }))

-- ---- the calls: each returns an array of contents; or nil and a message ----

local function pluck(records, message)
  if not records then return records, message end
  local found = {}
  for index, record in pairs(records) do found[index] = record.content or record.text end
  return found
end

local calls = {
  ["load_memory"] = function() return pluck(aish.load_memory(memory_path)) end,
  ["load_memory with a filter"] = function() return pluck(aish.load_memory(memory_path, { source = "s", limit = 5 })) end,
  ["items"] = function() return pluck(memory:items()) end,
  ["items with a filter"] = function() return pluck(memory:items({ source = "s" })) end,
  ["get"] = function()
    local item, message = memory:get(3)
    if not item and message then return nil, message end
    return { item and item.content }
  end,
  ["memory:search"] = function() return pluck(memory:search("text")) end,
  ["memory:recall"] = function() return pluck(memory:recall("texts")) end,
  ["search of a file"] = function() return pluck(aish.search(log_path, "text")) end,
  ["search of a directory"] = function() return pluck(aish.search(root .. "/logs", "text")) end,
  ["recall of a file"] = function() return pluck(aish.recall(log_path, "texts")) end,
  ["recall of a directory"] = function() return pluck(aish.recall(root .. "/logs", "texts")) end,
  ["load"] = function() return pluck((aish.load(log_path))) end,
  ["load with last"] = function() return pluck((aish.load(log_path, { last = 3 }))) end,
  ["sessions"] = function()
    local sessions, message = aish.sessions(root .. "/logs")
    return sessions and { sessions[1].first }, message
  end,
  ["sessions without counts"] = function()
    local sessions, message = aish.sessions(root .. "/logs", { count = false })
    return sessions and { sessions[1].first }, message
  end,
  ["scan"] = function()
    local found = {}
    for _, record in aish.scan(log_path) do found[#found + 1] = record.content end
    return found
  end,
  ["verify"] = function()
    local report, message = aish.verify(memory_path)
    return report and {}, message
  end,
}

-- ---- what holds of each ----

-- Texts are given whole or, as snippets are, from their beginnings.
local function is_known(content)
  if contents[content] then return true end
  for whole in pairs(contents) do
    if whole:sub(1, #content) == content then return true end
  end
  return false
end

local cases = 0
local problem, problems = require("spec.faults.problems")("")

local function check(what, found, message)
  if not found then
    if type(message) ~= "string" then problem(what, ": nothing, and no message") end
    return
  end
  local count, seen = 0, {}
  for _, content in pairs(found) do
    count = count + 1
    if seen[content] then problem(what, ": ", content:sub(1, 10), " twice") end
    if not is_known(content) then problem(what, ": nobody wrote ", content:sub(1, 100)) end
    seen[content] = true
  end
  if count ~= #found then problem(what, ": holes in the result") end
end

local function same(one, other)
  if #one ~= #other then return false end
  for index, content in ipairs(one) do
    if other[index] ~= content then return false end
  end
  return true
end

local fewer = 0

for what, call in pairs(calls) do
  local whole = assert(call()) -- what a handle keeps from its first call is not read again
  seam.arm({ at = 0 })
  call()
  for at, name in ipairs(seam.calls()) do
    if name == "pread" then
      cases = cases + 1
      seam.arm({ at = at, ends = 1, after = "same" })
      local ok, found, message = pcall(call)
      if not seam.disarm() then problem(what, ": call ", at, " was not made again") end
      if not ok then problem(what, ", call ", at, " raised: ", tostring(found)) else check(what, found, message) end
      if ok and found and #found < #whole then fewer = fewer + 1 end
      local again, reason = call()
      if not again or not same(whole, again) then problem(what, ", call ", at, ", afterwards: ", tostring(reason or #again)) end
    end
  end
end

memory:close()
collectgarbage()
local descriptors = seam.live()
if descriptors ~= 0 then problem(descriptors, " descriptors left open") end
print(("%d cases, %d of them with less, %d with problems"):format(cases, fewer, problems()))
