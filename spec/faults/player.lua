--- Plays a script of calls on the module and keeps its books: what was acknowledged, and when.
--
-- A call that fails although nothing was made to fail, that says nothing of use, that leaves the
-- file other than it was, or that cannot be made again once the fault is over, is a problem.
local cjson = require("cjson").new()
local lfs = require("lfs")
local tree = require("spec.faults.tree")

local Player = {}
Player.__index = Player

--- `faulty`: how the fault is that is armed, a table as for seam.arm, or nil.
function Player.new(aish, seam, root, faulty)
  return setmetatable({
    aish = aish, seam = seam, root = root, faulty = faulty, handles = {}, events = {}, problems = {},
    afterwards = "afterwards", links = {}, highest = 0, failures = 0, serial = 0, attempted = {}, lines = {}, targets = {},
  }, Player)
end

--- Takes note of what is there before the script.
function Player:know(script)
  self.fixture, self.links, self.highest = script.fixture, script.links or {}, script.highest or 0
  for _, bytes in pairs(script.files) do
    if bytes ~= true then
      for line in bytes:gmatch("[^\n]+") do self.lines[#self.lines + 1] = line end
    end
  end
end

function Player:problem(form, ...)
  self.problems[#self.problems + 1] = form:format(...)
end

function Player:path(name)
  return self.root .. "/" .. name
end

--- The file that a name leads to.
function Player:real(name)
  return self.links[name] or name
end

--- What was acknowledged just now. `durable`: it was said to have reached the disk.
function Player:acknowledge(event, durable)
  event.name = self:real(event.name)
  event.at = self.seam.recorded()
  event.durable_at = durable and event.at or nil
  self.events[#self.events + 1] = event
end

--- Told of what was added when the files were judged after a cut (spec/faults/judge.lua): nothing to
-- do, where there is no second cut.
function Player.added() end

local unique = {}

--- A text of `size` bytes that no other call of this script has.
function Player:text(size)
  self.serial = self.serial + 1
  local text = ("text %d."):format(self.serial)
  if not size then return text end
  unique[size] = unique[size] or ("0123456789abcdef"):rep(math.ceil(size / 16)):sub(1, size)
  return text .. unique[size]
end

-- ---- one call ----

-- The fault is over. Whether an ftruncate may have failed by it.
function Player:disarm()
  local fault = self.faulty
  self.fired = self.seam.disarm() or self.fired
  self.faulty = nil
  return fault and (fault.truncates ~= nil or fault.after == "all")
end

-- A sync failed: what was not on the disk by then may never be, whatever a later one says.
function Player:lose(name)
  for _, event in ipairs(self.events) do
    if event.name == self:real(name) and not event.durable_at then event.lost = true end
  end
end

function Player:check_failure(name, what, raised, message, number)
  local path = self:path(name)
  if type(message) ~= "string" then return self:problem("%s: no message, but %s", what, tostring(message)) end
  local beside = self:path(self:real(name)) .. "." -- what compaction makes there
  if not message:find(path, 1, true) and not message:find(beside, 1, true)
    and not message:find("held by another aish process", 1, true) then
    self:problem("%s: the message does not name the path: %s", what, message)
  end
  if not raised and type(number) ~= "number" then self:problem("%s: no errno with %s", what, message) end
end

function Player:check_unchanged(name, what, before, cannot_cut)
  local now = tree.read(self:path(name))
  if now == before then return end
  now = now or "" -- a file that holds nothing may go
  if (before or "") == "" and (now == "" or now:find('^{"meta":[^\n]*}\n$')) then return end -- a new file
  if cannot_cut and now:sub(1, #(before or "")) == (before or "") then return end
  self:problem("%s failed and left the file other than it was:\nbefore: %s\nafter:  %s", what,
    tostring(before), now)
end

--- Each damaged line that the script begins with is in the file, or was put aside.
function Player:check_damaged(script, name)
  local bytes = ""
  for _, place in ipairs({ name, name .. ".damaged", (script.by or name) .. ".damaged" }) do
    bytes = bytes .. (tree.read(self:path(place)) or "")
  end
  for _, line in ipairs(script.damaged or {}) do
    if not bytes:find(line, 1, true) then self:problem("%s: lost %s", name, line) end
  end
end

--- Makes a call on the file `name`. `options.rewrites`: the file may be another one afterwards.
-- `options.raises`: a failure may raise. Returns what the call did, made again if it failed.
function Player:call(name, what, try, options)
  options = options or {}
  local before = tree.read(self:path(name))
  local open_before = self.seam.live()
  local ok, result, message, number = pcall(try)
  if ok and result then return result end
  self.failures = self.failures + 1
  if not ok then message = result end
  local starved = not ok and self.faulty and self.faulty.memory and tostring(message):find("not enough memory", 1, true)
  if not ok and not options.raises and not starved then
    self:problem("%s raised: %s", what, tostring(result))
    return nil
  end
  local after_sync = type(message) == "string" and message:find("earlier sync failed", 1, true)
  if not self.seam.fired() and not after_sync then
    self:problem("%s failed, and no call had: %s", what, tostring(message))
    return nil
  end
  if not starved then self:check_failure(name, what, not ok, message, number) end
  if starved then collectgarbage() end
  if after_sync and number ~= self.seam.EIO then self:problem("%s: errno %s", what, tostring(number)) end
  local cannot_cut = self:disarm()
  if self.fired == "fdatasync" or after_sync then self:lose(name) end
  if not options.rewrites then self:check_unchanged(name, what, before, cannot_cut) end
  if options.opens and self.seam.live() ~= open_before then self:problem("%s left a descriptor open", what) end
  if options.rewrites and not cannot_cut then self:check_temporary(name, what) end
  local synced = self.fired == "fdatasync" or self.fired == "fsync"
  if options.handle and synced and message:find("^sync ") then self:check_refused(what, try) end
  return self:again(what, try, options)
end

--- A handle whose sync failed writes nothing until it is opened again.
function Player:check_refused(what, try)
  local ok, result, message = pcall(try)
  if ok and result == "gone" then return end -- there was nothing to write
  if not ok or result or not message:find("earlier sync failed", 1, true) then
    self:problem("%s after a sync that failed: %s, %s", what, tostring(result), tostring(message))
  end
end

--- No temporary file is left, but where it could not be removed.
function Player:check_temporary(name, what)
  if self.fired == "unlink" then return end
  local directory = self:path(self:real(name)):match("^(.*)/")
  for entry in lfs.dir(directory) do
    if entry:find("%.compact") then self:problem("%s left %s behind", what, entry) end
  end
end

function Player:again(what, try, options)
  local ok, result, message = pcall(try)
  if ok and not result and message:find("earlier sync failed", 1, true) then
    self:reopen(options.handle)
    ok, result, message = pcall(try)
  end
  if ok and result then return result end
  self:problem("%s failed again, and no call had: %s", what, tostring(ok and message or result))
  return nil
end

-- ---- handles ----

function Player:reopen(handle)
  local h = self.handles[handle]
  self.reopened = true -- what was in a file that is away is not known to the new handle
  h.object:close()
  h.object = assert(h.open())
end

local function opens(self, handle, name, options, open)
  local object = self:call(name, "open " .. handle, open, { opens = true })
  self.handles[handle] = { name = name, open = open, object = object, durable = options.sync ~= "none" }
end

function Player:open(handle, name, options)
  opens(self, handle, name, options or {}, function()
    return self.aish.open(self:path(name), options)
  end)
end

function Player:session(handle, name, meta, options)
  options = options or { sync = "full" }
  opens(self, handle, name, options, function()
    return self.aish.session(self:path(name), meta, options)
  end)
end

-- The descriptor is closed even where close fails.
function Player:close(handle)
  local h = self.handles[handle]
  local done, message, number = h.object:close()
  if not done then
    self.failures = self.failures + 1
    self:check_failure(h.name, "close " .. handle, false, message, number)
    self:disarm()
    if not h.object:close() then self:problem("close %s a second time failed", handle) end
  end
  self.handles[handle] = nil
end

local function calls(self, handle, what, try, options)
  local h = self.handles[handle]
  if not (h and h.object) then return nil end
  options = options or {}
  options.handle = handle
  return self:call(h.name, what .. " " .. handle, function() return try(h.object) end, options)
end

-- ---- memories ----

function Player:draft(kind, size, tags, source)
  local item = { kind = kind or "fact", content = self:text(size), tags = tags, source = source }
  self.attempted[item.content] = true
  return item
end

function Player:acknowledge_item(handle, id, item)
  local h = self.handles[handle]
  if id <= self.highest then self:problem("id %d was in the file before", id) end
  for _, event in ipairs(self.events) do
    if event.name == self:real(h.name) and event.what == "item" and event.id == id and not (event.away and self.reopened) then
      self:problem("id %d was given twice", id)
    end
  end
  self:acknowledge({ what = "item", name = h.name, id = id, item = item }, h.durable)
end

--- Adds an item; every try has a content of its own, so that a failed one can be told from it.
function Player:add(handle, kind, size, tags, source)
  local item
  local id = calls(self, handle, "add", function(memory)
    item = self:draft(kind, size, tags, source)
    return memory:add(item.kind, item.content, item.tags, item.source)
  end)
  if id then self:acknowledge_item(handle, id, item) end
  return id
end

function Player:add_many(handle, count, size)
  local items
  local ids = calls(self, handle, "add_many", function(memory)
    items = {}
    for index = 1, count do items[index] = self:draft("context", size, { index }) end
    return memory:add_many(items)
  end)
  for index, id in ipairs(ids or {}) do self:acknowledge_item(handle, id, items[index]) end
  return ids or {}
end

function Player:forget(handle, id)
  local h = self.handles[handle]
  if not id then return end
  self.targets[id] = true
  -- A tombstone that was not acknowledged may be there all the same.
  local done = calls(self, handle, "forget", function(memory)
    local ok, message, number = memory:forget(id)
    if not ok and not number and self.failures > 0 then return "gone" end
    return ok, message, number
  end)
  if done then self:acknowledge({ what = "forget", name = h.name, id = id }, h.durable) end
end

--- Puts another item in the place of one: what was not acknowledged may be there all the same, as above.
function Player:update(handle, id)
  local h = self.handles[handle]
  if not id then return end
  self.targets[id] = true
  local item
  local new = calls(self, handle, "update", function(memory)
    item = self:draft("pref", nil, { "updated" }, "a source")
    local result, message, number = memory:update(id, item)
    if result == false and not number and self.failures > 0 then return "gone" end
    return result, message, number
  end)
  if not new then return end
  self:acknowledge({ what = "forget", name = h.name, id = id }, h.durable)
  if new ~= "gone" then self:acknowledge_item(handle, new, item) end
end

function Player:sync(handle)
  local h = self.handles[handle]
  local done = calls(self, handle, "sync", function(object) return object:sync() end)
  if not done then return end
  local at = self.seam.recorded()
  for _, event in ipairs(self.events) do
    if event.name == self:real(h.name) and not event.lost then event.durable_at = event.durable_at or at end
  end
end

--- The active items, their number and those with some words are asked of the handle.
function Player:look(handle)
  local h = self.handles[handle]
  local items = calls(self, handle, "items", function(memory) return memory:items() end)
  if items then self:compare_items(h.name, items, "items " .. handle) end
  local count = calls(self, handle, "#", function(memory) return #memory end, { raises = true })
  if items and count ~= #items then self:problem("# %s is %s, of %d items", handle, tostring(count), #items) end
  for _, item in ipairs(items or {}) do
    local same = calls(self, handle, "get", function(memory) return memory:get(item.id) end)
    if not same or same.content ~= item.content then self:problem("get %s %d is another", handle, item.id) end
  end
  if items and self.aish.search then self:search(handle, items) end
end

local function holds(item, query)
  local texts = { item.content }
  for _, tag in ipairs(item.tags or {}) do
    if type(tag) == "string" then texts[#texts + 1] = tag end
  end
  for word in query:gmatch("%S+") do
    local held = false
    for _, text in ipairs(texts) do held = held or text:find(word, 1, true) ~= nil end
    if not held then return false end
  end
  return true
end

-- What searches find of the active items: words of many items and of few, and one that is in no word.
function Player:search(handle, items)
  for _, query in ipairs({ "text", "e", "text 1", "four" }) do
    local hits = calls(self, handle, "search", function(memory) return memory:search(query, { limit = math.huge }) end)
    local found, expected = {}, 0
    for _, hit in ipairs(hits or {}) do found[hit.id] = true end
    for _, item in ipairs(items) do
      if holds(item, query) then
        expected = expected + 1
        if not found[item.id] then self:problem("search %s: %s does not find %d", handle, query, item.id) end
      end
    end
    if not hits or #hits ~= expected then self:problem("search %s: %s finds other items", handle, query) end
  end
end

--- Another handle has the lock, so this add must fail, after having waited or not.
function Player:refused(handle)
  local h = self.handles[handle]
  local before = tree.read(self:path(h.name))
  local item = self:draft()
  local id, message, number = h.object:add(item.kind, item.content)
  if id then return self:problem("add %s was not refused", handle) end
  self:check_failure(h.name, "add " .. handle, false, message, number)
  self:check_unchanged(h.name, "add " .. handle, before)
  if self.seam.fired() then self:disarm() end
end

--- Another program renames the file: nothing that is in it is ours any more.
function Player:replace(name)
  assert(os.rename(self:path(name), self:path(name .. ".away")))
  for _, event in ipairs(self.events) do
    if event.name == name then event.away = true end
  end
end

-- ---- sessions ----

function Player:turn(size)
  local turn = { role = "user", content = self:text(size) }
  self.attempted[turn.content] = true
  return turn
end

function Player:append(handle, size)
  local h = self.handles[handle]
  local turn
  local done = calls(self, handle, "append", function(session)
    turn = self:turn(size)
    return session:append(turn)
  end)
  if done then self:acknowledge({ what = "turn", name = h.name, item = turn }, h.durable) end
end

function Player:append_once(name, options)
  local turn
  options = options or { sync = "full" }
  local done = self:call(name, "append", function()
    turn = self:turn()
    return self.aish.append(self:path(name), turn, options)
  end, { opens = true })
  if done then self:acknowledge({ what = "turn", name = name, item = turn }, options.sync == "full") end
end

-- ---- compaction and reading ----

--- Compacts through a handle, or without one if `handle` is nil.
function Player:compact(handle, name)
  if not self.aish.compact then return end
  local try = function() return self.aish.compact(self:path(name)) end
  if handle then
    calls(self, handle, "compact", function(memory) return memory:compact() end, { rewrites = true })
  else
    self:call(name, "compact", try, { rewrites = true, opens = true })
  end
end

--- Erases a text of the fixture through a handle, or without one if `handle` is nil; it is gone then.
function Player:erase(handle, name, what)
  if not self.aish.erase then return end
  local done
  if handle then
    name = self.handles[handle].name
    done = calls(self, handle, "erase", function(object) return object:erase(what) end, { rewrites = true })
  else
    done = self:call(name, "erase", function() return self.aish.erase(self:path(name), what) end, { rewrites = true, opens = true })
  end
  for _, place in ipairs({ name, name .. ".damaged" }) do
    local bytes = done and tree.read(self:path(place))
    if bytes and bytes:find(what, 1, true) then self:problem("%s: %s still holds %s", name, place, what) end
  end
end

--- Whether it is what an item of the fixture says, of which something may be erased.
function Player.is_content(script, found, content)
  for _, what in ipairs(script.erases or {}) do
    content, found = content:gsub(what, "[erased]"), found and found:gsub(what, "[erased]")
  end
  return found == content
end

--- Everything that reads without a handle.
function Player:read(name)
  local path, directory = self:path(name), self:path(name):match("^(.*)/")
  local options = { opens = true, raises = true }
  local items = self:call(name, "load_memory", function() return self.aish.load_memory(path) end, options)
  if items then self:compare_items(name, items, "load_memory") end
  self:call(name, "load", function() return self.aish.load(path) end, options)
  self:call(name:match("^(.*)/") or "", "list", function() return self.aish.list(directory) end, options)
  self:call(name, "scan", function()
    local iterator, message, number = self.aish.scan(path, { malformed = true })
    if not iterator then return iterator, message, number end
    for _ in iterator do end -- luacheck: ignore
    return true
  end, options)
  if self.aish.verify then
    self:call(name, "verify", function() return self.aish.verify(path) end, options)
  end
  if self.aish.search then
    self:compare_hits(name, self:call(name, "search", function()
      return self.aish.search(path, "text ", { exact = true, limit = math.huge })
    end, options))
  end
  if self.aish.sessions then
    self:call(name:match("^(.*)/") or "", "sessions", function() return self.aish.sessions(directory) end, options)
  end
end

-- What a search of a file for the texts of this script found; each line of it has one or none.
function Player:compare_hits(name, hits)
  local expected, number = {}, 0
  for line in ((tree.read(self:path(name)) or "") .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    if line:find("text ", 1, true) and pcall(cjson.decode, line) then table.insert(expected, 1, number) end
  end
  for index = 1, math.max(#expected, hits and #hits or 0) do
    if not (hits and hits[index] and hits[index].line == expected[index]) then
      return self:problem("%s: the search finds other lines", name)
    end
  end
end

-- ---- the books ----

-- What must be there of a file, of all that was acknowledged or of what `counts` lets pass.
function Player:expected(name, counts)
  local items, forgotten, turns = {}, {}, {}
  name = self:real(name)
  for _, event in ipairs(self.events) do
    if event.name == name and not event.away and (not counts or counts(event)) then
      if event.what == "item" then items[event.id] = event.item end
      if event.what == "forget" then forgotten[event.id] = true end
      if event.what == "turn" then turns[#turns + 1] = event.item end
    end
  end
  return items, forgotten, turns
end

local function same(expected, actual)
  if type(expected) ~= "table" or type(actual) ~= "table" then return expected == actual end
  for key, value in pairs(expected) do
    if not same(value, actual[key]) then return false end
  end
  for key in pairs(actual) do
    if expected[key] == nil then return false end
  end
  return true
end

local function is_item(expected, record)
  return record.kind == expected.kind and record.content == expected.content
    and same(expected.tags, record.tags) and record.source == expected.source
end

--- Whether `records` are the active items: all that were acknowledged, none twice, and beside them
-- only those that were tried.
function Player:compare_items(name, records, what, counts)
  local items, forgotten = self:expected(name, counts)
  local found = {}
  for _, record in ipairs(records) do
    if found[record.id] then self:problem("%s: id %d twice", what, record.id) end
    found[record.id] = record
    if forgotten[record.id] then self:problem("%s: id %d was forgotten", what, record.id) end
    if not (self.attempted[record.content] or self.fixture) then
      self:problem("%s: nobody added %s", what, tostring(record.content))
    end
  end
  for id, item in pairs(items) do
    -- Who tried to forget it and was told of a failure may have done so.
    local may_be_gone = forgotten[id] or self.targets[id]
    if not found[id] and not may_be_gone then self:problem("%s: id %d is missing", what, id) end
    if found[id] and not is_item(item, found[id]) then
      self:problem("%s: id %d is another: %s", what, id, tostring(found[id].content))
    end
  end
end

local function object_of(line)
  if line:sub(1, 1) ~= "{" or line:find("%z") then return nil end -- lua-cjson ends at a NUL
  local ok, value = pcall(cjson.decode, line)
  return ok and type(value) == "table" and value or nil
end

--- The lines that the script wrote or tried to write, from the record of its calls.
function Player:written_lines(log)
  for _, entry in ipairs(log) do
    if entry.bytes then
      for line in entry.bytes:gmatch("[^\n]+") do self.lines[#self.lines + 1] = line end
    end
  end
end

-- Whether the line begins as one that was there before or was tried.
function Player:is_fragment(line)
  line = line:gsub("%z+$", "")
  for _, whole in ipairs(self.lines) do
    if whole:sub(1, #line) == line then return true end
  end
  return false
end

--- Reads the file's lines with none of our code: no id twice, and nothing that is neither a whole
-- record nor a fragment of one. `zeros`: a power cut may have left holes in it.
function Player:check_lines(name, zeros)
  local ids = {}
  for line in (tree.read(self:path(name)) or ""):gmatch("[^\n]+") do
    local object = object_of(line)
    if object and object.id then
      if ids[object.id] then self:problem("%s: id %d is there twice", name, object.id) end
      ids[object.id] = true
    elseif not object and not (zeros and line:find("%z")) and not self:is_fragment(line) then
      self:problem("%s: a line that nobody wrote: %s", name, line)
    end
  end
  return ids
end

--- Each turn that was acknowledged once, in order; between them only those that were tried.
function Player:compare_turns(name, turns, counts)
  local _, _, expected = self:expected(name, counts)
  local next_one = 1
  local found = {}
  for _, turn in ipairs(turns) do
    if found[turn.content] then self:problem("%s: %s twice", name, turn.content) end
    found[turn.content] = true
    if expected[next_one] and turn.content == expected[next_one].content then next_one = next_one + 1 end
    if not (self.attempted[turn.content] or self.fixture) then
      self:problem("%s: nobody appended %s", name, tostring(turn.content))
    end
  end
  if expected[next_one] then self:problem("%s: %s is missing", name, expected[next_one].content) end
end

return Player
