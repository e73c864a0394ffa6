-- Files that the replaced program and version 1.0.0 wrote, as they are: a compaction marked the highest
-- id with a tombstone that targets it, which forgot another file's item of that id when the two were
-- merged, and dropped the tombstones that other copies needed; of items that share an id one was lost.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

-- Reopened, the replaced program missed the ids on a line that it read in two pieces: 3 and 4 were given
-- twice. Its members stand in no order.
local REOPENED = [[
{"meta":{"created":"2026-01-01T08:00:00Z","aish_version":"phase4"}}
{"ts":"2026-01-01T08:00:01Z","kind":"fact","id":1,"content":"uses zsh"}
{"content":"prefers tabs","id":2,"kind":"pref","tags":["style"],"ts":"2026-01-01T08:00:02Z"}
{"ts":"2026-01-01T08:00:03Z","kind":"fact","id":3,"content":"staging is 10.0.0.5"}
{"target":1,"id":4,"kind":"forget","ts":"2026-01-01T08:00:04Z"}
{"ts":"2026-01-02T09:00:00Z","kind":"context","id":3,"content":"works on the parser","source":"chat"}
{"ts":"2026-01-02T09:00:01Z","kind":"fact","id":4,"content":"na\u00efve \/ caf\u00e9"}
]]

-- Version 1.0.0, after a compaction: 5 and 6 were an item and its tombstone.
local COMPACTED = [[
{"meta":{"aish_version":"phase4","created":"2026-02-01T00:00:00Z"}}
{"id":1,"ts":"2026-02-01T00:00:01Z","kind":"fact","content":"one"}
{"id":4,"ts":"2026-02-01T00:00:04Z","kind":"fact","content":"four","tags":["a","b"],"source":"s"}
{"id":6,"ts":"2026-02-03T00:00:00Z","kind":"forget","target":6}
]]

local function memory_file(bytes)
  return helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
end

local function contents(path)
  local loaded = support.pluck(assert(aish.load_memory(path)), "content")
  local memory = assert(aish.open(path))
  assert.same(loaded, support.pluck(memory:items(), "content"))
  memory:close()
  return loaded
end

-- Before a compaction and after it.
local function check(path, expected)
  assert.same(expected, contents(path))
  assert(aish.compact(path))
  assert.same(expected, contents(path))
  assert.same({}, aish.verify(path).problems)
end

describe("a memory of the replaced program", function()
  helper.guard(before_each, after_each)

  it("has all of the items that share an id", function()
    local path = memory_file(REOPENED)
    assert.equal(2, aish.verify(path).twins)
    check(path, { "naïve / café", "works on the parser", "staging is 10.0.0.5", "prefers tabs" })
    local memory = assert(aish.open(path))
    assert.equal(5, memory:add("fact", "new"))
    memory:close()
  end)

  it("loses the one that is forgotten, and no other", function()
    local path = memory_file(REOPENED)
    local memory = assert(aish.open(path))
    local items = memory:items()
    assert.equal("staging is 10.0.0.5", items[3].content)
    assert.is_true(memory:forget(items[3]))
    assert.matches('"kind":"forget","target":3,"of":"2026%-01%-01T08:00:03Z"}\n$', helper.read(path))
    memory:close()
    check(path, { "naïve / café", "works on the parser", "prefers tabs" })
  end)

  it("loses all of an id by a tombstone of that program, which names nothing else", function()
    check(memory_file(REOPENED .. '{"target":3,"id":5,"kind":"forget","ts":"2026-01-03T00:00:00Z"}\n'),
      { "naïve / café", "prefers tabs" })
  end)

  it("passes over the id that a tombstone targets already, after a compaction, too", function()
    local bytes = '{"meta":{"aish_version":"phase4","created":"2026-01-01T00:00:00Z"}}\n'
      .. '{"id":7,"ts":"2026-01-01T00:00:07Z","kind":"forget","target":9}\n'
    for _, compacted in ipairs({ false, true }) do
      local path = memory_file(bytes)
      if compacted then assert(aish.compact(path)) end
      assert.equal(bytes, helper.read(path))
      local memory = assert(aish.open(path))
      assert.equal(8, memory:add("fact", "eight"))
      assert.equal(10, memory:add("fact", "ten"))
      memory:close()
      check(path, { "ten", "eight" })
    end
  end)

  it("keeps its tombstones over a compaction, so that a copy brings nothing back", function()
    local path = memory_file(REOPENED)
    assert(aish.compact(path))
    helper.write(path, helper.read(path) .. REOPENED)
    check(path, { "naïve / café", "works on the parser", "staging is 10.0.0.5", "prefers tabs" })
  end)
end)

describe("a memory that version 1.0.0 has compacted", function()
  helper.guard(before_each, after_each)

  it("gives no id again", function()
    local path = memory_file(COMPACTED)
    for _ = 1, 2 do
      local memory = assert(aish.open(path))
      assert.equal(7, memory.next_id)
      memory:close()
      check(path, { "four", "one" })
    end
  end)

  it("has the item of another file whose id was marked", function()
    local other = '{"id":6,"ts":"2026-02-05T00:00:00Z","kind":"fact","content":"six of another machine"}\n'
    for _, bytes in ipairs({ COMPACTED .. other, other .. COMPACTED }) do
      check(memory_file(bytes), { "six of another machine", "four", "one" })
    end
  end)

  it("is marked with the target 0 now, which no item has", function()
    local path = memory_file(COMPACTED .. '{"id":7,"ts":"2026-02-04T00:00:00Z","kind":"forget","target":4}\n')
    assert(aish.compact(path, { tombstones = false }))
    assert.matches('\n{"id":7,"ts":"[^"]+","kind":"forget","target":0}\n$', helper.read(path))
    helper.write(path, helper.read(path) .. '{"id":7,"ts":"2026-02-05T00:00:00Z","kind":"fact","content":"seven"}\n')
    check(path, { "seven", "one" })
  end)
end)

describe("a session of an older version", function()
  helper.guard(before_each, after_each)

  it("is read as it is", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", [[
{"meta":[]}
{"content":"hello","role":"user","ts":"2026-01-01T00:00:00Z"}
{"role":"assistant","content":null,"tool_calls":[{"id":1}]}
{"role":"assistant","content":"hi \ud83d\ude00"}
]])
    local turns, meta, damaged = aish.load(path)
    assert.same({ "hello", "hi 😀" }, support.pluck(turns, "content"))
    assert.same({}, meta)
    assert.equal(0, damaged)
    assert(aish.session(path, { again = true })):close()
    assert.same({}, (select(2, aish.load(path))))
  end)
end)
