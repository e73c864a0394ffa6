--- append(path, value, opts): one record, no handle.
local stat = require("posix.sys.stat")
local unistd = require("posix.unistd")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local memories = require("spec.support.memories")
local user = require("spec.support.user")
local native = require("aish_history")

local EAGAIN, EFBIG, EINVAL, EACCES, ELOOP = 11, 27, 22, 13, 40

local function new_path()
  return helper.tmpdir() .. "/log.jsonl"
end

describe("append", function()
  helper.guard(before_each, after_each)

  it("makes the file and returns true and nothing else", function()
    local path = new_path()
    assert.same({ true }, { native.append(path, { n = 1 }) })
    assert.equal('{"n":1}\n', helper.read(path))
  end)

  it("adds at the end, a line each time", function()
    local path = new_path()
    for index = 1, 3 do assert.is_true(native.append(path, { n = index })) end
    assert.equal('{"n":1}\n{"n":2}\n{"n":3}\n', helper.read(path))
  end)

  it("keeps no descriptor, whether it succeeds, fails or raises", function()
    local path = new_path()
    assert.is_true(native.append(path, { n = 1 }))
    assert.same({}, cases.descriptors_of(path))
    local holder = assert(io.open(path, "r"))
    assert.is_true(native.flock(holder, native.LOCK_EX + native.LOCK_NB))
    assert.is_nil((native.append(path, { n = 2 }, { wait = 0 })))
    holder:close()
    assert.same({}, cases.descriptors_of(path))
    assert.is_false(pcall(native.append, path, { fn = print }))
    assert.same({}, cases.descriptors_of(path))
  end)

  it("writes no meta line into a new file", function()
    local path = new_path()
    assert(native.append(path, { role = "user" }))
    assert.equal('{"role":"user"}\n', helper.read(path))
  end)

  for _, case in ipairs({
    { {}, "{}" },
    { setmetatable({}, { __jsontype = "object" }), "{}" },
    { { list = { 1, { 2 } } }, '{"list":[1,[2]]}' },
    { { s = "a\nb\0c\"\\/\255" }, '{"s":"a\\nb\\u0000c\\"\\\\/\\udcff"}' },
    { { v = native.null }, '{"v":null}' },
  }) do
    it("writes exactly " .. case[2], function()
      local path = new_path()
      assert.is_true(native.append(path, case[1]))
      assert.equal(case[2] .. "\n", helper.read(path))
    end)
  end

  for _, bytes in ipairs({ '{"role":"us', "\0", '{"whole":1}', "\r" }) do
    it("ends a torn tail, keeps it, and glues nothing to it: " .. bytes:gsub("%c", "."), function()
      local path = helper.write(new_path(), '{"n":1}\n' .. bytes)
      assert.is_true(native.append(path, { n = 2 }))
      assert.is_true(native.append(path, { n = 3 }))
      assert.equal('{"n":1}\n' .. bytes .. '\n{"n":2}\n{"n":3}\n', helper.read(path))
    end)
  end

  it("writes many megabytes", function()
    local path = new_path()
    local content = ("y"):rep(9 * 1024 * 1024 + 1)
    assert.is_true(native.append(path, { s = content }))
    assert.is_true(native.append(path, { n = 2 }))
    assert.is_true(helper.read(path) == '{"s":"' .. content .. '"}\n{"n":2}\n')
  end)

  it("writes what lua-cjson reads back as the same values", function()
    local path = new_path()
    local random = cases.random(4711)
    local values = {}
    for index = 1, 500 do
      values[index] = { n = index, value = cases.value(random, 5) }
      assert.is_true(native.append(path, values[index]))
    end
    local lines = helper.lines(path)
    assert.equal(500, #lines)
    for index, line in ipairs(lines) do
      assert.is_nil(cases.difference(values[index], cases.read_object(line), "line " .. index))
    end
  end)

  for _, how in ipairs({ "full", "none" }) do
    it("takes sync = " .. how, function()
      local path = new_path()
      assert.is_true(native.append(path, { n = 1 }, { sync = how }))
      assert.is_true(native.append(path, { n = 2 }, { sync = how, wait = 1.5 }))
      assert.equal('{"n":1}\n{"n":2}\n', helper.read(path))
    end)
  end

  it("reads nothing any more when all is written at once", function()
    local path = helper.write(new_path(), '{"n":1}\n')
    local output, log = memories.trace("pread64,lseek,write", [[
      local native = require("aish_history")
      local path = ...
      io.stderr:write("mark\n")
      assert(native.append(path, { n = 2 }))
      io.stderr:write("mark\n")
    ]], path)
    if not output then return pending("strace is not at hand") end
    local calls = {}
    for name, target in log:match('mark\\n"(.*)mark'):gmatch("(%w+)%(%d+<([^>]*)>") do
      if target == path then calls[#calls + 1] = name end
    end
    assert.equal("write", calls[#calls])
  end)

  it("goes to an open session's file, too", function()
    local path = new_path()
    local session = assert(native.session(path))
    session:append({ n = 1 })
    assert.is_true(native.append(path, { n = 2 }))
    session:append({ n = 3 })
    session:close()
    assert.equal('{"n":1}\n{"n":2}\n{"n":3}\n', helper.read(path))
  end)
end)

describe("append: the lock", function()
  helper.guard(before_each, after_each)

  it("is respected: nil, a message and EAGAIN", function()
    local path = helper.write(new_path(), '{"n":1}\n')
    local holder = assert(io.open(path, "r"))
    assert.is_true(native.flock(holder, native.LOCK_SH + native.LOCK_NB))
    local ok, message, number = native.append(path, { n = 2 }, { wait = 0 })
    holder:close()
    assert.is_nil(ok)
    assert(message:find(cases.strerror(EAGAIN), 1, true), message)
    assert.equal(EAGAIN, number)
    assert.equal('{"n":1}\n', helper.read(path))
  end)

  it("of a memory handle is respected", function()
    local path = new_path()
    local memory = assert(native.open(path))
    local before = helper.read(path)
    local ok, _, number = native.append(path, { n = 2 }, { wait = 0 })
    assert.is_nil(ok)
    assert.equal(EAGAIN, number)
    assert.equal(before, helper.read(path))
    memory:close()
    assert.is_true(native.append(path, { n = 2 }, { wait = 0 }))
    assert.equal(before .. '{"n":2}\n', helper.read(path))
  end)

  it("is waited for", function()
    local path = helper.write(new_path(), "")
    local child = helper.start([[
      local native = require("aish_history")
      local holder = assert(io.open((...), "r"))
      assert(native.flock(holder, native.LOCK_EX))
      print("held")
      io.stdout:flush()
      require("posix.time").nanosleep({ tv_sec = 0, tv_nsec = 300000000 })
      print(holder:read("*a") == "")
    ]], path)
    assert.equal("held", child:read("*l"))
    assert.is_true(native.append(path, { n = 1 }, { wait = 120 }))
    assert.equal("true", child:read("*l"))
    child:close()
    assert.equal('{"n":1}\n', helper.read(path))
  end)

  it("is free again when append returns, whatever it returned", function()
    local path = new_path()
    native.append(path, { n = 1 })
    pcall(native.append, path, { fn = print })
    local holder = assert(io.open(path, "r"))
    assert.is_true(native.flock(holder, native.LOCK_EX + native.LOCK_NB))
    holder:close()
  end)

  it("keeps the records of many processes whole", function()
    local path = new_path()
    local code = [[
      local native = require("aish_history")
      local path, name = ...
      for index = 1, 100 do
        assert(native.append(path, { by = name, n = index, pad = ("z"):rep(index * 91 % 9000) }))
      end
      print("done")
    ]]
    local children = {}
    for index = 1, 4 do children[index] = helper.start(code, path, "p" .. index) end
    for _, child in ipairs(children) do
      assert.equal("done\n", child:read("*a"))
      child:close()
    end
    local lines = helper.lines(path)
    assert.equal(400, #lines)
    local last = { p1 = 0, p2 = 0, p3 = 0, p4 = 0 }
    for _, line in ipairs(lines) do
      local record = cases.read_object(line)
      assert.equal(last[record.by] + 1, record.n)
      assert.equal(record.n * 91 % 9000, #record.pad)
      last[record.by] = record.n
    end
  end)
end)

describe("append: a failure", function()
  helper.guard(before_each, after_each)

  it("to write leaves the file as it was", function()
    local path = helper.write(new_path(), '{"n":1}\n{"n":')
    local output = helper.run([[
      local resource = require("posix.sys.resource")
      require("posix.signal").signal(require("posix.signal").SIGXFSZ, require("posix.signal").SIG_IGN)
      assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = 4096, rlim_max = 4096 }))
      print(require("aish_history").append(..., { s = ("x"):rep(20000) }))
    ]], path)
    local message, number = output:match("^nil\t(.*)\t(%d+)\n$")
    assert(message, output)
    assert(message:find(path .. ": " .. cases.strerror(EFBIG), 1, true), message)
    assert.equal(EFBIG, tonumber(number))
    assert.equal('{"n":1}\n{"n":', helper.read(path))
  end)

  it("to write a first byte leaves even the file's time", function()
    local path = helper.write(new_path(), '{"n":1}\n')
    assert(lfs.touch(path, 1000000, 1000000))
    local output = helper.run([[
      local resource = require("posix.sys.resource")
      require("posix.signal").signal(require("posix.signal").SIGXFSZ, require("posix.signal").SIG_IGN)
      assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = 8, rlim_max = 8 }))
      io.stderr:write((select(3, require("aish_history").append(..., { n = 2 }))))
    ]], path)
    assert.equal(EFBIG, tonumber(output), output)
    assert.equal(1000000, lfs.attributes(path, "modification"))
  end)

  it("to find the file gives back the lock of the one before", function()
    local dir = helper.tmpdir()
    local path = dir .. "/log.jsonl"
    local session = assert(native.session(path))
    assert.is_true(session:append({ n = 1 }))
    assert(os.rename(path, dir .. "/aside"))
    assert(unistd.link("log.jsonl", path, true)) -- a loop
    local done, message, number = session:append({ n = 2 })
    assert.falsy(done)
    assert(message:find(path .. ": " .. cases.strerror(ELOOP), 1, true), message)
    assert.equal(ELOOP, number)
    local holder = assert(io.open(dir .. "/aside"))
    assert.is_true(native.flock(holder, native.LOCK_EX + native.LOCK_NB))
    holder:close()
    session:close()
  end)

  it("to write leaves no file that was made for it, also where a symbolic link leads", function()
    local dir = helper.tmpdir()
    assert(unistd.link("real", dir .. "/link", true))
    local output = helper.run([[
      local resource = require("posix.sys.resource")
      require("posix.signal").signal(require("posix.signal").SIGXFSZ, require("posix.signal").SIG_IGN)
      local infinity = resource.RLIM_INFINITY
      for _, path in ipairs({ ... }) do
        assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = 1, rlim_max = infinity }))
        local _, _, number = require("aish_history").append(path, { n = 1 })
        assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = infinity, rlim_max = infinity }))
        print(number)
      end
    ]], dir .. "/log", dir .. "/link")
    assert.equal(EFBIG .. "\n" .. EFBIG .. "\n", output)
    assert.is_false(cases.exists(dir .. "/log"))
    assert.is_false(cases.exists(dir .. "/real"))
    assert.equal("real", unistd.readlink(dir .. "/link"))
  end)

  for _, case in ipairs(cases.unstorable) do
    local label, make, place, word = unpack(case)
    it("raises for " .. label .. ", names the path to it, and makes no file", function()
      local path = new_path()
      local ok, message = pcall(native.append, path, make())
      assert.is_false(ok)
      assert(message:find("value" .. place, 1, true), message)
      assert(message:find(word, 1, true), message)
      assert.is_false(cases.exists(path))
    end)
  end

  it("to store a value writes nothing, not even the end of a torn line", function()
    local path = helper.write(new_path(), '{"n":')
    assert.is_false(pcall(native.append, path, { fn = print }))
    assert.equal('{"n":', helper.read(path))
  end)

  cases.paths_are_refused(it, "append(path, { n = 1 })", cases.failed_making)

  it("is a NUL byte in the path", function()
    local dir = helper.tmpdir()
    local ok, message, number = native.append(dir .. "/a\0b", { n = 1 })
    assert.is_nil(ok)
    assert.matches("^open .*: path has a NUL byte$", message)
    assert.equal(EINVAL, number)
    assert.is_false(cases.exists(dir .. "/a"))
  end)

  it("is a file that may not be written to", function()
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/log.jsonl", "")
    assert(stat.chmod(path, tonumber("400", 8)))
    user.run(dir, function()
      cases.failed("open " .. path .. ": " .. cases.strerror(EACCES), EACCES, native.append(path, { n = 1 }))
    end)
  end)
