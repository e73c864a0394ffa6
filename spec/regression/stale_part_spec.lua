-- A handle kept the record at the end of a damaged, unfinished line when more was appended to that line, behind
-- which it is none. A new handle did not have it.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a record at the end of a line that goes on", function()
  helper.guard(before_each, after_each)

  for label, zeros in pairs({ ["nothing behind it"] = "", ["NUL bytes behind it"] = ("\0"):rep(20) }) do
    it("is what a new handle says, with " .. label, function()
      local fragment = '{"id":5,"content":"cut'
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. fragment .. support.item(2):sub(1, -2) .. zeros)
      local memory = assert(aish.open(path, { shared = true }))
      assert.equal(2, #memory)
      local file = assert(io.open(path, "ab"))
      assert(file:write("garbage"))
      file:close()
      assert.equal(#aish.load_memory(path), #memory)
      assert.equal(1, #memory)
      memory:close()
    end)
  end
end)
