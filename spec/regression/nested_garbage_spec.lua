-- Compaction looked for a record behind a fragment by reading on from each brace of the line: one of
-- objects within objects was read hundreds of times over.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a damaged line of nested objects", function()
  helper.guard(before_each, after_each)

  -- A record behind them shows whether the search went that far.
  local function garbage(depth)
    return "x" .. ('{"a":'):rep(depth) .. support.item(2, "glued")
  end

  it("is searched for a record while that takes few readings of it", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. garbage(100))
    assert.equal(2, assert(aish.compact(path)).kept)
    assert.same({ 2, 1 }, support.pluck(aish.load_memory(path), "id"))
  end)

  it("is put aside as a whole when it would take many", function()
    local bytes = garbage(20000)
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. bytes .. support.item(3))
    local result = assert(aish.compact(path))
    assert.same({ 2, 1 }, { result.kept, result.damaged })
    assert.equal(bytes, helper.read(path .. ".damaged"))
    assert.same({ 3, 1 }, support.pluck(aish.load_memory(path), "id"))
  end)
end)
