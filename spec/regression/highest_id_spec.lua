-- Where a record of an unknown kind had the highest id, compaction dropped the tombstone that had the
-- highest one of ours: a program that counts items and tombstones alone gave ids again.
local aish = require("aish_history")
local cjson = require("cjson")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local ours = { fact = true, pref = true, context = true, forget = true }

local function next_id(path)
  local highest = 0
  for _, line in ipairs(helper.lines(path)) do
    local record = cjson.decode(line)
    if ours[record.kind] then highest = math.max(highest, record.id) end
  end
  return highest + 1
end

describe("the highest id of items and tombstones", function()
  helper.guard(before_each, after_each)

  for label, bytes in pairs({
    ["a tombstone's"] = support.item(1) .. support.item(2) .. support.tombstone(3, 2) .. '{"id":50,"kind":"note"}\n',
    ["a forgotten item's"] = support.item(1) .. support.tombstone(2, 9) .. support.item(9) .. '{"id":50,"kind":"note"}\n',
  }) do
    it("survives compaction below that of an unknown record: " .. label, function()
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
      local before = next_id(path)
      for _ = 1, 2 do
        assert(aish.compact(path))
        assert.equal(before, next_id(path))
        local memory = assert(aish.open(path))
        assert.equal(51, memory.next_id)
        assert.equal(1, #memory)
        memory:close()
      end
    end)
  end
end)
