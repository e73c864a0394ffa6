-- Two items with one id, as two machines make them: the one that stood first in the file was hidden, and
-- the next compaction erased it; a tombstone for one took the other too.
local aish = require("aish_history")
local assert = require("luassert")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local function item(id, uid, content, more)
  return ('{"id":%d,"uid":"%s","ts":"2026-01-01T00:00:02Z","kind":"fact","content":"%s"%s}\n'):format(id, uid, content, more or "")
end

local function tombstone(id, target, of)
  return ('{"id":%d,"ts":"2026-01-01T00:00:03Z","kind":"forget","target":%d,"of":"%s"}\n'):format(id, target, of)
end

-- What is there, for each way of reading, newest first.
local function contents(bytes)
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
  local loaded = support.pluck(assert(aish.load_memory(path)), "content")
  local memory = assert(aish.open(path))
  assert.same(loaded, support.pluck(memory:items(), "content"))
  assert.equal(#loaded, #memory)
  memory:close()
  return loaded, path
end

describe("items that share an id", function()
  helper.guard(before_each, after_each)

  local base, laptop, desktop = support.item(1, "base", "2026-01-01T00:00:01Z"), item(2, "LAPTOP00", "laptop"), item(2, "DESKTOP0", "desktop")

  it("are all there, before a compaction and after it", function()
    local found, path = contents(support.meta .. base .. laptop .. desktop)
    assert.same({ "laptop", "desktop", "base" }, found)
    assert.equal(3, aish.compact(path).kept)
    assert.same(found, contents(helper.read(path)))
  end)

  it("are forgotten one by one", function()
    assert.same({ "desktop", "base" }, contents(support.meta .. base .. laptop .. desktop .. tombstone(3, 2, "LAPTOP00")))
    assert.same({ "desktop" }, contents(tombstone(3, 2, "LAPTOP00") .. desktop .. laptop))
  end)

  it("of one second are in one order, whichever file comes first", function()
    local a, b = support.meta .. base .. laptop, support.meta .. base .. desktop
    assert.same(contents(a .. b), contents(b .. a))
    assert.same({ "laptop", "desktop", "base" }, contents(b .. a))
  end)

  it("stay erased when a merge brings back what a higher rev has replaced", function()
    local erased = item(2, "LAPTOP00", "[erased]", ',"rev":1')
    assert.same({ "[erased]" }, contents(erased .. laptop))
    assert.same({ "[erased]" }, contents(laptop .. erased))
  end)
end)

describe("a tombstone", function()
  helper.guard(before_each, after_each)

  it("of its own id, as version 1.0.0 marks the highest one, retires nothing", function()
    local mark = '{"id":2,"ts":"2026-01-01T00:00:03Z","kind":"forget","target":2}\n'
    assert.same({ "x" }, contents(mark .. support.item(2)))
    assert.same({ "x" }, contents(support.item(2) .. mark))
  end)

  it("counts whatever its own id is", function()
    for id, count in pairs({ ['"3"'] = 0, ["0"] = 0, ["3.5"] = 0, ["1e99"] = 0, ["[]"] = 0, ["true"] = 0, ["null"] = 1, ["false"] = 1 }) do
      assert.equal(count, #contents(support.item(1) .. ('{"id":%s,"kind":"forget","target":1}\n'):format(id)), id)
    end
    assert.equal(1, #contents(support.item(1) .. '{"kind":"forget","target":1}\n'))
  end)

  it("that names an id to come has it passed over", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. support.tombstone(7, 9))
    local memory = assert(aish.open(path))
    assert.same({ 8, 10 }, { memory:add("fact", "eight"), (memory:add("fact", "ten")) })
    memory:close()
  end)

  it("can be written when the ids have run out", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(support.max_id, "foreign") .. support.item(1))
    local memory = assert(aish.open(path))
    assert.is_nil((memory:add("fact", "none is left")))
    assert.is_true(memory:forget(1))
    assert.is_true(memory:forget(support.max_id))
    assert.equal(0, #memory)
    memory:close()
    assert.same({}, aish.load_memory(path))
  end)
end)
