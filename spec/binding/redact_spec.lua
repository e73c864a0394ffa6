--- redact: the function through which strings go before they are written.
local cjson = require("cjson")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local native = require("aish_history")

local function new_path() return helper.tmpdir() .. "/log.jsonl" end

-- What was called, sorted; and a function that takes it down.
local function recorder()
  local texts = {}
  return texts, function(text)
    texts[#texts + 1] = text
    return "<" .. text .. ">"
  end
end

local function sorted(texts)
  table.sort(texts)
  return texts
end

local function hide(text) return text:gsub("sk%-%w+", "[redacted]") end -- two results, as gsub has

local function message_of(call, ...)
  local ok, message = pcall(call, ...)
  assert.is_false(ok)
  return message
end

-- Each way to write a record through redact: opened for a path, it gives a function that writes a table
-- of strings, and one that closes.
local ways = {
  ["session:append"] = function(path, redact)
    local session = assert(native.session(path, nil, { redact = redact }))
    return function(value) return session:append(value) end, function() session:close() end
  end,
  append = function(path, redact)
    return function(value) return native.append(path, value, { redact = redact }) end, function() end
  end,
  session = function(path, redact)
    return function(value)
      local session, message = native.session(path, value, { redact = redact })
      if session then session:close() end
      return session ~= nil, message
    end, function() end
  end,
  ["memory:add"] = function(path, redact)
    local memory = assert(native.open(path, { redact = redact }))
    return function(value) return memory:add("fact", "content", { value }, "source") end, function() memory:close() end
  end,
  ["memory:add(item)"] = function(path, redact)
    local memory = assert(native.open(path, { redact = redact, shared = true }))
    return function(value)
      local item = { kind = "fact", content = "0", value = value }
      for name, member in pairs(value) do item[name] = member end
      return memory:add(item)
    end, function() memory:close() end
  end,
  ["memory:update"] = function(path, redact)
    local memory = assert(native.open(path, { redact = redact, shared = true }))
    local id = memory:add("fact", "first")
    return function(value) return memory:update(id, { value = value, tags = { value } }) end, function() memory:close() end
  end,
  ["memory:add_many"] = function(path, redact)
    local memory = assert(native.open(path, { redact = redact, shared = true }))
    return function(value)
      return memory:add_many({ { kind = "fact", content = "one" }, { kind = "pref", content = "two", tags = { value } } })
    end, function() memory:close() end
  end,
}

describe("redact", function()
  helper.guard(before_each, after_each)

  it("is called for each string of a turn, but for keys and the turn's own names", function()
    local path, texts, record = new_path(), recorder()
    local session = assert(native.session(path, nil, { redact = record }))
    local own = { "id", "uid", "ts", "kind", "target", "of", "role" }
    local turn = { content = "a", n = 1, yes = true, no = native.null, list = { "b", { "c", "d" } }, [7] = "e" }
    for _, name in ipairs(own) do turn[name] = "own " .. name end
    turn.inner = { id = "f", role = "g", list = { { kind = "h" } } }
    turn.ids = { "i" }
    assert.is_true(session:append(turn))
    session:close()
    assert.same({ "a", "b", "c", "d", "e", "f", "g", "h", "i" }, sorted(texts))
    local line = cases.read_object(helper.lines(path)[1])
    for _, name in ipairs(own) do assert.equal("own " .. name, line[name]) end
    assert.equal("<a>", line.content)
    assert.same({ "<b>", { "<c>", "<d>" } }, line.list)
    assert.same({ id = "<f>", role = "<g>", list = { { kind = "<h>" } } }, line.inner)
    assert.same({ 1, true, "<e>" }, { line.n, line.yes, line["7"] })
    assert.equal("a", turn.content)
    assert.same({ "b", { "c", "d" } }, turn.list)
  end)

  it("is called for each string of a meta", function()
    local path, texts, record = new_path(), recorder()
    assert(native.session(path, { id = "a", role = "b", inner = { "c" } }, { redact = record })):close()
    assert.same({ "a", "b", "c" }, sorted(texts))
    assert.same({ meta = { id = "<a>", role = "<b>", inner = { "<c>" } } }, cases.read_object(helper.lines(path)[1]))
  end)

  it("is called for each string of what is appended without a handle", function()
    local path, texts, record = new_path(), recorder()
    assert.is_true(native.append(path, { event = "a", ts = "b", data = { ts = "c" } }, { redact = record }))
    assert.same({ "a", "c" }, sorted(texts))
    assert.same({ event = "<a>", ts = "b", data = { ts = "<c>" } }, cases.read_object(helper.lines(path)[1]))
  end)

  it("is called for content, tags and source of items", function()
    local path, texts, record = new_path(), recorder()
    local memory = assert(native.open(path, { redact = record }))
    assert.equal(1, memory:add("fact", "a", { "b", { id = "c" } }, "d"))
    assert.same({ 2, 3 }, memory:add_many({ { kind = "pref", content = "e", source = "f" }, { kind = "context", content = "g" } }))
    assert.same({ "a", "b", "c", "d", "e", "f", "g" }, sorted(texts))
    local item = memory:get(1)
    assert.same({ "fact", "<a>", { "<b>", { id = "<c>" } }, "<d>" }, { item.kind, item.content, item.tags, item.source })
    assert.is_nil(item.id == "<1>" or item.ts:find("<") or item.uid:find("<"))
    assert.is_true(memory:forget(3))
    assert.equal("<f>", memory:get(2).source)
    memory:close()
    assert.equal(7, #texts)
  end)

  it("is called for further members of items, and for what an update changes", function()
    local texts, record = recorder()
    local memory = assert(native.open(new_path(), { redact = record }))
    assert.equal(1, memory:add({ kind = "fact", content = "a", project = "b", more = { id = "c", n = 1 } }))
    assert.equal(2, memory:update(1, { project = "d", tags = { "e" } }))
    assert.same({ "a", "b", "c", "d", "e" }, sorted(texts))
    local item = memory:get(2)
    assert.same({ "fact", "<a>", "<d>", { id = "<c>", n = 1 }, { "<e>" } },
      { item.kind, item.content, item.project, item.more, item.tags })
    memory:close()
  end)

  it("is called before a unique memory is looked through", function()
    local memory = assert(native.open(new_path(), { redact = hide, unique = true }))
    assert.equal(1, memory:add("fact", "The key is sk-one"))
    assert.same({ 1, true }, { memory:add("fact", "The key is sk-two") })
    assert.equal(1, #memory)
    memory:close()
  end)

  it("may change the item that is added, and that is whole", function()
    local item = { kind = "fact", content = "1", a = "2", b = "3", c = { "4" }, d = "5" }
    local calls = 0
    local memory = assert(native.open(new_path(), { redact = function(text)
      calls = calls + 1
      for index = 1, 50 do item["new" .. calls .. "." .. index] = "more" end
      item.a, item.d = nil, nil
      return text
    end }))
    assert.equal(1, memory:add(item))
    local got = memory:get(1)
    assert.same({ "1", "2", "3", { "4" }, "5" }, { got.content, got.a, got.b, got.c, got.d })
    assert.equal(5, calls)
    memory:close()
  end)

  it("leaves no secret in a file, however deep it is nested", function()
    local dir, secret = helper.tmpdir(), "sk-abcdefghijklmnop"
    local turn = { role = "assistant", content = "export KEY=" .. secret, calls = { { name = "shell",
      output = { stdout = { "a", "KEY=" .. secret .. "\n" }, env = { { key = "KEY", value = secret } } } } } }
    local session = assert(native.session(dir .. "/s.jsonl", { prompt = secret }, { redact = hide }))
    assert.is_true(session:append(turn))
    session:close()
    assert.is_true(native.append(dir .. "/s.jsonl", turn, { redact = hide }))
    local memory = assert(native.open(dir .. "/m.jsonl", { redact = hide }))
    assert(memory:add("fact", "The key is " .. secret, { secret }, secret))
    memory:close()
    for _, name in ipairs({ "/s.jsonl", "/m.jsonl" }) do
      local bytes = helper.read(dir .. name)
      assert.is_nil(bytes:find("abcdefgh", 1, true))
      assert.truthy(bytes:find("[redacted]", 1, true))
    end
    assert.equal("export KEY=[redacted]", native.load(dir .. "/s.jsonl")[1].content)
    assert.equal("export KEY=" .. secret, turn.content)
  end)

  it("keeps what tables are: marks, arrays with holes, nulls, integers of 64 bits", function()
    local path = new_path()
    local object, array = { __jsontype = "object" }, { __jsontype = "array" }
    local list = { setmetatable({}, object), setmetatable({ [900] = "x" }, array), setmetatable({}, cjson.empty_array_mt),
      cjson.empty_array, cjson.null, {}, { "x", nil, "y" }, { [3] = "x" }, { [900] = "x" }, { x = native.null } }
    if rawget(_G, "jit") then list[#list + 1] = loadstring("return 9007199254740993LL")() end
    assert(native.append(path, { list = list }, { redact = function(text) return text end }))
    assert.equal(native.encode({ list = list }), helper.lines(path)[1])
  end)

  it("takes 1,000 levels and no more, and no cycle, and says so as without it", function()
    local session = assert(native.session(new_path(), nil, { redact = hide }))
    assert.is_true(session:append({ a = cases.nested(999) }))
    local cycle = { inner = {} }
    cycle.inner.list = { cycle.inner }
    for _, value in ipairs({ { a = cases.nested(1000) }, { x = cycle }, { a = { print } }, { ["1"] = 1, [1] = 2 } }) do
      local expected = message_of(native.append, session.path, value):gsub("^value", "turn")
      assert.equal(expected, message_of(session.append, session, value))
    end
    session:close()
    assert.equal(1, #helper.lines(session.path))
  end)

  it("that gives an empty text leaves an item without content, which is refused", function()
    local memory = assert(native.open(new_path(), { redact = function() return "" end }))
    local before = helper.read(memory.path)
    assert.equal("memory:add: content required", message_of(memory.add, memory, "fact", "x"))
    assert.equal("memory:add_many: items[1]: content required",
      message_of(memory.add_many, memory, { { kind = "fact", content = "x" } }))
    assert.equal(before, helper.read(memory.path))
    memory:close()
  end)

  it("that gives no string raises, with the path to the value", function()
    local path = new_path()
    local function want(expected, call, ...)
      assert.equal(expected .. ": redact must return a string, got nil", message_of(call, ...))
    end
    local function forget(text) if not text:find("secret") then return text end end
    local session = assert(native.session(path, nil, { redact = forget }))
    want("turn.content", session.append, session, { content = "secret" })
    want("turn.calls[2].text", session.append, session, { calls = { {}, { text = "secret" } } })
    want('turn["a key"][1]', session.append, session, { ["a key"] = { "secret" } })
    session:close()
    want("value.a", native.append, path, { a = "secret" }, { redact = forget })
    want("meta.a.b", native.session, path, { a = { b = "secret" } }, { redact = forget })
    assert.equal("", helper.read(path))
    local memory = assert(native.open(path, { redact = forget }))
    local before = helper.read(path)
    want("memory:add: content", memory.add, memory, "fact", "secret")
    want("memory:add: tags[1]", memory.add, memory, "fact", "x", { "secret" })
    want("memory:add: source", memory.add, memory, "fact", "x", nil, "secret")
    want("memory:add_many: items[2]: tags[1].a", memory.add_many, memory,
      { { kind = "fact", content = "x" }, { kind = "fact", content = "y", tags = { { a = "secret" } } } })
    assert.equal(before, helper.read(path))
    assert.equal(1, memory:add("fact", "x"))
    memory:close()
    for _, result in ipairs({ 1, true, {}, print }) do
      local message = message_of(native.append, path, { a = "x" }, { redact = function() return result end })
      assert.equal("value.a: redact must return a string, got " .. type(result), message)
    end
  end)

  for name, open in pairs(ways) do
    it("raises what the function raises, and nothing is written: " .. name, function()
      local path = new_path()
      local thrown = {}
      local armed = false
      local write, close = open(path, function(text)
        if armed and text == "deep" then error(thrown) end
        return text
      end)
      armed = true
      local before = cases.exists(path) and helper.read(path)
      local ok, message = pcall(write, { a = { "x", "deep" } })
      assert.is_false(ok)
      assert.equal(thrown, message)
      assert.equal(before, cases.exists(path) and helper.read(path))
      armed = false
      assert.truthy(write({ a = { "x", "deep" } }))
      close()
      assert.truthy(helper.read(path):find('{"a":["x","deep"]}', 1, true))
    end)

    it("may not yield: " .. name, function()
      local path = new_path()
      local yields = false
      local write, close = open(path, function(text)
        if yields then coroutine.yield() end
        return text
      end)
      yields = true
      local before = cases.exists(path) and helper.read(path)
      local thread = coroutine.create(write)
      local ok, message = coroutine.resume(thread, { a = "x" })
      assert.is_false(ok)
      assert.matches("attempt to yield across", message)
      assert.equal(before, cases.exists(path) and helper.read(path))
      yields = false
      assert.truthy(write({ a = "x" }))
      close()
    end)

    it("may change the value, and the record is whole: " .. name, function()
      local path = new_path()
      local value = { a = "1", b = "2", c = "3", list = { "4", "5", { "6" } }, map = { d = "7" } }
      local count = 0
      local write, close = open(path, function(text)
        if not tonumber(text) then return text end
        count = count + 1
        for index = 1, 20 do
          value["new" .. count .. "." .. index] = "more"
          value.list[#value.list + 1] = "more"
        end
        value.a, value.list[1], value.map = nil, nil, nil
        collectgarbage()
        return text
      end)
      assert.truthy(write(value))
      close()
      local bytes = helper.read(path)
      assert.truthy(bytes:find('"a":"1"', 1, true))
      assert.truthy(bytes:find('"b":"2"', 1, true))
      assert.truthy(bytes:find('"d":"7"', 1, true))
      for line in bytes:gmatch("[^\n]+") do assert.is_table(cases.read_object(line)) end
    end)

    it("is called before the lock is taken: " .. name, function()
      if name == "memory:add" then return end -- which keeps it
      local path = new_path()
      local free = 0
      local write, close = open(path, function(text)
        local file = io.open(path)
        if file then
          assert.is_true(native.flock(file, native.LOCK_EX + native.LOCK_NB))
          file:close()
        end
        free = free + 1
        return text
      end)
      assert.truthy(write({ a = "x" }))
      close()
      assert.truthy(free > 0)
    end)
  end

  it("may use the handle that called it", function()
    local dir, session, memory, inside = helper.tmpdir()
    local function within(call)
      return function(text)
        if inside then return text end
        inside = true
        call(text)
        inside = false
        return text:upper()
      end
    end
    session = assert(native.session(dir .. "/s.jsonl", nil, { redact = within(function()
      assert(session:append({ inner = { "of the function" } }))
      assert(session:sync())
    end) }))
    assert.is_true(session:append({ a = "outer" }))
    assert.is_true(session:append({ a = { { "again" } } }))
    session:close()
    assert.equal('{"inner":["of the function"]}\n{"a":"OUTER"}\n{"inner":["of the function"]}\n{"a":[["AGAIN"]]}\n',
      helper.read(session.path))
    memory = assert(native.open(dir .. "/m.jsonl", { redact = within(function()
      assert(memory:add("fact", "inner"))
      assert(#memory > 0 and memory:search("inner")[1] and memory:compact())
    end) }))
    assert.same({ 2, 4 }, { memory:add("fact", "outer"), memory:add("fact", "again") })
    memory:close()
    assert.same({ "AGAIN", "inner", "OUTER", "inner" }, (function(items)
      for index, item in ipairs(items) do items[index] = item.content end
      return items
    end)(native.load_memory(memory.path)))
  end)

  it("that calls itself without end raises", function()
    local session
    session = assert(native.session(new_path(), nil, { redact = function(text)
      session:append({ text })
      session:append({ a = text })
      return text
    end }))
    message_of(session.append, session, { a = "x" })
    session:close()
    assert.equal("", helper.read(session.path))
  end)

  it("may close the handle that called it", function()
    local dir, session, memory = helper.tmpdir()
    session = assert(native.session(dir .. "/s.jsonl", nil, { redact = function(text)
      session:close()
      return text
    end }))
    assert.same({ false, "session closed" }, { session:append({ a = "x", b = { "y" } }) })
    assert.equal("", helper.read(session.path))
    for method, arguments in pairs({ add = { "fact", "x" }, add_many = { { { kind = "fact", content = "x" } } } }) do
      memory = assert(native.open(dir .. "/m.jsonl", { redact = function(text)
        memory:close()
        return text
      end }))
      assert.equal("memory:" .. method .. " on closed handle", message_of(memory[method], memory, unpack(arguments)))
      assert.same({}, native.load_memory(memory.path))
    end
  end)

  it("may drop the handle that called it, which is collected afterwards", function()
    for _, name in ipairs({ "session", "open" }) do
      local path, seen = new_path(), setmetatable({}, { __mode = "k" })
      local handle
      local function redact(text)
        handle = nil
        cases.collect()
        return text .. "!"
      end
      if name == "open" then handle = assert(native.open(path, { redact = redact }))
      else handle = assert(native.session(path, nil, { redact = redact })) end
      seen[handle] = true
      if name == "open" then assert.equal(1, handle:add("fact", "x"))
      else assert.is_true(handle:append({ content = "x" })) end
      cases.collect()
      assert.is_nil(next(seen))
      assert.truthy(helper.read(path):find('"content":"x!"', 1, true))
    end
  end)

  it("is collected with its handle, though each knows the other", function()
    local seen = setmetatable({}, { __mode = "k" })
    for index = 1, 20 do
      local name, handle = new_path(), nil
      local function redact(text) return handle and text end
      if index % 2 == 0 then handle = assert(native.session(name, nil, { redact = redact }))
      else handle = assert(native.open(name, { redact = redact })) end
      seen[redact] = true
    end
    cases.collect()
    cases.collect()
    local left = 0
    for _ in pairs(seen) do left = left + 1 end
    assert(left <= 1, left) -- a register may still hold the last
  end)

  it("lives as long as its handle, whatever becomes of the table of options", function()
    local options = { redact = function(text) return text .. "!" end }
    local session = assert(native.session(new_path(), nil, options))
    options.redact = nil
    options = nil -- luacheck: ignore
    cases.collect()
    for _ = 1, 3 do assert.is_true(session:append({ "x", a = "y" })) end
    session:close()
    assert.equal('{"1":"x!","a":"y!"}', (helper.lines(session.path)[3]:gsub('{"a":"y!","1":"x!"}', '{"1":"x!","a":"y!"}')))
  end)

  it("must be a function", function()
    local path = new_path()
    for _, type_name in ipairs(cases.types_but("function")) do
      local options = { redact = cases.values[type_name] }
      local words = 'option "redact" must be a function, got ' .. type_name
      cases.argument_error(function() native.session(path, nil, options) end, 3, "session", words)
      cases.argument_error(function() native.append(path, {}, options) end, 3, "append", words)
      cases.argument_error(function() native.open(path, options) end, 2, "open", words)
      cases.argument_error(function() native.compact(path, options) end, 2, "compact", 'unknown option "redact"')
    end
    assert.is_false(cases.exists(path))
  end)
end)
