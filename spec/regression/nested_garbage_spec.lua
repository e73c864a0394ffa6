-- Compaction looked for a record behind a fragment by reading on from each brace of the line: one of
-- objects within objects was read hundreds of times over.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a damaged line of nested objects", function()
  helper.guard(before_each, after_each)

  -- The record is a part of the innermost object that is cut off.
  it("is put aside as a whole", function()
    for _, depth in ipairs({ 100, 20000 }) do
      local bytes = "x" .. ('{"a":'):rep(depth) .. support.item(2, "nested")
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. bytes .. support.item(3))
      local result = assert(aish.compact(path))
      assert.same({ 2, 1 }, { result.kept, result.damaged })
      assert.equal(bytes, helper.read(path .. ".damaged"))
      assert.same({ 3, 1 }, support.pluck(aish.load_memory(path), "id"))
    end
  end)

  it("is searched for a record after it once", function()
    local fragment = ('{"a":'):rep(999) .. "{"
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. fragment .. support.item(2, "glued"))
    assert.equal(2, assert(aish.compact(path)).kept)
    assert.same({ 2, 1 }, support.pluck(aish.load_memory(path), "id"))
  end)
end)
