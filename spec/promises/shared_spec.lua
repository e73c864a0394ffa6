-- Shared mode: the lock is held for a write only, and every handle sees what the others have done.
local aish = require("aish_history")
local children = require("spec.support.children")
local errno = require("posix.errno")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local signal = require("posix.signal")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

local function new_path()
  return helper.tmpdir() .. "/memory.jsonl"
end

local function shared(path, options)
  options = options or {}
  options.shared = true
  return assert(aish.open(path, options))
end

-- All that a handle shows of the file.
local function view(memory)
  local items, found = memory:items(), {}
  for _, item in ipairs(items) do found[item.id] = memory:get(item.id) end
  return { count = #memory, next_id = memory.next_id, items = items, found = found }
end

local function expected_view(path)
  local items, next_id = support.reading(helper.read(path))
  local found = {}
  for _, item in ipairs(items) do found[item.id] = item end
  return { count = #items, next_id = next_id, items = items, found = found }
end

local function check_view(path, memory)
  local difference = cases.difference(expected_view(path), view(memory))
  assert.is_nil(difference, difference)
end

describe("shared handles", function()
  helper.guard(before_each, after_each)

  -- As an editor does that writes into the file itself. What has been read still ends where a line does.
  it("see by the bytes before it that what they have read is there no more", function()
    local path = new_path()
    helper.write(path, support.item(1) .. support.item(2))
    local memory = shared(path, { sync = "none" })
    assert.equal(2, #memory)
    helper.write(path, support.item(8) .. support.item(9) .. support.item(3))
    assert.same({ 9, 8, 3 }, support.pluck(memory:items(), "id"))
    assert.equal(10, memory:add("fact", "another"))
    check_view(path, memory)
    memory:close()
  end)

  it("give the lock back where the file cannot be read", function()
    local path = new_path()
    local memory = shared(path, { sync = "none" })
    assert(memory:add("fact", "one"))
    helper.write(path, "[" .. ("0,"):rep(500) .. "0]")
    for _, call in ipairs({
      function() return memory:add("fact", "two") end, function() return memory:add_many({ { kind = "fact", content = "two" } }) end,
      function() return memory:forget(1) end, function() return memory:update(1, { content = "two" }) end,
      function() return memory:compact() end,
    }) do
      local done, _, number = call()
      assert.falsy(done)
      assert.equal(errno.EINVAL, number)
      local other = assert(io.open(path))
      assert.is_true(aish.flock(other, aish.LOCK_EX + aish.LOCK_NB))
      other:close()
    end
    memory:close()
  end)

  it("of one process each see what the others did, whatever they look at first", function()
    local path, random = new_path(), support.random(20260106)
    local handles, looks = {}, {
      function(memory) return #memory end,
      function(memory) return memory.next_id - 1 end,
      function(memory) return #memory:items() end,
      function(memory) return memory:get(1) and 1 end,
    }
    for index = 1, 4 do handles[index] = shared(path, { sync = "none" }) end
    for round = 1, 400 do
      local memory, choice = handles[random(4)], random(10)
      if choice <= 5 then
        local next_id = handles[random(4)].next_id
        assert.equal(next_id, memory:add("fact", "content " .. round, { "tag" }, "source"))
      elseif choice <= 7 then
        local next_id = memory.next_id
        assert.same({ next_id, next_id + 1 }, memory:add_many({
          { kind = "pref", content = "a" .. round }, { kind = "context", content = "b" .. round } }))
      elseif choice <= 9 then
        local items = handles[random(4)]:items()
        if #items > 0 then assert.is_true(memory:forget(items[random(#items)].id)) end
      else
        assert(memory:compact())
      end
      looks[random(4)](handles[random(4)])
      if round % 8 == 0 then check_view(path, handles[random(4)]) end
    end
    for index = 1, 4 do
      check_view(path, handles[index])
      handles[index]:close()
    end
    assert.same({}, aish.verify(path).problems)
  end)

  it("of several processes give ids in turn, and see them", function()
    local path = new_path()
    local memory = shared(path)
    local list = {}
    finally(function() children.clear(list) end)
    for index = 1, 3 do
      list[index] = children.fork(function(say)
        local own = shared(path, { wait = 50, sync = "none" })
        for number = 1, 100 do
          local id = assert(own:add("fact", index .. "/" .. number))
          assert(own:get(id).content == index .. "/" .. number)
          assert(own.next_id > id and #own > 0)
          say(id .. " " .. index .. "/" .. number .. "\n")
        end
      end)
    end
    local last = 0
    while #memory < 300 do
      assert(#memory >= last)
      last = #memory
      support.sleep(0.001)
    end
    local contents, count = {}, 0
    for _, child in ipairs(list) do
      for id, content in (children.join(child)):gmatch("(%d+) (%S+)\n") do
        assert.is_nil(contents[tonumber(id)])
        contents[tonumber(id)] = content
        count = count + 1
      end
    end
    assert.equal(300, count)
    for id, content in pairs(contents) do assert.equal(content, memory:get(id).content) end
    assert.equal(301, memory.next_id)
    check_view(path, memory)
    memory:close()
  end)

  it("leave the lock free between writes", function()
    local path = new_path()
    local memory = shared(path)
    memory:add("fact", "x")
    memory:forget(1)
    memory:add_many({ { kind = "fact", content = "y" } })
    memory:sync()
    local other = io.open(path, "r+")
    finally(function() other:close() end)
    assert.is_true((aish.flock(other, aish.LOCK_EX + aish.LOCK_NB)))
    aish.flock(other, aish.LOCK_UN)
    -- Nor does a call that fails, or raises, keep it.
    assert.is_false((memory:forget(99)))
    assert.is_false((pcall(memory.add, memory, "fact", "x", { print })))
    assert.is_false((pcall(memory.add, memory, "nothing", "x")))
    assert.is_true((aish.flock(other, aish.LOCK_EX + aish.LOCK_NB)))
    aish.flock(other, aish.LOCK_UN)
    memory:close()
  end)

  it("say that they are shared", function()
    local path = new_path()
    local memory = shared(path)
    assert.equal("aish_history.memory (" .. path .. ", open, shared)", tostring(memory))
    memory:close()
    assert.equal("aish_history.memory (" .. path .. ", closed)", tostring(memory))
  end)

  it("of the same new file write its meta line once", function()
    local dir = helper.tmpdir()
    local list = {}
    finally(function() children.clear(list) end)
    for round = 1, 10 do
      local path = dir .. "/new" .. round .. "/memory.jsonl"
      for index = 1, 6 do
        list[index] = children.fork(function()
          local own = shared(path, { wait = 50, sync = "none" })
          assert(own:add("fact", "content"))
          own:close()
        end)
      end
      for _, child in ipairs(list) do assert.equal("", (children.join(child))) end
      local bytes = helper.read(path)
      assert.matches('^{"meta":', bytes)
      assert.equal(1, select(2, bytes:gsub('{"meta":', "")))
      assert.equal(7, #helper.lines(path))
      assert.equal(6, #aish.load_memory(path))
    end
  end)

  it("forget an item once, whoever asks", function()
    local path = new_path()
    local one, two = shared(path), shared(path)
    one:add("fact", "x")
    assert.equal(1, #two)
    assert.is_true(one:forget(1))
    assert.same({ false, "no active item 1", n = 2 }, helper.pack(two:forget(1)))
    assert.equal(3, #helper.lines(path))
    one:close()
    two:close()
  end)

  it("leave out an item that comes after a tombstone of its id, however much later", function()
    local path = new_path()
    helper.write(path, support.meta .. support.item(1) .. support.tombstone(2, 5) .. support.tombstone(3, 1))
    local memory = shared(path)
    assert.same({ 0, {} }, { #memory, memory:items() })
    local file = assert(io.open(path, "a"))
    file:write(support.item(4, "kept"), support.item(5, "forgotten before"), support.item(1, "again"))
    file:close()
    assert.same({ "kept" }, support.pluck(memory:items(), "content"))
    assert.equal(1, #memory)
    assert.is_nil(memory:get(5))
    assert.is_nil(memory:get(1))
    assert.same(expected_view(path), view(memory))
    assert(memory:close())
  end)

  it("keep their own options", function()
    local path = new_path()
    local full, none = shared(path, { sync = "full" }), shared(path, { sync = "none", wait = 0 })
    assert.equal(1, full:add("fact", "full"))
    assert.equal(2, none:add("fact", "none"))
    assert.is_true(none:sync())
    assert.is_true(full:sync())
    full:close()
    none:close()
  end)
end)

describe("a shared handle beside one that holds the file", function()
  helper.guard(before_each, after_each)

  it("reads, but may not write, and says who holds it", function()
    local path = new_path()
    local go = path .. ".go"
    local memory = shared(path, { wait = 0 })
    assert.equal(1, memory:add("fact", "one"))
    local pid, child = support.holder(path, go)
    local before = helper.read(path)
    assert.same(support.held_by(pid), helper.pack(memory:add("fact", "two")))
    assert.same(support.held_by(pid), helper.pack(memory:add_many({ { kind = "fact", content = "two" } })))
    assert.same(support.held_by(pid, false), helper.pack(memory:forget(1)))
    assert.same(support.held_by(pid), helper.pack(memory:compact()))
    assert.equal(before, helper.read(path))
    assert.equal("one", memory:get(1).content)
    assert.equal(1, #memory)
    assert.equal(1, #memory:items())
    assert.equal(2, memory.next_id)
    helper.write(go, "")
    assert.equal("released", child:read("*l"))
    child:close()
    assert.equal(2, memory:add("fact", "two"))
    memory:close()
  end)

  it("can be opened, and sees at once what the holder adds", function()
    local path = new_path()
    local holder = assert(aish.open(path))
    holder:add("fact", "before")
    local memory = shared(path, { wait = 0 })
    assert.equal(1, #memory)
    for index = 2, 20 do
      holder:add("fact", "content " .. index)
      assert.equal("content " .. index, memory:get(index).content)
      assert.equal(index + 1, memory.next_id)
    end
    assert.is_true(holder:forget(5))
    assert.is_nil(memory:get(5))
    assert(holder:compact())
    check_view(path, memory)
    assert.same(support.held_by(unistd.getpid()), helper.pack(memory:add("fact", "x")))
    holder:close()
    assert.equal(22, memory:add("fact", "x"))
    memory:close()
  end)

  it("keeps it out only while it writes", function()
    local path = new_path()
    local memory = shared(path)
    for round = 1, 20 do
      assert.equal(2 * round - 1, memory:add("fact", "of the shared one"))
      local holder = assert(aish.open(path))
      assert.equal(2 * round, holder:add("fact", "of the holder"))
      holder:close()
    end
    assert.equal(40, #memory)
    memory:close()
  end)

  it("waits for it, 5 seconds unless told otherwise", function()
    local path = new_path()
    local memory = shared(path)
    local child = children.fork(function(say)
      local holder = assert(aish.open(path))
      say("holding")
      support.sleep(0.3)
      holder:add("fact", "of the holder")
    end)
    assert.equal("holding", children.hear(child))
    assert.equal(2, memory:add("fact", "waited"))
    children.join(child)
    assert.same({ "waited", "of the holder" }, support.pluck(memory:items(), "content"))
    memory:close()
  end)

  it("gives up when the wait is over, writes nothing, and uses up no id", function()
    local path = new_path()
    local memory = shared(path, { wait = 0.05 })
    local holder = assert(aish.open(path))
    assert.same(support.held_by(unistd.getpid()), helper.pack(memory:add("fact", "x")))
    assert.same(support.held_by(unistd.getpid()), helper.pack(memory:add_many({ { kind = "fact", content = "x" } })))
    holder:close()
    assert.equal(1, memory:add("fact", "x"))
    local id = memory.next_id
    holder = assert(aish.open(path))
    assert.same(support.held_by(unistd.getpid(), false), helper.pack(memory:forget(1)))
    assert.equal(2, #helper.lines(path))
    holder:close()
    assert.equal(id, memory:add("fact", "x"))
    memory:close()
  end)

  for _, call in ipairs({ "add", "forget", "compact" }) do
    it("stops waiting when a signal has been handled: " .. call, function()
      local path = new_path()
      local memory = assert(aish.open(path))
      memory:add("fact", "one")
      local child = children.fork(function(say)
        memory:close() -- this copy would keep the lock
        local caught = 0
        signal.signal(signal.SIGUSR1, function() caught = caught + 1 end)
        local own = shared(path, { wait = 50 })
        say("waiting\n")
        local result, message, number
        if call == "add" then result, message, number = own:add("fact", "two") end
        if call == "forget" then result, message, number = own:forget(1) end
        if call == "compact" then result, message, number = own:compact() end
        say(("%s %s %d %s\n"):format(tostring(result), message, number, caught > 0 and "handled" or "not handled"))
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        say("again\n")
        assert(own:add("fact", "after the signal"))
      end)
      finally(function() children.clear({ child }) end)
      assert.equal("waiting\n", children.hear(child))
      -- One that comes before the wait has begun is not enough.
      local heard = children.fork(function()
        while true do
          pcall(support.kill, child.pid, "SIGUSR1")
          support.sleep(0.01)
        end
      end)
      local answer = children.hear(child)
      children.kill(heard)
      assert.equal(("%s memory.jsonl held by another aish process (Interrupted system call) %d handled\n"):format(
        call == "forget" and "false" or "nil", errno.EINTR), answer:match("[^\n]*\n"))
      assert.equal(1, #memory)
      memory:close()
      local _, how, status = children.join(child)
      assert.same({ "exited", 0 }, { how, status })
      assert.same({ "after the signal", "one" }, support.pluck(aish.load_memory(path), "content"))
    end)
  end
end)

describe("a shared handle on a file that others change without the lock", function()
  helper.guard(before_each, after_each)

  local path, memory

  local function case(name, fn)
    it(name, function()
      path = new_path()
      memory = shared(path)
      memory:add_many({ { kind = "fact", content = "one" }, { kind = "fact", content = "two" },
        { kind = "fact", content = "three" } })
      fn()
      check_view(path, memory)
      memory:close()
    end)
  end

  local function rewrite(bytes)
    local file = assert(io.open(path, "r+b"))
    file:write(bytes)
    file:close()
    if lfs.attributes(path, "size") > #bytes then
      assert.equal(0, os.execute("truncate -s " .. #bytes .. " " .. helper.quote(path)))
    end
  end

  case("sees records that were appended by hand", function()
    local file = io.open(path, "a")
    file:write(support.item(9, "nine"), support.tombstone(10, 2))
    file:close()
    assert.same({ 2 + 1, 11 }, { #memory, memory.next_id })
    assert.equal("nine", memory:get(9).content)
    assert.equal(11, memory:add("fact", "eleven"))
  end)

  case("sees an edit in place that made it longer", function()
    rewrite((helper.read(path):gsub('"two"', '"two, and more of it"')))
    assert.equal("two, and more of it", memory:get(2).content)
    assert.equal("three", memory:get(3).content)
    assert.equal(4, memory:add("fact", "four"))
    assert.equal("four", memory:get(4).content)
  end)

  case("sees an edit in place that made it shorter", function()
    local bytes = helper.read(path):gsub('[^\n]*"two"[^\n]*\n', "")
    rewrite(bytes)
    assert.is_nil(memory:get(2))
    assert.same({ 3, 1 }, support.pluck(memory:items(), "id"))
    assert.equal(4, memory:add("fact", "four"))
  end)

  case("sees that it was cut in the middle of a record, and does not glue to it", function()
    local bytes = helper.read(path)
    rewrite(bytes:sub(1, -20))
    assert.equal(2, #memory)
    assert.is_nil(memory:get(3))
    assert.equal(4, memory:add("fact", "four"))
    assert.equal(bytes:sub(1, -20), helper.read(path):sub(1, #bytes - 19))
    assert.matches("^\n", helper.read(path):sub(#bytes - 18))
    assert.equal("four", memory:get(4).content)
  end)

  case("sees that it was emptied, and begins it anew", function()
    rewrite("")
    assert.equal(0, #memory)
    assert.same({}, memory:items())
    assert.equal(4, memory:add("fact", "four"))
    assert.matches('^{"meta":', helper.read(path))
  end)

  case("sees another file in its place", function()
    helper.write(path .. "~", support.item(1, "edited") .. support.item(20, "twenty"))
    assert(os.rename(path .. "~", path))
    assert.equal(2, #memory)
    assert.equal(21, memory.next_id)
    assert.equal(21, memory:add("fact", "here"))
  end)

  case("makes a file that was removed anew, and gives no id again", function()
    assert(os.remove(path))
    assert.equal(4, memory:add("fact", "four"))
    assert.same({ "four" }, support.pluck(aish.load_memory(path), "content"))
  end)

  case("ends a torn tail of another writer, and keeps it", function()
    local file = io.open(path, "a")
    file:write('{"id":4,"ts":"2026')
    file:close()
    assert.equal(3, #memory)
    assert.equal(4, memory.next_id)
    assert.equal(4, memory:add("fact", "four"))
    assert.equal('{"id":4,"ts":"2026', helper.lines(path)[5])
    assert.equal("four", memory:get(4).content)
  end)

  case("takes up a record that comes in pieces when it is whole", function()
    local line = support.item(7, "in pieces")
    for index = 1, #line do
      local file = io.open(path, "a")
      file:write(line:sub(index, index))
      file:close()
      -- Whole without its newline, it counts.
      assert.equal(index >= #line - 1 and 4 or 3, #memory)
      assert.equal(index >= #line - 1 and 8 or 4, memory.next_id)
      assert.equal(index >= #line - 1 and "in pieces" or nil, (memory:get(7) or {}).content)
    end
    assert.equal(8, memory:add("fact", "eight"))
  end)

  case("is not misled by a torn tail that was replaced by another record", function()
    local size = lfs.attributes(path, "size")
    local file = io.open(path, "a")
    file:write('{"id":4,"ts":"2026')
    file:close()
    assert.equal(3, #memory)
    assert.equal(0, os.execute("truncate -s " .. size .. " " .. helper.quote(path)))
    file = io.open(path, "a")
    file:write(support.item(30, "instead"))
    file:close()
    assert.equal("instead", memory:get(30).content)
    assert.equal(31, memory.next_id)
  end)

  case("goes through any sequence of this", function()
    local random = support.random(20260107)
    local number = 100
    for _ = 1, 300 do
      local bytes, choice = helper.read(path), random(9)
      number = number + 1
      if choice == 1 then rewrite(bytes:sub(1, #bytes - random(math.min(#bytes, 80) + 1) + 1)) end
      if choice == 2 then rewrite((bytes:gsub("\n[^\n]*\n", "\n", 1))) end
      if choice == 3 then
        helper.write(path .. "~", bytes .. support.item(number))
        os.rename(path .. "~", path)
      end
      if choice == 4 then
        local file = io.open(path, "a")
        local text = support.item(number)
        file:write(text:sub(1, random(#text)))
        file:close()
      end
      if choice == 5 then assert(aish.compact(path)) end
      if choice >= 6 then
        local next_id = memory.next_id
        assert.equal(next_id, memory:add("fact", "content " .. number))
      end
      local items, next_id = support.reading(helper.read(path))
      assert(memory.next_id >= next_id)
      local difference = cases.difference(items, memory:items())
      assert.is_nil(difference, difference)
      assert.equal(#items, #memory)
    end
    -- Ids that were cut off are not given again, so the handle's next one may be higher than the file's.
    local id = memory:add("fact", "last")
    assert.equal(id + 1, memory.next_id)
  end)
end)

describe("readers without the lock", function()
  helper.guard(before_each, after_each)

  it("see a prefix of what was written, never less than before, and nothing half", function()
    local path = new_path()
    local child = children.fork(function()
      local memory = shared(path, { wait = 50, sync = "none" })
      for index = 1, 1500 do
        -- From a few bytes to many pages.
        assert(memory:add("fact", index .. ":" .. ("x"):rep(index % 50 == 0 and 100000 or index % 300)))
        if index % 500 == 0 and index < 1500 then -- the reader is to see some of them alone
          repeat support.sleep(0.001) until lfs.attributes(path .. ".read" .. index / 500)
        end
      end
    end)
    finally(function() children.clear({ child }) end)
    local memory = shared(path)
    local last, reads = 0, 0
    local function check(items)
      assert(#items >= last)
      last = #items
      for place, item in ipairs(items) do
        -- Of one writer, the newest first.
        local index = #items - place + 1
        assert.equal(index, item.id)
        assert(item.content == index .. ":" .. ("x"):rep(index % 50 == 0 and 100000 or index % 300), index)
      end
      reads = reads + 1
    end
    repeat
      check(assert(aish.load_memory(path)))
      check(memory:items())
      assert.equal(0, aish.verify(path).damaged)
      if reads <= 4 then helper.write(path .. ".read" .. reads / 2, "") end
    until last == 1500
    assert.equal("", (children.join(child)))
    assert(reads > 2)
    memory:close()
  end)
end)
