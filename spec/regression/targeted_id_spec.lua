-- An id that a tombstone in the file targets already, which programs write that do not look whether
-- there is such an item, was given to the next item: that was acknowledged and forgotten at once, and
-- the next compaction dropped it.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("an id that a tombstone targets", function()
  helper.guard(before_each, after_each)

  local function opened(bytes, options)
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. bytes)
    return assert(aish.open(path, options)), path
  end

  -- What was added is there: for the handle, for a reader, after reopening, and after compaction.
  local function check(memory, path, ids, contents)
    local function same(items)
      assert.same(ids, support.pluck(items, "id"))
      assert.same(contents, support.pluck(items, "content"))
    end
    same(memory:items())
    same(aish.load_memory(path))
    assert.equal(#ids, assert(memory:compact()).kept)
    same(memory:items())
    same(aish.load_memory(path))
    local next_id = memory.next_id
    memory:close()
    assert.equal(#ids, assert(aish.compact(path)).kept)
    memory = assert(aish.open(path))
    same(memory:items())
    assert.equal(next_id, memory.next_id)
    memory:close()
  end

  for _, shared in ipairs({ false, true }) do
    local kind = shared and ", shared" or ", exclusive"

    it("is passed over by add, and by next_id" .. kind, function()
      local memory, path = opened(support.item(1) .. support.tombstone(2, 3), { shared = shared })
      assert.equal(4, memory.next_id)
      assert.equal(4, memory:add("fact", "four"))
      assert.equal("four", memory:get(4).content)
      assert.equal(5, memory.next_id)
      check(memory, path, { 4, 1 }, { "four", "x" })
    end)

    it("is passed over by add_many, whose ids are in a row" .. kind, function()
      local memory, path = opened(support.item(1) .. support.tombstone(2, 5) .. support.tombstone(3, 8), { shared = shared })
      assert.equal(4, memory.next_id)
      local drafts = {}
      for index = 1, 3 do drafts[index] = { kind = "fact", content = "of three " .. index } end
      assert.same({ 9, 10, 11 }, memory:add_many(drafts))
      assert.equal("of three 2", memory:get(10).content)
      check(memory, path, { 11, 10, 9, 1 }, { "of three 3", "of three 2", "of three 1", "x" })
    end)

    it("is passed over by add_many where the row is just long enough" .. kind, function()
      local memory, path = opened(support.item(1) .. support.tombstone(2, 8) .. support.tombstone(3, 5), { shared = shared })
      assert.same({ 6, 7 }, memory:add_many({ { kind = "fact", content = "six" }, { kind = "fact", content = "seven" } }))
      assert.equal(9, memory.next_id)
      assert.equal(9, memory:add("fact", "nine"))
      check(memory, path, { 9, 7, 6, 1 }, { "nine", "seven", "six", "x" })
    end)

    it("is passed over by forget's tombstone" .. kind, function()
      local memory, path = opened(support.item(1) .. support.tombstone(2, 3) .. support.tombstone(1, 4), { shared = shared })
      assert.is_true(memory:forget(1))
      assert.matches('^{"id":5,', helper.lines(path)[5])
      assert.equal(6, memory:add("fact", "six"))
      check(memory, path, { 6 }, { "six" })
    end)

    it("beyond all others takes no ids away" .. kind, function()
      local memory, path = opened(support.item(1) .. support.tombstone(2, support.max_id), { shared = shared })
      assert.equal(3, memory.next_id)
      assert.equal(3, memory:add("fact", "three"))
      assert.same({ 4, 5 }, memory:add_many({ { kind = "fact", content = "four" }, { kind = "fact", content = "five" } }))
      assert.is_true(memory:forget(4))
      assert.equal(7, memory:add("fact", "seven"))
      check(memory, path, { 7, 5, 3, 1 }, { "seven", "five", "three", "x" })
    end)

    it("is the last but one: the last is given" .. kind, function()
      local memory, path = opened(support.item(support.max_id - 2) .. support.tombstone(1, support.max_id - 1), { shared = shared })
      assert.equal(support.max_id, memory.next_id)
      local ids, message, number = memory:add_many({ { kind = "fact", content = "a" }, { kind = "fact", content = "b" } })
      assert.is_nil(ids)
      assert.equal("add to " .. path .. ": no ids are left", message)
      assert.equal(errno.EOVERFLOW, number)
      assert.equal(support.max_id, memory:add("fact", "last"))
      assert.is_nil((memory:add("fact", "none")))
      check(memory, path, { support.max_id, support.max_id - 2 }, { "last", "x" })
    end)

    it("is the last one: none are left" .. kind, function()
      local memory, path = opened(support.item(support.max_id - 1) .. support.tombstone(1, support.max_id), { shared = shared })
      local before = helper.read(path)
      local id, message, number = memory:add("fact", "none")
      assert.is_nil(id)
      assert.equal("add to " .. path .. ": no ids are left", message)
      assert.equal(errno.EOVERFLOW, number)
      assert.equal(before, helper.read(path))
      assert.equal(1, #memory)
      memory:close()
    end)
  end

  it("is passed over when the tombstone arrives while the file is open", function()
    local memory, path = opened(support.item(1), { shared = true })
    assert.equal(2, memory.next_id)
    local file = assert(io.open(path, "a"))
    file:write(support.tombstone(2, 3))
    file:close()
    assert.equal(4, memory.next_id)
    assert.equal(4, memory:add("fact", "four"))
    check(memory, path, { 4, 1 }, { "four", "x" })
  end)

  it("is passed over among a thousand of them", function()
    local lines = { support.item(1) }
    for index = 1, 1000 do lines[#lines + 1] = support.tombstone(1 + index, 1001 + index) end
    local memory, path = opened(table.concat(lines))
    assert.equal(2002, memory.next_id)
    assert.equal(2002, memory:add("fact", "y"))
    check(memory, path, { 2002, 1 }, { "y", "x" })
  end)
end)
