-- A byte order mark before a damaged first line reached the file of damaged lines as three spaces.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local MARK = "\239\187\191"

describe("a byte order mark", function()
  helper.guard(before_each, after_each)

  it("before a damaged line is put aside as it was", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", MARK .. "garbage\n" .. support.item(1))
    assert.equal(1, assert(aish.compact(path)).damaged)
    assert.equal(MARK .. "garbage\n", helper.read(path .. ".damaged"))
    assert.equal(support.item(1), helper.read(path))
  end)

  it("before a record leaves the record's bytes alone", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", MARK .. support.meta .. support.item(1))
    assert(aish.compact(path))
    local bytes = helper.read(path):gsub("^" .. MARK, ""):gsub("^ +", "")
    assert.equal(support.meta .. support.item(1), bytes)
    assert.equal(1, #aish.load_memory(path))
  end)
end)
