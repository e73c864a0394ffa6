--- require("history"): what the shell calls, name for name.
local lfs = require("lfs")
local stat = require("posix.sys.stat")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local native = require("aish_history")
local history = require("history")

local TIME = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ"
local HELD = "memory.jsonl held by another aish process (Resource temporarily unavailable)"

-- A file's bytes without times and uids, which are all that two runs of the same calls differ in.
local function timeless(bytes)
  return (bytes:gsub(TIME, "TIME"):gsub('("uid":)"%w%w%w%w%w%w%w%w"', '%1"UID"'):gsub('("of":)"%w%w%w%w%w%w%w%w"', '%1"UID"'))
end

local META = '{"meta":{"aish_version":"phase4","created":"TIME"}}\n'

-- io.popen and os.execute raise until the spec ends.
local function forbid_processes(finally)
  local execute, popen = os.execute, io.popen
  finally(function() os.execute, io.popen = execute, popen end) -- luacheck: ignore
  os.execute = function() error("os.execute called") end -- luacheck: ignore
  io.popen = function() error("io.popen called") end -- luacheck: ignore
end

local function ids(items)
  local list = {}
  for index, item in ipairs(items) do list[index] = item.id end
  return list
end

describe("shim: sessions", function()
  helper.guard(before_each, after_each)

  it("opens, appends, closes and loads as the shell does", function()
    local path = helper.tmpdir() .. "/history/sessions/2026-01-02T03-04-05.jsonl"
    local session = assert(history.open(path, { started = "2026-01-02T03:04:05Z" }))
    assert.equal(path, session.path)
    assert.is_false(session.closed)
    assert.is_true(session:append({ role = "user" }))
    assert.is_true(session:append({ content = "x" }))
    assert.equal('{"meta":{"started":"2026-01-02T03:04:05Z"}}\n{"role":"user"}\n{"content":"x"}\n', helper.read(path))
    assert.is_true(session:append({ role = "user", content = "hello", extra = { 1, 2, { a = true } } }))
    session:close()
    assert.is_true(session.closed)
    assert.equal(path, session.path)
    local turns, meta = history.load(path)
    assert.same({ { role = "user", content = "hello", extra = { 1, 2, { a = true } } } }, turns)
    assert.same({ started = "2026-01-02T03:04:05Z" }, meta)
  end)

  it("passes the options of a session on", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local session = assert(history.open(path, { m = 1 }, { exclusive = true, new = true }))
    assert.matches("^s.jsonl held by another aish process ", (select(2, history.open(path, nil, { exclusive = true }))))
    session:close()
    assert.equal(17, (select(3, history.open(path, nil, { new = true }))))
  end)

  it("opens without a meta table, as the listing does", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    history.open(path):close()
    history.open(path, nil):close()
    assert.equal("", helper.read(path))
    assert.same({}, history.load(path))
    assert.is_nil(select(2, history.load(path)))
  end)

  it("writes the meta table into a new or empty file only", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", "")
    history.open(path, { n = 1 }):close()
    history.open(path, { n = 2 }):close()
    assert.equal('{"meta":{"n":1}}\n', helper.read(path))
  end)

  it("answers append after close with the listing's words, and closes twice", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local session = history.open(path)
    session:close()
    session:close()
    local ok, message = session:append({ role = "user", content = "x" })
    assert.is_false(ok)
    assert.equal("session closed", message)
    assert.equal("", helper.read(path))
  end)

  it("gives nil and a message where it cannot open or load", function()
    local dir = helper.tmpdir()
    local file = helper.write(dir .. "/file", "")
    local session, message = history.open(file .. "/s.jsonl")
    assert.is_nil(session)
    assert(message:find(cases.strerror(20), 1, true), message)
    local turns, why = history.load(dir .. "/missing.jsonl")
    assert.is_nil(turns)
    assert.equal("open " .. dir .. "/missing.jsonl: No such file or directory", why)
  end)

  it("loads a file in the listing's key order, with what a crash left", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", '{"meta":{"version":"phase1","started":"2025"}}\n'
      .. '{"content":"a\\/b","role":"user"}\n\n{"content":"cut o\n{"tool_calls":[{"id":"x","name":"ls"}],"content":"b",'
      .. '"role":"assistant"}\n12\ntrue\n{"content":null,"role":"assistant"}\n{"role":"user","cont')
    local turns, meta = history.load(path)
    assert.same({ version = "phase1", started = "2025" }, meta)
    assert.same({
      { role = "user", content = "a/b" },
      { role = "assistant", content = "b", tool_calls = { { id = "x", name = "ls" } } },
    }, turns)
  end)

  it("goes on in a file that a crash tore, and glues nothing", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", '{"role":"user","content":"a"}\n{"role":"us')
    local session = assert(history.open(path, { n = 1 }))
    assert.is_true(session:append({ role = "user", content = "b" }))
    session:close()
    local turns = history.load(path)
    assert.equal(2, #turns)
    assert.equal("b", turns[2].content)
    assert.equal('{"role":"user","content":"a"}\n{"role":"us\n', helper.read(path):sub(1, 42))
  end)
end)

