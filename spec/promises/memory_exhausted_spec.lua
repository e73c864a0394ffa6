--- Every allocation fails once, those of the module and those of the Lua state.
--
-- A call that gets no memory returns a failure or raises "not enough memory"; it has then changed
-- no file, no descriptor stays open, no block allocated, and the same call on the same handle works
-- when there is memory again.
local helper = require("spec.support.helper")
local support = require("spec.faults.support")

describe("when memory runs out", function()
  helper.guard(before_each, after_each)

  for _, script in ipairs(support.scripts()) do
    it("in the module, nothing is lost of " .. script.name, function()
      local output = support.run("spec/faults/sweep.lua", script.name, support.tmpdir(), "memory")
      assert.truthy(output:find(", 0 with problems\n$"), output)
      support.report("memory", script.name, output)
    end)
  end

  it("in the module, no call on large values does half of what it should", function()
    local output = support.run("spec/faults/large.lua", support.tmpdir())
    assert.truthy(output:find(", 0 with problems\n$"), output)
    support.report("memory", "large values", output)
  end)

  it("in the Lua state, no call does half of what it should", function()
    local output = support.run("spec/faults/starved.lua", support.tmpdir(), support.module())
    if output:find("no state\n$") then -- behind what LuaJIT says of it
      return pending("this interpreter makes no state with an allocator of ours")
    end
    assert.truthy(output:find(", 0 with problems\n$"), output)
    support.report("memory", "the Lua state", output)
  end)
end)
