-- A forked child has copies of its parent's handles: it may read none of them, write through none of
-- them and release none of their locks, and the parent notices nothing.
local aish = require("aish_history")
local children = require("spec.support.children")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

-- Runs fn(say) in a forked child; returns the lines it said.
local function lines_of_child(fn)
  local lines = {}
  for line in children.run(fn):gmatch("[^\n]+") do lines[#lines + 1] = line end
  return lines
end

-- What a call has returned, as a line.
local function answer(...)
  local words = {}
  for index = 1, select("#", ...) do words[index] = tostring((select(index, ...))) end
  return table.concat(words, "|") .. "\n"
end

local function refusal(first, path)
  return ("%s|use %s: handle belongs to another process (it was opened by process %d)|%d"):format(
    first, path, unistd.getpid(), errno.EPERM)
end

local function is_held(path)
  local other, message = aish.open(path)
  if not other then return message == support.held end
  other:close()
  return false
end

-- The same, as a process sees it that has no part in this.
local function is_held_elsewhere(path)
  return helper.run([[print((select(2, require("aish_history").open(...))))]], path) == support.held .. "\n"
end

-- Without its report.
local function erase(memory, options)
  local result, message, number = memory:erase("parent", options)
  return result, message, number
end

local calls = {
  { "add", function(memory) return memory:add("fact", "child") end, "nil" },
  { "add_many", function(memory) return memory:add_many({ { kind = "fact", content = "child" } }) end, "nil" },
  { "forget", function(memory) return memory:forget(1) end, "false" },
  { "forget of nothing", function(memory) return memory:forget(99) end, "false" },
  { "sync", function(memory) return memory:sync() end, "nil" },
  { "compact", function(memory) return memory:compact() end, "nil" },
  { "compact on a dry run", function(memory) return memory:compact({ dry_run = true }) end, "nil" },
  { "erase", function(memory) return erase(memory) end, "nil" },
  { "erase on a dry run", function(memory) return erase(memory, { dry_run = true }) end, "nil" },
  { "get", function(memory) return memory:get(1) end, "nil" },
  { "items", function(memory) return memory:items() end, "nil" },
}

for _, shared in ipairs({ false, true }) do
  local name = shared and "shared" or "exclusive"

  describe("a forked child of a process with an " .. name .. " handle", function()
    helper.guard(before_each, after_each)

    local path, memory

    local function case(label, fn)
      it(label, function()
        path = helper.tmpdir() .. "/memory.jsonl"
        memory = assert(aish.open(path, { shared = shared, wait = 0 }))
        finally(function() memory:close() end)
        memory:add("fact", "parent")
        local before = helper.read(path)
        fn()
        assert.equal(before, helper.read(path))
        assert.equal(not shared, is_held(path))
        assert.equal(not shared, is_held_elsewhere(path))
        -- The parent goes on as if nothing had been.
        assert.is_false(memory.closed)
        assert.equal(1, #memory)
        assert.equal(2, memory:add("fact", "parent again"))
        assert.is_true(memory:forget(1))
        assert.same({ "parent again" }, support.pluck(memory:items(), "content"))
        assert(memory:compact())
        assert.equal(4, memory.next_id)
        memory:close()
        assert.is_false(is_held(path))
      end)
    end

    case("fails in every call, and goes on failing", function()
      local expected = {}
      for round = 0, 1 do
        for index, call in ipairs(calls) do expected[round * #calls + index] = refusal(call[3], path) end
      end
      assert.same(expected, lines_of_child(function(say)
        for _ = 1, 2 do
          for _, call in ipairs(calls) do say(answer(call[2](memory))) end
        end
      end))
    end)

    case("gets an error for #", function()
      local lines = lines_of_child(function(say) say(answer(pcall(function() return #memory end))) end)
      assert.equal(("false|use %s: handle belongs to another process (it was opened by process %d)"):format(
        path, unistd.getpid()), lines[1])
    end)

    case("still shows path, state and next_id", function()
      assert.same({ path .. "|false|2|" .. tostring(memory), refusal("nil", path) }, lines_of_child(function(say)
        say(answer(memory.path, memory.closed, memory.next_id, memory))
        say(answer(memory:add("fact", "child")))
      end))
    end)

    case("closes its copy and nothing else", function()
      assert.same({ "true|true", "false|memory:add on closed handle", "true" }, lines_of_child(function(say)
        say(answer(memory:close(), memory.closed))
        say(answer(pcall(memory.add, memory, "fact", "x")))
        say(answer(memory:close()))
      end))
    end)

    case("collects its copy and nothing else", function()
      assert.same({ "collected" }, lines_of_child(function(say)
        memory = nil -- this process's only
        collectgarbage()
        collectgarbage()
        say("collected\n")
      end))
    end)

    case("may end in any way", function()
      for _, fn in ipairs({
        function() os.exit(0) end,
        function() unistd._exit(0) end,
        function() support.kill(unistd.getpid()) end,
        function() support.kill(unistd.getpid(), "SIGTERM") end,
        function() unistd.execp("true", {}) end,
      }) do
        children.join(children.fork(fn))
        assert.equal(not shared, is_held(path))
      end
    end)

    case("has children of its own that are no different", function()
      assert.same({ refusal("nil", path) }, lines_of_child(function(say)
        say(children.run(function(say_on) say_on(answer(memory:add("fact", "grandchild"))) end))
      end))
    end)

    case("finds the file replaced, and still does nothing", function()
      local bytes = helper.read(path)
      children.run(function()
        helper.write(path .. "~", bytes)
        assert(os.rename(path .. "~", path))
        for _, call in ipairs(calls) do assert(not call[2](memory)) end
        pcall(function() return #memory end)
        assert(os.remove(path))
        for _, call in ipairs(calls) do assert(not call[2](memory)) end
        assert(unistd.access(path) ~= 0)
        helper.write(path, bytes)
      end)
      -- The parent's next call takes the file that is there now.
      assert.equal(1, #memory)
    end)

    case("may open a handle of its own when the parent lets it", function()
      local own_path = path .. ".own"
      local lines = lines_of_child(function(say)
        local own = assert(aish.open(own_path))
        say(answer(own:add("fact", "own")))
        own:close()
        say(answer(select(2, aish.open(path, { wait = 0 })) or "opened"))
      end)
      assert.same({ "1", shared and "opened" or support.held }, lines)
      assert.equal("own", aish.load_memory(own_path)[1].content)
    end)

    case("reads the file as anybody may", function()
      assert.same({ "parent", "1" }, lines_of_child(function(say)
        say(answer(aish.load_memory(path)[1].content))
        say(answer(aish.verify(path).items))
      end))
    end)

    case("may not unlock it with flock", function()
      lines_of_child(function() pcall(aish.flock, memory, aish.LOCK_UN) end)
    end)
  end)
end

describe("a forked child of a process with a shared handle", function()
  helper.guard(before_each, after_each)

  it("adds through a handle of its own while the parent adds through its", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path, { shared = true, sync = "none", wait = 50 }))
    local list = {}
    finally(function() children.clear(list) end)
    for index = 1, 3 do
      list[index] = children.fork(function()
        local own = assert(aish.open(path, { shared = true, sync = "none", wait = 50 }))
        for number = 1, 50 do assert(own:add("fact", index .. "/" .. number)) end
      end)
    end
    for number = 1, 50 do
      assert(memory:add("fact", "0/" .. number))
      if number % 10 == 0 then assert(memory:compact()) end
    end
    for _, child in ipairs(list) do assert.equal("", (children.join(child))) end
    assert.equal(200, #memory)
    assert.equal(201, memory.next_id)
    memory:close()
  end)
end)

describe("a forked child of a process with a session", function()
  helper.guard(before_each, after_each)

  it("may not write, sync or release anything; the parent goes on", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path, { m = 1 }))
    assert.is_true(session:append({ role = "user", content = "parent" }))
    assert.same({ refusal("false", path), refusal("false", path), path .. "|false", "true", "false|session closed" },
      lines_of_child(function(say)
        say(answer(session:append({ role = "user", content = "child" })))
        say(answer(session:sync()))
        say(answer(session.path, session.closed))
        say(answer(session:close()))
        say(answer(session:append({ role = "user", content = "child" })))
      end))
    lines_of_child(function()
      session = nil -- this process's only
      collectgarbage()
      collectgarbage()
    end)
    assert.is_true(session:append({ role = "user", content = "parent again" }))
    assert.is_true(session:sync())
    session:close()
    assert.same({ "parent", "parent again" }, support.pluck((aish.load(path)), "content"))
  end)

  it("writes through a session of its own, and through append", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path))
    session:append({ role = "user", content = "parent" })
    children.run(function()
      local own = assert(aish.session(path))
      assert(own:append({ role = "user", content = "child" }))
      assert(aish.append(path, { role = "user", content = "record" }))
    end)
    session:append({ role = "user", content = "parent again" })
    session:close()
    assert.same({ "parent", "child", "record", "parent again" }, support.pluck((aish.load(path)), "content"))
  end)
end)

describe("a lock", function()
  helper.guard(before_each, after_each)

  it("that the parent closed stays with the child's copy, and ends with it", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path))
    local child = children.fork(function(say)
      say("there")
      support.sleep(50)
    end)
    finally(function() children.clear({ child }) end)
    assert.equal("there", children.hear(child))
    memory:close()
    assert.is_true(is_held(path))
    children.kill(child)
    assert.is_false(is_held(path))
  end)
end)

describe("a child that has its parent's process id", function()
  helper.guard(before_each, after_each)

  -- Each of the two is the first process of its namespace.
  it("is refused", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local session = helper.tmpdir() .. "/session.jsonl"
    local script = helper.write(helper.tmpdir() .. "/script.lua", [[
      package.path, package.cpath = arg[1], arg[2]
      local aish = require("aish_history")
      local unistd = require("posix.unistd")
      local ffi = require("ffi")
      ffi.cdef("int unshare(int);")
      local memory = assert(aish.open(arg[3]))
      local session = assert(aish.session(arg[4]))
      assert(memory:add("fact", "the parent's"))
      assert(ffi.C.unshare(0x20000000) == 0) -- CLONE_NEWPID
      local parent, child = unistd.getpid(), unistd.fork()
      if child == 0 then
        print(unistd.getpid() == parent, select(2, memory:add("fact", "x")))
        print(select(2, session:append({ role = "user", content = "x" })))
        memory:close()
        os.exit(0)
      end
      require("posix.sys.wait").wait(child)
      print(aish.open(arg[3]) == nil, memory:add("fact", "the parent's, too"))
    ]])
    local pipe = io.popen(("unshare -rpf " .. helper.lua .. " %s %s %s %s %s 2>&1"):format(helper.quote(script), helper.quote(package.path),
      helper.quote(package.cpath), helper.quote(path), helper.quote(session)))
    local output = pipe:read("*a")
    pipe:close()
    if output:find("unshare", 1, true) or output:find("not found", 1, true) then return pending("no PID namespaces here") end
    local refused = ": handle belongs to another process (it was opened by process 1)\t1\n"
    assert.equal("true\tuse " .. path .. refused .. "use " .. session .. refused .. "true\t2\n", output)
    assert.equal(2, #aish.load_memory(path))
  end)
end)