describe("shim: list_sessions", function()
  helper.guard(before_each, after_each)

  it("gives an empty table for nil, for an empty name and for what is missing", function()
    assert.same({}, history.list_sessions(nil))
    assert.same({}, history.list_sessions())
    assert.same({}, history.list_sessions(""))
    assert.same({}, history.list_sessions(helper.tmpdir() .. "/missing"))
  end)

  it("gives an empty table for what is no directory, so that a caller may walk it", function()
    assert.same({}, (history.list_sessions(helper.write(helper.tmpdir() .. "/file", ""))))
  end)

  it("gives sorted names without the directory", function()
    local dir = helper.tmpdir()
    for _, name in ipairs({ "b.jsonl", "a.jsonl", "c.txt", ".hidden.jsonl", "it's $(x).jsonl", "a.jsonl.damaged" }) do
      helper.write(dir .. "/" .. name, "")
    end
    assert.same({ "a.jsonl", "b.jsonl", "it's $(x).jsonl" }, history.list_sessions(dir))
    assert.same({ "a.jsonl", "b.jsonl", "it's $(x).jsonl" }, history.list_sessions(dir .. "/"))
  end)
end)

describe("shim: memories", function()
  helper.guard(before_each, after_each)

  it("opens, adds, forgets, closes and loads as the shell does", function()
    local path = helper.tmpdir() .. "/deep/er/memory.jsonl"
    local memory = assert(history.open_memory(path))
    assert.equal(path, memory.path)
    assert.equal("number", type(memory.fd))
    assert.equal(1, memory.next_id)
    assert.is_false(memory.closed)
    assert.equal(1, memory:add("fact", "one"))
    assert.equal(2, memory:add("pref", "two", { "a", "b" }, "user"))
    assert.equal(3, memory:add("context", "three", nil, "tool"))
    assert.equal(4, memory.next_id)
    assert.is_true(memory:forget(2))
    assert.equal(5, memory.next_id)
    memory:close()
    assert.is_nil(memory.fd)
    assert.is_true(memory.closed)
    memory:close()
    assert.equal(META
      .. '{"id":1,"uid":"UID","ts":"TIME","kind":"fact","content":"one"}\n'
      .. '{"id":2,"uid":"UID","ts":"TIME","kind":"pref","content":"two","tags":["a","b"],"source":"user"}\n'
      .. '{"id":3,"uid":"UID","ts":"TIME","kind":"context","content":"three","source":"tool"}\n'
      .. '{"id":4,"ts":"TIME","kind":"forget","target":2,"of":"UID"}\n', timeless(helper.read(path)))
    local items, message = history.load_memory(path)
    assert.is_nil(message)
    assert.equal(2, #items)
    for _, item in ipairs(items) do
      assert.matches("^" .. TIME .. "$", item.ts)
      assert.matches("^%w%w%w%w%w%w%w%w$", item.uid)
      item.ts, item.uid = nil, nil
    end
    table.sort(items, function(a, b) return a.id < b.id end)
    assert.same({
      { id = 1, kind = "fact", content = "one" },
      { id = 3, kind = "context", content = "three", source = "tool" },
    }, items)
  end)

  it("goes on with the ids of an earlier run", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(history.open_memory(path))
    memory:add("fact", "one")
    memory:forget(1)
    memory:close()
    memory = assert(history.open_memory(path))
    assert.equal(3, memory.next_id)
    assert.equal(3, memory:add("fact", "two"))
    memory:close()
    local items = history.load_memory(path)
    assert.same({ 3 }, ids(items))
  end)

  it("gives the newest first", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl",
      '{"id":3,"ts":"2026-01-03T00:00:00Z","kind":"fact","content":"c"}\n'
      .. '{"id":1,"ts":"2026-01-05T00:00:00Z","kind":"fact","content":"a"}\n'
      .. '{"id":2,"ts":"2026-01-03T00:00:00Z","kind":"fact","content":"b"}\n'
      .. '{"id":4,"ts":"2026-01-01T00:00:00Z","kind":"fact","content":"d"}\n'
      .. '{"id":5,"ts":"2026-01-09T00:00:00Z","kind":"forget","target":4}\n')
    assert.same({ 1, 3, 2 }, ids(history.load_memory(path)))
  end)

  it("says in the listing's words what is wrong with a call", function()
    local memory = assert(history.open_memory(helper.tmpdir() .. "/memory.jsonl"))
    local function message(call)
      local ok, words = pcall(call)
      assert.is_false(ok)
      return words
    end
    assert.equal("memory:add: kind must be fact|pref|context (got note)", message(function() memory:add("note", "x") end))
    assert.equal("memory:add: kind must be fact|pref|context (got forget)", message(function() memory:add("forget", "x") end))
    assert.equal("memory:add: kind must be fact|pref|context (got nil)", message(function() memory:add() end))
    assert.equal("memory:add: kind must be fact|pref|context (got 7)", message(function() memory:add(7, "x") end))
    assert.equal("memory:add: kind must be fact|pref|context (got true)", message(function() memory:add(true) end))
    assert.equal("memory:add: content required", message(function() memory:add("fact") end))
    assert.equal("memory:add: content required", message(function() memory:add("fact", "") end))
    assert.equal("memory:add: content required", message(function() memory:add("fact", false) end))
    memory:close()
    assert.equal("memory:add on closed handle", message(function() memory:add("fact", "x") end))
    assert.equal("memory:add on closed handle", message(function() memory:add("note") end))
    assert.equal("memory:forget on closed handle", message(function() memory:forget(1) end))
    assert.equal("memory:forget on closed handle", message(function() memory:forget() end))
    assert.equal(META, timeless(helper.read(memory.path)))
  end)

  it("says who holds the lock in the listing's words, whatever the file is called", function()
    local path = helper.tmpdir() .. "/other.jsonl"
    local memory = assert(history.open_memory(path))
    local second, message = history.open_memory(path)
    assert.is_nil(second)
    assert.equal(HELD, message)
    local output = helper.run([[print((select(2, require("history").open_memory(...))))]], path)
    assert.equal(HELD .. "\n", output)
    memory:close()
    memory = assert(history.open_memory(path))
    memory:close()
  end)

  it("gives nil and a message where memory cannot be opened", function()
    local dir = helper.tmpdir()
    local memory, message = history.open_memory(dir)
    assert.is_nil(memory)
    assert.equal("open " .. dir .. ": " .. cases.strerror(21), message)
  end)

  it("takes the native module's options", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local first = assert(history.open_memory(path, { shared = true, sync = "none" }))
    local second = assert(history.open_memory(path, { shared = true }))
    assert.equal(1, first:add("fact", "one"))
    assert.equal(2, second:add("fact", "two"))
    assert.equal(3, first:add("fact", "three"))
    first:close()
    second:close()
    assert.equal(3, #history.load_memory(path))
    local ok, message = pcall(history.open_memory, path, { snyc = "full" })
    assert.is_false(ok)
    assert(message:find('unknown option "snyc"', 1, true), message)
  end)

  it("takes a file of the listing's, in any key order", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl",
      '{"meta":{"created":"2025-01-01T00:00:00Z","aish_version":"phase4"}}\n'
      .. '{"kind":"fact","content":"one","ts":"2025-01-01T00:00:01Z","id":1}\n'
      .. '{"source":"user","tags":["x"],"ts":"2025-01-01T00:00:02Z","id":2,"content":"two","kind":"pref"}\n'
      .. '{"target":1,"kind":"forget","id":3,"ts":"2025-01-01T00:00:03Z"}\n')
    assert.same({ { id = 2, kind = "pref", content = "two", source = "user", tags = { "x" }, ts = "2025-01-01T00:00:02Z" } },
      history.load_memory(path))
    local memory = assert(history.open_memory(path))
    assert.equal(4, memory.next_id)
    memory:close()
  end)
end)

