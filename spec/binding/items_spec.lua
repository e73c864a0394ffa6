--- load_memory of a file that was opened a moment ago: it takes what the handle knows, if nothing can have
-- happened to the file since, and so the shell's start does not read its memory twice.
local aish = require("aish_history")
local read_so_far = require("spec.support.cases").read_so_far
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")

local item, tombstone, pluck = support.item, support.tombstone, support.pluck

-- Whether loading `path` reads no more of it than its items.
local function is_known(path, count)
  local before, size = read_so_far(), #helper.read(path)
  local after = read_so_far()
  local overhead = after - before - size -- what looking takes
  local items = assert(aish.load_memory(path))
  assert.equal(count, #items)
  local taken = read_so_far() - after - overhead
  assert(taken >= 0.8 * size, "less than its items")
  return taken < 1.5 * size
end

-- A handle of whose knowledge load_memory makes use. It does so for two seconds, in which a loaded machine
-- may do nothing at all.
local function open_known(path, count, options)
  for _ = 1, 5 do
    local memory = assert(aish.open(path, options))
    if is_known(path, count) then return memory end
    assert(memory:close())
  end
  error("load_memory looked through the lines of " .. path)
end

describe("load_memory of a file that is open", function()
  helper.guard(before_each, after_each)

  local count = 500
  local bytes = { support.meta }
  for id = 1, count do bytes[id + 1] = item(id, ("content "):rep(25)) end
  bytes = table.concat(bytes)

  -- Files that nobody has written to for three seconds: before that a change might not show in their
  -- times.
  local function old_files(contents)
    local paths = {}
    for i, content in ipairs(contents) do
      paths[i] = helper.tmpdir() .. "/memory.jsonl"
      helper.write(paths[i], content)
    end
    support.sleep(3.1)
    return paths
  end

  it("does not look through its lines again, unless it was written to", function()
    if not read_so_far() then return pending("this system does not count what is read") end
    local old, added, edited, replaced, closed, shared, filtered =
      unpack(old_files({ bytes, bytes, bytes, bytes, bytes, bytes, bytes }))

    assert.is_false(is_known(old, count))
    local memory = open_known(old, count)
    assert.is_nil(cases.difference(memory:items(), aish.load_memory(old)))
    assert(memory:close())
    assert.is_false(is_known(old, count))

    memory = open_known(added, count)
    assert(memory:add("fact", "one more"))
    assert.is_false(is_known(added, count + 1))
    assert.equal("one more", aish.load_memory(added)[1].content)
    assert(memory:forget(1))
    assert.equal(count, #aish.load_memory(added))
    assert(memory:close())

    memory = open_known(edited, count)
    local file = assert(io.open(edited, "r+"))
    file:seek("set", #support.meta)
    file:write((item(1, ("content "):rep(25)):gsub("fact", "pref"))) -- of the same length
    file:close()
    assert.is_false(is_known(edited, count))
    assert.same({ 1 }, pluck(aish.load_memory(edited, { kind = "pref" }), "id"))
    assert(memory:close())

    memory = open_known(replaced, count)
    helper.write(replaced .. ".new", item(7, "another"))
    assert(os.rename(replaced .. ".new", replaced))
    assert.same({ "another" }, pluck(aish.load_memory(replaced), "content"))
    assert(memory:close())

    memory = assert(aish.open(closed))
    assert(memory:close())
    memory = nil -- luacheck: ignore
    collectgarbage()
    assert.is_false(is_known(closed, count))

    memory = open_known(shared, count, { shared = true })
    helper.run([[assert(require("aish_history").open(..., { shared = true })):add("fact", "a child's")]], shared)
    assert.equal("a child's", aish.load_memory(shared)[1].content)
    assert(memory:close())

    memory = assert(aish.open(filtered))
    assert.same({ 500, 499 }, pluck(aish.load_memory(filtered, { limit = 2 }), "id"))
    assert.same({}, aish.load_memory(filtered, { kind = "pref" }))
    assert(memory:close())
  end)

  it("trusts the file's times for a moment only, as who writes through a mapping need not change them", function()
    local dirs = { helper.tmpdir() }
    if lfs.attributes("/dev/shm") then
      local made = io.popen("mktemp -d -p /dev/shm")
      dirs[2] = made:read()
      made:close()
    end
    local files = {}
    for index, dir in ipairs(dirs) do
      local path = dir .. "/memory.jsonl"
      helper.write(path, item(1, "x") .. tombstone(2, 9))
      local writer = io.popen("python3 - " .. helper.quote(path) .. [[ <<'END'
import mmap, os, sys, time
path = sys.argv[1]
file = open(path, "r+b")
memory = mmap.mmap(file.fileno(), 0)
memory[0:1] = memory[0:1]
open(path + ".ready", "w").close()
while not os.path.exists(path + ".go"): time.sleep(0.01)
place = memory[:].index(b'"target":9') + 9
memory[place:place + 1] = b"1"
END]])
      for _ = 1, 1000 do
        if lfs.attributes(path .. ".ready") then break end
        support.sleep(0.01)
      end
      files[index] = { path = path, writer = writer }
    end
    support.sleep(3.1)
    for _, file in ipairs(files) do
      file.memory = assert(aish.open(file.path))
      assert.equal(1, #aish.load_memory(file.path))
    end
    support.sleep(2.1)
    for _, file in ipairs(files) do
      helper.write(file.path .. ".go", "")
      assert.equal("", file.writer:read("*a"))
      file.writer:close()
      assert.equal(0, #aish.load_memory(file.path))
      assert(file.memory:close())
    end
    if dirs[2] then os.execute("rm -r " .. helper.quote(dirs[2])) end
  end)

  it("rereads a file that was written to just before it was opened", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    for round = 1, 20 do
      helper.write(path, item(1, "before") .. tombstone(2, 3) .. item(3, "gone!!"))
      local memory = assert(aish.open(path))
      local file = assert(io.open(path, "r+")) -- within the same tick of a coarse clock, perhaps
      file:write(item(1, "behind") .. tombstone(2, 1))
      file:close()
      assert.same({ "gone!!" }, pluck(aish.load_memory(path), "content"), "round " .. round)
      assert(memory:close())
      assert(os.remove(path))
    end
  end)

  it("is not led astray by what finalizers do", function()
    local lines = { support.meta }
    for id = 1, 12000 do lines[id + 1] = item(id, "content " .. id) end
    lines[12002] = tombstone(12001, 1)
    local contents = {}
    for i = 1, 3 do contents[i] = table.concat(lines) end
    local deeds = {
      function(memory) assert(memory:close()) end,
      function(memory) assert(memory:compact()) end,
      function(memory) assert(memory:add("fact", "of a finalizer")) end,
    }
    for i, path in ipairs(old_files(contents)) do
      local memory, fired = assert(aish.open(path, { sync = "none" })), false
      do
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = function()
          fired = true
          deeds[i](memory)
        end
      end
      local items = assert(aish.load_memory(path)) -- brings the collector's cycle to its end first
      collectgarbage()
      assert.is_true(fired)
      local own = #items - 11999
      assert(own == 0 or (i == 3 and own == 1))
      for place = 1, 11999 do
        local id = 12001 - place
        assert.equal("content " .. id, items[place + own].content)
      end
      memory:close()
    end
  end)

  it("comes to an end, whatever finalizers do", function()
    local lines = {}
    for id = 1, 10500 do lines[id] = item(id) end
    local path = old_files({ table.concat(lines) })[1]
    assert.equal("10500 true\n", helper.run([[
      local aish, path = require("aish_history"), ...
      local memory, calls = assert(aish.open(path)), 0
      local function arm()
        getmetatable(newproxy(true)).__gc = function()
          calls = calls + 1
          if calls > 20000 then return end
          memory:close()
          memory = assert(aish.open(path))
          arm()
        end
      end
      arm()
      print(#aish.load_memory(path), calls < 20000)]], path):gsub("\t", " "))
  end)
end)

-- Large results are made with the collector stopped. What each call leaves behind is asked in a process of
-- its own: whether garbage is still collected.
describe("the collector", function()
  helper.guard(before_each, after_each)

  local code = [[
    if jit then jit.off() end -- what a trace does not need, it does not make
    local aish, how, dir = require("aish_history"), ...
    local path, session = dir .. "/memory.jsonl", dir .. "/session.jsonl"
    local memory = assert(aish.open(path, { sync = "none" }))
    for index = 1, 20 do memory:add("fact", "content " .. index) end
    local turns = assert(aish.session(session))
    for index = 1, 20 do turns:append({ role = "user", content = "content " .. index }) end

    local function runs()
      local fired = false
      local proxy = newproxy(true) -- kept until it has its finalizer: else a collection just then takes it for one without
      getmetatable(proxy).__gc = function() fired = true end
      proxy = nil -- luacheck: ignore
      for index = 1, 300000 do local _ = { index } end
      return fired
    end
    local calls = {
      { "items", function() return memory:items() end },
      { "memory:search", function() return memory:search("content") end },
      { "memory:recall", function() return memory:recall("content") end },
      { "load_memory", function() return aish.load_memory(path) end },
      { "load", function() return aish.load(session) end },
      { "load_memory of a directory", function() return not aish.load_memory(dir) end },
      { "load of a directory", function() return not aish.load(dir) end },
      { "get", function() return memory:get(1) end },
      { "add", function() return memory:add("fact", "another") end },
      { "compact", function() return memory:compact() end },
      { "append", function() return turns:append({ role = "user", content = "another" }) end },
      { "scan", function() for _ in aish.scan(path) do end return true end },
      { "sessions", function() return aish.sessions(dir) end },
      { "search", function() return aish.search(session, "content") end },
      { "recall", function() return aish.recall(session, "content") end },
      { "verify", function() return aish.verify(path) end },
      { "decode", function() return aish.decode(aish.encode({ 1, 2, 3 })) end },
    }
    for _, call in ipairs(calls) do
      collectgarbage(how)
      assert(call[2](), call[1])
      if runs() == (how == "stop") then print(call[1]) end
    end
  ]]

  it("goes on after each call", function()
    assert.equal("", helper.run(code, "restart", helper.tmpdir()))
  end)

  -- As items.h says.
  it("that was stopped stays so, but for five calls under Lua 5.1, which cannot tell", function()
    local tells = rawget(_G, "jit") or _VERSION ~= "Lua 5.1"
    local started = tells and "" or "items\nmemory:search\nmemory:recall\nload_memory\nload\n"
    assert.equal(started, helper.run(code, "stop", helper.tmpdir()))
  end)
end)