end)

describe("append: the file", function()
  helper.guard(before_each, after_each)

  it("is 0600, and new directories are 0700, under an empty umask", function()
    local dir = helper.tmpdir()
    local old = stat.umask(0)
    finally(function() stat.umask(old) end)
    assert.is_true(native.append(dir .. "/a/b/log.jsonl", { n = 1 }))
    assert.equal(tonumber("600", 8), cases.mode(dir .. "/a/b/log.jsonl"))
    assert.equal(tonumber("700", 8), cases.mode(dir .. "/a/b"))
    assert.equal(tonumber("700", 8), cases.mode(dir .. "/a"))
  end)

  it("keeps its mode when it was there", function()
    local path = helper.write(new_path(), "")
    assert(stat.chmod(path, tonumber("664", 8)))
    assert.is_true(native.append(path, { n = 1 }))
    assert.equal(tonumber("664", 8), cases.mode(path))
  end)

  it("may be reached through a symbolic link, which stays one", function()
    local dir = helper.tmpdir()
    helper.write(dir .. "/real", '{"n":1}\n')
    assert(unistd.link("real", dir .. "/link", true))
    assert.is_true(native.append(dir .. "/link", { n = 2 }))
    assert.equal("real", unistd.readlink(dir .. "/link"))
    assert.equal('{"n":1}\n{"n":2}\n', helper.read(dir .. "/real"))
  end)
end)

