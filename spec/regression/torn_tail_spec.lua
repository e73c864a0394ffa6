-- The append after a torn last line was glued to it, and both were lost.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a torn last line", function()
  helper.guard(before_each, after_each)

  it("does not take the next memory with it, and is kept", function()
    local whole = support.meta .. support.item(1) .. support.item(2)
    for cut = 1, #support.item(2) - 2 do
      local torn = whole:sub(1, #whole - 1 - cut)
      local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/memory.jsonl", torn)
      local memory = assert(aish.open(path, { sync = "none" }))
      assert.equal(2, memory.next_id)
      assert.equal(2, memory:add("fact", "next"))
      memory:close()
      local bytes = helper.read(path)
      assert.equal(torn .. "\n", bytes:sub(1, #torn + 1))
      assert.matches('^{"id":2,"uid":"%w+","ts":"[^"]*","kind":"fact","content":"next"}\n$', bytes:sub(#torn + 2))
      assert.same({ "next", "x" }, support.pluck(aish.load_memory(path), "content"))
    end
  end)

  it("in the middle of a character or an escape is no different", function()
    for _, torn in ipairs({ '{"id":2,"kind":"fact","content":"na\195', '{"id":2,"kind":"fact","content":"na\\u00',
      '{"id":2,"kind":"fact","content":"na\\', '{"id":2,"kind":"fact","content":"na', '{"id":2', '{"id', "{", "\0\0\0" }) do
      local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/memory.jsonl", support.item(1) .. torn)
      local memory = assert(aish.open(path))
      assert.is_true(memory:forget(1))
      assert.equal(3, memory:add("fact", "next"))
      memory:close()
      assert.equal(torn, helper.lines(path)[2])
      assert.same({ "next" }, support.pluck(aish.load_memory(path), "content"))
    end
  end)

  it("does not take the next turn with it", function()
    local first = '{"meta":{"m":1}}\n{"role":"user","content":"one"}\n'
    local last = '{"role":"assistant","content":"two"}'
    for length = 1, #last - 1 do
      local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/session.jsonl", first .. last:sub(1, length))
      local session = assert(aish.session(path, { m = 2 }))
      assert.is_true(session:append({ role = "user", content = "three" }))
      session:close()
      local bytes = helper.read(path)
      assert.equal(first .. last:sub(1, length) .. "\n", bytes:sub(1, #first + length + 1))
      local turns, meta = aish.load(path)
      assert.same({ "one", "three" }, support.pluck(turns, "content"))
      assert.equal(1, meta.m)
    end
  end)

  it("does not take a record without a handle with it", function()
    local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/any.jsonl", '{"n":1}\n{"n":')
    assert.is_true(aish.append(path, { n = 3 }))
    assert.equal('{"n":1}\n{"n":\n{"n":3}\n', helper.read(path))
  end)

  it("does not trouble the shell", function()
    local history = require("history")
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/memory.jsonl", support.item(1) .. '{"id":2,"ki')
    local memory = assert(history.open_memory(path))
    assert.equal(2, memory:add("fact", "next"))
    memory:close()
    assert.same({ "next", "x" }, support.pluck(history.load_memory(path), "content"))
    local name = helper.write(dir .. "/s.jsonl", '{"role":"user","content":"one"}\n{"role":"us')
    local session = assert(history.open(name))
    assert.is_true(session:append({ role = "user", content = "two" }))
    session:close()
    assert.same({ "one", "two" }, support.pluck((history.load(name)), "content"))
  end)
end)
