-- The calls and fields of a memory handle, open and load_memory: results, errors, and the bytes written.
local aish = require("aish_history")
local errno = require("posix.errno")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local stat = require("posix.sys.stat")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

local max_id = support.max_id
local names = table.concat({ "add", "add_many", "update", "forget", "get", "items", "sync", "close" }, " ")

local function mode(path)
  return ("%o"):format(assert(stat.stat(path)).st_mode % 4096)
end

-- Calls `fn`, which must raise; returns the message.
local function raised(fn, ...)
  local ok, message = pcall(fn, ...)
  if ok then error("no error was raised", 2) end
  assert.equal("string", type(message))
  return message
end

local function new(dir, opts)
  local path = (dir or helper.tmpdir()) .. "/memory.jsonl"
  return assert(aish.open(path, opts)), path
end

describe("open", function()
  helper.guard(before_each, after_each)

  it("makes the file with its meta line and nothing else", function()
    local since = support.now()
    local memory, path = new()
    assert.equal('{"meta":{"aish_version":"phase4","created":"T"}}', support.line(path, 1, since))
    assert.equal(1, #helper.lines(path))
    assert.equal("\n", helper.read(path):sub(-1))
    memory:close()
  end)

  it("writes the meta line into a file that is empty", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", "")
    local since = support.now()
    local memory = assert(aish.open(path))
    assert.equal('{"meta":{"aish_version":"phase4","created":"T"}}', support.line(path, 1, since))
    assert.equal(1, #helper.lines(path))
    memory:close()
  end)

  it("returns one value on success", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local function count(...) return select("#", ...), ... end
    local n, memory = count(aish.open(path))
    assert.equal(1, n)
    memory:close()
  end)

  it("leaves a file that has records byte for byte as it is", function()
    for _, bytes in ipairs({
      support.meta,
      support.meta .. support.item(1),
      support.item(1):sub(1, -2),
      support.item(1) .. '{"id":2,"ki',
      "\239\187\191" .. support.item(1):gsub("\n", "\r\n"),
      "garbage",
    }) do
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
      local memory = assert(aish.open(path))
      memory:items()
      memory:close()
      assert.equal(bytes, helper.read(path))
    end
  end)

  it("makes missing directories, whatever their names", function()
    for _, name in ipairs({ "a", "a/b/c/d", "a//b", "a/./b", "it's", 'two "words"', "$(touch pwned)`x`", "new\nline",
      "per%s%n%cent", "naïve", "\255\254", "-rf", ("d"):rep(200) .. "/" .. ("e"):rep(200) }) do
      local dir = helper.tmpdir()
      local path = dir .. "/" .. name .. "/memory.jsonl"
      local memory = assert(aish.open(path))
      assert.equal(1, memory:add("fact", "x"))
      memory:close()
      assert.equal(1, #aish.load_memory(path))
      assert.equal(path, memory.path)
    end
    assert.is_nil(lfs.attributes("pwned"))
  end)

  it("makes files 0600 and directories 0700, less the umask", function()
    local before = stat.umask(0)
    finally(function() stat.umask(before) end)
    local dir = helper.tmpdir()
    new(dir .. "/a/b"):close()
    assert.equal("700", mode(dir .. "/a"))
    assert.equal("700", mode(dir .. "/a/b"))
    assert.equal("600", mode(dir .. "/a/b/memory.jsonl"))
    stat.umask(tonumber("277", 8))
    local path = dir .. "/read-only.jsonl"
    aish.open(path)
    assert.equal("400", mode(path))
    if unistd.geteuid() == 0 then
      new(dir .. "/c"):close()
      assert.equal("500", mode(dir .. "/c"))
    end
  end)

  it("leaves the modes of what exists alone", function()
    local dir = helper.tmpdir() .. "/open"
    lfs.mkdir(dir)
    stat.chmod(dir, tonumber("755", 8))
    local path = helper.write(dir .. "/memory.jsonl", support.item(1))
    stat.chmod(path, tonumber("644", 8))
    local memory = assert(aish.open(path))
    memory:add("fact", "x")
    memory:close()
    assert.equal("755", mode(dir))
    assert.equal("644", mode(path))
  end)

  it("follows a symbolic link and leaves it one", function()
    local dir = helper.tmpdir()
    local link = dir .. "/link.jsonl"
    assert(lfs.link("real.jsonl", link, true))
    local memory = assert(aish.open(link))
    memory:add("fact", "x")
    assert.same({ nil, support.held, errno.EAGAIN }, { unpack({ aish.open(dir .. "/real.jsonl") }, 1, 3) })
    memory:close()
    assert.equal("link", lfs.symlinkattributes(link, "mode"))
    assert.equal(2, #helper.lines(dir .. "/real.jsonl"))
  end)

  it("refuses what is no regular file, without blocking", function()
    local dir = helper.tmpdir()
    local path = dir .. "/memory.jsonl"
    lfs.mkdir(path)
    assert.same({ nil, "open " .. path .. ": Is a directory", errno.EISDIR, n = 3 }, helper.pack(aish.open(path)))
    assert.same({ nil, "open " .. path .. ": Is a directory", errno.EISDIR, n = 3 }, helper.pack(aish.load_memory(path)))
    assert(stat.mkfifo(dir .. "/fifo"))
    for _, name in ipairs({ dir .. "/fifo", "/dev/null", "/dev/full" }) do
      local refusal = { nil, "open " .. name .. ": not a regular file", errno.EINVAL, n = 3 }
      assert.same(refusal, helper.pack(aish.open(name)))
      assert.same(refusal, helper.pack(aish.load_memory(name)))
    end
    local socket = require("posix.sys.socket")
    local fd = assert(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0))
    finally(function() unistd.close(fd) end)
    assert(socket.bind(fd, { family = socket.AF_UNIX, path = dir .. "/socket" }))
    local refusal = { nil, "open " .. dir .. "/socket: not a regular file", errno.EINVAL, n = 3 }
    assert.same(refusal, helper.pack(aish.open(dir .. "/socket")))
    assert.same(refusal, helper.pack(aish.load_memory(dir .. "/socket")))
  end)

  it("refuses a path with a NUL byte", function()
    local dir = helper.tmpdir()
    local path = dir .. "/a\0b"
    for _, call in ipairs({ aish.open, aish.load_memory }) do
      local result, message, number = call(path)
      assert.is_nil(result)
      assert.equal("open ", message:sub(1, 5))
      assert.equal(": path has a NUL byte", message:sub(-21))
      assert.equal(errno.EINVAL, number)
    end
    assert.is_nil(lfs.attributes(dir .. "/a"))
  end)

  it("says why a path cannot be made", function()
    local dir = helper.tmpdir()
    helper.write(dir .. "/file", "")
    for path, number in pairs({
      [dir .. "/file/memory.jsonl"] = errno.ENOTDIR,
      [dir .. "/file/a/b/memory.jsonl"] = errno.ENOTDIR,
      [dir .. "/" .. ("x"):rep(300)] = errno.ENAMETOOLONG,
      [dir .. "/" .. ("x"):rep(300) .. "/memory.jsonl"] = errno.ENAMETOOLONG,
      [dir .. ("/" .. ("x"):rep(100)):rep(50)] = errno.ENAMETOOLONG,
      [""] = errno.ENOENT,
    }) do
      local result, message, code = aish.open(path)
      assert.is_nil(result)
      assert.equal(number, code)
      assert.truthy(message:find(errno.errno(number), 1, true), message)
      assert.truthy(message:find(#path > 200 and dir or path, 1, true), message)
    end
    assert.equal("", helper.read(dir .. "/file"))
  end)

  it("says that the permission is missing", function()
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/memory.jsonl", support.item(1))
    stat.chmod(path, 0)
    stat.chmod(dir, tonumber("555", 8))
    local output = helper.run([[
      local aish = require("aish_history")
      local unistd = require("posix.unistd")
      if unistd.geteuid() == 0 then assert(unistd.setpid("u", 65534)) end
      for _, name in ipairs({ "/memory.jsonl", "/new.jsonl", "/a/b/new.jsonl" }) do
        print(select(2, aish.open((...) .. name)))
      end
      print(aish.load_memory((...) .. "/memory.jsonl"))
      io.stdout:flush()
      unistd._exit(0) -- or a build that counts coverage would say that it may not write here
    ]], dir)
    local lines = {}
    for line in output:gmatch("[^\n]+") do lines[#lines + 1] = line end
    assert.equal("open " .. path .. ": Permission denied\t13", lines[1])
    assert.equal("open " .. dir .. "/new.jsonl: Permission denied\t13", lines[2])
    assert.matches("Permission denied\t13$", lines[3])
    assert.equal("nil\topen " .. path .. ": Permission denied\t13", lines[4])
  end)

  it("names an option that it does not know", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local function refused(opts, text)
      local message = raised(function()
        local _ = aish.open(path, opts)
      end)
      assert.truthy(message:find("bad argument #2 to 'open' (" .. text, 1, true), message)
    end
    for _, key in ipairs({ "snyc", "", "Sync", "sync ", "sync\0", "mode" }) do
      refused({ [key] = "full" }, 'unknown option "' .. key:match("^%Z*"))
    end
    for _, key in ipairs({ 1, true, print }) do refused({ [key] = "full" }, "") end
    assert.is_nil(lfs.attributes(path))
  end)

  it("names an option of the wrong type", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local function check(opts, text)
      local message = raised(function()
        local _ = aish.open(path, opts)
      end)
      assert.truthy(message:find(text, 1, true), message)
    end
    for _, value in ipairs({ "1", true, {}, print, io.stdout }) do
      check({ wait = value }, 'option "wait" must be a number of seconds, got ' .. type(value))
    end
    for _, value in ipairs({ "1", 1, {}, print, io.stdout }) do
      check({ shared = value }, 'option "shared" must be ')
      check({ unique = value }, 'option "unique" must be a boolean')
    end
    for _, value in ipairs({ "fast", "", "FULL", "full\0", 1, true, false, {}, print, io.stdout }) do
      check({ sync = value }, 'option "sync" must be "full" or "none"')
    end
    assert.is_nil(lfs.attributes(path))
  end)

  it("takes every option in every legal value", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    for _, opts in ipairs({ {}, { sync = "full" }, { sync = "none" }, { wait = 0 }, { wait = 0.5 }, { wait = 1e9 },
      { shared = false }, { shared = true }, { unique = false }, { sync = "none", wait = 1, shared = true } }) do
      local memory = assert(aish.open(path, opts))
      assert.equal("number", type(memory:add("fact", "x")))
      memory:close()
    end
    assert.equal(10, #aish.load_memory(path))
  end)
end)

describe("sync", function()
  helper.guard(before_each, after_each)

  local script = [[
    local aish = require("aish_history")
    local path, sync, call = ...
    local memory = assert(aish.open(path, { sync = sync }))
    -- The first sync of a handle may have the directory's in its company.
    if sync == "full" then memory:sync() end
    io.stderr:write("mark\n")
    if call == "add" then
      assert(memory:add("fact", "one"))
    elseif call == "add_many" then
      local list = {}
      for index = 1, 500 do list[index] = { kind = "fact", content = ("c"):rep(100) } end
      assert(#memory:add_many(list) == 500)
    elseif call == "forget" then
      assert(memory:forget(1))
    elseif call == "update" then
      assert(memory:update(1, { content = "new" }))
    else
      assert(memory:sync() == true)
    end
    io.stderr:write("mark\n")
    memory:close()
  ]]

  -- The calls on the file and its directory: before, during and after the call between the marks.
  local function calls(bytes, sync, call)
    local dir = helper.tmpdir()
    local path = dir .. "/memory.jsonl"
    if bytes then helper.write(path, bytes) end
    local output, log = support.trace("write,writev,pwrite64,fsync,fdatasync", script, path, sync, call)
    if not output then return nil end
    assert.equal("mark\nmark\n", output, log)
    local phase, seen = 1, { {}, {}, {} }
    for line in log:gmatch("[^\n]+") do
      local name, target = line:match("(%w+)%(%d+<([^>]*)>")
      if line:find('"mark\\n"', 1, true) then
        phase = phase + 1
      elseif target == path then
        table.insert(seen[phase], name)
      elseif target == dir then
        table.insert(seen[phase], name .. " dir")
      end
    end
    return seen
  end

  local function check(bytes, sync, call, expected)
    local seen = calls(bytes, sync, call)
    if not seen then return pending("strace is not at hand") end
    assert.same(expected, seen[2])
    assert.same({}, seen[3])
    for _, name in ipairs(seen[1]) do assert.not_equal("write", name) end
    if sync == "none" then assert.same({}, seen[1]) end
  end

  it("full: each add is one write and one fdatasync", function()
    check(support.meta, "full", "add", { "write", "fdatasync" })
  end)

  it("full: add_many is one write and one fdatasync", function()
    check(support.meta, "full", "add_many", { "write", "fdatasync" })
  end)

  it("full: forget is one write and one fdatasync", function()
    check(support.item(1), "full", "forget", { "write", "fdatasync" })
  end)

  it("full: update is one write and one fdatasync", function()
    check(support.item(1), "full", "update", { "write", "fdatasync" })
  end)

  it("full: a new file's name is on disk before the first record is acknowledged", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local output, log = support.trace("write,fsync,fdatasync", [[
      local memory = assert(require("aish_history").open((...)))
      memory:add("fact", "one")
      io.stderr:write("mark\n")
      memory:add("fact", "two")
      memory:close()
    ]], path)
    if not output then return pending("strace is not at hand") end
    assert.equal("mark\n", output)
    local seen = {}
    for line in log:gmatch("[^\n]+") do
      local name, target = line:match("(%w+)%(%d+<([^>]*)>")
      if line:find('"mark\\n"', 1, true) then seen[#seen + 1] = "mark" end
      if target == path then seen[#seen + 1] = name end
      if target == path:match("^(.*)/") then seen[#seen + 1] = name .. " dir" end
    end
    local order = table.concat(seen, " ")
    local before, after = order:match("^(.*) mark (.*)$")
    assert.truthy(before:find("fsync dir", 1, true), order)
    assert.matches("write fdatasync", before)
    assert.equal("write fdatasync", after)
  end)

  it("none: nothing is synced, unless asked", function()
    check(support.item(1), "none", "add", { "write" })
    check(support.item(1), "none", "forget", { "write" })
    check(support.item(1), "none", "add_many", { "write" })
    local seen = calls(support.item(1), "none", "sync")
    assert.equal("fdatasync", seen[2][1])
    assert.same({}, seen[1])
    assert.same({}, seen[3])
  end)

  it("is full unless said otherwise", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta)
    local output, log = support.trace("fdatasync", [[
      local memory = assert(require("aish_history").open((...)))
      for _ = 1, 5 do memory:add("fact", "x") end
      memory:close()
    ]], path)
    if not output then return pending("strace is not at hand") end
    assert.equal("", output)
    local _, count = log:gsub("fdatasync%(", "")
    assert.equal(5, count)
  end)

  it("returns true", function()
    local memory = new()
    assert.same({ true, n = 1 }, helper.pack(memory:sync()))
    memory:add("fact", "x")
    assert.same({ true, n = 1 }, helper.pack(memory:sync()))
    memory:close()
  end)
end)

describe("add", function()
  helper.guard(before_each, after_each)

  it("writes id, uid, ts, kind, content, tags and source, in that order", function()
    local memory, path = new()
    local since = support.now()
    assert.equal(1, memory:add("fact", "plain"))
    assert.equal(2, memory:add("pref", "tags", { "a", "b" }))
    assert.equal(3, memory:add("context", "both", { "a" }, "me"))
    assert.equal(4, memory:add("fact", "source", nil, "me"))
    assert.equal(5, memory:add("fact", "neither", false, false))
    assert.equal(6, memory:add("fact", "empty", {}, ""))
    assert.equal(7, memory:add("fact", "object", { one = 1 }))
    memory:close()
    local expected = {
      '{"id":1,"uid":"U","ts":"T","kind":"fact","content":"plain"}',
      '{"id":2,"uid":"U","ts":"T","kind":"pref","content":"tags","tags":["a","b"]}',
      '{"id":3,"uid":"U","ts":"T","kind":"context","content":"both","tags":["a"],"source":"me"}',
      '{"id":4,"uid":"U","ts":"T","kind":"fact","content":"source","source":"me"}',
      '{"id":5,"uid":"U","ts":"T","kind":"fact","content":"neither"}',
      '{"id":6,"uid":"U","ts":"T","kind":"fact","content":"empty","tags":[],"source":""}',
      '{"id":7,"uid":"U","ts":"T","kind":"fact","content":"object","tags":{"one":1}}',
    }
    for index, line in ipairs(expected) do
      assert.equal(line, support.line(path, index + 1, since))
    end
    assert.equal(8, #helper.lines(path))
    assert.equal("\n", helper.read(path):sub(-1))
  end)

  it("escapes quotes, backslashes, control characters and what is not UTF-8, and nothing else", function()
    local bytes = {}
    for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
    local content = table.concat(bytes)
    local memory, path = new()
    memory:add("fact", content, { content }, content)
    assert.equal(content, memory:get(1).content)
    memory:close()
    local line = helper.lines(path)[2]
    assert.equal(2, #helper.lines(path))
    assert.is_nil(line:find("[%z\1-\31]"))
    assert.truthy(line:find(content:sub(36, 92), 1, true), "the bytes from # to [ are as they were")
    assert.truthy(line:find("\\\\" .. content:sub(94, 128) .. "\\udc80", 1, true), "the bytes from ] to 127 are as they were")
    assert.truthy(line:find('!\\"#', 1, true))
    local item = aish.load_memory(path)[1]
    assert.equal(content, item.content)
    assert.same({ content }, item.tags)
    assert.equal(content, item.source)
  end)

  it("is read by lua-cjson and dkjson as it was meant", function()
    local memory, path = new()
    memory:add("fact", "naïve \240\159\152\128 \"quoted\"\\\n\t\r\8\12\127/", { "x/y", { deep = { 1, 2.5, true } } }, "s")
    memory:close()
    local line = helper.lines(path)[2]
    for _, name in ipairs({ "cjson", "dkjson" }) do
      local record = assert(require(name).decode(line))
      assert.is_nil(cases.difference({ id = 1, uid = record.uid, ts = record.ts, kind = "fact",
        content = "naïve \240\159\152\128 \"quoted\"\\\n\t\r\8\12\127/",
        tags = { "x/y", { deep = { 1, 2.5, true } } }, source = "s" }, record))
    end
  end)

  it("takes content of any length", function()
    local memory, path = new(nil, { sync = "none" })
    local lengths = { 1, 4095, 4096, 65536, 262143, 262144, 262145, 5000000 }
    for index, length in ipairs(lengths) do
      assert.equal(index, memory:add("fact", ("\1"):rep(length)))
      assert.equal(length, #memory:get(index).content)
    end
    memory:close()
    local items = aish.load_memory(path)
    assert.equal(#lengths, #items)
    for index, item in ipairs(items) do
      local length = lengths[#lengths + 1 - index]
      assert.equal(length, #item.content)
      assert.is_true(item.content == ("\1"):rep(length))
    end
  end)

  it("goes through the checks in order: closed, kind, content", function()
    local memory = new()
    assert.equal("memory:add: kind must be fact|pref|context (got X)", raised(memory.add, memory, "X"))
    assert.equal("memory:add: kind must be fact|pref|context (got X)", raised(memory.add, memory, "X", 1, 2, 3))
    assert.equal("memory:add: kind must be fact|pref|context (got nil)", raised(memory.add, memory))
    assert.equal("memory:add: kind must be fact|pref|context (got false)", raised(memory.add, memory, false, "x"))
    assert.equal("memory:add: kind must be fact|pref|context (got 5)", raised(memory.add, memory, 5, "x"))
    assert.equal("memory:add: kind must be fact|pref|context (got forget)", raised(memory.add, memory, "forget", "x"))
    assert.equal("memory:add: kind must be fact|pref|context (got )", raised(memory.add, memory, "", "x"))
    assert.equal("memory:add: kind must be fact|pref|context (got Fact)", raised(memory.add, memory, "Fact", "x"))
    assert.equal("memory:add: kind must be fact|pref|context (got fact )", raised(memory.add, memory, "fact ", "x"))
    local kind = setmetatable({}, { __tostring = function() return "me" end })
    assert.equal("memory:add: kind must be fact|pref|context (got me)", raised(memory.add, memory, kind, "x"))
    assert.equal("memory:add: kind must be fact|pref|context (got " .. tostring(print) .. ")",
      raised(memory.add, memory, print, "x"))
    assert.equal("memory:add: content required", raised(memory.add, memory, "fact"))
    assert.equal("memory:add: content required", raised(memory.add, memory, "fact", false))
    assert.equal("memory:add: content required", raised(memory.add, memory, "fact", ""))
    assert.equal("memory:add: content required", raised(memory.add, memory, "fact", nil, 5, 5))
    memory:close()
    assert.equal("memory:add on closed handle", raised(memory.add, memory, "X"))
    assert.equal("memory:add on closed handle", raised(memory.add, memory))
    assert.equal("memory:add on closed handle", raised(memory.add, memory, "fact", "x"))
  end)

  it("is not tricked by a kind that closes the handle", function()
    local memory = new()
    local kind = setmetatable({}, { __tostring = function()
      memory:close()
      return "closer"
    end })
    assert.equal("memory:add: kind must be fact|pref|context (got closer)", raised(memory.add, memory, kind, "x"))
    assert.is_true(memory.closed)
  end)

  it("does not coerce", function()
    local memory, path = new()
    local before = helper.read(path)
    local function check(text, ...)
      local message = raised(memory.add, memory, ...)
      assert.truthy(message:find(text, 1, true), message)
    end
    check("content must be a string, got number", "fact", 5)
    check("content must be a string, got boolean", "fact", true)
    check("content must be a string, got table", "fact", {})
    check("content must be a string, got function", "fact", print)
    check("content must be a string, got userdata", "fact", io.stdout)
    check("tags must be a table, got string", "fact", "x", "tag")
    check("tags must be a table, got number", "fact", "x", 5)
    check("tags must be a table, got boolean", "fact", "x", true)
    check("source must be a string, got number", "fact", "x", nil, 5)
    check("source must be a string, got boolean", "fact", "x", nil, true)
    check("source must be a string, got table", "fact", "x", nil, {})
    assert.equal(before, helper.read(path))
    assert.equal(1, memory.next_id)
    memory:close()
  end)

  it("names the place of a tag that JSON cannot hold, and writes nothing", function()
    local memory, path = new()
    local before = helper.read(path)
    local cycle = { "a" }
    cycle[2] = { cycle }
    local deep = {}
    for _ = 1, 1100 do deep = { deep } end
    local function check(text, tags)
      local message = raised(memory.add, memory, "fact", "x", tags)
      assert.truthy(message:find(text, 1, true), message)
      assert.equal(before, helper.read(path))
      assert.equal(1, memory.next_id)
      assert.equal(0, #memory)
    end
    check("tags[2]: a function cannot be stored", { "a", print })
    check("tags[3][1]: a function cannot be stored", { "a", "b", { print } })
    check("tags.x.y: a function cannot be stored", { x = { y = print } })
    check("tags[1]: a thread cannot be stored", { coroutine.create(function() end) })
    check("tags[1]: a userdata cannot be stored", { io.stdout })
    check("tags[2][1]", cycle)
    check("tags[1][1][1]", deep)
    assert.equal(1, memory:add("fact", "after"))
    memory:close()
  end)

  it("uses the time of the call, in UTC", function()
    local memory = new()
    local since = support.now()
    local item = memory:get(memory:add("fact", "x"))
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", item.ts)
    assert.truthy(item.ts >= since and item.ts <= support.now())
    memory:close()
    local output = helper.run([[
      require("posix.stdlib").setenv("TZ", "Asia/Kathmandu")
      local aish = require("aish_history")
      local memory = aish.open((...) .. "/tz.jsonl")
      local before = os.date("!%Y-%m-%dT%H:%M:%SZ")
      local ts = memory:get(memory:add("fact", "x")).ts
      print(ts >= before and ts <= os.date("!%Y-%m-%dT%H:%M:%SZ"))
    ]], helper.tmpdir())
    assert.equal("true\n", output)
  end)
end)

describe("ids", function()
  helper.guard(before_each, after_each)

  local function with_highest(text)
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(text))
    return assert(aish.open(path)), path
  end

  it("go on where the file ends", function()
    local memory, path = new()
    memory:add("fact", "one")
    memory:add("fact", "two")
    memory:forget(2)
    assert.equal(4, memory.next_id)
    memory:close()
    memory = assert(aish.open(path))
    assert.equal(4, memory.next_id)
    assert.equal(4, memory:add("fact", "four"))
    memory:close()
  end)

  it("are written whole up to 2^53-1, and then have run out", function()
    local memory, path = with_highest("9007199254740990")
    assert.equal(max_id, memory.next_id)
    assert.equal(max_id, memory:add("fact", "the last"))
    assert.matches('^{"id":9007199254740991,"uid":', helper.lines(path)[2])
    assert.equal(max_id + 1, memory.next_id)
    assert.equal("the last", memory:get(max_id).content)
    local before = helper.read(path)
    local function refused(result, message)
      assert.falsy(result)
      assert.equal("string", type(message))
      assert.matches("ids?%f[%A]", message)
      assert.equal(before, helper.read(path))
      assert.equal(2, #memory)
    end
    refused(memory:add("fact", "one more"))
    refused(memory:add_many({ { kind = "fact", content = "one more" } }))
    assert.same({}, memory:add_many({}))
    memory:close()
    memory = assert(aish.open(path))
    assert.equal(max_id + 1, memory.next_id)
    refused(memory:add("fact", "one more"))
    memory:close()
  end)

  it("run out for the whole of an add_many or not at all", function()
    local memory, path = with_highest("9007199254740989")
    local before = helper.read(path)
    local three = {}
    for index = 1, 3 do three[index] = { kind = "fact", content = "x" } end
    local ids, message = memory:add_many(three)
    assert.is_nil(ids)
    assert.equal("string", type(message))
    assert.equal(before, helper.read(path))
    assert.equal(9007199254740990, memory.next_id)
    three[3] = nil
    assert.same({ 9007199254740990, max_id }, memory:add_many(three))
    memory:close()
  end)

  it("can be forgotten whether or not one is left", function()
    local memory, path = with_highest("9007199254740989")
    assert.equal(9007199254740990, memory:add("fact", "last but one"))
    assert.equal(max_id, memory:add("fact", "last"))
    for index, id in ipairs({ "9007199254740990", "9007199254740991", "9007199254740989" }) do
      -- a tombstone of its own id would retire nothing
      local own = id == "9007199254740991" and "9007199254740990" or "9007199254740991"
      assert.is_true(memory:forget(tonumber(id)))
      assert.matches(('^{"id":%s,"ts":"[^"]*","kind":"forget","target":%s,"of":'):format(own, id), helper.lines(path)[3 + index])
      assert.same({ false, "no active item " .. id }, { memory:forget(tonumber(id)) })
    end
    memory:close()
    memory = assert(aish.open(path))
    assert.equal(0, #memory)
    memory:close()
  end)
end)

describe("add_many", function()
  helper.guard(before_each, after_each)

  it("returns the ids and writes the lines of as many adds", function()
    local memory, path = new()
    local since = support.now()
    assert.same({ 1, 2, 3 }, memory:add_many({
      { kind = "fact", content = "one" },
      { source = "s", tags = { "t" }, content = "two", kind = "pref" },
      { kind = "context", content = "three", tags = false, source = false },
    }))
    assert.equal(4, memory.next_id)
    assert.equal(3, #memory)
    assert.equal('{"id":1,"uid":"U","ts":"T","kind":"fact","content":"one"}', support.line(path, 2, since))
    assert.equal('{"id":2,"uid":"U","ts":"T","kind":"pref","content":"two","tags":["t"],"source":"s"}',
      support.line(path, 3, since))
    assert.equal('{"id":3,"uid":"U","ts":"T","kind":"context","content":"three"}', support.line(path, 4, since))
    assert.equal(4, #helper.lines(path))
    assert.same({ "three", "two", "one" }, support.pluck(memory:items(), "content"))
    memory:close()
  end)

  it("of nothing gives no ids and writes nothing", function()
    local memory, path = new()
    local before = helper.read(path)
    assert.same({ {}, n = 1 }, helper.pack(memory:add_many({})))
    assert.equal(before, helper.read(path))
    memory:close()
  end)

  it("of thousands gives them all", function()
    local memory, path = new(nil, { sync = "none" })
    local list = {}
    for index = 1, 5000 do list[index] = { kind = "fact", content = "number " .. index } end
    local ids = memory:add_many(list)
    assert.equal(5000, #ids)
    for index, id in ipairs(ids) do
      assert.equal(index, id)
      assert.equal("number " .. index, memory:get(id).content)
    end
    memory:close()
    assert.equal(5000, #aish.load_memory(path))
  end)

  it("writes all or nothing", function()
    local memory, path = new()
    memory:add("fact", "before")
    local before = helper.read(path)
    local good = { kind = "fact", content = "good" }
    local function check(text, ...)
      local message = raised(memory.add_many, memory, ...)
      assert.truthy(message:find(text, 1, true), message)
      assert.equal(before, helper.read(path))
      assert.equal(2, memory.next_id)
      assert.equal(1, #memory)
    end
    local kinds = "kind must be fact|pref|context "
    check("memory:add_many: items[3]: " .. kinds .. "(got X)", { good, good, { kind = "X", content = "x" } })
    check("memory:add_many: items[3]: " .. kinds .. "(got nil)", { good, good, {} })
    check("memory:add_many: items[2]: content required", { good, { kind = "fact" }, good })
    check("memory:add_many: items[2]: content required", { good, { kind = "fact", content = "" } })
    check("memory:add_many: items[2]: content required", { good, { kind = "fact", content = false } })
    check('memory:add_many: items[1]: no member may be named "id"', { { kind = "fact", content = "x", id = 1 } })
    check("memory:add_many: items[1]: the name of a member must be a string, got number",
      { { kind = "fact", content = "x", "positional" } })
    check("memory:add_many: items[2]: calls.fn: a function", { good, { kind = "fact", content = "x", calls = { fn = print } } })
    check("items[2]", { good, { kind = "fact", content = 5 } })
    check("items[2]", { good, { kind = "fact", content = "x", tags = "t" } })
    check("items[2]", { good, { kind = "fact", content = "x", source = 5 } })
    check("tags[1]: a function cannot be stored", { good, { kind = "fact", content = "x", tags = { print } } })
    check("items[2]", { good, "fact" })
    check("items[2]", { good, 5 })
    check("items[2]", { good, false })
    assert.same({ 2 }, memory:add_many({ good }))
    memory:close()
  end)

  it("does not take an object for an array, nor pass over a hole", function()
    local memory, path = new()
    local before = helper.read(path)
    local good = { kind = "fact", content = "good" }
    for _, list in ipairs({ { kind = "fact", content = "x" }, { [1] = good, [3] = good }, { [2] = good },
      { good, extra = good } }) do
      raised(memory.add_many, memory, list)
      assert.equal(before, helper.read(path))
    end
    memory:close()
  end)
end)

describe("forget", function()
  helper.guard(before_each, after_each)

  it("writes a tombstone and returns true", function()
    local memory, path = new()
    local since = support.now()
    memory:add("fact", "one")
    memory:add("fact", "two")
    assert.same({ true, n = 1 }, helper.pack(memory:forget(1)))
    local uid = helper.lines(path)[2]:match('"uid":"(%w+)"')
    assert.equal('{"id":3,"ts":"T","kind":"forget","target":1,"of":"U"}', support.line(path, 4, since))
    assert.truthy(helper.lines(path)[4]:find('"of":"' .. uid .. '"', 1, true))
    assert.equal(4, #helper.lines(path))
    assert.equal(4, memory.next_id)
    assert.equal(1, #memory)
    assert.is_nil(memory:get(1))
    assert.same({ 2 }, support.pluck(memory:items(), "id"))
    memory:close()
    assert.same({ 2 }, support.pluck(aish.load_memory(path), "id"))
  end)

  it("says when there is nothing to forget, and writes nothing", function()
    local memory, path = new()
    memory:add("fact", "one")
    memory:forget(1)
    local before = helper.read(path)
    for id, text in pairs({ [1] = "1", [2] = "2", [3] = "3", [0] = "0", [-1] = "-1", [1e6] = "1000000",
      [max_id] = "9007199254740991" }) do
      assert.same({ false, "no active item " .. text, n = 2 }, helper.pack(memory:forget(id)))
    end
    for _, id in ipairs({ 1.5, max_id + 1, 1e300, math.huge, -math.huge, 0 / 0 }) do
      local result, message = memory:forget(id)
      assert.is_false(result)
      assert.equal("no active item ", message:sub(1, 15))
    end
    assert.equal(before, helper.read(path))
    assert.equal(3, memory.next_id)
    memory:close()
  end)

  it("does not take a fraction for the id beside it", function()
    local memory = new()
    memory:add("fact", "one")
    for _, id in ipairs({ 0.9999, 1.0001, 1 + 2 ^ 32, 1 + 2 ^ 52, -1 }) do
      assert.is_false((memory:forget(id)))
    end
    assert.equal(1, #memory)
    memory:close()
  end)
end)

describe("get and items", function()
  helper.guard(before_each, after_each)

  it("give the whole record, unknown keys included", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl",
      '{"x":{"y":[1,{"z":null}]},"content":"c","kind":"fact","id":7,"ts":"t","tags":["a"],"source":"s","n":1.5}\n')
    local memory = assert(aish.open(path))
    local expected = { id = 7, ts = "t", kind = "fact", content = "c", tags = { "a" }, source = "s", n = 1.5,
      x = { y = { 1, {} } } }
    assert.is_nil(cases.difference(expected, memory:get(7)))
    assert.is_nil(cases.difference({ expected }, memory:items()))
    assert.is_nil(cases.difference({ expected }, aish.load_memory(path)))
    memory:close()
  end)

  it("get gives nil for an id that is not active", function()
    local memory = new()
    memory:add("fact", "one")
    memory:add("fact", "two")
    memory:forget(2)
    for _, id in ipairs({ 2, 3, 4, 0, -1, 1.5, 1 + 2 ^ 32, max_id, 1e300, math.huge, -math.huge, 0 / 0 }) do
      assert.is_nil(memory:get(id))
    end
    assert.equal("one", memory:get(1).content)
    memory:close()
  end)

  it("items come newest first, by id within a second", function()
    local memory, path = new()
    assert.same({}, memory:items())
    for index = 1, 5 do memory:add("fact", "item " .. index) end
    assert.same({ 5, 4, 3, 2, 1 }, support.pluck(memory:items(), "id"))
    memory:forget(3)
    assert.same({ 5, 4, 2, 1 }, support.pluck(memory:items(), "id"))
    assert.same({ 5, 4, 2, 1 }, support.pluck(aish.load_memory(path), "id"))
    memory:close()
  end)

  it("hand out tables of the caller's own", function()
    local memory = new()
    memory:add("fact", "one", { "tag" })
    local item = memory:get(1)
    item.content, item.tags[1] = "changed", "changed"
    table.remove(memory:items())
    assert.equal("one", memory:get(1).content)
    assert.same({ "tag" }, memory:items()[1].tags)
    memory:close()
  end)
end)

describe("load_memory", function()
  helper.guard(before_each, after_each)

  it("gives an empty table for a file that is not there, and does not make it", function()
    local dir = helper.tmpdir()
    for _, path in ipairs({ dir .. "/memory.jsonl", dir .. "/a/b/memory.jsonl" }) do
      assert.same({ {}, n = 1 }, helper.pack(aish.load_memory(path)))
    end
    assert.is_nil(lfs.attributes(dir .. "/memory.jsonl"))
    assert.is_nil(lfs.attributes(dir .. "/a"))
  end)

  it("gives an empty table for an empty file and one without items", function()
    for _, bytes in ipairs({ "", "\n", "\n\n\r\n", support.meta, support.meta .. support.tombstone(1, 2),
      "\239\187\191", "garbage", "\0\0\0" }) do
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
      assert.same({ {}, n = 1 }, helper.pack(aish.load_memory(path)))
      assert.equal(bytes, helper.read(path))
    end
  end)

  it("needs no lock", function()
    local memory, path = new()
    memory:add("fact", "one")
    assert.same({ "one" }, support.pluck(aish.load_memory(path), "content"))
    assert.equal("one\n", helper.run([[
      print(require("aish_history").load_memory(...)[1].content)
    ]], path))
    memory:close()
  end)

  it("reads a file that may not be written", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1))
    stat.chmod(path, tonumber("400", 8))
    assert.equal(1, #aish.load_memory(path))
  end)
end)

describe("fields", function()
  helper.guard(before_each, after_each)

  it("path, fd, next_id and closed say what is", function()
    local memory, path = new()
    assert.equal(path, memory.path)
    assert.equal(path, helper.descriptors()[memory.fd])
    assert.equal(1, memory.next_id)
    assert.is_false(memory.closed)
    memory:add("fact", "x")
    assert.equal(2, memory.next_id)
    memory:close()
    assert.equal(path, memory.path)
    assert.is_nil(memory.fd)
    assert.equal(2, memory.next_id)
    assert.is_true(memory.closed)
  end)

  it("that do not exist are nil", function()
    local memory = new()
    for _, key in ipairs({ "nothing", "Path", "", "path\0", 1, true, print, 0 / 0 }) do
      assert.is_nil(memory[key])
    end
    memory:close()
  end)

  it("cannot be set", function()
    local memory, path = new()
    for _, key in ipairs({ "path", "fd", "next_id", "closed", "add", "other" }) do
      raised(function() memory[key] = 5 end)
    end
    assert.equal(path, memory.path)
    assert.equal(1, memory.next_id)
    memory:close()
  end)

  it("# counts the active items", function()
    local memory, path = new()
    assert.equal(0, #memory)
    for index = 1, 10 do
      memory:add("fact", "x")
      assert.equal(index, #memory)
    end
    memory:forget(4)
    memory:forget(4)
    assert.equal(9, #memory)
    memory:close()
    memory = assert(aish.open(path))
    assert.equal(9, #memory)
    memory:close()
  end)

  it("tostring shows path and state", function()
    local memory, path = new()
    local open = tostring(memory)
    assert.truthy(open:find(path, 1, true), open)
    assert.is_nil(open:find("closed", 1, true))
    memory:close()
    local closed = tostring(memory)
    assert.truthy(closed:find(path, 1, true), closed)
    assert.truthy(closed:find("closed", 1, true), closed)
  end)

  it("tostring takes a path of any length and bytes", function()
    local path = helper.tmpdir() .. ("/" .. ("%s%n\255"):rep(40)):rep(10)
    local memory = assert(aish.open(path))
    assert.truthy(tostring(memory):find(path, 1, true))
    memory:close()
    assert.truthy(tostring(memory):find(path, 1, true))
  end)
end)

describe("close", function()
  helper.guard(before_each, after_each)

  it("closes the descriptor, and twice is fine", function()
    local memory = new()
    local fd = memory.fd
    memory:close()
    assert.is_nil(helper.descriptors()[fd])
    memory:close()
    memory:close()
  end)

  it("leaves alone a descriptor that took the number meanwhile", function()
    local memory = new()
    local fd = memory.fd
    memory:close()
    local file = assert(io.open("/dev/null"))
    assert.equal("/dev/null", helper.descriptors()[fd])
    memory:close()
    assert.equal("/dev/null", helper.descriptors()[fd])
    file:close()
  end)

  it("leaves a file that everyone may open again", function()
    local memory, path = new()
    memory:close()
    assert(aish.open(path)):close()
  end)

  it("makes every method raise", function()
    local memory = new()
    memory:close()
    for name in names:gmatch("%S+") do
      if name ~= "close" then
        local message = "memory:" .. name .. " on closed handle"
        assert.equal(message, raised(memory[name], memory))
        assert.equal(message, raised(memory[name], memory, 1))
        assert.equal(message, raised(memory[name], memory, "fact", "x"))
        assert.equal(message, raised(memory[name], memory, {}))
      end
    end
    assert.equal("memory:# on closed handle", raised(function() return #memory end))
    raised(aish.flock, memory, aish.LOCK_UN)
  end)
end)

describe("handles", function()
  helper.guard(before_each, after_each)

  local function collect()
    collectgarbage()
    collectgarbage()
  end

  it("that are collected close their file", function()
    local dir = helper.tmpdir()
    local path = dir .. "/memory.jsonl"
    local fd
    (function()
      local memory = assert(aish.open(path))
      memory:add("fact", "kept")
      fd = memory.fd
    end)()
    collect()
    assert.is_nil(helper.descriptors()[fd])
    local memory = assert(aish.open(path))
    assert.equal("kept", memory:get(1).content)
    memory:close()
  end)

  it("that are closed and collected close it once", function()
    local file
    (function()
      local memory = new()
      memory:close()
      file = assert(io.open("/dev/null"))
    end)()
    collect()
    assert.equal("string", type(file:read(0) or ""))
    file:close()
  end)

  it("outlive a finalizer that is called by hand", function()
    local memory, path = new()
    local meta = debug.getmetatable(memory)
    for _, name in ipairs({ "__gc", "__close" }) do
      local finalizer = meta[name]
      if finalizer then
        for _, self in ipairs({ {}, 5, "x", io.stdout, newproxy(true) }) do
          pcall(finalizer, self)
        end
        finalizer(memory)
        finalizer(memory)
        assert.is_true(memory.closed)
        raised(memory.add, memory, "fact", "x")
        memory:close()
      end
    end
    memory:close()
    assert(aish.open(path)):close()
  end)

  it("stand side by side", function()
    local dir = helper.tmpdir()
    local all = {}
    for index = 1, 100 do
      all[index] = assert(aish.open(("%s/%d.jsonl"):format(dir, index), { sync = "none" }))
    end
    for round = 1, 5 do
      for index, memory in ipairs(all) do
        if index % 5 >= round then
          assert.equal(round, memory:add("fact", index .. "/" .. round))
        end
      end
    end
    for index = 1, 100, 2 do all[index]:close() end
    for index = 2, 100, 2 do
      assert.equal(index % 5, #all[index])
      for id, item in ipairs(all[index]:items()) do
        assert.equal(index .. "/" .. index % 5 + 1 - id, item.content)
      end
      all[index]:close()
    end
    for index = 1, 100, 2 do
      assert.equal(index % 5, #aish.load_memory(("%s/%d.jsonl"):format(dir, index)))
    end
  end)

  it("that fail to open leave no descriptor", function()
    local dir = helper.tmpdir()
    local memory, path = new(dir)
    local before = helper.descriptors()
    for _ = 1, 50 do
      aish.open(path)
      aish.open(dir)
      aish.open("/dev/null")
      pcall(aish.open, path, { snyc = true })
    end
    assert.same(before, helper.descriptors())
    memory:close()
  end)

  it("are close-on-exec", function()
    local memory = new()
    local flags = helper.read("/proc/self/fdinfo/" .. memory.fd):match("flags:%s*(%d+)")
    assert.equal(1, math.floor(tonumber(flags, 8) / tonumber("2000000", 8)) % 2)
    memory:close()
  end)

  it("do not leave the lock with a background child", function()
    local memory, path = new()
    local pids = helper.tmpdir() .. "/pid"
    os.execute("sleep 60 >/dev/null 2>&1 & echo $! >" .. helper.quote(pids))
    local pid = tonumber(helper.read(pids))
    finally(function() support.kill(pid) end)
    memory:close()
    assert(aish.open(path)):close()
  end)

  -- Allocating runs the collector, and with it the finalizers of others, in the middle of a call:
  -- `prepare`s a call with the collector stopped, and makes it with one round of the collector due.
  local function call_with_finalizers(round, finalizer, prepare)
    collectgarbage("stop")
    collectgarbage("setstepmul", ({ 1000000, 100000, 10000, 1000 })[round % 4 + 1])
    for _ = 1, 5 do getmetatable(newproxy(true)).__gc = finalizer end
    local call = prepare()
    collectgarbage("restart")
    call()
  end

  local function eager_collector()
    local pause, step = collectgarbage("setpause", 1000), collectgarbage("setstepmul", 1000)
    finally(function()
      collectgarbage("restart")
      collectgarbage("setpause", pause)
      collectgarbage("setstepmul", step)
    end)
  end

  -- Tags with many metatables and long numbers, so that encoding them allocates.
  local function tags(round)
    local list = {}
    for index = 1, 40 do
      list[index] = setmetatable({ ("k" .. round * 100 + index), { [round * 1000 + index] = index / 3 } },
        { __jsontype = "array" })
    end
    return list
  end

  it("can be used by a finalizer while they are in use", function()
    eager_collector()
    local memory, path = new(nil, { sync = "none" })
    local count, calls, round, inside, acknowledged = 0, 0, 0, false, {}
    local function finalizer()
      if not inside then return end
      count = count + 1
      acknowledged[memory:add("fact", "finalizer", { "f" }, "f")] = "finalizer"
    end
    while round < 200 or (count == 0 and round < 2000) do -- when the collector runs is not ours to say
      round = round + 1
      call_with_finalizers(round, finalizer, function()
        local list, text = tags(round), "call " .. round
        local two = { { kind = "pref", content = text, tags = list }, { kind = "pref", content = text, source = "s" } }
        return function()
          inside = true
          local ids = round % 2 == 0 and { memory:add("pref", text, list, "source") } or memory:add_many(two)
          inside = false
          for _, id in ipairs(ids) do
            acknowledged[id] = text
            calls = calls + 1
          end
        end
      end)
    end
    memory:close()
    local items = aish.load_memory(path)
    for _, item in ipairs(items) do
      assert.equal(acknowledged[item.id], item.content)
      assert.equal(item.content == "finalizer" and "fact" or "pref", item.kind)
      acknowledged[item.id] = nil
    end
    assert.is_nil(next(acknowledged))
    assert.equal(1.5 * round, calls)
    assert.equal(calls + count, #items)
    assert.truthy(count > 0)
  end)

  -- The method is looked up beforehand: the first to allocate is the call itself.
  it("can be closed by a finalizer while they are in use", function()
    eager_collector()
    local path, closed, filter = helper.tmpdir() .. "/memory.jsonl", {}, nil
    local calls = {
      { "add", function(list) return "fact", "content", list, "source" end },
      { "add_many", function(list) return { { kind = "fact", content = "content", tags = list } } end },
      { "update", function(list, newest) return newest, { content = "content", tags = list } end },
      { "forget", function(_, newest) return newest end },
      { "get", function() return 1 end },
      { "items", function() return filter end },
      { "search", function() return "before", filter end },
      { "recall", function() return "before", filter end },
    }
    local most, round = 4000, 0
    -- What allocates for certain, in every second round: not each Lua does in each call.
    local function allocate(text) return text .. " " .. round end
    local function are_all() return closed.add and closed.update and closed.items and closed.search and closed.recall end
    while round < 160 or (not are_all() and round < most) do -- when the collector runs is not ours to say
      round = round + 1
      collectgarbage()
      local every_second = math.floor(round / #calls) % 2 == 0
      filter = every_second and { where = { member = "value" } } or nil
      local options = { sync = "none", redact = every_second and allocate or nil }
      local memory, call = assert(aish.open(path, options)), calls[round % #calls + 1]
      memory:add("fact", "before", tags(round))
      local inside = false
      local function finalizer()
        if inside and not memory.closed then
          closed[call[1]] = true
          memory:close()
        end
      end
      call_with_finalizers(math.floor(round / #calls), finalizer, function()
        local method, arguments = memory[call[1]], helper.pack(call[2](tags(round), memory:items({ limit = 1 })[1]))
        return function()
          inside = true
          local done, result, message = pcall(method, memory, unpack(arguments, 1, arguments.n))
          inside = false
          if done then assert.is_true(result ~= nil or message == nil, message)
          else assert.truthy(result:find("memory:" .. call[1] .. " on closed handle", 1, true), result) end
        end
      end)
      memory:close()
    end
    assert.is_true(are_all())
    for _, line in ipairs(helper.lines(path)) do assert.truthy((aish.decode(line))) end
  end)

  it("work in a coroutine", function()
    local memory = new()
    local id = coroutine.wrap(function() return memory:add("fact", "x") end)()
    assert.equal("x", coroutine.wrap(function() return memory:get(id).content end)())
    memory:close()
  end)

  it("keep a relative path's file when the directory changes", function()
    local dir = helper.tmpdir()
    lfs.mkdir(dir .. "/one")
    lfs.mkdir(dir .. "/two")
    assert.equal("1\n2\n", helper.run([[
      local aish = require("aish_history")
      local lfs = require("lfs")
      lfs.chdir((...) .. "/one")
      local memory = assert(aish.open("memory.jsonl"))
      print(memory:add("fact", "x"))
      lfs.chdir("../two")
      print(memory:add("fact", "y"))
    ]], dir))
    assert.equal(2, #aish.load_memory(dir .. "/one/memory.jsonl"))
    assert.is_nil(lfs.attributes(dir .. "/two/memory.jsonl"))
  end)
end)

describe("arguments", function()
  helper.guard(before_each, after_each)

  local values = { { "nil" }, { "boolean", true }, { "boolean", false }, { "number", 0 }, { "number", -1.5 },
    { "number", 0 / 0 }, { "number", math.huge }, { "number", 2 ^ 53 }, { "string", "" }, { "string", "x\0y" },
    { "string", "1" }, { "table", {} }, { "table", { 1, 2 } }, { "table", { x = 1 } },
    { "table", setmetatable({}, { __index = error, __len = error, __tostring = error }) }, { "function", print },
    { "function", function() end }, { "thread", coroutine.create(function() end) }, { "userdata", io.stdout },
    { "userdata", newproxy(true) }, { "userdata", newproxy() }, { "userdata", aish.null } }
  if rawget(_G, "jit") then
    local ffi = require("ffi")
    values[#values + 1] = { "cdata", ffi.new("int64_t", 1) } -- a value, but no argument
    values[#values + 1] = { "cdata", ffi.new("char[8]") }
    values[#values + 1] = { "cdata", ffi.cast("void *", nil) }
  end

  -- Each call with arguments that are right, and the types that each place takes besides.
  local calls = {
    { "open", { "/dev/null/x" }, { "string" } },
    { "open", { "/dev/null/x", {} }, { "string", "nil table" } },
    { "load_memory", { "/dev/null/x" }, { "string" } },
    { "flock", { 0, 8 }, { "number", "number" } },
    { "m:add", { "fact", "x" }, { "", "string" }, "kind content" },
    { "m:add", { "fact", "x", { "t" } }, { "", "string", "nil table" }, "kind content tags" },
    { "m:add", { "fact", "x", { "t" }, "s" }, { "", "string", "nil table", "nil string" },
      "kind content tags source" },
    { "m:add_many", { {} }, { "table" } },
    { "m:forget", { 1 }, { "number" } },
    { "m:update", { 1, { x = 1 } }, { "number", "table" } },
    { "m:get", { 1 }, { "number" } },
  }

  local function right_after_all(name, index, value)
    return name == "m:add" and index > 2 and value == false or name == "flock" and index == 1 and value == io.stdout
  end

  for _, call in ipairs(calls) do
    local name, right, types, words = call[1], call[2], call[3], call[4]
    for index = 1, #right do
      it(("of a wrong type raise: %s, %d of %d"):format(name, index, #right), function()
        local memory, path = new()
        memory:add("fact", "first")
        local before = helper.read(path)
        local method = name:match("^m:(.*)")
        for _, pair in ipairs(values) do
          local kind, value = pair[1], pair[2]
          if not (" " .. types[index] .. " "):find(" " .. kind .. " ", 1, true)
            and not right_after_all(name, index, value) then
            local arguments = {}
            for place = 1, #right do arguments[place] = right[place] end
            arguments[index] = value
            local ok, message
            if method then
              ok, message = pcall(memory[method], memory, unpack(arguments, 1, #right))
            else
              ok, message = pcall(aish[name], unpack(arguments, 1, #right))
            end
            assert.is_false(ok, name .. " took a " .. kind)
            -- An error that a metamethod of the argument raised is its own.
            if not (type(value) == "table" and getmetatable(value)) then
              assert.equal("string", type(message))
              local word = words and words:match(("%S+ "):rep(index - 1) .. "(%S+)")
              assert.truthy(message:find("bad argument #%d") or word and message:find(word, 1, true), message)
            end
          end
        end
        assert.equal(before, helper.read(path))
        assert.equal(2, memory.next_id)
        assert.equal(1, #memory)
        assert.equal(2, memory:add("fact", "still alive"))
        memory:close()
      end)
    end
  end

  it("that are too few or too many raise", function()
    local memory, path = new()
    local before = helper.read(path)
    local right = { add = { "fact", "x", { "t" }, "s" }, add_many = { {} }, forget = { 1 }, get = { 1 }, items = { nil },
      update = { 1, {} },
      sync = {}, close = {} }
    local many = {}
    for index = 1, 7000 do many[index] = index end
    for name, arguments in pairs(right) do
      local count = name == "items" and 1 or #arguments
      raised(memory[name])
      if #arguments > 0 then raised(memory[name], memory) end
      arguments[count + 1] = 1
      local message = raised(memory[name], memory, unpack(arguments, 1, count + 1))
      assert.matches("bad argument #%d", message)
      raised(memory[name], memory, unpack(many))
      raised(memory[name], memory, unpack({}, 1, 20))
    end
    for _, name in ipairs({ "open", "load_memory", "flock" }) do
      raised(aish[name])
      raised(aish[name], nil)
      raised(aish[name], unpack(many))
    end
    raised(aish.open, path, nil, nil)
    raised(aish.flock, memory)
    raised(aish.flock, memory, 8, nil)
    assert.equal(before, helper.read(path))
    assert.is_false(memory.closed)
    memory:close()
  end)

  it("of the wrong self raise", function()
    local memory = new()
    for name in names:gmatch("%S+") do
      for _, pair in ipairs(values) do
        raised(memory[name], pair[2], "fact", "x")
      end
      raised(memory[name])
    end
    local meta = debug.getmetatable(memory)
    for _, name in ipairs({ "__len", "__tostring", "__index", "__newindex" }) do
      if type(meta[name]) == "function" then
        for _, pair in ipairs(values) do pcall(meta[name], pair[2], "path", 1) end
        pcall(meta[name])
      end
    end
    assert.equal(1, memory:add("fact", "still alive"))
    memory:close()
  end)

  it("of another handle's kind raise", function()
    local memory = new()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path))
    for name in names:gmatch("%S+") do raised(memory[name], session, "fact", "x") end
    for _, name in ipairs({ "append", "sync", "close" }) do raised(session[name], memory, {}) end
    session:close()
    memory:close()
    assert.equal("", helper.read(path))
  end)
end)
