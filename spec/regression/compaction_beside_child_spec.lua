-- Whoever waited for a file while its holder compacted it waited for the old file's lock, which a
-- forked child of the holder kept, and never came to the new file.
local aish = require("aish_history")
local children = require("spec.support.children")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a compaction beside a forked child", function()
  helper.guard(before_each, after_each)

  for _, call in ipairs({ "compact", "rm" }) do
    it("does not leave the old file's lock with the child: " .. call, function()
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1))
      local memory = assert(aish.open(path))
      local list = { children.fork(function() support.sleep(50) end) }
      finally(function() children.clear(list) end)
      local _, waiter = support.start([[
        local path = ...
        print("waiting")
        local memory, message = aish.open(path, { wait = 10 })
        print(memory and memory:add("fact", "waited") or message)
      ]], path)
      assert.equal("waiting", waiter:read("*l"))
      support.sleep(0.1)
      if call == "compact" then
        assert(memory:compact())
      else
        assert(os.remove(path))
        assert.equal(0, #memory)
      end
      memory:close()
      assert.equal(call == "compact" and "2\n" or "1\n", waiter:read("*a"))
      waiter:close()
    end)
  end
end)