describe("append: arguments", function()
  helper.guard(before_each, after_each)

  it("may not be more than it takes", function()
    local path = new_path()
    cases.too_many_error(function() native.append(path, {}, {}, "more") end, 3, "append")
    assert.is_false(cases.exists(path))
  end)

  it("are needed", function()
    local path = new_path()
    cases.argument_error(function() native.append() end, 1, "append", "no value")
    cases.argument_error(function() native.append(nil, {}) end, 1, "append", "nil")
    cases.argument_error(function() native.append(path) end, 2, "append", "no value")
    cases.argument_error(function() native.append(path, nil) end, 2, "append", "nil")
    assert.is_false(cases.exists(path))
  end)

  for _, name in ipairs(cases.types_but("string")) do
    it("take no " .. name .. " as path", function()
      cases.argument_error(function() native.append(cases.values[name], {}) end, 1, "append", name)
    end)
  end

  for _, name in ipairs(cases.types_but("table")) do
    it("take no " .. name .. " as value or options", function()
      local path = new_path()
      cases.argument_error(function() native.append(path, cases.values[name]) end, 2, "append", name)
      cases.argument_error(function() native.append(path, {}, cases.values[name]) end, 3, "append", name)
      assert.is_false(cases.exists(path))
    end)
  end

  for _, case in ipairs({
    { { wiat = 1 }, 'unknown option "wiat"' },
    { { exclusive = true }, 'unknown option "exclusive"' },
    { { new = true }, 'unknown option "new"' },
    { { sync = "half" }, '"full" or "none"' },
    { { sync = true }, '"full" or "none"' },
    { { wait = "5" }, 'option "wait" must be a number of seconds, got string' },
  }) do
    local options, words = unpack(case)
    it("refuse options: " .. words, function()
      local path = new_path()
      cases.argument_error(function() native.append(path, {}, options) end, 3, "append", words)
      assert.is_false(cases.exists(path))
    end)
  end
end)
