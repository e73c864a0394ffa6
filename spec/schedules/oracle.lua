--- Judges what the processes of a schedule were told, by what they wrote:
--
-- 1. A reader returns no record that no single write put, or tried to put, into a file.
-- 2. It returns every record that was acknowledged before it began, unless somebody had begun to
--    forget it; none twice; and none whose forgetting was acknowledged before.
-- 3. Every id that is acknowledged is a new one.
-- 4. In the end every acknowledged record is in the files once, and the next id is a new one.
-- 5. `follow` gives every acknowledged line once.
-- 6. No call fails but in a process for which a call of the system did, or beside a foreign program.
-- 7. What a foreign program has appended (`appends` in scenarios.lua) is in the files, unless another file
--    was renamed onto that one meanwhile, and not looked at after the append.
--
-- What a foreign program takes away (`loses` in scenarios.lua) is not missed.
local aish = require("aish_history")
local cjson = require("cjson").new()
local lfs = require("lfs")
local tree = require("spec.faults.tree")

local Oracle = {}
Oracle.__index = Oracle

function Oracle:problem(form, ...)
  self.problems[#self.problems + 1] = form:format(...)
end

-- ---- records ----

--- A text that is the same for equal values.
local function canonical(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for key, member in pairs(value) do parts[#parts + 1] = tostring(key) .. "=" .. canonical(member) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local objects = {} -- line to its object and canonical text, or false

local function object_of(line)
  if objects[line] == nil then
    local ok, value = pcall(cjson.decode, line)
    objects[line] = ok and type(value) == "table" and { value = value, text = canonical(value) } or false
  end
  return objects[line]
end

local function contains(bytes, part)
  return bytes:find(part, 1, true) ~= nil
end

--- How often `part` is in `bytes`.
local function occurrences(bytes, part)
  local count, from = 0, 1
  while true do
    local first, last = bytes:find(part, from, true)
    if not first then return count end
    count, from = count + 1, last + 1
  end
end

-- ---- the log as calls ----

-- The calls in the order in which they began: {what=, ..., process=, began=, ended=, result= or
-- failed=}, the latter three missing where the process was killed.
local function calls_of(log)
  local calls, open = {}, {}
  for at, entry in ipairs(log) do
    if entry.said then
      local said, call = cjson.decode(entry.said), open[entry.process]
      if call then
        call.ended, call.result, call.failed, call.raised = at, said.result, said.failed, said.raised
        open[entry.process] = nil
      else
        said.process, said.began = entry.process, at
        calls[#calls + 1], open[entry.process] = said, said
      end
    end
  end
  return calls
end

function Oracle:learn_line(line)
  local object = object_of(line)
  if object then self.written[object.text] = line end
  return object
end

-- What was acknowledged: {id=, kind=, line=, text= (canonical), file=, process=, began=, at=}.
function Oracle:acknowledge(call, content, id)
  for at = call.began, call.ended do
    local entry = self.log[at]
    if entry.write and entry.process == call.process then
      for line in entry.write:gmatch("[^\n]+") do
        local object = object_of(line)
        if object and object.value.content == content and (not id or object.value.id == id) then
          self.records[#self.records + 1] = {
            id = id, kind = object.value.kind, line = line, text = object.text, file = call.file,
            process = call.process, began = call.began, at = call.ended,
          }
          return
        end
      end
    end
  end
  self:problem("%s: %s was acknowledged and not written", call.what, content)
end

-- Takes from the log what was written and what was acknowledged.
function Oracle:learn()
  for name, bytes in pairs(self.scenario.files) do
    for line in (bytes == true and "" or bytes):gmatch("[^\n]+") do
      local object = self:learn_line(line)
      if object and object.value.kind ~= "forget" and (object.value.kind or object.value.role) then
        self.records[#self.records + 1] = {
          id = object.value.id, kind = object.value.kind, line = line, text = object.text, file = name,
          began = 0, at = 0,
        }
      end
    end
  end
  for at, entry in ipairs(self.log) do
    if entry.write then
      for line in entry.write:gmatch("[^\n]+") do self:learn_line(line) end
      if entry.process >= #self.scenario.processes then self.foreign_until = at end
    end
  end
  for _, call in ipairs(self.calls) do
    if call.result and call.what == "append" then self:acknowledge(call, call.text) end
    if call.result and call.what == "add" then self:acknowledge(call, call.text, call.result) end
    for index, id in ipairs(call.what == "add_many" and call.result or {}) do
      self:acknowledge(call, call.texts[index], id)
    end
    if call.what == "forget" then self.forgettings[#self.forgettings + 1] = call end
  end
end

-- When the last foreign program that takes something away had its last step: what was begun before
-- need not be there.
local function lost_until(scenario, run)
  local last
  for number, step in ipairs(run.steps) do
    local foreign = scenario.foreign[step.process + 1 - #scenario.processes]
    if foreign and foreign.loses then last = number end
  end
  if not last then return -1 end
  for at, entry in ipairs(run.log) do
    if entry.step >= last then return at end
  end
  return math.huge
end

--- Whether it may be missing from what began before `ended` (a place in the log): somebody had begun to
-- forget it, or a foreign program took it away.
function Oracle:may_be_gone(record, ended)
  if record.began <= self.lost_until then return true end
  for _, call in ipairs(self.forgettings) do
    if call.id == record.id and call.began < ended then return true end
  end
  return false
end

-- ---- the rules ----

function Oracle:check_failures()
  local faulty = self.faulty
  for _, step in ipairs(self.run.steps) do
    if step.fault ~= "none" then faulty[step.process] = true end
    if step.process >= #self.scenario.processes then self.is_foreign = true end
  end
  for number, status in pairs(self.run.ends) do
    if status ~= 9 or not faulty[number] then self:problem("process %d ended with %d", number, status) end
  end
  for _, call in ipairs(self.calls) do
    local held = call.failed and contains(call.failed, "held by another") and self.scenario.held
    if call.failed and not (faulty[call.process] or self.is_foreign or held) then
      self:problem("%s failed, and nothing had: %s", call.what, call.failed)
    end
  end
end

function Oracle:check_ids()
  local given = {}
  for _, record in ipairs(self.records) do
    if record.id then
      local other = given[record.id]
      local is_lost = other and other.process ~= record.process and other.began <= self.lost_until
      if other and not is_lost then self:problem("id %d given twice", record.id) end
      given[record.id] = record
    end
  end
end

-- Of `last` records the others may be missing that are older than all of them.
local function is_older(call, found, records, record)
  if not call.last or #call.result < call.last then return false end
  local older = true
  for _, other in ipairs(records) do
    if other == record then older = false
    elseif older == false and found[other.text] then return true end
  end
  return not next(found) or older == false
end

function Oracle:check_read(call)
  local found = {}
  for _, value in ipairs(call.result) do
    local text = canonical(value)
    if not self.written[text] then self:problem("%s: nobody wrote %s", call.what, text) end
    if found[text] then self:problem("%s: twice %s", call.what, text) end
    if call.kind and value.kind ~= call.kind then self:problem("%s of %s: %s", call.what, call.kind, text) end
    found[text] = true
  end
  for _, record in ipairs(self.records) do
    local wanted = record.file == call.file and record.at < call.began and (not call.kind or record.kind == call.kind)
    if wanted and not found[record.text] and not self:may_be_gone(record, call.ended)
      and not is_older(call, found, self.records, record) then
      self:problem("%s: missing %s", call.what, record.text)
    end
    for _, forgetting in ipairs(self.forgettings) do
      if not call.lines and forgetting.result and forgetting.id == record.id and forgetting.ended < call.began
        and found[record.text] then
        self:problem("%s: forgotten %s", call.what, record.text)
      end
    end
  end
end

-- How many items were there for sure, and how many could have been there at most.
function Oracle:bounds(call)
  local least, most = 0, 0
  for _, record in ipairs(self.records) do
    if record.file == call.file then
      if record.at < call.began and not self:may_be_gone(record, call.ended) then least = least + 1 end
      if record.at == 0 then most = most + 1 end
    end
  end
  for _, other in ipairs(self.calls) do
    if other.file == call.file and other.began < call.ended then
      most = most + (other.what == "add" and 1 or 0) + #(other.texts or {})
    end
  end
  return least, most
end

function Oracle:check_count(call, count, what)
  local least, most = self:bounds(call)
  if count < least or count > most then self:problem("%s: %d, of %d to %d", what or call.what, count, least, most) end
end

local checks = {}

function checks.verify(self, call)
  local report = call.result
  self:check_count(call, report.active, "verify: active")
  local has_tombstones = #self.forgettings > 0
  local records = math.max(report.records - 1, 0) -- but for the first line
  if not has_tombstones and report.active ~= records then
    self:problem("verify: %d records behind the first, %d active", records, report.active)
  end
  for _, record in ipairs(self.records) do
    if record.file == call.file and record.at < call.began and record.began > self.lost_until and
      record.id and record.id > report.max_id then
      self:problem("verify: max_id %d, and %d was acknowledged", report.max_id, record.id)
    end
  end
end

-- Where a call of the system failed, it is what was known before.
function checks.next_id(self, call)
  if self.faulty[call.process] then return end
  for _, record in ipairs(self.records) do
    if record.file == call.file and record.at < call.began and record.began > self.lost_until and
      record.id and record.id >= call.result then
      self:problem("next_id: %d, and %d was acknowledged", call.result, record.id)
    end
  end
end

function checks.get(self, call)
  local item = call.result[1]
  local text = item and canonical(item)
  if item and not self.written[text] then self:problem("get: nobody wrote %s", text) end
  for _, record in ipairs(self.records) do
    if record.id == call.id and record.at < call.began and text ~= record.text and
      not self:may_be_gone(record, call.ended) then
      self:problem("get: %s in the place of %s", tostring(text), record.text)
    end
  end
end

function Oracle:check_calls()
  for _, call in ipairs(self.calls) do
    if call.result then
      if call.reads then self:check_read(call) end
      if call.counts then self:check_count(call, call.result) end
      if checks[call.what] then checks[call.what](self, call) end
    end
  end
end

function Oracle:check_follow()
  local given, drained = {}, {}
  for _, call in ipairs(self.calls) do
    local lines = given[call.process] or {}
    given[call.process] = lines
    for _, value in ipairs(call.what == "poll" and call.result or {}) do
      local text = canonical(value)
      lines[text] = (lines[text] or 0) + 1
      if not self.written[text] then self:problem("follow: nobody wrote %s", text) end
    end
    if call.failed then lines.failed = true end
    if call.what == "drained" then drained[call.process] = call.file end
  end
  for process, file in pairs(drained) do
    for _, record in ipairs(self.records) do
      local count = given[process][record.text] or 0
      local may_miss = given[process].failed or self:may_be_gone(record, math.huge)
      if record.file == file and count ~= 1 and not (count == 0 and may_miss) then
        self:problem("follow: %d times %s", count, record.text)
      end
    end
  end
end

-- What is in the files of the directory, one behind the other, those that were rotated away too.
local function all_bytes(root)
  local names, texts = {}, {}
  for name in lfs.dir(root) do
    if name:find("%.jsonl$") or name:find("%.jsonl%.1$") then names[#names + 1] = name end
  end
  table.sort(names)
  for index, name in ipairs(names) do texts[index] = tree.read(root .. "/" .. name) end
  return table.concat(texts, "\n") .. "\n"
end

-- Whether a file took the place of the one that was opened at step `opened` without a look at it after
-- step `written`.
local function was_replaced(steps, opened, written)
  local before = {} -- the step before, of each process
  for number, step in ipairs(steps) do
    if step.call == "rename" and number > opened and (before[step.process] or 0) < written then return true end
    before[step.process] = number
  end
  return false
end

function Oracle:check_foreign(bytes)
  local opened, steps = {}, self.run.steps
  for number, step in ipairs(steps) do
    local foreign = self.scenario.foreign[step.process + 1 - #self.scenario.processes]
    local line = foreign and foreign.appends
    if step.call == "create" then opened[step.process] = number end
    if line and step.call == "write" and not was_replaced(steps, opened[step.process], number) and
      occurrences(bytes, line) ~= 1 then
      self:problem("%d times in the file: %s", occurrences(bytes, line), line)
    end
  end
end

function Oracle:check_files()
  local bytes = all_bytes(self.root)
  self:check_foreign(bytes)
  for _, record in ipairs(self.records) do
    local count = occurrences(bytes, record.line)
    local wanted = (self:may_be_gone(record, math.huge) and count == 0) and 0 or 1
    if count ~= wanted then self:problem("%d times in the file: %s", count, record.text) end
  end
  local ids = {}
  for line in bytes:gmatch("[^\n]+") do
    local object = object_of(line)
    local id = object and object.value.id
    if id and ids[id] then self:problem("two records of id %d", id) end
    if id then ids[id] = true end
  end
end

--- Opens each memory anew: the next id is a new one, and what is acknowledged is read.
function Oracle:check_next()
  for _, name in ipairs(self.scenario.memories or {}) do
    local path = self.root .. "/" .. name
    local items = { what = "afterwards", file = name, began = math.huge, ended = math.huge }
    items.result = aish.load_memory(path)
    self:check_read(items)
    local before = all_bytes(self.root)
    local memory, message = aish.open(path, { wait = 0 })
    local id
    if memory then id, message = memory:add("fact", "afterwards") memory:close() end
    if not id then self:problem("afterwards add failed: %s", message) end
    for line in before:gmatch("[^\n]+") do
      local object = object_of(line)
      if object and object.value.id == id then self:problem("afterwards id %d again", id) end
    end
  end
end

--- Returns an array of problems; `run` is of schedule.play.
return function(scenario, root, run)
  local self = setmetatable({
    scenario = scenario, root = root, run = run, log = run.log, calls = calls_of(run.log), problems = {},
    written = {}, records = {}, forgettings = {}, faulty = {}, lost_until = lost_until(scenario, run),
  }, Oracle)
  self:learn()
  self:check_failures()
  self:check_ids()
  self:check_calls()
  self:check_follow()
  self:check_files()
  self:check_next()
  return self.problems
end
