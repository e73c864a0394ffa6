--- session(path, meta, opts) and its handle.
local fcntl = require("posix.fcntl")
local stat = require("posix.sys.stat")
local unistd = require("posix.unistd")
local cjson = require("cjson")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local user = require("spec.support.user")
local native = require("aish_history")

local EAGAIN, EPERM, EFBIG, EINVAL = 11, 1, 27, 22

local function new_path()
  return helper.tmpdir() .. "/2026-01-02T03-04-05.jsonl"
end

describe("session: what is written", function()
  helper.guard(before_each, after_each)

  it("makes the file at once, empty without a meta table", function()
    local path = new_path()
    local session = assert(native.session(path))
    assert.equal("", helper.read(path))
    session:close()
    assert.equal("", helper.read(path))
  end)

  it("writes a record a line, and keeps none of them back", function()
    local path = new_path()
    local session = assert(native.session(path))
    assert.is_true(session:append({ content = "one" }))
    assert.equal('{"content":"one"}\n', helper.read(path))
    assert.is_true(session:append({ content = "two" }))
    assert.equal('{"content":"one"}\n{"content":"two"}\n', helper.read(path))
    session:close()
    assert.equal('{"content":"one"}\n{"content":"two"}\n', helper.read(path))
  end)

  it("writes the meta table as the first line of a new file", function()
    local path = new_path()
    local session = assert(native.session(path, { model = "m" }))
    assert.equal('{"meta":{"model":"m"}}\n', helper.read(path))
    session:append({ content = "one" })
    assert.equal('{"meta":{"model":"m"}}\n{"content":"one"}\n', helper.read(path))
    session:close()
  end)

  it("writes an empty meta table, too", function()
    local path = new_path()
    assert(native.session(path, {})):close()
    assert.equal('{"meta":{}}\n', helper.read(path))
  end)

  it("writes the meta table into a file that is there and empty", function()
    local path = helper.write(new_path(), "")
    assert(native.session(path, { model = "m" })):close()
    assert.equal('{"meta":{"model":"m"}}\n', helper.read(path))
  end)

  for label, bytes in pairs({
    ["has a meta line"] = '{"meta":{"model":"old"}}\n',
    ["has a turn"] = '{"role":"user","content":"x"}\n',
    ["has no newline at its end"] = '{"role":"user","content":"x"}',
    ["has nothing but a fragment"] = '{"ro',
    ["has a byte order mark and no more"] = "\239\187\191",
    ["has one NUL byte"] = "\0",
  }) do
    it("writes no meta table into a file that " .. label, function()
      local path = helper.write(new_path(), bytes)
      assert(native.session(path, { model = "new" })):close()
      assert.is_nil(helper.read(path):find("new", 1, true))
      assert.equal(bytes, helper.read(path):sub(1, #bytes))
    end)
  end

  for label, bytes in pairs({
    ["is not there"] = false,
    ["is empty"] = "",
    ["has blank lines only"] = "\n \r\n\n",
    ["has nothing but a fragment"] = '{"ro',
    ["has a byte order mark and no more"] = "\239\187\191",
  }) do
    it("writes the meta table of a new session into a file that " .. label, function()
      local path = new_path()
      if bytes then helper.write(path, bytes) end
      local session = assert(native.session(path, { model = "m" }, { new = true }))
      session:append({ role = "user", content = "x" })
      session:close()
      local turns, meta = native.load(path)
      assert.same({ model = "m" }, meta)
      assert.equal("x", turns[1].content)
      assert.equal(bytes or "", helper.read(path):sub(1, #(bytes or "")))
    end)
  end

  it("makes a new session without a meta table", function()
    local path = new_path()
    assert(native.session(path, nil, { new = true })):close()
    assert.equal("", helper.read(path))
    assert(native.session(path, nil, { new = true, exclusive = true })):close()
  end)

  for label, bytes in pairs({
    ["has a meta line"] = '{"meta":{"model":"old"}}\n',
    ["has a turn"] = '{"role":"user","content":"x"}\n',
    ["has a turn behind blank lines and damage"] = '\n\n{"ro\n{"role":"user","content":"x"}',
    ["has any other record"] = "{}\n",
  }) do
    it("refuses a new session where the file " .. label .. ", and leaves it as it was", function()
      local path = helper.write(new_path(), bytes)
      for _, meta in ipairs({ { model = "new" }, false }) do
        local session, message, number = native.session(path, meta or nil, { new = true })
        assert.same({ nil, "open " .. path .. ": File exists", 17 }, { session, message, number })
        assert.equal(bytes, helper.read(path))
      end
      local lock = assert(io.open(path))
      assert.is_true(native.flock(lock, native.LOCK_EX + native.LOCK_NB))
      lock:close()
      assert(native.session(path, { model = "new" }, { new = false })):close()
    end)
  end

  it("refuses a new session where there is a memory, and says what it is", function()
    local path = new_path()
    assert(native.open(path)):close()
    local _, message, number = native.session(path, { m = 1 }, { new = true })
    assert.same({ "open " .. path .. ": it is a memory, not a session", EINVAL }, { message, number })
  end)

  it("keeps what an earlier session wrote when it is opened again", function()
    local path = new_path()
    local first = assert(native.session(path, { model = "m" }))
    first:append({ content = "one" })
    first:close()
    local second = assert(native.session(path, { model = "n" }))
    second:append({ content = "two" })
    second:close()
    assert.equal('{"meta":{"model":"m"}}\n{"content":"one"}\n{"content":"two"}\n', helper.read(path))
  end)

  local object = { __jsontype = "object" }
  for _, case in ipairs({
    { {}, "{}" },
    { setmetatable({}, object), "{}" },
    { { a = { b = { c = 1 } } }, '{"a":{"b":{"c":1}}}' },
    { { list = { {}, setmetatable({}, object), { {} } } }, '{"list":[[],{},[[]]]}' },
    { { [21] = "mostly holes" }, '{"21":"mostly holes"}' },
    { { [1099511627776] = "a" }, '{"1099511627776":"a"}' },
    { { n = 1 }, '{"n":1}' },
    { { s = "\"\\/" }, '{"s":"\\"\\\\/"}' },
    { { s = "\n\r\t\b\f" }, '{"s":"\\n\\r\\t\\b\\f"}' },
    { { s = "\0\1\31" }, '{"s":"\\u0000\\u0001\\u001f"}' },
    { { s = "na\195\175ve \240\159\152\128" }, '{"s":"na\195\175ve \240\159\152\128"}' },
    { { s = "\255\128 not UTF-8" }, '{"s":"\\udcff\\udc80 not UTF-8"}' },
    { { ["key\n"] = true }, '{"key\\n":true}' },
    { { [""] = false }, '{"":false}' },
    { { v = native.null }, '{"v":null}' },
    { { v = cjson.null }, '{"v":null}' },
    { { n = 0 / 0 }, '{"n":null}' },
    { { n = math.huge }, '{"n":null}' },
    { { n = -math.huge }, '{"n":null}' },
    { { n = 9007199254740991 }, '{"n":9007199254740991}' },
    { { n = 9007199254740992 }, '{"n":9007199254740992}' },
    { { n = 1760000000.123456 }, '{"n":1760000000.123456}' },
    { { n = 0.1 }, '{"n":0.1}' },
    { { n = 0.30000000000000004 }, '{"n":0.30000000000000004}' },
    { { n = -2.5 }, '{"n":-2.5}' },
  }) do
    it("writes exactly " .. case[2]:gsub("[\128-\255]", "."), function()
      local path = new_path()
      local session = assert(native.session(path))
      assert.is_true(session:append(case[1]))
      session:close()
      assert.equal(case[2] .. "\n", helper.read(path))
    end)
  end

  it("writes 1,000 levels", function()
    local path = new_path()
    local session = assert(native.session(path))
    assert.is_true(session:append({ a = cases.nested(999) }))
    session:close()
    assert.equal('{"a":' .. ("["):rep(999) .. ("]"):rep(999) .. "}\n", helper.read(path))
  end)

  it("writes a record of many megabytes as one line", function()
    local path = new_path()
    local session = assert(native.session(path))
    local content = ("0123456789abcde\n"):rep(512 * 1024)
    assert.is_true(session:append({ content = content }))
    assert.is_true(session:append({ content = "after" }))
    session:close()
    local bytes = helper.read(path)
    local expected = '{"content":"' .. content:gsub("\n", "\\n") .. '"}\n{"content":"after"}\n'
    assert.equal(#expected, #bytes)
    assert.is_true(expected == bytes)
  end)

  it("writes what lua-cjson reads back as the same values", function()
    local path = new_path()
    local random = cases.random(20260102)
    local session = assert(native.session(path))
    local values = {}
    for index = 1, 3000 do
      values[index] = { role = "user", content = cases.value(random, 0), n = index, more = cases.value(random, 5) }
      assert.is_true(session:append(values[index]))
    end
    session:close()
    local lines = helper.lines(path)
    assert.equal(3000, #lines)
    for index, line in ipairs(lines) do
      assert.is_nil(cases.difference(values[index], cases.read_object(line), "line " .. index))
    end
  end)

  it("writes no table twice differently", function()
    local path = new_path()
    local session = assert(native.session(path))
    local turn = { role = "user", content = "x", n = 1, calls = { { name = "a", id = 2 } } }
    session:append(turn)
    session:append(turn)
    session:close()
    local lines = helper.lines(path)
    assert.equal(lines[1], lines[2])
  end)

  it("leaves the turn as it was", function()
    local session = assert(native.session(new_path()))
    local inner = { name = "ls" }
    local turn = { role = "user", content = "x", calls = { inner } }
    session:append(turn)
    session:close()
    assert.same({ role = "user", content = "x", calls = { { name = "ls" } } }, turn)
    assert.equal(inner, turn.calls[1])
    assert.is_nil(getmetatable(turn))
  end)
end)

describe("session: a torn tail", function()
  helper.guard(before_each, after_each)

  for _, bytes in ipairs({
    '{"role":"us', "{", "x", "\0\0\0", "\r", '{"role":"user","content":"whole"}', "\239\187\191", "12",
  }) do
    it("is ended and kept before the first append: " .. bytes:gsub("[%c\128-\255]", "."), function()
      for _, before in ipairs({ "", '{"role":"user","content":"one"}\n', "\n\n" }) do
        local path = helper.write(new_path(), before .. bytes)
        local session = assert(native.session(path))
        assert.is_true(session:append({ content = "two" }))
        assert.is_true(session:append({ content = "three" }))
        session:close()
        assert.equal(before .. bytes .. '\n{"content":"two"}\n{"content":"three"}\n', helper.read(path))
      end
    end)
  end

  it("is ended when somebody else tore the file after it was opened", function()
    local path = new_path()
    local session = assert(native.session(path))
    session:append({ content = "one" })
    local other = assert(io.open(path, "ab"))
    other:write('{"content":"tor')
    other:close()
    assert.is_true(session:append({ content = "two" }))
    session:close()
    assert.equal('{"content":"one"}\n{"content":"tor\n{"content":"two"}\n', helper.read(path))
  end)

  it("loses nothing when a record is cut at any byte and the session goes on", function()
    local record = '{"role":"user","content":"cut"}\n'
    for length = 1, #record do
      local path = helper.write(new_path(), '{"role":"user","content":"before"}\n' .. record:sub(1, length))
      local session = assert(native.session(path))
      assert.is_true(session:append({ role = "user", content = "after" }))
      session:close()
      local turns = cases.read_session(helper.read(path))
      local whole = length >= #record - 1
      assert.equal(whole and 3 or 2, #turns)
      assert.equal("before", turns[1].content)
      assert.equal("after", turns[#turns].content)
    end
  end)
end)

describe("session: a value that JSON cannot hold", function()
  helper.guard(before_each, after_each)

  for _, case in ipairs(cases.unstorable) do
    local label, make, place, word = unpack(case)

    it("raises for " .. label .. " and names the path to it; nothing is written", function()
      local path = new_path()
      local session = assert(native.session(path))
      session:append({ content = "one" })
      local ok, message = pcall(session.append, session, make())
      assert.is_false(ok)
      assert(message:find("turn" .. place, 1, true), message)
      assert(message:find(word, 1, true), message)
      assert.equal('{"content":"one"}\n', helper.read(path))
      assert.is_true(session:append({ content = "two" }))
      session:close()
      assert.equal('{"content":"one"}\n{"content":"two"}\n', helper.read(path))
    end)

    it("raises for " .. label .. " in the meta table; nothing is made", function()
      local path = new_path()
      local ok, message = pcall(native.session, path, make())
      assert.is_false(ok)
      assert(message:find("meta" .. place, 1, true), message)
      assert(message:find(word, 1, true), message)
      assert.is_false(cases.exists(path))
    end)
  end

  for label, array in pairs({
    ["with elements"] = { 1, 2, 3 },
    ["with a hole"] = { [1] = "a", [3] = "c" },
    ["that is marked, without elements"] = setmetatable({}, { __jsontype = "array" }),
  }) do
    it("raises for an array " .. label .. "; nothing is written", function()
      local path, other = new_path(), new_path()
      local session = assert(native.session(path))
      for name, call in pairs({
        turn = function() session:append(array) end,
        value = function() native.append(other, array) end,
        meta = function() native.session(other, array) end,
      }) do
        local ok, message = pcall(call)
        assert.is_false(ok)
        assert.equal(name .. ": an object expected, got an array", message:match(name .. ":.*$"))
      end
      session:close()
      assert.equal("", helper.read(path))
      assert.is_false(cases.exists(other))
    end)
  end

  it("says so in these words", function()
    local session = assert(native.session(new_path()))
    local _, message = pcall(session.append, session, { calls = { {}, { fn = print } } })
    assert.equal("turn.calls[2].fn: a function cannot be stored", message:match("turn.*$"))
    session:close()
    _, message = pcall(native.session, new_path(), { f = print })
    assert.equal("meta.f: a function cannot be stored", message)
  end)

  it("is not looked for by way of metamethods", function()
    local path = new_path()
    local session = assert(native.session(path))
    local trap = function() error("called") end
    local turn = setmetatable({ content = "x" }, { __index = trap, __newindex = trap, __len = trap, __tostring = trap })
    assert.is_true(session:append(turn))
    session:close()
    assert.equal('{"content":"x"}\n', helper.read(path))
  end)
end)

describe("session: the handle", function()
  helper.guard(before_each, after_each)

  it("has path, fd and closed", function()
    local path = new_path()
    local session = assert(native.session(path))
    assert.equal(path, session.path)
    assert.equal("number", type(session.fd))
    assert.same({ session.fd }, cases.descriptors_of(path))
    assert.is_false(session.closed)
    assert.is_nil(session.nosuch)
    assert.is_nil(session[1])
    session:close()
    assert.equal(path, session.path)
    assert.is_nil(session.fd)
    assert.is_true(session.closed)
  end)

  it("cannot be written to", function()
    local session = assert(native.session(new_path()))
    for _, name in ipairs({ "path", "fd", "closed", "nosuch" }) do
      assert.is_false(pcall(function() session[name] = 1 end), name)
    end
    assert.is_false(session.closed)
    session:close()
  end)

  it("shows its path and state", function()
    local path = new_path()
    local session = assert(native.session(path))
    local open = tostring(session)
    assert(open:find(path, 1, true), open)
    assert.is_nil(open:find("closed", 1, true))
    session:close()
    local closed = tostring(session)
    assert(closed:find(path, 1, true), closed)
    assert(closed:find("closed", 1, true), closed)
  end)

  it("is a userdata with no method that the contract does not name", function()
    local session = assert(native.session(new_path()))
    assert.equal("userdata", type(session))
    for _, name in ipairs({ "append", "sync", "close" }) do assert.equal("function", type(session[name])) end
    for _, name in ipairs({ "add", "forget", "items", "get", "next_id", "load", "open" }) do assert.is_nil(session[name]) end
    session:close()
  end)

  it("is closed when it is collected", function()
    local path = new_path()
    local session = assert(native.session(path))
    session:append({ content = "one" })
    assert.equal(1, #cases.descriptors_of(path))
    session = nil -- luacheck: ignore
    cases.collect()
    assert.same({}, cases.descriptors_of(path))
    assert.equal('{"content":"one"}\n', helper.read(path))
  end)

  it("stays closed whoever calls its finalizer, and how often", function()
    local session = assert(native.session(new_path()))
    local metatable = getmetatable(session)
    local finalize = type(metatable) == "table" and metatable.__gc or session.__gc
    if finalize then
      finalize(session)
      finalize(session)
      for _, value in pairs(cases.values) do pcall(finalize, value) end
      assert.is_true(session.closed)
    end
    session:close()
    assert.same({ false, "session closed" }, { session:append({ content = "x" }) })
    assert.equal("file", io.type(io.stdout))
  end)

  it("can be closed twice", function()
    local session = assert(native.session(new_path()))
    session:close()
    session:close()
    assert.is_true(session.closed)
  end)

  it("answers append and sync after close with false and the listing's words", function()
    local path = new_path()
    local session = assert(native.session(path))
    session:append({ content = "one" })
    session:close()
    assert.same({ false, "session closed" }, { session:append({ content = "two" }) })
    assert.same({ false, "session closed" }, { session:sync() })
    assert.equal('{"content":"one"}\n', helper.read(path))
  end)

  it("does not touch a descriptor that got its number after close", function()
    local path = new_path()
    local session = assert(native.session(path))
    local number = session.fd
    session:close()
    local other = assert(native.session(path .. "l"))
    assert.equal(number, other.fd)
    session:close()
    assert.same({ false, "session closed" }, { session:append({ content = "x" }) })
    assert.is_true(other:append({ content = "mine" }))
    other:close()
    assert.equal('{"content":"mine"}\n', helper.read(path .. "l"))
  end)

  it("syncs", function()
    local path = new_path()
    local session = assert(native.session(path))
    session:append({ content = "one" })
    assert.is_true(session:sync())
    session:close()
    assert.equal('{"content":"one"}\n', helper.read(path))
  end)

  for _, how in ipairs({ "full", "none" }) do
    it("takes sync = " .. how, function()
      local path = new_path()
      local session = assert(native.session(path, { m = 1 }, { sync = how, wait = 0 }))
      assert.is_true(session:append({ content = "one" }))
      assert.is_true(session:sync())
      session:close()
      assert.equal('{"meta":{"m":1}}\n{"content":"one"}\n', helper.read(path))
    end)
  end

  it("has a descriptor that no child inherits", function()
    local session = assert(native.session(new_path()))
    assert.equal(fcntl.FD_CLOEXEC, fcntl.fcntl(session.fd, fcntl.F_GETFD))
    session:close()
  end)

  it("is none of a forked child's business", function()
    local path = new_path()
    local output = helper.run([[
      local native = require("aish_history")
      local unistd = require("posix.unistd")
      local session = assert(native.session(...))
      session:append({ content = "parent" })
      print(unistd.getpid())
      io.stdout:flush()
      local child = unistd.fork()
      if child == 0 then
        print(session:append({ content = "child" }))
        session:close()
        session = nil
        collectgarbage()
        io.stdout:flush()
        unistd._exit(0)
      end
      require("posix.sys.wait").wait(child)
      print(session:append({ content = "parent again" }), session.closed)
    ]], path)
    local pid, answer, after = output:match("^(%d+)\n([^\n]*)\n([^\n]*)\n$")
    assert(pid, output)
    local expected = "handle belongs to another process (it was opened by process " .. pid .. ")"
    assert.equal("false\t", answer:sub(1, 6))
    assert(answer:find(expected .. "\t" .. EPERM, 1, true), answer)
    assert.equal("true\tfalse", after)
    assert.equal('{"content":"parent"}\n{"content":"parent again"}\n', helper.read(path))
  end)
end)

describe("session: several writers of one file", function()
  helper.guard(before_each, after_each)

  it("may be two handles of one process", function()
    local path = new_path()
    local first = assert(native.session(path, { by = "first" }))
    local second = assert(native.session(path, { by = "second" }))
    assert.not_equal(first.fd, second.fd)
    first:append({ n = 1 })
    second:append({ n = 2 })
    first:append({ n = 3 })
    first:close()
    assert.is_true(first.closed)
    assert.is_false(second.closed)
    assert.is_true(second:append({ n = 4 }))
    second:close()
    assert.equal('{"meta":{"by":"first"}}\n{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n', helper.read(path))
  end)

  it("may be several processes, and one of them writes the meta line", function()
    local path = new_path()
    local code = [[
      local native = require("aish_history")
      local path, name = ...
      local session = assert(native.session(path, { by = name }))
      for index = 1, 150 do
        assert(session:append({ by = name, n = index, pad = ("x"):rep(index * 37 % 5000) }))
      end
      session:close()
      print("done")
    ]]
    local children = {}
    for index = 1, 4 do children[index] = helper.start(code, path, "p" .. index) end
    for _, child in ipairs(children) do
      assert.equal("done\n", child:read("*a"))
      child:close()
    end
    local lines = helper.lines(path)
    assert.equal(1 + 4 * 150, #lines)
    assert.is_table(cases.read_object(lines[1]).meta)
    local last = { p1 = 0, p2 = 0, p3 = 0, p4 = 0 }
    for index = 2, #lines do
      local record = cases.read_object(lines[index])
      assert.is_nil(record.meta)
      assert.equal(last[record.by] + 1, record.n)
      assert.equal(record.n * 37 % 5000, #record.pad)
      last[record.by] = record.n
    end
    assert.same({ p1 = 150, p2 = 150, p3 = 150, p4 = 150 }, last)
  end)

  it("gets false, a message and EAGAIN while another holds the lock and wait is 0", function()
    local path = new_path()
    local session = assert(native.session(path, nil, { wait = 0 }))
    local holder = assert(io.open(path, "r"))
    assert.is_true(native.flock(holder, native.LOCK_EX + native.LOCK_NB))
    local ok, message, number = session:append({ content = "x" })
    assert.is_false(ok)
    assert(message:find(cases.strerror(EAGAIN), 1, true), message)
    assert.equal(EAGAIN, number)
    assert.equal("", helper.read(path))
    assert.is_true(native.flock(holder, native.LOCK_UN))
    assert.is_true(session:append({ content = "y" }))
    session:close()
    holder:close()
    assert.equal('{"content":"y"}\n', helper.read(path))
  end)

  it("fails to open with a meta table to write while another holds the lock and wait is 0", function()
    local path = helper.write(new_path(), "")
    local holder = assert(io.open(path, "r"))
    assert.is_true(native.flock(holder, native.LOCK_EX + native.LOCK_NB))
    local session, message, number = native.session(path, { model = "m" }, { wait = 0 })
    assert.is_nil(session)
    assert(message:find(cases.strerror(EAGAIN), 1, true), message)
    assert.equal(EAGAIN, number)
    holder:close()
    assert.equal("", helper.read(path))
  end)

  it("waits for the lock", function()
    local path = new_path()
    local session = assert(native.session(path, nil, { wait = 120 }))
    local child = helper.start([[
      local native = require("aish_history")
      local path = ...
      local holder = assert(io.open(path, "r"))
      assert(native.flock(holder, native.LOCK_EX))
      print("held")
      io.stdout:flush()
      require("posix.time").nanosleep({ tv_sec = 0, tv_nsec = 400000000 })
      print(holder:read("*a") == "")
    ]], path)
    assert.equal("held", child:read("*l"))
    assert.is_true(session:append({ content = "late" }))
    assert.equal("true", child:read("*l"))
    child:close()
    session:close()
    assert.equal('{"content":"late"}\n', helper.read(path))
  end)

  it("holds the lock during a write only", function()
    local path = new_path()
    local session = assert(native.session(path, { model = "m" }))
    session:append({ content = "x" })
    local other = assert(io.open(path, "r"))
    assert.is_true(native.flock(other, native.LOCK_EX + native.LOCK_NB))
    other:close()
    session:close()
  end)

  it("releases the lock when a value could not be stored", function()
    local path = new_path()
    local session = assert(native.session(path))
    pcall(session.append, session, { fn = print })
    local other = assert(io.open(path, "r"))
    assert.is_true(native.flock(other, native.LOCK_EX + native.LOCK_NB))
    other:close()
    session:close()
  end)
end)

describe("session: a write that fails", function()
  helper.guard(before_each, after_each)

  it("is reported, leaves the file as it was, and glues nothing to what follows", function()
    local path = new_path()
    local output = helper.run([[
      local resource = require("posix.sys.resource")
      require("posix.signal").signal(require("posix.signal").SIGXFSZ, require("posix.signal").SIG_IGN)
      assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = 4096, rlim_max = 4096 }))
      local session = assert(require("aish_history").session(...))
      print(session:append({ content = "one" }))
      print(session:append({ content = ("x"):rep(10000) }))
      print(session:append({ content = "two" }))
      session:close()
    ]], path)
    local answer = output:match("^true\n([^\n]*)\ntrue\n$")
    assert(answer, output)
    local message, number = answer:match("^false\t(.*)\t(%d+)$")
    assert(message, output)
    assert.equal(EFBIG, tonumber(number))
    assert(message:find(path .. ": " .. cases.strerror(EFBIG), 1, true), message)
    assert.equal('{"content":"one"}\n{"content":"two"}\n', helper.read(path))
  end)

  it("leaves a torn tail as it was, too", function()
    local path = helper.write(new_path(), '{"content":"tor')
    local output = helper.run([[
      local resource = require("posix.sys.resource")
      require("posix.signal").signal(require("posix.signal").SIGXFSZ, require("posix.signal").SIG_IGN)
      assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = 4096, rlim_max = 4096 }))
      local session = assert(require("aish_history").session(...))
      print((session:append({ content = ("x"):rep(10000) })))
      print((session:append({ content = "two" })))
      session:close()
    ]], path)
    assert.equal("false\ntrue\n", output)
    assert.equal('{"content":"tor\n{"content":"two"}\n', helper.read(path))
  end)
end)

describe("session: the file", function()
  helper.guard(before_each, after_each)

  for _, case in ipairs({ { "000", "600", "700" }, { "022", "600", "700" }, { "077", "600", "700" } }) do
    local mask, file_mode, dir_mode = unpack(case)
    it("is " .. file_mode .. " and new directories are " .. dir_mode .. " under umask " .. mask, function()
      local dir = helper.tmpdir()
      local old = stat.umask(tonumber(mask, 8))
      finally(function() stat.umask(old) end)
      assert(native.session(dir .. "/a/b/c/s.jsonl", { m = 1 })):close()
      assert.equal(tonumber(file_mode, 8), cases.mode(dir .. "/a/b/c/s.jsonl"))
      for _, sub in ipairs({ "/a", "/a/b", "/a/b/c" }) do
        assert.equal(tonumber(dir_mode, 8), cases.mode(dir .. sub))
      end
      assert.equal('{"meta":{"m":1}}\n', helper.read(dir .. "/a/b/c/s.jsonl"))
    end)
  end

  it("is less what the umask takes from the owner", function()
    local path = new_path()
    local old = stat.umask(tonumber("200", 8))
    finally(function() stat.umask(old) end)
    assert(native.session(path)):close()
    assert.equal(tonumber("400", 8), cases.mode(path))
  end)

  it("keeps its mode, and its directory's, when it was there", function()
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/s.jsonl", "")
    assert(stat.chmod(dir, tonumber("755", 8)))
    assert(stat.chmod(path, tonumber("644", 8)))
    local session = assert(native.session(path, { m = 1 }))
    session:append({ content = "x" })
    session:close()
    assert.equal(tonumber("644", 8), cases.mode(path))
    assert.equal(tonumber("755", 8), cases.mode(dir))
  end)

  it("may have a name that a shell would mangle", function()
    local dir = helper.tmpdir() .. "/it's $(touch x) `y`; \\ \"*\" \n \195\169"
    local path = dir .. "/-a b'.jsonl"
    local session = assert(native.session(path, { m = 1 }))
    assert.equal(path, session.path)
    session:close()
    assert.equal('{"meta":{"m":1}}\n', helper.read(path))
  end)

  it("may be a name without a directory", function()
    local dir = helper.tmpdir()
    local output = helper.run([[
      local native = require("aish_history")
      assert(require("posix.unistd").chdir(...))
      local session = assert(native.session("plain.jsonl"))
      print(session:append({ content = "x" }), session.path)
      session:close()
    ]], dir)
    assert.equal("true\tplain.jsonl\n", output)
    assert.equal('{"content":"x"}\n', helper.read(dir .. "/plain.jsonl"))
  end)

  it("may be reached through doubled slashes and dots", function()
    local dir = helper.tmpdir()
    assert(native.session(dir .. "//a/./b//../s.jsonl", { m = 1 })):close()
    assert.equal('{"meta":{"m":1}}\n', helper.read(dir .. "/a/s.jsonl"))
  end)

  it("may be reached through a symbolic link, which stays one", function()
    local dir = helper.tmpdir()
    helper.write(dir .. "/real.jsonl", '{"content":"one"}\n')
    assert(unistd.link("real.jsonl", dir .. "/link.jsonl", true))
    local session = assert(native.session(dir .. "/link.jsonl"))
    session:append({ content = "two" })
    session:close()
    assert.equal("real.jsonl", unistd.readlink(dir .. "/link.jsonl"))
    assert.equal('{"content":"one"}\n{"content":"two"}\n', helper.read(dir .. "/real.jsonl"))
  end)

  it("is the one that is there now, if somebody saved another over it", function()
    local path = new_path()
    local session = assert(native.session(path))
    session:append({ content = "one" })
    helper.write(path .. ".new", '{"content":"edited"}\n{"content":"tor')
    assert(os.rename(path .. ".new", path))
    assert.is_true(session:append({ content = "two" }))
    session:close()
    assert.equal('{"content":"edited"}\n{"content":"tor\n{"content":"two"}\n', helper.read(path))
  end)

  it("is made again if somebody removed it", function()
    local path = new_path()
    local session = assert(native.session(path))
    session:append({ content = "one" })
    assert(os.remove(path))
    assert.is_true(session:append({ content = "two" }))
    session:close()
    assert.equal('{"content":"two"}\n', helper.read(path))
  end)

  it("goes on at the end if somebody cut it short", function()
    local path = new_path()
    local session = assert(native.session(path))
    session:append({ content = "one" })
    helper.write(path, '{"c":1}\n')
    assert.is_true(session:append({ content = "two" }))
    session:close()
    assert.equal('{"c":1}\n{"content":"two"}\n', helper.read(path))
  end)
end)

describe("session: a path that cannot be used", function()
  helper.guard(before_each, after_each)

  cases.paths_are_refused(it, [[session(path, { model = "m" })]], cases.failed_making)

  it("has a NUL byte", function()
    local dir = helper.tmpdir()
    local session, message, number = native.session(dir .. "/a\0b.jsonl")
    assert.is_nil(session)
    assert.matches("^open .*: path has a NUL byte$", message)
    assert.equal(EINVAL, number)
    assert.is_false(cases.exists(dir .. "/a"))
  end)

  it("is in a directory that may not be written to", function()
    local dir = helper.tmpdir()
    assert(stat.chmod(dir, tonumber("500", 8)))
    local path = dir .. "/s.jsonl"
    user.run(dir, function()
      cases.failed("open " .. path .. ": " .. cases.strerror(13), 13, native.session(path))
    end)
  end)
end)

describe("session: arguments", function()
  helper.guard(before_each, after_each)

  it("needs a path", function()
    cases.argument_error(function() native.session() end, 1, "session", "no value")
    cases.argument_error(function() native.session(nil) end, 1, "session", "nil")
  end)

  for _, name in ipairs(cases.types_but("string")) do
    it("takes no " .. name .. " as path", function()
      cases.argument_error(function() native.session(cases.values[name]) end, 1, "session", name)
    end)
  end

  for _, name in ipairs(cases.types_but("table")) do
    if name ~= "boolean" then -- false may well mean none
      it("takes no " .. name .. " as meta", function()
        local path = new_path()
        cases.argument_error(function() native.session(path, cases.values[name]) end, 2, "session", name)
        assert.is_false(cases.exists(path))
      end)
    end
    it("takes no " .. name .. " as options", function()
      local path = new_path()
      cases.argument_error(function() native.session(path, nil, cases.values[name]) end, 3, "session", name)
      assert.is_false(cases.exists(path))
    end)
    it("takes no " .. name .. " as turn", function()
      local path = new_path()
      local session = assert(native.session(path))
      cases.argument_error(function() session:append(cases.values[name]) end, 1, "append", name)
      session:close()
      assert.equal("", helper.read(path))
    end)
  end

  it("takes no true as meta", function()
    cases.argument_error(function() native.session(new_path(), true) end, 2, "session", "boolean")
  end)

  it("needs a turn", function()
    local session = assert(native.session(new_path()))
    cases.argument_error(function() session:append() end, 1, "append", "no value")
    cases.argument_error(function() session:append(nil) end, 1, "append", "nil")
    session:close()
  end)

  for _, case in ipairs({
    { { snyc = "full" }, 'unknown option "snyc"' },
    { { shared = true }, 'option "shared"' },
    { { sync = "fast" }, '"full" or "none"' },
    { { sync = "" }, '"full" or "none"' },
    { { sync = true }, '"full" or "none"' },
    { { sync = 1 }, '"full" or "none"' },
    { { wait = "5" }, 'option "wait" must be a number of seconds, got string' },
    { { wait = true }, 'option "wait" must be a number of seconds, got boolean' },
    { { wait = {} }, 'option "wait" must be a number of seconds, got table' },
    { { exclusive = 1 }, 'option "exclusive" must be a boolean, got number' },
    { { new = "yes" }, 'option "new" must be a boolean, got string' },
    { { "sync" }, "the name of an option must be a string, got number" },
    { { [true] = 1 }, "the name of an option must be a string, got boolean" },
  }) do
    local options, words = unpack(case)
    it("refuses options: " .. words .. " (" .. tostring(next(options)) .. ")", function()
      local path = new_path()
      cases.argument_error(function() native.session(path, nil, options) end, 3, "session", words)
      assert.is_false(cases.exists(path))
    end)
  end

  for _, method in ipairs({ "append", "sync", "close" }) do
    it("calls " .. method .. " on a session only", function()
      local session = assert(native.session(new_path()))
      local memory = assert(native.open(new_path()))
      local calls = {
        append = function(...) session.append(...) end,
        sync = function(...) session.sync(...) end,
        close = function(...) session.close(...) end,
      }
      cases.argument_error(function() calls[method]() end, 1, method, "no value")
      for _, name in ipairs(cases.types_but()) do
        cases.argument_error(function() calls[method](cases.values[name], {}) end, 1, method, name)
      end
      cases.argument_error(function() calls[method](memory, {}) end, 1, method, "session")
      cases.argument_error(function() calls[method](native.null, {}) end, 1, method, "userdata")
      assert.is_false(memory.closed)
      assert.is_false(session.closed)
      memory:close()
      session:close()
    end)
  end

  it("may not be more than it takes", function()
    local path = new_path()
    cases.too_many_error(function() native.session(path, { m = 1 }, {}, "more") end, 3, "session")
    assert.is_false(cases.exists(path))
    local session = assert(native.session(path))
    cases.too_many_error(function() session:append({ n = 1 }, "more") end, 1, "append")
    cases.too_many_error(function() session:sync("more") end, 0, "sync")
    cases.too_many_error(function() session:close("more") end, 0, "close")
    assert.is_false(session.closed)
    session:close()
    assert.equal("", helper.read(path))
  end)
end)
