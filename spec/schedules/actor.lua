--- The calls that a process of a scenario makes on the module: each is put into the log before it is
-- made and when it has come back, as JSON, for the oracle.
local aish = require("aish_history")
local cjson = require("cjson").new()
local gate = require("aish_history.gate")
local lfs = require("lfs")

cjson.encode_sparse_array(true)

local Actor = {}
Actor.__index = Actor

--- `root`: the directory of the scenario's files.
function Actor.new(root)
  return setmetatable({ root = root }, Actor)
end

function Actor:path(name)
  return self.root .. "/" .. name
end

--- Makes a call. `event`: {what=, file=, and what else the oracle is to know}.
-- `try` returns what the call did: nil or false, a message and an errno where it failed.
function Actor.call(_, event, try)
  gate.begins(cjson.encode(event))
  local ok, result, message, number = pcall(try)
  if not ok then gate.ends(cjson.encode({ failed = tostring(result), raised = true }))
  elseif not result then gate.ends(cjson.encode({ failed = tostring(message), number = number }))
  else gate.ends(cjson.encode({ result = type(result) == "userdata" or result })) end
  return ok and result or nil
end

--- How many bytes the line of an item has besides its content; of a file of its own.
function Actor:overhead()
  local path = self.root .. "/scratch"
  local memory = assert(aish.open(path, { sync = "none" }))
  local before = lfs.attributes(path, "size")
  assert(memory:add("fact", "x"))
  return lfs.attributes(path, "size") - before - 1
end

-- ---- writing ----

function Actor:session(name, options, meta)
  local session = self:call({ what = "session", file = name }, function()
    return aish.session(self:path(name), meta, options)
  end)
  return { object = session, name = name }
end

--- `text` tells the turn from all others.
function Actor:append(session, text)
  if not session.object then return end
  return self:call({ what = "append", file = session.name, text = text }, function()
    return session.object:append({ role = "user", content = text })
  end)
end

--- Without a handle.
function Actor:append_once(name, text, options)
  return self:call({ what = "append", file = name, text = text }, function()
    return aish.append(self:path(name), { role = "user", content = text }, options)
  end)
end

function Actor:open(name, options)
  local memory = self:call({ what = "open", file = name }, function()
    return aish.open(self:path(name), options)
  end)
  return { object = memory, name = name }
end

-- A call on a memory, where it could be opened.
local function on(self, memory, event, try)
  if not memory.object then return end
  event.file = memory.name
  return self:call(event, function() return try(memory.object) end)
end

function Actor:add(memory, text, kind)
  return on(self, memory, { what = "add", text = text }, function(object) return object:add(kind or "fact", text) end)
end

function Actor:add_many(memory, kind, texts)
  local items = {}
  for index, text in ipairs(texts) do items[index] = { kind = kind, content = text } end
  return on(self, memory, { what = "add_many", texts = texts }, function(object)
    return object:add_many(items)
  end)
end

function Actor:forget(memory, id)
  return on(self, memory, { what = "forget", id = id }, function(object) return object:forget(id) end)
end

function Actor:compact(memory)
  return on(self, memory, { what = "compact" }, function(object) return object:compact() end)
end

function Actor:compact_once(name)
  return self:call({ what = "compact", file = name }, function()
    return aish.compact(self:path(name), { wait = 5 })
  end)
end

--- Of a text that stands in nothing that the oracle misses.
function Actor:erase(memory, text)
  return on(self, memory, { what = "erase" }, function(object) return object:erase(text) end)
end

function Actor:erase_once(name, text)
  return self:call({ what = "erase", file = name }, function()
    return aish.erase(self:path(name), text, { wait = 5 })
  end)
end

function Actor:close(memory)
  return on(self, memory, { what = "close" }, function(object) return object:close() end)
end

-- ---- reading ----

function Actor:items(memory, kind)
  return on(self, memory, { what = "items", reads = true, kind = kind }, function(object)
    return object:items({ kind = kind })
  end)
end

-- `method`: of the memory, which gives what bears on a text, with its score.
local function find(self, memory, method, text, kind)
  local event = { what = "memory:" .. method, reads = true, kind = kind }
  return on(self, memory, event, function(object)
    local hits, message, number = object[method](object, text, { limit = 1000, kind = kind })
    for _, hit in ipairs(hits or {}) do hit.score = nil end
    return hits, message, number
  end)
end

function Actor:search(memory, query, kind)
  return find(self, memory, "search", query, kind)
end

function Actor:recall(memory, text, kind)
  return find(self, memory, "recall", text, kind)
end

function Actor:count(memory)
  return on(self, memory, { what = "#", counts = true }, function(object) return #object end)
end

function Actor:get(memory, id)
  return on(self, memory, { what = "get", id = id }, function(object)
    local item, message, number = object:get(id)
    if message then return nil, message, number end
    return { item }
  end)
end

function Actor:next_id(memory)
  return on(self, memory, { what = "next_id" }, function(object) return object.next_id end)
end

local function records_of(iterator, message, number)
  if not iterator then return iterator, message, number end
  local records = {}
  for _, record in iterator do records[#records + 1] = record end
  return records
end

function Actor:scan(name)
  return self:call({ what = "scan", file = name, reads = true, lines = true }, function()
    return records_of(aish.scan(self:path(name)))
  end)
end

--- The turns; of them only the last ones, if `last` is given.
function Actor:load(name, last)
  return self:call({ what = last and "load{last}" or "load", file = name, reads = true, last = last }, function()
    return aish.load(self:path(name), { last = last })
  end)
end

function Actor:load_memory(name, kind)
  return self:call({ what = "load_memory", file = name, reads = true, kind = kind }, function()
    return aish.load_memory(self:path(name), { kind = kind })
  end)
end

--- Of the session `name`; or of the directory that it is in. what: "search" or "recall".
function Actor:search_file(name, query, directory, what)
  what = what or "search"
  return self:call({ what = what, file = name, reads = true }, function()
    local hits, message, number = aish[what](self:path(directory or name), query, { limit = 1000 })
    if not hits then return nil, message, number end
    local _, unread = next(directory and message or {})
    if unread then return nil, unread end
    local records = {}
    for index, hit in ipairs(hits) do records[index] = hit.record end
    return records
  end)
end

function Actor:verify(name)
  return self:call({ what = "verify", file = name }, function() return aish.verify(self:path(name)) end)
end

function Actor:follow(name)
  local iterator = self:call({ what = "follow", file = name }, function() return aish.follow(self:path(name)) end)
  return { object = iterator, name = name }
end

--- What is there now.
function Actor:poll(follower)
  if not follower.object then return end
  return self:call({ what = "poll", file = follower.name }, function() return records_of(follower.object) end)
end

--- When all others have ended: what is there still.
function Actor:drain(follower)
  gate.last()
  for _ = 1, 4 do self:poll(follower) end
  self:call({ what = "drained", file = follower.name }, function() return true end)
end

return Actor
