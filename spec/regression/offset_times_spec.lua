-- Times with an offset or a fraction were put in the order of their texts, and compared as texts with
-- what was looked for.
local aish = require("aish_history")
local assert = require("luassert")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("times with offsets and fractions", function()
  helper.guard(before_each, after_each)

  local bytes = support.item(1, "c", "2026-01-02T12:00:00+05:00") .. support.item(2, "c", "2026-01-02T07:30:00.9Z")
    .. support.item(3, "c", "2026-01-02T07:30:00Z") .. support.item(4, "c", "2026-01-02T07:29:60Z") .. support.item(5, "c", "2026-02-30T00:00:00Z")

  local function ids(filter)
    return support.pluck(assert(aish.load_memory(helper.write(helper.tmpdir() .. "/memory.jsonl", bytes), filter)), "id")
  end

  it("are in order as points in time", function()
    assert.same({ 2, 4, 3, 1, 5 }, ids())
  end)

  it("are looked for as points in time", function()
    assert.same({ 2, 4, 3 }, ids({ since = "2026-01-02T07:30:00Z" }))
    assert.same({ 2, 4, 3 }, ids({ since = "2026-01-02T07:30:00Z", before = "2026-01-02T07:30:01Z" }))
    assert.same({ 1, 5 }, ids({ before = "2026-01-02T07:30:00Z" }))
    assert.same({ 1, 5 }, ids({ before = "2026-01-02T12:30:00+05:00" }))
  end)
end)
