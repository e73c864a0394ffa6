-- A fragment at a file's end was read again by every call that looked at the file. What comes before a last
-- line that is whole without its newline is not, either.
local aish = require("aish_history")
local read_so_far = require("spec.support.cases").read_so_far
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a file that ends in a long fragment", function()
  helper.guard(before_each, after_each)

  for label, filler in pairs({ zeros = "\0", text = "x", ["a record's beginning"] = '{"id":1,' }) do
    for _, shared in ipairs({ false, true }) do
      it(("has it read once: %s, %s"):format(label, shared and "shared" or "exclusive"), function()
        if not read_so_far() then return pending("this system does not count what is read") end
        local size = 3000000
        local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. filler:rep(size / #filler))
        if shared then support.sleep(3.1) end -- without the lock only a file at rest is known to be the same
        local memory = assert(aish.open(path, { shared = shared }))
        assert.equal(1, memory:get(1).id)
        local before = read_so_far()
        for _ = 1, 20 do
          assert.equal(1, memory:get(1).id)
          assert.equal(1, #memory)
        end
        assert(read_so_far() - before < size, "read again")
        assert.equal(2, memory:add("fact", "two"))
        before = read_so_far()
        for id = 3, 20 do assert.equal(id, memory:add("fact", "more")) end
        assert.equal(20, #memory)
        assert(read_so_far() - before < size, "read again")
        memory:close()
      end)
    end
  end

  it("or in an item without its newline, has it read once", function()
    if not read_so_far() then return pending("this system does not count what is read") end
    local size = 3000000
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl",
      support.item(1, ("x"):rep(size)) .. (support.item(2):gsub("\n", "")))
    support.sleep(3.1)
    local memory = assert(aish.open(path, { shared = true }))
    assert.equal(2, #memory)
    local before = read_so_far()
    for _ = 1, 20 do assert.equal(2, #memory) end
    assert(read_so_far() - before < size, "read again")
    memory:close()
  end)
end)
