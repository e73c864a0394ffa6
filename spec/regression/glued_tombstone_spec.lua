-- A tombstone that was glued to a fragment took effect with the compaction that saved it, but what it
-- forgets stayed in the file, and was counted as kept.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a tombstone that is glued to a fragment", function()
  helper.guard(before_each, after_each)

  for label, bytes in pairs({
    ["behind its item"] = support.item(1, "SECRET") .. support.item(2) .. '{"id":3,"ts":"20' .. support.tombstone(4, 1),
    ["before its item"] = '{"id":3,"ts":"20' .. support.tombstone(4, 1) .. support.item(1, "SECRET") .. support.item(2),
  }) do
    it("forgets its item, bytes and all: " .. label, function()
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
      local dry = assert(aish.compact(path, { dry_run = true }))
      local result = assert(aish.compact(path))
      assert.same(result, dry)
      assert.same({ 1, 1 }, { result.kept, result.damaged })
      assert.equal(#helper.read(path), result.after)
      assert.is_nil(helper.read(path):find("SECRET", 1, true))
      assert.same({ 2 }, support.pluck(aish.load_memory(path), "id"))
      local memory = assert(aish.open(path))
      assert.equal(5, memory.next_id)
      memory:close()
    end)
  end
end)
