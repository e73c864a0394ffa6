-- A file that was edited in place and kept its size looked unchanged to an open handle, and the
-- handle's compaction dropped the edited item as if it had been forgotten.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a file that was edited in place to the same size", function()
  helper.guard(before_each, after_each)

  local function case(label, shared, before, after, ids)
    it(("loses nothing in a compaction: %s, %s"):format(label, shared and "shared" or "exclusive"), function()
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", before)
      local memory = assert(aish.open(path, { shared = shared }))
      assert.is_number(#memory)
      assert.equal(#before, #after)
      local file = assert(io.open(path, "r+b"))
      file:write(after)
      file:close()
      local result = assert(memory:compact())
      assert.equal(#ids, result.kept)
      assert.same(ids, support.pluck(aish.load_memory(path), "id"))
      assert.same(ids, support.pluck(memory:items(), "id"))
      assert.equal(#ids, #memory)
      memory:close()
    end)
  end

  for _, shared in ipairs({ false, true }) do
    local last = support.item(3)
    case("another id", shared, support.item(1) .. support.item(2) .. last, support.item(7) .. support.item(2) .. last, { 7, 3, 2 })
    case("another kind", shared, support.item(1, "x", nil, "note") .. last, support.item(1, "x", nil, "fact") .. last, { 3, 1 })
    case("another target", shared, support.item(1) .. support.item(2) .. support.tombstone(3, 1) .. support.item(4),
      support.item(1) .. support.item(2) .. support.tombstone(3, 2) .. support.item(4), { 4, 1 })
  end
end)
