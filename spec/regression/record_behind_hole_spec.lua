-- A record behind more than 16 MiB of NUL bytes or byte order marks on its line was hidden, and compaction moved
-- it to <file>.damaged.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local function file_of(separators)
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1))
  local file = assert(io.open(path, "ab"))
  if type(separators) == "number" then -- a hole
    file:close()
    os.execute(("truncate -s +%d %s"):format(separators, helper.quote(path)))
    file = assert(io.open(path, "ab"))
  else
    assert(file:write(separators))
  end
  assert(file:write(support.item(2), support.item(3)))
  file:close()
  return path
end

describe("a record after much that may precede it", function()
  helper.guard(before_each, after_each)

  local mark = "\239\187\191"
  for label, separators in pairs({
    ["a hole of 16 MiB"] = 2 ^ 24, ["a hole of 16 MiB and a byte"] = 2 ^ 24 + 1, ["a hole of 40 MB"] = 4e7,
    ["marks"] = mark:rep(6e6), ["marks that no block ends with"] = "\0" .. mark:rep(6e6), ["all of them"] = (" \0" .. mark):rep(4e6),
  }) do
    it("is there for every reader: " .. label, function()
      local path = file_of(separators)
      local size = type(separators) == "number" and separators or #separators
      local ids = {}
      for number, record, offset in assert(aish.scan(path)) do ids[#ids + 1] = { number, record.id, offset } end
      assert.same({ { 1, 1, 0 }, { 2, 2, #support.item(1) + size }, { 3, 3, #support.item(1) + size + #support.item(2) } }, ids)
      assert.equal(3, #aish.load_memory(path))
      local report = assert(aish.verify(path))
      assert.same({ 3, 0, 0 }, { report.items, report.damaged, #report.problems })
      local result = assert(aish.compact(path))
      assert.same({ 3, 0 }, { result.kept, result.damaged })
      assert.is_true(helper.read(path) == support.item(1) .. support.item(2) .. support.item(3))
    end)
  end

  it("is not looked for where something else follows", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. mark:rep(6e6) .. "x" .. support.item(2) .. support.item(3))
    assert.equal(2, #aish.load_memory(path))
    assert.equal(1, assert(aish.verify(path)).damaged)
  end)
end)
