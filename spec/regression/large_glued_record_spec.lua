-- Compaction saves a whole record that is glued to a fragment. Where both together were longer than a
-- block it did not, if the block ended in the record.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a large record that is glued to a fragment", function()
  helper.guard(before_each, after_each)

  for _, sizes in ipairs({
    { 0, 300000 }, { 200000, 100000 }, { 262000, 3000 }, { 262144, 10 }, { 300000, 300000 }, { 10, 3000000 },
  }) do
    it(("is saved by compact: %d bytes, then %d"):format(sizes[1], sizes[2]), function()
      local fragment = '{"id":2,"content":"' .. ("y"):rep(sizes[1])
      local record = support.item(3, ("z"):rep(sizes[2]))
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. fragment .. record)
      local result = assert(aish.compact(path))
      assert.same({ 2, 1 }, { result.kept, result.damaged })
      assert.is_true(helper.read(path) == support.item(1) .. record)
      assert.is_true(helper.read(path .. ".damaged") == fragment .. "\n")
    end)
  end
end)
