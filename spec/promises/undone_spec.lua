-- Processes beside one whose every other write fails half way and is undone: what a reader returns was
-- written, and nothing is lost or given twice. spec/faults/growing.lua plays the single steps.
local aish = require("aish_history")
local errno = require("posix.errno")
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

-- Writes `count` records of Bs, each after one of As for which there is no room, and then the file `done`.
local writer = [[
  local resource = require("posix.sys.resource")
  local signal = require("posix.signal")
  local stat = require("posix.sys.stat")
  signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
  local path, kind, count = ...
  local infinity = resource.RLIM_INFINITY
  local function limit(size)
    assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = size or infinity, rlim_max = infinity }))
  end
  local handle = assert(kind == "session" and aish.session(path, {}) or aish.open(path, { sync = "none", shared = kind == "shared" }))
  local function put(letter, size)
    local text = letter:rep(size)
    if kind == "session" then return handle:append({ role = "user", content = text }) end
    return handle:add(letter == "A" and "pref" or "fact", text)
  end
  print("ready")
  for n = 1, tonumber(count) do
    repeat -- another process may have cut the room that is left
      limit(stat.stat(path).st_size + 20 + n % 300)
      local written = put("A", 400 + n % 50)
      limit()
    until not written
    assert(put("B", 20 + n * 7 % 400))
  end
  handle:close()
  io.open(path .. ".done", "w"):close()
]]

-- Calls step() until the writer has written `count` records.
local function beside_writer(path, kind, count, step)
  local _, pipe = support.start(writer, path, kind, count)
  assert.equal("ready", pipe:read("*l"))
  repeat step() until require("lfs").attributes(path .. ".done")
  assert.equal("", pipe:read("*a"))
  pipe:close()
end

-- The result of a reader, asked again where the file was changed during each of its tries, and the writer
-- keeps the lock.
local function ask(reader, ...)
  local found, message, number
  repeat found, message, number = reader(...) until found or number ~= errno.EAGAIN
  return assert(found, message)
end

local function is_written(record)
  local content = record.content
  if content == nil then return record.meta ~= nil end
  if content:find("^mine %d+$") then return record.kind == "context" end
  local letter = content:match("^A+$") and "A" or content:match("^B+$") and "B"
  return letter ~= nil and (record.role == "user" or record.kind == (letter == "A" and "pref" or "fact"))
end

local function check(list)
  for _, record in ipairs(assert(list)) do
    if not is_written(record) then error("nobody wrote " .. tostring(record.content)) end
  end
end

local function records(iterator)
  local found = {}
  for _, record in iterator do found[#found + 1] = record end
  return found
end

describe("beside a writer whose writes fail and are undone", function()
  helper.guard(before_each, after_each)

  local COUNT = 6000

  local function only_b(list)
    local count = 0
    for _, record in ipairs(list) do count = count + (record.content and record.content:find("^B") and 1 or 0) end
    return count
  end

  it("a session's readers return what was written", function()
    local path = faults.tmpdir() .. "/session.jsonl"
    local follow, given = assert(aish.follow(path)), {}
    beside_writer(path, "session", COUNT, function()
      check(records(assert(aish.scan(path))))
      check(aish.load(path))
      check(aish.load(path, { last = 3 }))
      for _, hit in ipairs(aish.search(path, "BBBB", { limit = 3 })) do check({ hit.record }) end
      for _, hit in ipairs(aish.recall(path, "BBBB", { limit = 3 })) do check({ hit.record }) end
      for _, record in follow do given[#given + 1] = record end
    end)
    for _, record in follow do given[#given + 1] = record end
    follow:close()
    check(given)
    assert.equal(COUNT, only_b(given)) -- each that was acknowledged, once
    assert.equal(COUNT, #aish.load(path))
  end)

  it("a memory's readers return what was written, and agree", function()
    local path = faults.tmpdir() .. "/memory.jsonl"
    beside_writer(path, "exclusive", COUNT, function()
      check(ask(aish.load_memory, path))
      check(ask(aish.load_memory, path, { kind = "fact", limit = 5 }))
      local report = assert(aish.verify(path))
      assert.equal(report.items, report.active)
      assert.equal(report.records, report.items + 1)
    end)
    assert.equal(COUNT, #aish.load_memory(path))
  end)

  it("another shared handle gives no id twice, and loses nothing", function()
    local path = faults.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path, { shared = true, sync = "none" }))
    local ids, number = {}, 0
    beside_writer(path, "shared", COUNT, function()
      number = number + 1
      local id = assert(memory:add("context", "mine " .. number))
      assert.is_nil(ids[id])
      ids[id] = number
      assert.equal("mine " .. number, assert(memory:get(id)).content)
      for _ = 1, 20 do assert(#memory >= number) end
      local items = assert(memory:items({ kind = "fact", limit = 5 }))
      check(items)
      for _, item in ipairs(items) do assert.equal("fact", item.kind) end
      check(memory:search("mine", { limit = 3 }))
    end)
    local items = memory:items()
    assert.equal(COUNT + number, #items)
    assert.equal(#items, #aish.load_memory(path))
    for id, mine in pairs(ids) do assert.equal("mine " .. mine, memory:get(id).content) end
    assert.equal(0, #aish.verify(path).problems)
    memory:close()
  end)

  it("is told where what it has read cannot be compared with the file", function()
    local path = helper.write(faults.tmpdir() .. "/memory.jsonl", support.item(1))
    assert.equal("nil|read " .. path .. ": Input/output error|5\n3\n", faults.run_code([[
      local path = ...
      local memory = assert(aish.open(path, { shared = true }))
      assert(#memory == 1)
      local function write(id)
        local file = assert(io.open(path, "a"))
        assert(file:write(('{"id":%d,"kind":"fact","content":"x"}\n'):format(id)))
        file:close()
      end
      write(2)
      seam.arm({ at = 0 })
      assert(#memory == 2)
      local compares = at("pread", 1)
      write(3)
      seam.arm({ at = compares, number = seam.EIO })
      local items, message, number = memory:items()
      assert(seam.disarm() == "pread")
      print(("%s|%s|%s"):format(tostring(items), message, number))
      print(#memory)
      memory:close()
    ]], path))
  end)
end)
