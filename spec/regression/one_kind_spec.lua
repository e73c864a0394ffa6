--- On a torn line the value of `content`, `tags` or `source` is a record in a memory, and a part of the line in any
-- other file. Which file it is was answered by its first record in one reader, by all of them in another, and not
-- asked in a third: they disagreed about a memory that begins with a foreign record, or has nothing but torn lines.
local aish = require("aish_history")
local helper = require("spec.support.helper")

local INNER = '{"id":3,"ts":"2026-01-01T00:00:00Z","kind":"fact","content":"inner"}'
local TORN = '{"id":2,"kind":"fact","content":' .. INNER .. "\n"
local ITEM = '{"id":1,"ts":"2026-01-02T00:00:00Z","kind":"fact","content":"outer"}\n'
local TOMBSTONE = '{"id":9,"kind":"forget","target":4}\n'
local TURN = '{"role":"user","content":"x"}\n'
local TORN_TURN = '{"role":"user","content":' .. INNER .. "\n"

--- The ids that each reader finds, in their order, without those of tombstones.
local function found(bytes)
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
  local answers, scanned, loaded = {}, {}, {}
  for _, record in aish.scan(path) do
    if record.content and record.id then scanned[#scanned + 1] = record.id end
  end
  for _, item in ipairs(aish.load_memory(path)) do loaded[#loaded + 1] = item.id end
  local function joined(ids)
    table.sort(ids)
    return table.concat(ids, " ")
  end
  answers.scan, answers.load_memory = joined(scanned), joined(loaded)
  answers.verify = assert(aish.verify(path)).items
  answers.erase = assert(aish.erase(path, "inner", { dry_run = true })).records
  local memory = aish.open(path)
  if memory then
    local ids = {}
    for _, item in ipairs(memory:items()) do ids[#ids + 1] = item.id end
    answers.open = joined(ids)
    memory:close()
  end
  return answers
end

describe("what a torn line holds", function()
  helper.guard(before_each, after_each)

  it("is the same for every reader of a memory, wherever the record stands that makes it one", function()
    for name, bytes in pairs({ before = ITEM .. TORN, behind = TORN .. ITEM, foreign = '{"x":1}\n' .. ITEM .. TORN,
      ["foreign behind"] = '{"x":1}\n' .. TORN .. ITEM, glued = ITEM:sub(1, -2) .. TORN,
      ["glued to a foreign one"] = '{"x":1}' .. TORN .. ITEM, ["far behind"] = TORN .. TURN:rep(20000) .. ITEM }) do
      assert.same({ scan = "1 3", load_memory = "1 3", verify = 2, erase = 1, open = "1 3" }, found(bytes), name)
    end
    for name, bytes in pairs({ tombstone = TOMBSTONE .. TORN, ["tombstone behind"] = TORN .. TOMBSTONE }) do
      assert.same({ scan = "3", load_memory = "3", verify = 1, erase = 1, open = "3" }, found(bytes), name)
    end
  end)

  it("is the same for every reader of another file", function()
    for name, bytes in pairs({ turn = TURN .. TORN_TURN, ["turn behind"] = TORN_TURN .. TURN, foreign = '{"x":1}\n' .. TORN }) do
      assert.same({ scan = "", load_memory = "", verify = 0, erase = 0 }, found(bytes), name)
    end
    for name, bytes in pairs({ item = TORN, turn = TORN_TURN }) do
      assert.same({ scan = "", load_memory = "", verify = 0, erase = 0, open = "" }, found(bytes), name)
    end
  end)

  it("is judged again by a shared handle when the file becomes a memory", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", TORN)
    local memory = assert(aish.open(path, { shared = true }))
    assert.equal(0, #memory)
    helper.write(path, TORN .. ITEM)
    assert.equal(2, #memory)
    assert.equal("inner", memory:get(3).content)
    assert.equal(4, memory:add("fact", "new"))
    memory:close()
    assert.equal(3, #aish.load_memory(path))
  end)

  it("is taken up by the handle whose own item makes the file a memory", function()
    for _, shared in ipairs({ true, false }) do
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", TORN)
      local memory = assert(aish.open(path, { shared = shared, unique = true }))
      assert.equal(3, (memory:add("fact", "inner"))) -- which is there
      assert.equal(4, memory:add("fact", "new"))
      assert.equal(2, #memory)
      memory:close()
      assert.equal(2, #aish.load_memory(path))
    end
  end)

  it("is judged again by a follower when another file has come, and when the file grows", function()
    local path = helper.tmpdir() .. "/log.jsonl"
    local function given(follow)
      local ids = {}
      for _, record in follow do ids[#ids + 1] = tostring(record.id or record.content or record.x) end
      return table.concat(ids, " ")
    end
    local memory, session = "broken\n" .. ITEM, TURN .. '{"role":"assistant","content":' .. TURN:sub(1, -2) .. "\n"
    local function replace(bytes) assert(os.rename(helper.write(path .. ".new", bytes), path)) end
    helper.write(path, memory)
    local follow = assert(aish.follow(path))
    assert.equal("1", given(follow))
    replace(session)
    assert.equal("x", given(follow))
    replace("broken\n" .. TORN .. ITEM)
    assert.equal("3 1", given(follow))
    replace('{"x":"y"}\nbroken\n')
    assert.equal("y", given(follow))
    helper.write(path, helper.read(path) .. ITEM .. TORN)
    assert.equal("1 3", given(follow))
    follow:close()
  end)

  it("is judged in each file of a directory that text is erased from", function()
    local dir = helper.tmpdir()
    helper.write(dir .. "/a.jsonl", ITEM .. '{"id":2,"ts":"2026-01-02T00:00:00Z","kind":"fact","content":"secret 4111"}\n')
    helper.write(dir .. "/b.jsonl", TURN .. '{"role":"tool","content":{"card":4111}\n')
    assert.same({ files = 2, records = 1, occurrences = 2, left = 0, failed = {} }, aish.erase(dir, "4111"))
    assert.equal(TURN, helper.read(dir .. "/b.jsonl"))
  end)
end)
