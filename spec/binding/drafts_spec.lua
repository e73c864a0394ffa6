-- What memory:add takes as one table: fields, further members, and the names that are the format's.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local ours = { "id", "uid", "ts", "target", "of", "rev", "replaces", "replaces_uid", "meta", "score" }

local function new()
  local path = helper.tmpdir() .. "/memory.jsonl"
  return assert(aish.open(path)), path
end

-- Calls `fn`, which must raise and leave the file at `path` as it was; returns the message.
local function refused(path, fn, ...)
  local before = helper.read(path)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal(before, helper.read(path))
  return message
end

describe("an item as a table", function()
  helper.guard(before_each, after_each)

  it("is written as its fields are, and further members after them", function()
    local memory, path = new()
    local since = support.now()
    assert.equal(1, memory:add({ source = "me", tags = { "t" }, content = "one", kind = "fact" }))
    assert.equal(2, memory:add({ project = "aish", content = "two", kind = "pref", source = "me" }))
    assert.same({ 3 }, memory:add_many({ { content = "three", kind = "context", ["a \"key\""] = { 1, { b = true } } } }))
    memory:close()
    assert.equal('{"id":1,"uid":"U","ts":"T","kind":"fact","content":"one","tags":["t"],"source":"me"}',
      support.line(path, 2, since))
    assert.equal('{"id":2,"uid":"U","ts":"T","kind":"pref","content":"two","source":"me","project":"aish"}',
      support.line(path, 3, since))
    assert.equal('{"id":3,"uid":"U","ts":"T","kind":"context","content":"three","a \\"key\\"":[1,{"b":true}]}',
      support.line(path, 4, since))
  end)

  it("has members of any value that JSON holds, and any other name", function()
    local memory, path = new()
    local further = { number = 0.1, no = false, text = "a\0\255", [""] = "empty", Id = 1, ids = 2, ["k\0"] = 3,
      ["\255"] = { { "deep" } }, scores = 1, Kind = "x" }
    local item = { kind = "fact", content = "x", null = aish.null }
    for name, value in pairs(further) do item[name] = value end
    memory:add(item)
    local got = memory:get(1)
    for name, value in pairs(further) do assert.same(value, got[name], name) end
    assert.truthy(helper.read(path):find('"null":null', 1, true))
    memory:close()
  end)

  it("has no member that the format has a meaning for", function()
    local memory, path = new()
    for _, name in ipairs(ours) do
      local item = { kind = "fact", content = "x", [name] = 1 }
      local named = ': no member may be named "' .. name .. '"'
      assert.equal("memory:add" .. named, refused(path, memory.add, memory, item))
      assert.equal("memory:add_many: items[2]" .. named,
        refused(path, memory.add_many, memory, { { kind = "fact", content = "x" }, item }))
    end
    memory:close()
  end)

  it("is refused, with the place, where a member cannot be written", function()
    local memory, path = new()
    for message, item in pairs({
      ["memory:add: calls[2].fn: a function cannot be stored"] = { calls = { 1, { fn = print } } },
      ["memory:add: the name of a member must be a string, got number"] = { "x" },
      ["memory:add: the name of a member must be a string, got boolean"] = { [true] = "x" },
      ["memory:add: tags must be a table, got string"] = { tags = "x" },
      ["memory:add: source must be a string, got number"] = { source = 5 },
      ["memory:add: content must be a string, got number"] = { content = 5 },
      ["memory:add: content required"] = { content = "" },
      ["memory:add: kind must be fact|pref|context (got X)"] = { kind = "X" },
    }) do
      if item.kind == nil then item.kind = "fact" end
      if item.content == nil then item.content = "x" end
      assert.equal(message, refused(path, memory.add, memory, item))
    end
    assert.truthy(refused(path, memory.add, memory, {}):find("kind must be", 1, true))
    assert.equal(1, memory:add({ kind = "fact", content = "still alive" }))
    memory:close()
  end)

  it("nests as deeply as can be read, and no deeper", function()
    local memory, path = new()
    local function nest(levels)
      local value = "x"
      for _ = 1, levels do value = { value } end
      return { kind = "fact", content = "x", nested = value }
    end
    memory:add(nest(999))
    assert.same(nest(999).nested, memory:get(1).nested)
    assert.truthy(refused(path, memory.add, memory, nest(1000)):find("more than 1000 levels", 1, true))
    memory:close()
  end)

  it("is read without its metatable", function()
    local memory, path = new()
    local item = setmetatable({ kind = "fact" }, { __index = { content = "from elsewhere" } })
    assert.equal("memory:add: content required", refused(path, memory.add, memory, item))
    memory:close()
  end)
end)
