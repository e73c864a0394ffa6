-- A write that failed or was cut short was reported as success, and the next record was glued to what
-- had arrived of it.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local unistd = require("posix.unistd")
local lfs = require("lfs")
local support = require("spec.support.memories")

-- In a process of its own, the file may grow by `room` bytes and no more while `call` runs.
local prelude = [[
  local aish = require("aish_history")
  local resource = require("posix.sys.resource")
  local signal = require("posix.signal")
  signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
  io.stdout:setvbuf("no")
  local path, argument = ...
  local function read()
    local file = assert(io.open(path, "rb"))
    local bytes = file:read("*a")
    file:close()
    return bytes
  end
  local function limited(size, fn, ...)
    local infinity = resource.RLIM_INFINITY
    assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = size, rlim_max = infinity }))
    local function restore(...)
      assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = infinity, rlim_max = infinity }))
      return ...
    end
    return restore(fn(...))
  end
]]

describe("a write that fails", function()
  helper.guard(before_each, after_each)

  -- Each call is tried with room for 0 bytes, 1 byte, and so on until it succeeds. One line a try.
  local sweep = prelude .. [[
    local memory = assert(aish.open(path, { sync = argument }))
    memory:add("fact", "acknowledged")
    local calls = {
      function() return memory:add("fact", "some content") end,
      function()
        return memory:add_many({ { kind = "fact", content = "some" }, { kind = "pref", content = "content" } })
      end,
      function() return memory:forget(1) end,
    }
    for number, call in ipairs(calls) do
      for room = 0, 1000 do
        local before, next_id, count = read(), memory.next_id, #memory
        local result, message, code = limited(#before + room, call)
        if result then
          print(number, "done", room, #read() - #before)
          break
        end
        print(number, tostring(result), message, code, read() == before, memory.next_id == next_id, #memory == count)
      end
    end
    print(memory:add("fact", "after"), #memory)
    memory:close()
  ]]

  for _, sync in ipairs({ "full", "none" }) do
    it("reports it, leaves the file as it was, and works again when there is room: sync " .. sync, function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      local lines = {}
      for line in helper.run(sweep, path, sync):gmatch("[^\n]+") do lines[#lines + 1] = line end
      local seen = 0
      for number, first in ipairs({ "nil", "nil", "false" }) do
        local room = 0
        while lines[seen + 1] and not lines[seen + 1]:find("\tdone\t", 1, true) do
          seen = seen + 1
          local line = lines[seen]
          -- forget may say nil, as other failures do.
          local result, message, rest = line:match("^" .. number .. "\t(%l+)\t([^\t]*)\t(.*)$")
          assert.truthy(result == first or result == "nil", line)
          assert.truthy(message:find(path, 1, true), line)
          assert.truthy(message:find("File too large", 1, true), line)
          assert.equal(errno.EFBIG .. "\ttrue\ttrue\ttrue", rest)
          room = room + 1
        end
        seen = seen + 1
        -- The first room that is enough is exactly that of the record.
        assert.equal(("%d\tdone\t%d\t%d"):format(number, room, room), lines[seen])
        assert.truthy(room > 50)
      end
      assert.equal("6\t4", lines[seen + 1])
      assert.is_nil(lines[seen + 2])
      assert.same({ "after", "content", "some", "some content" }, support.pluck(aish.load_memory(path), "content"))
      assert.equal(7, #helper.lines(path))
      for _, line in ipairs(helper.lines(path)) do assert.truthy((require("cjson").decode(line))) end
    end)
  end

  it("when the meta line does not fit is an open that fails, and the next one makes it whole", function()
    local output = helper.run(prelude .. [[
      for room = 0, 400 do
        local memory, message, code = limited(room, aish.open, path)
        if memory then
          print("done", room == #read())
          memory:close()
          break
        end
        if code ~= 27 or not message:find(path .. ": File too large", 1, true) then print(room, message, code) end
        -- The room for the next try is counted from nothing again.
        local again = assert(aish.open(path))
        local count = select(2, read():gsub("\n", ""))
        if count ~= 1 or not read():match('^{"meta":{"aish_version":"phase4","created":"[^"]*"}}\n$') then
          print(room, read())
        end
        again:close()
        os.remove(path)
      end
    ]], helper.tmpdir() .. "/memory.jsonl")
    assert.equal("done\ttrue\n", output)
  end)

  it("is not forgotten when the process dies: the next open goes on", function()
    local dir = helper.tmpdir()
    local path = dir .. "/memory.jsonl"
    local output = helper.run(prelude .. [[
      local memory = assert(aish.open(path))
      memory:add("fact", "acknowledged")
      limited(#read() + 20, function()
        print(memory:add("fact", "lost"))
        require("posix.signal").kill(require("posix.unistd").getpid(), signal.SIGKILL)
      end)
    ]], path)
    assert.matches("^nil\t[^\n]*File too large\t27\n", output)
    local memory = assert(aish.open(path))
    assert.equal(2, memory:add("fact", "next"))
    memory:close()
    assert.same({ "next", "acknowledged" }, support.pluck(aish.load_memory(path), "content"))
  end)

  it("under ulimit -f is reported as well", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local pipe = io.popen(("exec 2>&1; cd %s; trap '' XFSZ; ulimit -f 1; %s"):format(helper.quote(helper.root),
      helper.command([[
        local aish = require("aish_history")
        local memory = assert(aish.open((...)))
        print(memory:add("fact", "short"))
        print(memory:add("fact", ("long "):rep(1000)))
        print(memory:add("fact", "short again"))
      ]], path)))
    local output = pipe:read("*a")
    pipe:close()
    local first, failed, last = output:match("^(%d+)\n([^\n]*)\n(%d+)\n$")
    assert.equal("1", first, output)
    assert.equal("2", last)
    assert.matches("^nil\t.*: File too large\t27$", failed)
    assert.same({ "short again", "short" }, support.pluck(aish.load_memory(path), "content"))
    assert.equal(3, #helper.lines(path))
  end)

  it("of a session is reported, and the next turn is not glued to it", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local output = helper.run(prelude .. [[
      local session = assert(aish.session(path, { started = "now" }))
      session:append({ role = "user", content = "acknowledged" })
      for room = 0, 200 do
        local before = read()
        local ok, message = limited(#before + room, session.append, session, { role = "user", content = "next" })
        if ok then
          print("done", room == #read() - #before)
          break
        end
        if ok ~= false or not message:find("File too large", 1, true) or read() ~= before then
          print(room, ok, message, read())
        end
      end
      session:close()
    ]], path)
    assert.equal("done\ttrue\n", output)
    local turns, meta = aish.load(path)
    assert.same({ "acknowledged", "next" }, support.pluck(turns, "content"))
    assert.equal("now", meta.started)
  end)

  it("of a record without a handle is reported", function()
    local path = helper.tmpdir() .. "/any.jsonl"
    local output = helper.run(prelude .. [[
      assert(aish.append(path, { n = 1 }))
      print(limited(#read() + 3, aish.append, path, { n = 2 }))
      print(#read(), aish.append(path, { n = 3 }))
    ]], path)
    assert.matches("^nil\t[^\n]*File too large\t27\n8\ttrue\n$", output)
    assert.equal('{"n":1}\n{"n":3}\n', helper.read(path))
  end)

  it("for a disk that is full is reported, and what was acknowledged is there", function()
    local dir = helper.tmpdir()
    lfs.mkdir(dir .. "/disk")
    local script = dir .. "/script.sh"
    helper.write(script, ("mount -t tmpfs -o size=64k none %s/disk || { echo no mount; exit; }\ncd %s\n%s"):format(dir,
      helper.quote(helper.root), helper.command([[
        local aish = require("aish_history")
        local path = (...) .. "/memory.jsonl"
        local memory = assert(aish.open(path))
        local acknowledged, message, code = 0
        repeat
          local id
          id, message, code = memory:add("fact", ("content "):rep(100))
          if id then acknowledged = id end
        until not id
        print(message == "write " .. path .. ": No space left on device" or message, code)
        print(acknowledged > 20, #memory == acknowledged, #aish.load_memory(path) == acknowledged)
        -- What is left of the last page takes short records until that is full as well.
        local short = 0
        while memory:add("fact", "x") do short = short + 1 end
        memory:close()
        memory = assert(aish.open(path))
        print(#memory == acknowledged + short, memory.next_id == acknowledged + short + 1)
        memory:close()
        local file = io.open(path)
        local bytes = file:read("*a")
        file:close()
        print(select(2, bytes:gsub("\n", "")) == acknowledged + short + 1, bytes:sub(-1) == "\n")
      ]], dir .. "/disk")))
    local pipe = io.popen("unshare " .. (unistd.geteuid() == 0 and "-m" or "-rm") .. " sh " .. helper.quote(script) .. " 2>&1")
    local output = pipe:read("*a")
    pipe:close()
    if output:find("no mount", 1, true) or output:find("unshare", 1, true) then
      return pending("a small tmpfs cannot be mounted")
    end
    assert.equal("true\t" .. errno.ENOSPC .. "\ntrue\ttrue\ttrue\ntrue\ttrue\ntrue\ttrue\n", output)
  end)

  it("reaches the shell", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local output = helper.run(prelude .. [[
      local history = require("history")
      local memory = assert(history.open_memory(path))
      memory:add("fact", "one")
      local id, message = limited(#read() + 5, memory.add, memory, "fact", "lost")
      print(id, message)
      print(memory:add("fact", "two"))
    ]], path)
    assert.matches("^nil\t[^\n]*File too large\n2\n$", output)
    assert.same({ "two", "one" }, support.pluck(aish.load_memory(path), "content"))
  end)
end)
