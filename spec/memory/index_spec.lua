--- Which items a file holds, which are active, in what order, and the next id: against the rules in
-- plain Lua, over random files in which ids are shared, records copied, erased and forgotten, the lines
-- of which stand in any order.
local aish = require("aish_history")
local assert = require("luassert")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local function pick(random, list) return list[random(#list)] end

local IDS = { "1", "2", "2", "3", "3", "3", "4", "5.0", "30e-1", "9", "0", "1.5", '"3"', "null", "false", "true", "[]", "1e99" }
local UIDS = { '"aaaaaaaa"', '"aaaaaaaa"', '"bbbbbbbb"', '"\\u0062bbbbbbb"', '"b"', '""', '"2026-01-02T03:04:05Z"', "null", "7" }
local TIMES = { '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:06Z"', '"2026-01-02T08:04:05+05:00"',
  '"2026-01-02T03:04:05.5Z"', '"2026-01-02T03:04:05.50Z"', '"2026-01-02T03:04:60Z"', '"2026-01-02T03:05:00Z"', '"2026-02-30T00:00:00Z"',
  '"2026\\u002d01-02T03:04:05Z"', '"odd"', '""', "null", "5", '"aaaaaaaa"' }
local REVS = { "0", "1", "2", "2", "3.0", "1.5", "-1", '"9"', "null", "9007199254740991", "9007199254740992", "1e300" }
local OFS = { '"aaaaaaaa"', '"bbbbbbbb"', '"b"', '""', '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:06Z"', '"odd"', "null", "null", "7", "false" }

-- A record's members in the order of the module or in another, without spaces or with some.
local function object(random, members)
  if random(3) == 1 then
    for index = #members, 2, -1 do
      local other = random(index)
      members[index], members[other] = members[other], members[index]
    end
  end
  local space = random(6) == 1 and pick(random, { " ", "\t", "  " }) or ""
  local edge = random(6) == 1 and pick(random, { " ", "\t", "\r" }) or ""
  return (edge == "\r" and "" or edge) .. "{" .. space .. table.concat(members, space .. "," .. space) .. "}" .. edge
end

local function add(members, random, often, key, values)
  if random(10) <= often then members[#members + 1] = ('"%s":%s'):format(key, pick(random, values)) end
end

local function item(random, own)
  local members = { '"id":' .. pick(random, IDS) }
  add(members, random, own and 7 or 4, "uid", UIDS)
  add(members, random, 8, "ts", TIMES)
  members[#members + 1] = '"kind":"' .. pick(random, { "fact", "fact", "pref", "context", "note" }) .. '"'
  members[#members + 1] = '"content":"' .. pick(random, { "x", "x", "y", "z" }) .. '"'
  add(members, random, 2, "rev", REVS)
  return object(random, members)
end

local function tombstone(random)
  local members = { '"id":' .. pick(random, IDS), '"ts":"2026-01-03T00:00:00Z"', '"kind":"forget"' }
  add(members, random, 10, "target", { "1", "2", "3", "3", "4", "10", "11", "12", "0", "null" })
  add(members, random, 7, "of", OFS)
  return object(random, members)
end

-- Lines of which many are copies, or of one id, or forgotten.
local function generated(random, most)
  local lines = {}
  for index = 1, random(most) do
    local choice = random(10)
    if choice <= 2 and index > 1 then lines[index] = "  " .. pick(random, lines):match("{.*}")
    elseif choice <= 4 then lines[index] = tombstone(random)
    else lines[index] = item(random, choice <= 7) end
  end
  return lines
end

local function shuffle(random, lines)
  for index = #lines, 2, -1 do
    local other = random(index)
    lines[index], lines[other] = lines[other], lines[index]
  end
end

-- The lines as text, behind a memory's first line if they are from the first on.
local function text_of(lines, from, to)
  return ((from or 1) == 1 and support.meta or "") .. table.concat(lines, "\n", from, to) .. "\n"
end

-- What a handle says is what the rules say.
local function check_handle(memory, meaning, bytes)
  local function same(expected, found, what)
    local difference = cases.difference(expected, found, what)
    assert.is_nil(difference, difference and difference .. " in:\n" .. bytes)
  end
  same(meaning.active, assert(memory:items()), "items")
  same(#meaning.active, #memory, "#")
  same(meaning.next_id, memory.next_id, "next_id")
  local first = {}
  for _, found in ipairs(meaning.active) do first[found.id] = first[found.id] or found end
  for id = 1, 12 do same(first[id] or false, memory:get(id) or false, "get " .. id) end
end

local function check(path, bytes)
  local meaning = support.meaning(bytes)
  local difference = cases.difference(meaning.active, aish.load_memory(path), "load_memory")
  assert.is_nil(difference, difference and difference .. " in:\n" .. bytes)
  local memory = assert(aish.open(path, { sync = "none" }))
  check_handle(memory, meaning, bytes)
  memory:close()
  return meaning
end

describe("an index", function()
  helper.guard(before_each, after_each)

  for seed = 1, 8 do
    it(("says what the rules say, whatever the order of the lines: files of seed %d"):format(seed), function()
      local random, path = support.random(seed * 7919), helper.tmpdir() .. "/memory.jsonl"
      for _ = 1, 150 do
        local lines = generated(random, pick(random, { 4, 8, 30 }))
        helper.write(path, text_of(lines))
        local meaning = check(path, text_of(lines))
        shuffle(random, lines)
        helper.write(path, text_of(lines))
        local difference = cases.difference(meaning, check(path, text_of(lines)))
        assert.is_nil(difference, difference)
      end
    end)

    it(("says so after each part of a file that others append: files of seed %d"):format(seed), function()
      local random, path = support.random(seed * 104729), helper.tmpdir() .. "/memory.jsonl"
      for _ = 1, 60 do
        local lines = generated(random, 24)
        helper.write(path, text_of(lines, 1, 1))
        local memory = assert(aish.open(path, { shared = true, sync = "none" }))
        local last = 1
        while last < #lines do
          local from = last + 1
          last = math.min(last + random(8), #lines)
          local file = assert(io.open(path, "ab"))
          file:write(text_of(lines, from, last))
          file:close()
          if random(3) == 1 then assert(memory.next_id) end -- takes up the lines and asks for no item
          if random(3) > 1 then check_handle(memory, support.meaning(text_of(lines, 1, last)), text_of(lines, 1, last)) end
        end
        check_handle(memory, support.meaning(text_of(lines)), text_of(lines))
        memory:close()
      end
    end)

    it(("forgets one, and leaves its twins: files of seed %d"):format(seed), function()
      local random, path = support.random(seed * 15485863), helper.tmpdir() .. "/memory.jsonl"
      for _ = 1, 60 do
        local lines = generated(random, 20)
        helper.write(path, text_of(lines))
        local memory = assert(aish.open(path, { shared = random(2) == 1, sync = "none" }))
        for _ = 1, 3 do
          local before = support.meaning(helper.read(path))
          local place = #before.active > 0 and random(#before.active) or nil
          local chosen = place and before.active[place] or { id = 77 }
          local by_item = random(2) == 1
          local name = before.names[place]
          if not by_item then
            for index = #before.active, 1, -1 do
              if before.active[index].id == chosen.id then name = before.names[index] end
            end
          end
          local expected, left = {}, 0
          for index, found in ipairs(before.active) do
            local goes = found.id == chosen.id and before.names[index] == name
            if not goes then expected[#expected + 1] = found end
            if not goes and found.id == chosen.id then left = left + 1 end
          end
          local results = { memory:forget(by_item and chosen or chosen.id) }
          if not place then
            assert.same({ false, "no active item 77" }, results)
          else
            assert.same({ true, not by_item and left > 0 and left or nil }, results)
          end
          local bytes = helper.read(path)
          check_handle(memory, support.meaning(bytes), bytes)
          local difference = cases.difference(expected, memory:items())
          assert.is_nil(difference, difference and difference .. " in:\n" .. bytes)
          if random(2) == 1 then
            local id = memory.next_id
            assert.equal(id, memory:add("fact", "added", nil, "spec"))
            assert.equal("added", memory:get(id).content)
          end
        end
        memory:close()
      end
    end)
  end

  it("tells thousands of twins apart, of one id and of many", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    for _, ids in ipairs({ 1, 700 }) do
      local lines = {}
      for index = 1, 2000 do
        lines[index] = ('{"id":%d,"uid":"uid%05d","ts":"2026-01-02T03:04:05Z","kind":"fact","content":"%s"}'):format(
          index % ids + 1, index % 1500, ("x"):rep(index % 7 * 100))
      end
      for index = 1, 300 do
        lines[#lines + 1] = ('{"id":%d,"kind":"forget","target":%d,"of":"uid%05d"}'):format(5000 + index, index % ids + 1, index * 5)
      end
      shuffle(support.random(ids), lines)
      helper.write(path, text_of(lines))
      check(path, text_of(lines))
    end
  end)

  it("reads twins that are larger than what is read at once", function()
    local path, lines = helper.tmpdir() .. "/memory.jsonl", {}
    for index = 1, 12 do
      local content = ("0123456789"):rep(300000) .. index % 5
      lines[index] = ('{"id":%d,"kind":"fact","content":"%s"}'):format(index % 3 + 1, content)
    end
    helper.write(path, text_of(lines))
    check(path, text_of(lines))
  end)
end)
