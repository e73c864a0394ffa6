-- A record that shared its line with damage, with another record or with NUL bytes was passed over by
-- every reader: its id was given again, what it forgot was active, and compact took it for damage, or
-- took a part of a torn record for one.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local item, tombstone, META = support.item, support.tombstone, support.meta

local function bare(line)
  return (line:gsub("\n$", ""))
end

local function scanned(iterator)
  local ids = {}
  for _, record in iterator do ids[#ids + 1] = record.id or "meta" end
  return ids
end

-- What each reader finds in a memory of these bytes, before and after compaction.
local function check(bytes, wanted)
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
  for round = 1, 2 do
    assert.same(wanted.active, support.pluck(aish.load_memory(path), "id"))
    local memory = assert(aish.open(path))
    assert.same(wanted.active, support.pluck(memory:items(), "id"))
    assert.equal(#wanted.active, #memory)
    assert.equal(wanted.next_id, memory.next_id)
    for _, id in ipairs(wanted.active) do assert.equal(id, memory:get(id).id) end
    memory:close()
    local report = assert(aish.verify(path))
    assert.equal(#wanted.active, report.active)
    if round == 1 then
      assert.same(wanted.all, scanned(assert(aish.scan(path))))
      assert.equal(wanted.saved or 0, report.saved)
      assert.equal(#wanted.all, report.records)
      local follow = assert(aish.follow(path))
      assert.same(wanted.all, scanned(follow))
      follow:close()
      local result = assert(aish.compact(path))
      assert.equal(#wanted.active, result.kept)
      assert.equal(wanted.aside and 1 or 0, result.damaged)
      if wanted.aside then assert.equal(wanted.aside .. "\n", helper.read(path .. ".damaged")) end
    end
  end
end

describe("a memory's record is there for every reader", function()
  helper.guard(before_each, after_each)

  local fragment = '{"id":2,"ts":"2026-01-01T00:00:02Z","kind":"fact","con'

  it("where it was appended to a fragment", function()
    check(META .. item(1) .. fragment .. item(3, "nuts"),
      { active = { 3, 1 }, next_id = 4, all = { "meta", 1, 3 }, saved = 1, aside = fragment })
  end)

  it("and its id is not given again", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", META .. item(1) .. fragment .. item(3, "nuts"))
    local memory = assert(aish.open(path))
    assert.same({ 4, 5 }, { memory:add("fact", "a"), memory:add("fact", "b") })
    memory:compact()
    assert.equal("nuts", memory:get(3).content)
    memory:close()
  end)

  it("where it stands after another", function()
    check(bare(item(1)) .. item(2), { active = { 2, 1 }, next_id = 3, all = { 1, 2 } })
  end)

  it("where it is a tombstone that something was appended to", function()
    check(META .. item(1) .. item(2) .. bare(tombstone(3, 1)) .. '{"own":1}\n',
      { active = { 2 }, next_id = 4, all = { "meta", 1, 2, 3, "meta" } })
    check(META .. item(1) .. item(2) .. bare(tombstone(3, 1)) .. "garbage\n",
      { active = { 2 }, next_id = 4, all = { "meta", 1, 2, 3 }, saved = 1, aside = "garbage" })
  end)

  it("where NUL bytes stand before it", function()
    check(META .. item(1) .. ("\0"):rep(4096) .. item(2), { active = { 2, 1 }, next_id = 3, all = { "meta", 1, 2 } })
  end)

end)

describe("a part of a torn record", function()
  helper.guard(before_each, after_each)

  it("is none in a memory", function()
    local torn = '{"id":2,"ts":"2026-01-01T00:00:02Z","kind":"fact","content":"c","refs":[{"id":1,"kind":"forget","target":1}'
    check(META .. item(1) .. torn .. "\n", { active = { 1 }, next_id = 2, all = { "meta", 1 }, aside = torn })
    check(META .. bare(item(1)) .. torn .. "\n", { active = { 1 }, next_id = 2, all = { "meta", 1 }, saved = 1, aside = torn })
  end)

  it("is none in a session", function()
    local torn = '{"role":"assistant","content":null,"x":{"role":"user","content":"rm -rf"}'
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/s.jsonl", '{"meta":{"m":1}}\n' .. torn .. '\n{"role":"user","content":"ls"}\n' .. torn)
    for _, options in ipairs({ {}, { last = 9 } }) do
      local turns, _, damaged = aish.load(path, options)
      assert.same({ "ls" }, support.pluck(turns, "content"))
      assert.equal(2, damaged)
    end
    assert.same({}, (aish.search(path, "rm")))
    assert.equal(1, aish.sessions(dir)[1].turns)
    assert.same({ "meta", "meta" }, scanned(aish.scan(path)))
  end)
end)

describe("a session's turn that was appended to a fragment", function()
  helper.guard(before_each, after_each)

  it("is there for every reader", function()
    local dir = helper.tmpdir()
    local bytes = '{"meta":{"m":1}}\n{"role":"user","content":"on{"role":"user","content":"first","ts":"T1"}\n'
      .. '{"role":"assistant","conte{"role":"user","content":"last","ts":"T2"}{"role":"tool","content":"more"}\n'
    local path = helper.write(dir .. "/s.jsonl", bytes)
    for _, options in ipairs({ {}, { last = 9 }, { last = 3 } }) do
      assert.same({ "first", "last", "more" }, support.pluck(aish.load(path, options), "content"))
    end
    assert.same({ "more" }, support.pluck(aish.load(path, { last = 1 }), "content"))
    assert.equal("last", aish.search(path, "last")[1].text)
    local session = aish.sessions(dir)[1]
    assert.same({ 3, "first", "T2" }, { session.turns, session.first, session.last_ts })
    assert.equal("first", aish.sessions(dir, { count = false })[1].first)
    assert.is_nil((aish.compact(path)))
    assert.equal(bytes, helper.read(path))
  end)
end)
