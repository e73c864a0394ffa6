-- One lock and several processes: who has it, who waits for it, and when it is free again.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

local function paths()
  local dir = helper.tmpdir()
  return dir .. "/memory.jsonl", dir .. "/go"
end

-- The same of another process, as it prints it.
local open_elsewhere = [[
  local memory, message, number, pid = require("aish_history").open(...)
  print(memory and "opened" or "refused", message, number, pid)
]]

local function printed(pid)
  return ("refused\t%s\t%d\t%s\n"):format(support.held, errno.EAGAIN,
    support.names_holders() and tostring(pid) or "nil")
end

local opened = "opened\tnil\tnil\tnil\n"

describe("a memory that another process holds", function()
  helper.guard(before_each, after_each)

  it("is refused with the holder's pid", function()
    local path, go = paths()
    local pid, child = support.holder(path, go)
    local before = helper.read(path)
    assert.same(support.held_by(pid), helper.pack(aish.open(path)))
    assert.same(support.held_by(pid), helper.pack(aish.open(path, { wait = 0 })))
    assert.equal(before, helper.read(path))
    helper.write(go, "")
    assert.equal("released", child:read("*l"))
    child:close()
    assert(aish.open(path)):close()
  end)

  it("is refused by the other process as well", function()
    local path = paths()
    local memory = assert(aish.open(path))
    assert.equal(printed(unistd.getpid()), helper.run(open_elsewhere, path))
    memory:close()
    assert.equal(opened, helper.run(open_elsewhere, path))
  end)

  it("is called memory.jsonl whatever its name", function()
    local path = helper.tmpdir() .. "/other.name"
    local memory = assert(aish.open(path))
    assert.same(support.held_by(unistd.getpid()), helper.pack(aish.open(path)))
    memory:close()
  end)

  it("can be held by the same process", function()
    local path = paths()
    local memory = assert(aish.open(path))
    assert.same(support.held_by(unistd.getpid()), helper.pack(aish.open(path)))
    assert.equal(1, memory:add("fact", "x"))
    memory:close()
    memory = assert(aish.open(path))
    assert.equal(2, memory.next_id)
    memory:close()
  end)

  it("is refused by every name of the file", function()
    local path, link = paths()
    local memory = assert(aish.open(path))
    assert(unistd.link(path, link))
    assert.same(support.held_by(unistd.getpid()), helper.pack(aish.open(link)))
    memory:close()
  end)

  it("can be read", function()
    local path, go = paths()
    local _, child = support.holder(path, go)
    assert.same({}, aish.load_memory(path))
    helper.write(go, "")
    child:close()
  end)
end)

