-- A file that was cut, and then grew to its old size again with a fragment at its end, had the next
-- record glued to that: the handle remembered that a file of this size ends in a newline. Found by
-- spec/fuzz/memory.c.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a file that was cut and has its old size again", function()
  helper.guard(before_each, after_each)

  for _, shared in ipairs({ false, true }) do
    it("gets its last line ended first, " .. (shared and "shared" or "exclusive"), function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      local memory = assert(aish.open(path, { shared = shared, sync = "none" }))
      assert.equal(1, memory:add("fact", "one"))
      local size = #helper.read(path)
      helper.write(path, support.item(1)) -- in place: the inode stays
      assert.equal(1, #memory:items())
      local fragment = '{"id":2,"ts":"'
      local bytes = support.item(1) .. fragment .. ("x"):rep(size - #support.item(1) - #fragment)
      assert.equal(size, #bytes)
      helper.write(path, bytes)
      local id = assert(memory:add("fact", "two"))
      assert.equal(bytes .. "\n", helper.read(path):sub(1, size + 1))
      assert.same({ id, 1 }, support.pluck(aish.load_memory(path), "id"))
      memory:close()
    end)
  end

  it("is a session's, too", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path))
    assert(session:append({ role = "user", content = ("long "):rep(20) }))
    local size = #helper.read(path)
    helper.write(path, '{"a":1}\n')
    assert(session:append({ b = 1 }))
    local bytes = '{"a":1}\n' .. ('{"role":"user'):rep(20):sub(1, size - 8)
    helper.write(path, bytes)
    assert(session:append({ role = "user", content = "next" }))
    assert.equal(bytes .. '\n', helper.read(path):sub(1, size + 1))
    assert.equal(1, #aish.load(path))
    session:close()
  end)
end)
