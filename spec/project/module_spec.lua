--- The module as a whole: its symbol, its names, its constants, and what requiring it does.
local cjson = require("cjson")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local native = require("aish_history")

-- The shared object that require finds.
local function object()
  for template in package.cpath:gmatch("[^;]+") do
    local path = template:gsub("%?", "aish_history")
    if cases.exists(path) then return path end
  end
  error("no aish_history in " .. package.cpath)
end

describe("module", function()
  helper.guard(before_each, after_each)

  it("exports luaopen_aish_history and nothing else", function()
    if helper.instrumented then
      pending("an instrumented build exports more")
      return
    end
    local names = {}
    for name in helper.output("nm -D --defined-only " .. helper.quote(object())):gmatch("%x+ %a ([^\n]+)") do
      names[#names + 1] = name
    end
    assert.same({ "luaopen_aish_history" }, names)
  end)

  it("has the version of the release's rockspec", function()
    local found = {}
    for name in helper.output("ls rockspec"):gmatch("aish_history%-([^\n]+)%.rockspec") do
      if name ~= "dev-1" then found[#found + 1] = name end
    end
    assert.equal(1, #found)
    assert.equal(found[1]:match("^(.+)%-%d+$"), native._VERSION)
    assert.matches("^%d+%.%d+%.%d+$", native._VERSION)
  end)

  it("has the functions of the contract and no others", function()
    local known = {}
    for _, name in ipairs({ "open", "session", "append", "flock", "scan", "follow", "load", "load_memory", "list",
      "sessions", "search", "recall", "verify", "compact", "erase", "encode", "decode", "display" }) do
      assert.equal("function", type(native[name]), name)
      known[name] = true
    end
    for _, name in ipairs({ "null", "_VERSION", "LOCK_SH", "LOCK_EX", "LOCK_NB", "LOCK_UN" }) do
      known[name] = true
    end
    for name in pairs(native) do assert.is_true(known[name], tostring(name)) end
  end)

  it("has flock's constants", function()
    assert.equal(1, native.LOCK_SH)
    assert.equal(2, native.LOCK_EX)
    assert.equal(4, native.LOCK_NB)
    assert.equal(8, native.LOCK_UN)
  end)

  it("has lua-cjson's null", function()
    assert.equal(cjson.null, native.null)
    assert.equal("userdata", type(native.null))
    assert.equal('{"a":null}', cjson.encode({ a = native.null }))
    assert.equal('{"a":null}', native.encode({ a = cjson.null }))
  end)

  it("has the same null whether lua-cjson was loaded or not", function()
    local output = helper.run([[
      local native = require("aish_history")
      assert(package.loaded.cjson == nil)
      print(native.encode({ a = native.null }), native.null == require("cjson").null)
    ]])
    assert.equal('{"a":null}\ttrue\n', output)
  end)

  it("is one table however often it is required", function()
    assert.equal(native, require("aish_history"))
    assert.equal(native, package.loaded.aish_history)
  end)

  it("may be loaded a second time, and both loads go on working", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local session = assert(native.session(path))
    local kept = package.loaded.aish_history
    finally(function() package.loaded.aish_history = kept end)
    package.loaded.aish_history = nil
    local again = require("aish_history")
    assert.not_equal(native, again)
    assert.equal(native._VERSION, again._VERSION)
    local other = assert(again.session(path))
    assert.is_true(session:append({ n = 1 }))
    assert.is_true(other:append({ n = 2 }))
    session:close()
    assert.is_true(other:append({ n = 3 }))
    other:close()
    assert.equal('{"n":1}\n{"n":2}\n{"n":3}\n', helper.read(path))
    assert.same({ false, "session closed" }, { session:append({ n = 4 }) })
  end)

  it("makes no global variable", function()
    local output = helper.run([[
      local before = {}
      for key, value in pairs(_G) do before[key] = value end
      local native = require("aish_history")
      native.decode(native.encode({ 1, { a = "b" } }))
      for key, value in pairs(_G) do
        if before[key] ~= value then print(key) end
      end
      print("done", rawget(_G, "aish_history"))
    ]])
    assert.equal("done\tnil\n", output)
  end)

  it("leaves the metatables of the basic types alone", function()
    local output = helper.run([[
      local before = getmetatable("")
      require("aish_history")
      print(getmetatable("") == before, getmetatable(1), getmetatable(nil), getmetatable(print), getmetatable(true))
    ]])
    assert.equal("true\tnil\tnil\tnil\tnil\n", output)
  end)

  it("needs neither package.path nor another Lua module", function()
    local output = helper.run([[
      package.path = ""
      local native = require("aish_history")
      for name in pairs(package.loaded) do
        if name:find("json") or name == "history" then print(name) end
      end
      local path = (...)
      local session = native.session(path)
      session:append({ role = "user", content = "x" })
      session:close()
      print(native.load(path)[1].content)
    ]], helper.tmpdir() .. "/s.jsonl")
    assert.equal("x\n", output)
  end)

  it("opens no descriptor when it is required", function()
    local output = helper.run([[
      local helper = require("spec.support.helper")
      local before = helper.descriptors()
      require("aish_history")
      for number, target in pairs(helper.descriptors()) do
        if not before[number] then print(number, target) end
      end
      print("done")
    ]])
    assert.equal("done\n", output)
  end)

  local both = _VERSION == "Lua 5.1" and not helper.instrumented
  for _, interpreter in ipairs(both and { "luajit", "lua5.1" } or { helper.lua }) do
    it("works under " .. interpreter:match("[^/]*$") .. ", whatever runs this", function()
      if helper.output("command -v " .. interpreter) == "" then
        pending("there is no " .. interpreter)
        return
      end
      local kept = helper.lua
      finally(function() helper.lua = kept end)
      helper.lua = interpreter
      local output = helper.run([[
        local native, history = require("aish_history"), require("history")
        local path = (...)
        local session = history.open(path, { m = 1 })
        session:append({ role = "user", content = "x", n = 0.1 })
        session:close()
        local turns, meta = native.load(path)
        print(native._VERSION, #turns, turns[1].n, meta.m, rawget(_G, "jit") ~= nil)
      ]], helper.tmpdir() .. "/s.jsonl")
      assert.equal(native._VERSION .. "\t1\t0.1\t1\t" .. tostring(interpreter == "luajit") .. "\n", output)
    end)
  end

  it("closes what is still open when its Lua state ends", function()
    local path = helper.tmpdir() .. "/m.jsonl"
    local output = helper.run([[
      local native = require("aish_history")
      memory = assert(native.open((...)))
      session = assert(native.session((...) .. "2"))
      iterator = native.scan((...))
      assert(memory:add("fact", "x"))
      print("done")
    ]], path)
    assert.equal("done\n", output)
    assert.equal(1, #native.load_memory(path))
    local memory = assert(native.open(path))
    memory:close()
  end)
end)
