--- Exclusive sessions: one handle at a time, whoever else there is; and new ones: one of many makes it.
local aish = require("aish_history")
local children = require("spec.support.children")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

local NAME = "2026-01-02T03-04-05.jsonl"
local HELD = NAME .. " held by another aish process (Resource temporarily unavailable)"

local path, go

local function exclusive(options)
  options = options or {}
  options.exclusive = true
  return aish.session(path, nil, options)
end

-- What a call returns while the process `pid` holds the file, `first` being nil or false.
local function held_by(pid, first)
  local expected = support.held_by(pid, first)
  expected[2] = HELD
  return expected
end

-- Starts a process with an exclusive session, until `go` is there; returns its pid and output.
local function holder()
  local pid, output = support.start([[
    local path, go = ...
    local session = assert(aish.session(path, { model = "m" }, { exclusive = true }))
    print("holding")
    await(go)
    print(session:append({ role = "user", content = "of the holder" }), session:close())
  ]], path, go)
  assert.equal("holding", output:read("*l"))
  return pid, output
end

local function contents() return support.pluck((aish.load(path)), "content") end

local function case(name, fn)
  it(name, function()
    local dir = helper.tmpdir()
    path, go = dir .. "/sessions/" .. NAME, dir .. "/go"
    fn()
  end)
end

describe("an exclusive session", function()
  helper.guard(before_each, after_each)

  case("of another process refuses every writer, by its own name and with its pid, and no reader", function()
    local pid, output = holder()
    local before = helper.read(path)
    assert.same(held_by(pid), helper.pack(exclusive()))
    assert.same(held_by(pid), helper.pack(exclusive({ wait = 0.05 })))
    assert.same(held_by(pid), helper.pack(exclusive({ new = true })))
    assert.same(held_by(pid), helper.pack(aish.append(path, { content = "x" }, { wait = 0 })))
    local shared = assert(aish.session(path, { model = "n" }, { wait = 0 }))
    assert.same(held_by(pid, false), helper.pack(shared:append({ content = "x" })))
    assert.equal(before, helper.read(path))
    assert.same({ model = "m" }, select(2, aish.load(path)))
    helper.write(go, "")
    assert.equal("true\ttrue\n", output:read("*a"))
    output:close()
    assert.is_true(shared:append({ role = "user", content = "afterwards" }))
    shared:close()
    assert.same({ "of the holder", "afterwards" }, contents())
  end)

  case("is refused in its own process, too, and can be had again when it is closed or collected", function()
    local first = assert(exclusive())
    assert.same(held_by(unistd.getpid()), helper.pack(exclusive()))
    assert.same(held_by(unistd.getpid()), helper.pack(aish.append(path, { content = "x" }, { wait = 0 })))
    assert.is_true(first:append({ role = "user", content = "first" }))
    assert.is_true(first:close())
    local second = assert(exclusive()) -- luacheck: ignore
    assert.is_nil((exclusive()))
    second = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert(exclusive()):close()
    assert.same({ "first" }, contents())
  end)

  case("says so, until it is closed", function()
    local session = assert(exclusive())
    assert.equal("aish_history.session (" .. path .. ", open, exclusive)", tostring(session))
    session:close()
    assert.equal("aish_history.session (" .. path .. ", closed)", tostring(session))
  end)

  case("waits for the lock if it is to, and ends its wait with the holder's life", function()
    local pid, output = holder()
    local _, waiter = support.start([[
      print("waiting")
      local session, message = aish.session((...), nil, { exclusive = true, wait = 60 })
      print(session and session:append({ role = "user", content = "survivor" }) or message)
    ]], path)
    assert.equal("waiting", waiter:read("*l"))
    support.sleep(0.1)
    support.kill(pid)
    assert.equal("true\n", waiter:read("*a"))
    waiter:close()
    output:close()
    assert.same({ "survivor" }, contents())
    assert(exclusive()):close()
  end)

  case("is one process's of many that ask at once", function()
    local list = {}
    finally(function() children.clear(list) end)
    for index = 1, 6 do
      list[index] = children.fork(function(say)
        while unistd.access(go) ~= 0 do support.sleep(0.001) end
        local session = exclusive()
        say(session and "got" or "refused")
        support.sleep(100)
      end)
    end
    helper.write(go, "")
    local said = {}
    for index, child in ipairs(list) do said[index] = children.hear(child) end
    table.sort(said)
    assert.same({ "got", "refused", "refused", "refused", "refused", "refused" }, said)
  end)

  case("goes on with the file that somebody saved over it, and locks that", function()
    for _, call in ipairs({
      function(session) return session:append({ role = "user", content = "next" }) end,
      function(session) return session:sync() end,
    }) do
      local session = assert(exclusive())
      assert.is_true(session:append({ role = "user", content = "one" }))
      helper.write(path .. "~", '{"role":"user","content":"edited"}\n{"ro')
      assert(os.rename(path .. "~", path))
      assert.is_true(call(session))
      assert.same(held_by(unistd.getpid()), helper.pack(exclusive()))
      assert.is_true(session:append({ role = "user", content = "last" }))
      session:close()
      assert.equal("edited", contents()[1])
      assert.equal("last", table.remove(contents()))
      assert.equal('{"role":"user","content":"edited"}\n{"ro\n', helper.read(path):match("^.-\n.-\n"))
      assert(exclusive()):close()
    end
  end)

  case("writes nothing to a file that somebody saved over it and another holds", function()
    local session = assert(exclusive())
    assert.is_true(session:append({ role = "user", content = "one" }))
    assert(os.rename(path, path .. ".old"))
    local pid, output = holder()
    local before = helper.read(path)
    assert.same(held_by(pid, false), helper.pack(session:append({ content = "x" })))
    assert.same(held_by(pid, false), helper.pack(session:sync()))
    assert.equal(before, helper.read(path))
    helper.write(go, "")
    assert.equal("true\ttrue\n", output:read("*a"))
    output:close()
    assert.is_true(session:append({ role = "user", content = "after" }))
    session:close()
    assert.same({ "of the holder", "after" }, contents())
    assert.equal("one", aish.load(path .. ".old")[1].content)
  end)

  case("is made anew where somebody removed it, and is exclusive there", function()
    local session = assert(exclusive())
    assert(os.remove(path))
    assert.is_true(session:sync())
    assert.is_true(session:append({ role = "user", content = "one" }))
    assert.same(held_by(unistd.getpid()), helper.pack(exclusive()))
    session:close()
    assert.same({ "one" }, contents())
  end)

  case("that was unlocked through flock has the lock again from its next write on", function()
    local session = assert(exclusive())
    assert.is_true(aish.flock(session, aish.LOCK_UN))
    local other = assert(exclusive())
    assert.same(held_by(unistd.getpid(), false), helper.pack(session:append({ content = "x" })))
    other:close()
    assert.is_true(session:append({ role = "user", content = "one" }))
    assert.is_nil((exclusive()))
    session:close()
    assert.same({ "one" }, contents())
  end)

  case("of a parent can neither be written nor be unlocked by its child", function()
    local session = assert(exclusive())
    assert.is_true(session:append({ role = "user", content = "parent" }))
    local said = children.run(function(say)
      local _, message, number = session:append({ content = "child" })
      say(message .. "|" .. number .. "\n" .. select(2, session:sync()) .. "\n")
      aish.flock(session, aish.LOCK_UN)
      say(tostring(session:close()) .. "\n" .. select(2, exclusive()) .. "\n")
      session = nil -- this process's only
      collectgarbage()
      collectgarbage()
    end)
    local refusal = ("use %s: handle belongs to another process (it was opened by process %d)"):format(path, unistd.getpid())
    assert.equal(("%s|%d\n%s\ntrue\n%s\n"):format(refusal, errno.EPERM, refusal, HELD), said)
    assert.same(held_by(unistd.getpid()), helper.pack(exclusive()))
    assert.is_true(session:append({ role = "user", content = "parent again" }))
    session:close()
    assert.same({ "parent", "parent again" }, contents())
    assert(exclusive()):close()
  end)

  case("refuses a memory without keeping its lock", function()
    local memory = assert(aish.open(path))
    memory:close()
    local session, message, number = exclusive()
    assert.same({ nil, "open " .. path .. ": it is a memory, not a session", errno.EINVAL }, { session, message, number })
    assert(aish.open(path)):close()
  end)
end)

