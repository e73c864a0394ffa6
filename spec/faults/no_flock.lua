--- Plays every call that takes a lock on a file system that has none: each flock fails. Prints, a line
-- a call, what it returned, and whether the file was left as it was; then what works without a lock.
-- Arguments: a directory and the name of the errno, such as "ENOLCK".
local aish = require("aish_history")
local seam = require("aish_history.seam")
local tree = require("spec.faults.tree")

local root, reason = ...
local path = root .. "/memory.jsonl"
local before = '{"id":1,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"one"}\n'

local function words(...)
  local texts = {}
  for index = 1, select("#", ...) do texts[index] = tostring((select(index, ...))) end
  return table.concat(texts, "|")
end

--- The number of the first flock among the calls that `call` makes when nothing fails.
local function first_flock(call, argument)
  seam.arm({ at = 0 })
  call(argument)
  for index, name in ipairs(seam.calls()) do
    if name == "flock" then return index end
  end
  error("no flock is called")
end

--- Says what `call(start())` returns when its locks fail; returns what `start` has opened.
local function say(title, start, call)
  tree.write(path, before)
  local at = first_flock(call, start())
  tree.write(path, before)
  local argument = start()
  seam.arm({ at = at, number = seam[reason], after = "same" })
  local result = words(call(argument))
  seam.disarm()
  print(title .. "|" .. result .. "|" .. (tree.read(path) == before and "as it was" or "changed"))
  return argument
end

local function nothing() end
local function shared() return assert(aish.open(path, { shared = true })) end
local function session() return assert(aish.session(path)) end

say("open", nothing, function() return aish.open(path) end)
local memory = say("add", shared, function(m) return m:add("fact", "two") end)
say("add_many", shared, function(m) return m:add_many({ { kind = "fact", content = "two" } }) end)
say("forget", shared, function(m) return m:forget(1) end)
say("compact of a handle", shared, function(m) return m:compact() end)
say("compact", nothing, function() return aish.compact(path) end)
say("append", nothing, function() return aish.append(path, { role = "user", content = "x" }) end)
local log = say("session:append", session, function(s) return s:append({ role = "user", content = "x" }) end)

-- The handles of before, on a file that can be locked again.
print("add, later|" .. words(memory:add("fact", "two")))
print("session:append, later|" .. words(log:append({ role = "user", content = "x" })))
memory:close()
log:close()

-- What takes no lock.
tree.write(path, before)
seam.arm({ at = 0 })
memory = shared()
print("read|" .. words(#memory, memory:get(1).content, #aish.load_memory(path), aish.verify(path).records))
for _, name in ipairs(seam.calls()) do assert(name ~= "flock", "a lock was taken for reading") end
memory:close()
