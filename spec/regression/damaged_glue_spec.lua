-- A compaction that was killed while it put damaged lines aside left a cut line in <file>.damaged,
-- and the next one glued its first line to that.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a cut last line of the file of damaged lines", function()
  helper.guard(before_each, after_each)

  it("is ended before the next one, and kept", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", "garbage\n" .. support.item(1) .. "more\n")
    helper.write(path .. ".damaged", "whole\nhalf a li")
    assert.equal(2, assert(aish.compact(path)).damaged)
    assert.equal("whole\nhalf a li\ngarbage\nmore\n", helper.read(path .. ".damaged"))
    assert.equal(support.item(1), helper.read(path))
  end)

  it("stays as it was when the compaction fails", function()
    -- With what the new file has at its end, the name would be too long.
    local path = helper.write(helper.tmpdir() .. "/" .. ("m"):rep(240), "garbage\n" .. support.item(1))
    helper.write(path .. ".damaged", "half a li")
    assert.is_nil((aish.compact(path)))
    assert.equal("half a li", helper.read(path .. ".damaged"))
  end)
end)
