--- The objects that the module gives: whose methods take which.
local helper = require("spec.support.helper")
local native = require("aish_history")

-- One object of each class, all closed when the spec ends.
local function objects()
  local dir = helper.tmpdir()
  local made = {
    memory = assert(native.open(dir .. "/memory.jsonl")),
    session = assert(native.session(dir .. "/session.jsonl")),
    scan = assert(native.scan(dir .. "/session.jsonl")),
    follow = assert(native.follow(dir .. "/session.jsonl")),
  }
  finally(function()
    for _, object in pairs(made) do object:close() end
  end)
  return made
end

local METHODS = {
  memory = { "add", "add_many", "close", "compact", "forget", "get", "items", "search", "sync" },
  session = { "append", "close", "sync" },
  scan = { "close" },
  follow = { "close" },
}
local EXPECTED = { memory = "memory handle", session = "session handle", scan = "iterator", follow = "iterator" }

local function message_of(call, ...)
  local ok, message = pcall(call, ...)
  assert.is_false(ok)
  return message
end

describe("a method", function()
  helper.guard(before_each, after_each)

  it("that is called with a dot says so", function()
    local memory = objects().memory
    assert.equal("bad argument #1 to 'add' (memory handle expected, got string; use memory:add, with a colon)",
      message_of(function() memory.add("fact", "x") end):match("bad argument.*"))
    assert.equal("bad argument #1 to 'close' (memory handle expected, got no value; use memory:close, with a colon)",
      message_of(function() memory.close() end):match("bad argument.*"))
    assert.equal(0, #memory)
  end)

  it("knows its name whatever it is called by", function()
    for class, object in pairs(objects()) do
      for _, name in ipairs(METHODS[class]) do
        local self = EXPECTED[class]:match("^%l+")
        local hint = ("%s expected, got table; use %s:%s, with a colon"):format(EXPECTED[class], self, name)
        local message = message_of(object[name], {}, "fact", "x")
        assert(message:find(hint, 1, true), message)
        message = message_of(function() return ({ [name] = object[name] })[name]() end)
        assert(message:find("got no value; use " .. self, 1, true), message)
      end
    end
  end)

  -- `local object <close>`, in a text, as older Luas do not know it.
  it("closes what goes out of scope, from Lua 5.4 on", function()
    local scope = loadstring("local object <close> = (...)  error('out')")
    if not scope then return pending("Lua 5.4 and later only") end
    for class, object in pairs(objects()) do
      assert(message_of(scope, object):find("out", 1, true))
      if class == "memory" or class == "session" then assert.is_true(object.closed) end
    end
  end)

  it("refuses the objects of other classes, and values that look like one", function()
    local all = objects()
    local proxy = newproxy(true)
    getmetatable(proxy).__index = all.memory
    for class, object in pairs(all) do
      for other, self in pairs(all) do
        if EXPECTED[other] ~= EXPECTED[class] then
          local message = message_of(object.close, self)
          assert(message:find(EXPECTED[class] .. " expected, got userdata", 1, true), message)
        end
      end
      for _, value in ipairs({ proxy, io.stdout, 1, "memory", setmetatable({}, { __index = object }) }) do
        message_of(object.close, value)
      end
    end
    for _, name in ipairs({ "memory", "session" }) do assert.is_false(all[name].closed) end
  end)

  it("is still one after the module was loaded again", function()
    local all = objects()
    package.loaded.aish_history = nil
    local again = require("aish_history")
    package.loaded.aish_history = native
    local memory = assert(again.open(helper.tmpdir() .. "/memory.jsonl"))
    assert.equal(1, all.memory.add(memory, "fact", "x"))
    memory:close()
  end)
end)

describe("a class", function()
  helper.guard(before_each, after_each)

  it("hides its metatable, and with it __gc", function()
    for _, object in pairs(objects()) do
      assert.equal("aish_history", getmetatable(object))
      assert.is_nil(object.__gc)
      assert.is_false(pcall(setmetatable, object, {}))
    end
  end)

  it("has a __gc that refuses what is not of the class, and may run twice", function()
    for class, object in pairs(objects()) do
      local gc = debug.getmetatable(object).__gc
      for _, value in ipairs({ 1, {}, io.stdout, newproxy(true) }) do
        local message = message_of(gc, value)
        assert(message:find(EXPECTED[class] .. " expected, got " .. type(value), 1, true), message)
        assert.is_nil(message:find("colon", 1, true))
      end
      gc(object)
      gc(object)
    end
  end)
end)