describe("wait", function()
  helper.guard(before_each, after_each)

  it("ends when the lock is released, and sees what the holder wrote last", function()
    local path = paths()
    local _, child = support.start([[
      local memory = assert(aish.open((...)))
      print("holding")
      require("posix.time").nanosleep({ tv_sec = 0, tv_nsec = 300000000 })
      memory:add("fact", "written last")
      memory:close()
    ]], path)
    assert.equal("holding", child:read("*l"))
    local memory = assert(aish.open(path, { wait = 30 }))
    assert.equal("written last", memory:get(1).content)
    assert.equal(2, memory:add("fact", "after"))
    memory:close()
    child:close()
  end)

  it("ends with the holder's life", function()
    local path, go = paths()
    local pid, child = support.holder(path, go)
    local _, waiter = support.start([[
      print("waiting")
      local memory, message = aish.open((...), { wait = 30 })
      print(memory and "opened" or message)
    ]], path)
    assert.equal("waiting", waiter:read("*l"))
    support.sleep(0.1)
    support.kill(pid)
    assert.equal("opened", waiter:read("*l"))
    child:close()
    waiter:close()
  end)

  it("runs out while the holder goes on", function()
    local path, go = paths()
    local pid, child = support.holder(path, go)
    local function monotonic()
      local now = require("posix.time").clock_gettime(require("posix.time").CLOCK_MONOTONIC)
      return now.tv_sec + now.tv_nsec / 1e9
    end
    local start = monotonic()
    assert.same(support.held_by(pid), helper.pack(aish.open(path, { wait = 0.3 })))
    assert.truthy(monotonic() - start >= 0.29)
    helper.write(go, "")
    assert.equal("released", child:read("*l"))
    child:close()
  end)

  it("refuses an infinite and a negative number", function()
    local path = paths()
    for _, wait in ipairs({ -1, -math.huge, 0 / 0, 1e300, math.huge, 1e-300 }) do
      local ok, memory = pcall(aish.open, path, { wait = wait })
      if ok then
        memory:close()
      else
        assert.matches('option "wait" must ', memory)
      end
    end
    local memory = assert(aish.open(path))
    for _, wait in ipairs({ -1, -math.huge, 0 / 0, 1e-300 }) do
      local ok, result, message = pcall(aish.open, path, { wait = wait })
      if ok then
        assert.is_nil(result)
        assert.equal(support.held, message)
      else
        assert.matches('option "wait" must ', result)
      end
    end
    memory:close()
  end)

  it("of several processes is served one by one", function()
    local path = paths()
    local memory = assert(aish.open(path))
    local children = {}
    for index = 1, 8 do
      local _, child = support.start([[
        local path, index = ...
        local memory = assert(aish.open(path, { wait = 50 }))
        print(memory:add("fact", "child " .. index))
        memory:close()
      ]], path, index)
      children[index] = child
    end
    memory:add("fact", "parent")
    memory:close()
    local seen = {}
    for index, child in ipairs(children) do
      local id = child:read("*n")
      seen[id] = "child " .. index
      child:close()
    end
    local items = aish.load_memory(path)
    assert.equal(9, #items)
    for _, item in ipairs(items) do
      assert.equal(item.id == 1 and "parent" or seen[item.id], item.content)
    end
  end)
end)

describe("a signal while waiting", function()
  helper.guard(before_each, after_each)

  local waiter = [[
    local path, done, name = ...
    local signal = require("posix.signal")
    local caught = 0
    if name then signal.signal(signal[name], function() caught = caught + 1 end) end
    local function report(memory, message, number, pid)
      print(memory and "opened" or message, number, pid)
      return memory
    end
    print("waiting")
    report(aish.open(path, { wait = 50 }))
    print(caught > 0 and "handled" or "not handled")
    io.open(done, "w"):close()
    if caught > 0 then
      signal.signal(signal[name], signal.SIG_IGN)
      local memory = report(aish.open(path, { wait = 50 }))
      print(memory:add("fact", "after the signal"))
    end
  ]]

  it("with a handler ends the wait and says so; the lock can be had later", function()
    local path, done = paths()
    local memory = assert(aish.open(path))
    local pid, child = support.start(waiter, path, done, "SIGUSR1")
    assert.equal("waiting", child:read("*l"))
    -- One that comes before the wait has begun is not enough.
    for _ = 1, 3000 do
      if unistd.access(done) == 0 then break end
      support.kill(pid, "SIGUSR1")
      support.sleep(0.01)
    end
    assert.equal(("memory.jsonl held by another aish process (Interrupted system call)\t%d\t%s"):format(errno.EINTR,
      support.names_holders() and unistd.getpid() or "nil"), child:read("*l"))
    assert.equal("handled", child:read("*l"))
    assert.equal(0, #memory)
    memory:close()
    assert.equal("opened\tnil\tnil\n1\n", child:read("*a"))
    child:close()
    assert.equal("after the signal", aish.load_memory(path)[1].content)
  end)

  it("without a handler changes nothing", function()
    local path, done = paths()
    local memory = assert(aish.open(path))
    local pid, child = support.start(waiter, path, done)
    assert.equal("waiting", child:read("*l"))
    support.sleep(0.05)
    for _, name in ipairs({ "SIGCHLD", "SIGURG", "SIGSTOP", "SIGCONT" }) do
      support.kill(pid, name)
      support.sleep(0.02)
    end
    memory:close()
    assert.equal("opened\tnil\tnil\nnot handled\n", child:read("*a"))
    child:close()
  end)

  it("that ends the waiter leaves the holder alone", function()
    local path, done = paths()
    local memory = assert(aish.open(path))
    local pid, child = support.start(waiter, path, done)
    assert.equal("waiting", child:read("*l"))
    support.kill(pid, "SIGTERM")
    child:read("*a")
    child:close()
    assert.equal(1, memory:add("fact", "x"))
    assert.equal(printed(unistd.getpid()), helper.run(open_elsewhere, path))
    memory:close()
  end)
end)

describe("the lock is free again", function()
  helper.guard(before_each, after_each)

  it("after close", function()
    local path = paths()
    local memory = assert(aish.open(path))
    memory:close()
    assert.equal(opened, helper.run(open_elsewhere, path))
  end)

  it("after collection", function()
    local path = paths();
    (function() assert(aish.open(path)) end)()
    collectgarbage()
    collectgarbage()
    assert.equal(opened, helper.run(open_elsewhere, path))
  end)

  it("after the process has ended without closing", function()
    local path = paths()
    assert.equal("1\n", helper.run([[
      memory = assert(require("aish_history").open((...)))
      print(memory:add("fact", "x"))
      os.exit(0)
    ]], path))
    local memory = assert(aish.open(path))
    assert.equal(2, memory.next_id)
    memory:close()
  end)

  it("after the process was killed", function()
    local path, go = paths()
    local pid, child = support.holder(path, go)
    support.kill(pid)
    child:read("*a")
    child:close()
    assert(aish.open(path)):close()
  end)

  it("after the process was killed, with its background child still running", function()
    local path = paths()
    local pid, child = support.start([[
      local memory = assert(aish.open((...)))
      os.execute("sleep 60 >/dev/null 2>&1 & echo $!")
      print(memory:add("fact", "x"))
      while true do unistd.sleep(1) end
    ]], path)
    local background = child:read("*n")
    finally(function() support.kill(background) end)
    assert.equal(1, child:read("*n"))
    assert.same(support.held_by(pid), helper.pack(aish.open(path)))
    support.kill(pid)
    child:read("*a")
    child:close()
    assert(aish.open(path)):close()
  end)

  it("after close, with a child of popen still running", function()
    local path = paths()
    local memory = assert(aish.open(path))
    local pipe = io.popen("echo $$; exec sleep 60")
    local pid = pipe:read("*n")
    memory:close()
    assert.equal(opened, helper.run(open_elsewhere, path))
    support.kill(pid)
    pipe:close()
  end)

  it("after an open that was refused, for the next one", function()
    local path = paths()
    local memory = assert(aish.open(path))
    assert.is_nil((aish.open(path)))
    assert.equal(printed(unistd.getpid()), helper.run(open_elsewhere, path))
    memory:close()
    assert.equal(opened, helper.run(open_elsewhere, path))
  end)
end)

describe("a forked child", function()
  helper.guard(before_each, after_each)

  local forker = [[
    local aish = require("aish_history")
    local unistd = require("posix.unistd")
    local wait = require("posix.sys.wait")
    local path, action = ...
    local memory = assert(aish.open(path))
    memory:add("fact", "parent")
    io.stdout:setvbuf("no")
    local pid = unistd.fork()
    if pid == 0 then
      if action == "write" then
        print(memory:add("fact", "child"))
        print(memory:add_many({ { kind = "fact", content = "child" } }))
        print(memory:forget(1))
        print(memory:sync())
      elseif action == "collect" then
        memory = nil
        collectgarbage()
        collectgarbage()
      else
        memory:close()
      end
      unistd._exit(0)
    end
    wait.wait(pid)
    print("parent", unistd.getpid())
    print(aish.open(path))
    print(memory:add("fact", "parent again"))
    print(#memory)
  ]]

  it("may not write through the parent's handle", function()
    local path = paths()
    local lines = {}
    for line in helper.run(forker, path, "write"):gmatch("[^\n]+") do lines[#lines + 1] = line end
    local parent = (lines[5] or ""):match("^parent\t(%d+)$")
    assert.truthy(parent, table.concat(lines, "\n"))
    local refusal = ("handle belongs to another process (it was opened by process %s)\t%d"):format(parent, errno.EPERM)
    for index, first in ipairs({ "nil\t", "nil\t", "false\t", "nil\t" }) do
      assert.equal(first, lines[index]:sub(1, #first))
      assert.equal(refusal, lines[index]:sub(-#refusal))
    end
    assert.equal("2", lines[7])
    assert.equal("2", lines[8])
    assert.same({ "parent again", "parent" }, support.pluck(aish.load_memory(path), "content"))
  end)

  for _, action in ipairs({ "close", "collect" }) do
    it("does not release the lock: " .. action, function()
      local path = paths()
      local output = helper.run(forker, path, action)
      local parent = output:match("parent\t(%d+)")
      local refusal = "nil\t" .. support.held .. "\t" .. errno.EAGAIN
      if support.names_holders() then refusal = refusal .. "\t" .. parent end
      assert.equal(("parent\t%s\n%s\n2\n2\n"):format(parent, refusal), output)
    end)
  end
end)
