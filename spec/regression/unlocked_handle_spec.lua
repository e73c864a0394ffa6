-- A handle whose lock was given back through flock did not know of it: it went on writing beside another
-- process that had taken the file, and gave ids that this had given.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("an exclusive handle that was unlocked through flock", function()
  helper.guard(before_each, after_each)

  local calls = {
    add = function(memory) return memory:add("fact", "two") end,
    add_many = function(memory) return memory:add_many({ { kind = "fact", content = "two" } }) end,
    forget = function(memory) return memory:forget(1) end,
    compact = function(memory) return memory:compact() end,
  }

  for name, call in pairs(calls) do
    it("writes nothing while another process has the file: " .. name, function()
      local dir = helper.tmpdir()
      local path = dir .. "/memory.jsonl"
      local memory = assert(aish.open(path))
      finally(function()
        memory:close()
        helper.write(dir .. "/go", "")
      end)
      assert.equal(1, memory:add("fact", "one"))
      assert.is_true(aish.flock(memory, aish.LOCK_UN))
      local _, output = support.start([[
        local path, go = ...
        local memory = assert(aish.open(path))
        print(memory:add("fact", "of the other"))
        await(go)
        memory:close()
      ]], path, dir .. "/go")
      assert.equal("2", output:read("*l"))
      local before = helper.read(path)
      local result, message, number = call(memory)
      assert.falsy(result)
      assert.equal(support.held, message)
      assert.equal(errno.EAGAIN, number)
      assert.equal(before, helper.read(path))
      helper.write(dir .. "/go", "")
      output:read("*a")
      output:close()
      assert.truthy((call(memory)))
      local id = assert(memory:add("fact", "three"))
      assert.truthy(id > 2)
      local seen = {}
      for _, item in ipairs(aish.load_memory(path)) do
        assert.is_nil(seen[item.id])
        seen[item.id] = item.content
      end
      assert.equal("of the other", seen[2])
      assert.equal("three", seen[id])
      assert.same({}, aish.verify(path).problems)
    end)
  end

  it("has the lock again from its next write on", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path))
    assert.is_true(aish.flock(memory, aish.LOCK_UN))
    assert.equal(1, memory:add("fact", "one"))
    local other, message = aish.open(path)
    assert.is_nil(other)
    assert.equal(support.held, message)
    assert.equal(2, memory:add("fact", "two"))
    memory:close()
  end)

  it("that took the lock itself need not take it again", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path))
    assert.is_true(aish.flock(memory, aish.LOCK_UN))
    assert.is_true(aish.flock(memory, aish.LOCK_EX + aish.LOCK_NB))
    assert.is_nil((aish.open(path)))
    assert.equal(1, memory:add("fact", "one"))
    assert.is_nil((aish.open(path)))
    memory:close()
  end)
end)