describe("shim: load_memory", function()
  helper.guard(before_each, after_each)

  it("gives an empty table and no message for a missing file, which stays missing", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local items, message = history.load_memory(path)
    assert.same({}, items)
    assert.is_nil(message)
    assert.is_false(cases.exists(path))
    items, message = history.load_memory(helper.tmpdir() .. "/no/memory.jsonl")
    assert.same({}, items)
    assert.is_nil(message)
  end)

  for _, case in ipairs(cases.not_regular) do
    local label, _, reason, make = unpack(case)
    it("gives an empty table and a message for " .. label .. ", without blocking", function()
      local path = make(helper.tmpdir())
      local output = cases.run_limited([[
        local items, message = require("history").load_memory(...)
        print(type(items), next(items), message)
      ]], path)
      assert.equal("table\tnil\topen " .. path .. ": " .. reason .. "\n", output)
    end)
  end

  for _, case in ipairs(cases.unreachable) do
    local label, number, reason, make = unpack(case)
    if number ~= 2 then
      it("gives an empty table and a message for " .. label, function()
        local path = make(helper.tmpdir())
        local items, message = history.load_memory(path)
        assert.same({}, items)
        assert.equal("open " .. path .. ": " .. reason, message)
      end)
    end
  end

  it("reads while another holds the lock", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(history.open_memory(path))
    memory:add("fact", "one")
    assert.equal(1, #history.load_memory(path))
    memory:close()
  end)
end)

describe("shim: the module", function()
  helper.guard(before_each, after_each)

  it("has the listing's functions under their names", function()
    for _, name in ipairs({ "open", "load", "list_sessions", "open_memory", "load_memory" }) do
      assert.equal("function", type(history[name]), name)
    end
  end)

  it("has every other function of the native module under its own name", function()
    local own = { open = true, load = true, load_memory = true }
    local count = 0
    for name, value in pairs(native) do
      if type(value) == "function" and not own[name] then
        assert.equal(value, history[name], name)
        count = count + 1
      end
    end
    assert.is_true(count >= 7)
    for _, name in ipairs({ "session", "append", "flock", "scan", "list", "encode", "decode", "display" }) do
      assert.equal("function", type(history[name]), name)
    end
    assert.is_nil(history.nosuch)
  end)

  it("opens sessions with open where the native module opens memories", function()
    local dir = helper.tmpdir()
    local session = history.open(dir .. "/s.jsonl")
    assert.equal("function", type(session.append))
    assert.is_nil(session.add)
    session:close()
    local memory = native.open(dir .. "/m.jsonl")
    assert.equal("function", type(memory.add))
    memory:close()
  end)

  it("changes nothing in the native module", function()
    local output = helper.run([[
      local native = require("aish_history")
      local before = {}
      for key, value in pairs(native) do before[key] = value end
      require("history")
      for key, value in pairs(native) do assert(before[key] == value, key) before[key] = nil end
      print(next(before), getmetatable(native))
    ]])
    assert.equal("nil\tnil\n", output)
  end)

  it("makes no global variable and changes none", function()
    local output = helper.run([[
      local names = { "history", "aish_history" }
      local before = {}
      for key, value in pairs(_G) do before[key] = value end
      local string_before = {}
      for key, value in pairs(string) do string_before[key] = value end
      local history = require("history")
      local dir = (...)
      local session = history.open(dir .. "/s.jsonl", { m = 1 })
      session:append({ role = "user", content = "x" })
      session:close()
      history.load(dir .. "/s.jsonl")
      history.list_sessions(dir)
      local memory = history.open_memory(dir .. "/m.jsonl")
      memory:add("fact", "x")
      memory:close()
      history.load_memory(dir .. "/m.jsonl")
      for key, value in pairs(_G) do
        if before[key] ~= value then print("global", key) end
        before[key] = nil
      end
      for key, value in pairs(string) do
        if string_before[key] ~= value then print("string", key) end
      end
      for _, name in ipairs(names) do print(rawget(_G, name), package.loaded[name] ~= nil) end
      print(next(before))
    ]], helper.tmpdir())
    assert.equal("nil\ttrue\nnil\ttrue\nnil\n", output)
  end)

  it("starts no process", function()
    forbid_processes(finally)
    local dir = helper.tmpdir() .. "/new"
    local session = assert(history.open(dir .. "/sessions/s.jsonl", { m = 1 }))
    session:append({ role = "user", content = "x" })
    session:close()
    assert.equal(1, #history.load(dir .. "/sessions/s.jsonl"))
    assert.same({ "s.jsonl" }, history.list_sessions(dir .. "/sessions"))
    assert.same({}, history.list_sessions(dir .. "/missing"))
    local memory = assert(history.open_memory(dir .. "/memory.jsonl"))
    assert.is_nil((history.open_memory(dir .. "/memory.jsonl")))
    memory:add("fact", "x")
    memory:forget(1)
    memory:close()
    assert.same({}, history.load_memory(dir .. "/memory.jsonl"))
    assert.is_true(history.append(dir .. "/log.jsonl", { n = 1 }))
    for line in history.scan(dir .. "/log.jsonl") do assert.equal(1, line) end
  end)

  it("runs no code that a path may hold", function()
    local dir = helper.tmpdir() .. "/$(touch pwned)`touch pwned`';touch pwned;'"
    history.open(dir .. "/s.jsonl"):close()
    assert.same({ "s.jsonl" }, history.list_sessions(dir))
    assert.is_nil(lfs.attributes("pwned"))
    assert.is_nil(lfs.attributes("pwned;"))
  end)

  it("makes files that only their owner reads", function()
    local dir = helper.tmpdir() .. "/new"
    local old = stat.umask(0)
    finally(function() stat.umask(old) end)
    history.open(dir .. "/s.jsonl"):close()
    history.open_memory(dir .. "/memory.jsonl"):close()
    assert.equal(tonumber("600", 8), cases.mode(dir .. "/s.jsonl"))
    assert.equal(tonumber("600", 8), cases.mode(dir .. "/memory.jsonl"))
    assert.equal(tonumber("700", 8), cases.mode(dir))
  end)
end)

describe("shim: arguments", function()
  helper.guard(before_each, after_each)

  local function raises(call)
    local ok, message = pcall(call)
    assert.is_false(ok)
    assert.is_string(message)
    return message
  end

  for _, name in ipairs(cases.types_but("string")) do
    it("takes no " .. name .. " as a path", function()
      local value = cases.values[name]
      for _, call in ipairs({
        function() history.open(value) end,
        function() history.load(value) end,
        function() history.open_memory(value) end,
        function() history.load_memory(value) end,
      }) do
        local message = raises(call)
        assert(message:find("bad argument #1", 1, true), message)
        assert(message:find(name, 1, true), message)
      end
      if name ~= "boolean" then
        assert(raises(function() history.list_sessions(value) end):find("bad argument #1", 1, true))
      end
    end)
  end

  it("needs a path", function()
    for _, call in ipairs({
      function() history.open() end,
      function() history.load() end,
      function() history.open_memory() end,
      function() history.load_memory() end,
    }) do
      assert(raises(call):find("bad argument #1", 1, true))
    end
  end)

  it("takes no text as a meta table or as options", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    assert(raises(function() history.open(path, "meta") end):find("bad argument #2", 1, true))
    assert(raises(function() history.open_memory(path, "options") end):find("bad argument #2", 1, true))
    assert(raises(function() history.load_memory(path, "filter") end):find("bad argument #2", 1, true))
    assert.is_false(cases.exists(path))
  end)
end)
