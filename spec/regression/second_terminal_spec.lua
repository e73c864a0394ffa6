-- A second terminal could not add a memory for as long as the first shell lived.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("two terminals in shared mode", function()
  helper.guard(before_each, after_each)

  it("add to one file, and each sees what the other added", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local one = assert(aish.open(path, { shared = true }))
    local two = assert(aish.open(path, { shared = true }))
    assert.equal(1, one:add("fact", "one"))
    assert.equal(2, two:add("fact", "two"))
    assert.equal(3, one:add("fact", "three"))
    assert.equal(3, #two)
    assert.equal("three", two:get(3).content)
    assert.same({ 3, 2, 1 }, support.pluck(two:items(), "id"))
    assert.is_true(two:forget(1))
    assert.is_nil(one:get(1))
    assert.equal(2, #one)
    assert.same({ false, "no active item 1" }, { one:forget(1) })
    assert.same({ 5, 6 }, one:add_many({ { kind = "fact", content = "five" }, { kind = "fact", content = "six" } }))
    assert.equal(7, two:add("fact", "seven"))
    one:close()
    two:close()
    assert.same({ 7, 6, 5, 3, 2 }, support.pluck(aish.load_memory(path), "id"))
  end)

  it("give no id twice when both are processes", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local children = {}
    for index = 1, 4 do
      children[index] = helper.start([[
        local aish = require("aish_history")
        local path, index = ...
        local memory = assert(aish.open(path, { shared = true, sync = "none", wait = 60 }))
        for number = 1, 100 do assert(memory:add("fact", index .. "/" .. number)) end
        memory:close()
        io.write("done")
      ]], path, index)
    end
    for _, child in ipairs(children) do
      assert.equal("done", child:read("*a"))
      child:close()
    end
    local seen, ids = {}, {}
    local items = aish.load_memory(path)
    for _, item in ipairs(items) do seen[item.content], ids[item.id] = true, true end
    assert.equal(400, #items)
    for index = 1, 4 do
      for number = 1, 100 do assert.is_true(seen[index .. "/" .. number]) end
    end
    for id = 1, 400 do assert.is_true(ids[id]) end
    assert.equal(401, #helper.lines(path))
  end)

  it("give way to one that holds the file, and say so", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local shared = assert(aish.open(path, { shared = true, wait = 0 }))
    assert.equal(1, shared:add("fact", "one"))
    local memory = assert(aish.open(path))
    assert.equal(2, memory:add("fact", "two"))
    local id, message = shared:add("fact", "three")
    assert.is_nil(id)
    assert.equal(support.held, message)
    memory:close()
    assert.equal(3, shared:add("fact", "three"))
    shared:close()
  end)
end)