describe("a new session", function()
  helper.guard(before_each, after_each)

  case("is made by one of many processes that try at once, with its meta", function()
    local list, files = {}, 40
    finally(function() children.clear(list) end)
    for index = 1, 4 do
      list[index] = children.fork(function(say)
        while unistd.access(go) ~= 0 do support.sleep(0.001) end
        for number = 1, files do
          local session, message, code = aish.session(path .. number, { by = index }, { new = true, wait = 60 })
          say(session and number .. " by " .. index .. "\n" or code == errno.EEXIST and "" or message .. "\n")
        end
      end)
    end
    helper.write(go, "")
    local made = {}
    for _, child in ipairs(list) do
      for line in children.join(child):gmatch("[^\n]+") do
        local number, by = line:match("^(%d+) by (%d)$")
        assert(number and not made[number], line)
        made[number] = tonumber(by)
      end
    end
    for number = 1, files do
      assert.equal(('{"meta":{"by":%d}}\n'):format(made[tostring(number)]), helper.read(path .. number))
    end
  end)

  case("is looked for under the lock, so that a record that is being written counts", function()
    assert(aish.session(path)):close()
    local lock = assert(io.open(path, "a"))
    assert.is_true(aish.flock(lock, aish.LOCK_EX))
    local _, output = support.start([[
      print("begun")
      local session, message, number = aish.session((...), { model = "m" }, { new = true, wait = 60 })
      print(session, message, number)
    ]], path)
    assert.equal("begun", output:read("*l"))
    support.sleep(0.1)
    lock:write('{"role":"user","content":"first"}\n')
    assert.is_true(lock:flush() and aish.flock(lock, aish.LOCK_UN)) -- the other process has a copy of it
    lock:close()
    assert.equal(("nil\topen %s: File exists\t%d\n"):format(path, errno.EEXIST), output:read("*a"))
    output:close()
    assert.equal('{"role":"user","content":"first"}\n', helper.read(path))
  end)
end)
