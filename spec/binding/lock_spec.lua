--- flock(file, op): the system's locks, on files, descriptors and handles.
local aish = require("aish_history")
local errno = require("posix.errno")
local fcntl = require("posix.fcntl")
local helper = require("spec.support.helper")
local stdio = require("posix.stdio")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

-- What a try to open a memory elsewhere prints first.
local function tried(path)
  return helper.run([[print(require("aish_history").open(...) and "opened" or "refused")]], path)
end

describe("flock", function()
  helper.guard(before_each, after_each)

  local function two_files()
    local path = helper.write(helper.tmpdir() .. "/file", "")
    local one, two = assert(io.open(path, "r+")), assert(io.open(path, "r+"))
    finally(function()
      if io.type(one) == "file" then one:close() end
      if io.type(two) == "file" then two:close() end
    end)
    return one, two, path
  end

  local busy = { false, "Resource temporarily unavailable", errno.EAGAIN, n = 3 }
  local yes = { true, n = 1 }

  it("has the system's constants", function()
    assert.equal(1, aish.LOCK_SH)
    assert.equal(2, aish.LOCK_EX)
    assert.equal(4, aish.LOCK_NB)
    assert.equal(8, aish.LOCK_UN)
  end)

  it("locks a Lua file", function()
    local one, two = two_files()
    assert.same(yes, helper.pack(aish.flock(one, aish.LOCK_EX)))
    assert.same(busy, helper.pack(aish.flock(two, aish.LOCK_EX + aish.LOCK_NB)))
    assert.same(busy, helper.pack(aish.flock(two, aish.LOCK_SH + aish.LOCK_NB)))
    assert.same(yes, helper.pack(aish.flock(one, aish.LOCK_UN)))
    assert.same(yes, helper.pack(aish.flock(two, aish.LOCK_EX + aish.LOCK_NB)))
  end)

  it("shares", function()
    local one, two = two_files()
    assert.same(yes, helper.pack(aish.flock(one, aish.LOCK_SH)))
    assert.same(yes, helper.pack(aish.flock(two, aish.LOCK_SH + aish.LOCK_NB)))
    assert.same(busy, helper.pack(aish.flock(one, aish.LOCK_EX + aish.LOCK_NB)))
  end)

  it("locks a descriptor", function()
    local one, two = two_files()
    assert.same(yes, helper.pack(aish.flock(stdio.fileno(one), aish.LOCK_EX + aish.LOCK_NB)))
    assert.same(busy, helper.pack(aish.flock(stdio.fileno(two), aish.LOCK_EX + aish.LOCK_NB)))
    assert.same(busy, helper.pack(aish.flock(two, aish.LOCK_EX + aish.LOCK_NB)))
  end)

  it("locks for other processes", function()
    local one, _, path = two_files()
    local try = [[
      local aish = require("aish_history")
      print(aish.flock(assert(io.open((...))), aish.LOCK_EX + aish.LOCK_NB))
    ]]
    assert(aish.flock(one, aish.LOCK_EX))
    assert.equal("false\tResource temporarily unavailable\t" .. errno.EAGAIN .. "\n", helper.run(try, path))
    assert(aish.flock(one, aish.LOCK_UN))
    assert.equal("true\n", helper.run(try, path))
  end)

  it("works on a memory handle", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path))
    assert.same(yes, helper.pack(aish.flock(memory, aish.LOCK_UN)))
    assert.equal("opened\n", tried(path))
    assert.same(yes, helper.pack(aish.flock(memory, aish.LOCK_EX + aish.LOCK_NB)))
    assert.equal("refused\n", tried(path))
    memory:close()
  end)

  it("works on a session handle", function()
    local dir = helper.tmpdir()
    local one, two = assert(aish.session(dir .. "/s.jsonl")), assert(aish.session(dir .. "/s.jsonl"))
    assert.same(yes, helper.pack(aish.flock(one, aish.LOCK_EX + aish.LOCK_NB)))
    assert.same(busy, helper.pack(aish.flock(two, aish.LOCK_EX + aish.LOCK_NB)))
    one:close()
    assert.same(yes, helper.pack(aish.flock(two, aish.LOCK_EX + aish.LOCK_NB)))
    two:close()
  end)

  it("says what the system says", function()
    local one = two_files()
    assert.same({ false, "Bad file descriptor", errno.EBADF, n = 3 }, helper.pack(aish.flock(999999, aish.LOCK_EX)))
    assert.same({ false, "Invalid argument", errno.EINVAL, n = 3 }, helper.pack(aish.flock(one, 0)))
    assert.same({ false, "Invalid argument", errno.EINVAL, n = 3 },
      helper.pack(aish.flock(one, aish.LOCK_EX + aish.LOCK_SH + aish.LOCK_NB)))
  end)

  it("does not take a number for another", function()
    local path = helper.tmpdir() .. "/file"
    local fd = assert(fcntl.open(path, fcntl.O_RDWR + fcntl.O_CREAT, tonumber("600", 8)))
    finally(function() unistd.close(fd) end)
    local function refused(file, op)
      local ok, result = pcall(aish.flock, file, op)
      assert.truthy(not ok or result == false, ("flock(%s, %s)"):format(tostring(file), tostring(op)))
    end
    for _, number in ipairs({ -1, fd + 2 ^ 32, fd + 0.5, -fd - 2 ^ 32, 2 ^ 63, 1e300, math.huge, -math.huge, 0 / 0 }) do
      refused(number, aish.LOCK_EX + aish.LOCK_NB)
    end
    for _, op in ipairs({ 2 + 2 ^ 32, 6.5, 2 ^ 63, 1e300, math.huge, -math.huge, 0 / 0, -2 }) do
      refused(fd, op)
    end
    assert.is_true((aish.flock(fd, aish.LOCK_EX + aish.LOCK_NB)))
  end)

  it("raises on a file or a handle that is closed", function()
    local one = two_files()
    one:close()
    local _, closed = pcall(aish.flock, one, aish.LOCK_EX)
    assert.truthy(closed:find("(closed file)", 1, true), closed)
    local memory = assert(aish.open(helper.tmpdir() .. "/memory.jsonl"))
    memory:close()
    assert.has_error(function() aish.flock(memory, aish.LOCK_EX) end)
  end)

  it("raises on what is neither", function()
    for _, value in ipairs({ "1", {}, true, newproxy(true), assert(aish.scan(helper.write(helper.tmpdir() .. "/f", ""))) }) do
      local ok, message = pcall(aish.flock, value, aish.LOCK_EX)
      assert.is_false(ok)
      assert(message:find("descriptor, file or handle expected, got " .. type(value), 1, true), message)
    end
  end)

  it("that waits is ended by a signal with a handler", function()
    local one, _, path = two_files()
    local done = path .. ".done"
    assert(aish.flock(one, aish.LOCK_EX))
    local pid, child = support.start([[
      local path, done = ...
      local signal = require("posix.signal")
      local caught = 0
      signal.signal(signal.SIGUSR1, function() caught = caught + 1 end)
      local file = assert(io.open(path))
      print("waiting")
      print(aish.flock(file, aish.LOCK_EX))
      print(caught > 0 and "handled" or "not handled")
      io.open(done, "w"):close()
    ]], path, done)
    assert.equal("waiting", child:read("*l"))
    for _ = 1, 3000 do
      if unistd.access(done) == 0 then break end
      support.kill(pid, "SIGUSR1")
      support.sleep(0.01)
    end
    assert.equal(("false\tInterrupted system call\t%d\nhandled\n"):format(errno.EINTR), child:read("*a"))
    child:close()
  end)
end)
