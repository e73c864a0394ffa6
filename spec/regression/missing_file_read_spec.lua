-- To look at a field of a memory, or to read its items, made the file and its directories anew where they
-- had been moved away.
local aish = require("aish_history")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")

describe("a memory whose file is gone", function()
  helper.guard(before_each, after_each)

  for _, shared in ipairs({ false, true }) do
    for _, what in ipairs({ "file", "directory" }) do
      it(("is empty, and nothing is made by reading it: %s, the %s"):format(shared and "shared" or "exclusive", what), function()
        local dir = helper.tmpdir()
        local path = dir .. "/a/memory.jsonl"
        local memory = assert(aish.open(path, { shared = shared }))
        assert.same({ 1, 2 }, memory:add_many({ { kind = "fact", content = "one" }, { kind = "fact", content = "two" } }))
        local moved = what == "file" and path or dir .. "/a"
        assert(os.rename(moved, moved .. ".moved"))
        assert.equal(0, #memory)
        assert.equal(3, memory.next_id)
        assert.same({}, memory:items())
        assert.same({}, memory:search("one"))
        assert.same({ n = 1 }, { n = select("#", memory:get(1)) })
        assert.is_nil(memory:get(1))
        assert.same({ false, "no active item 1" }, { memory:forget(1) })
        assert.is_true(memory:sync())
        local _, message, number = memory:compact()
        assert.same({ "open " .. path .. ": No such file or directory", 2 }, { message, number })
        assert.is_false(cases.exists(moved))
        assert.is_nil(memory.fd)
        -- It may come back, or be made anew by writing; no id is given twice.
        assert(os.rename(moved .. ".moved", moved))
        assert.equal(2, #memory)
        assert.equal("two", memory:get(2).content)
        assert(os.rename(moved, moved .. ".moved"))
        assert.equal(3, memory:add("fact", "three"))
        assert.equal(1, #memory)
        assert.equal(1, #aish.load_memory(path))
        memory:close()
      end)
    end
  end
end)
