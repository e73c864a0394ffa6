-- A fragment that ends inside its time made the scanner take 0 from a null pointer, which C leaves
-- undefined. Found by spec/fuzz/scan.c.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a line that is cut off inside its time", function()
  helper.guard(before_each, after_each)

  it("is passed over, wherever it is cut off", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    for _, time in ipairs({ "2026-01-02T03:04:05Z", "\\u0032026", "", "\1" }) do
      local line = '{"id":7,"ts":"' .. time
      for length = 13, #line do
        for _, ending in ipairs({ "", "\n", "\n" .. support.item(2) }) do
          helper.write(path, support.item(1) .. line:sub(1, length) .. ending)
          local ids = support.pluck(aish.load_memory(path), "id")
          assert.same(ending:find("id") and { 2, 1 } or { 1 }, ids)
          local report = aish.verify(path)
          assert.equal(1, report.torn + report.damaged)
        end
      end
    end
  end)
end)
