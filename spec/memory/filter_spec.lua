--- Filters: kind, tag, source, where, since, before and limit of items, load_memory and memory:search.
local assert = require("luassert")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local history = require("history")
local memories = require("spec.support.memories")
local native = require("aish_history")
local rules = require("spec.support.rules")
local support = require("spec.support.recall")

-- Every item's content is WORD, so that a search for it finds all of them.
local WORD = "needle"

local function item(id, fields)
  return ('{"id":%d,"content":"%s"%s}\n'):format(id, WORD, fields and "," .. fields or ',"ts":"2026-01-02T03:04:05Z","kind":"fact"')
end

-- What a filter lets pass, by its three ways: calls visit(name, give) for each, give(filter) being the
-- array of ids.
local function each_way(path, visit)
  local function ids(items) return support.pluck(assert(items), "id") end
  visit("load_memory", function(filter) return ids(native.load_memory(path, filter)) end)
  visit("the shim's load_memory", function(filter) return ids(history.load_memory(path, filter)) end)
  local memory = assert(native.open(path))
  visit("items", function(filter) return ids(memory:items(filter)) end)
  memory:close()
end

local function file(bytes)
  return helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
end

-- `bytes` filtered gives these ids, in this order.
local function gives(bytes, filter, expected)
  each_way(file(bytes), function(name, give)
    assert.same(expected, give(filter), name)
  end)
end

-- The independent filter -----------------------------------------------------------------------

-- Whether a record's time is before one of the table.
local function is_before(record, time)
  local seconds, fraction = rules.moment(record.ts)
  for _, pair in ipairs(support.times) do
    if pair[1] == time then
      if not seconds then return true end
      if type(pair[2]) == "number" then return pair[2] > 0 end
      local bound, bound_fraction = rules.moment(pair[2])
      return seconds < bound or (seconds == bound and fraction < bound_fraction)
    end
  end
  error("no time of the table: " .. tostring(time))
end

local function is_any(list, value)
  for key, element in pairs(list) do -- an array with null in it has a hole
    if type(key) == "number" and element == value then return true end
  end
  return false
end

local function passes(record, filter)
  local kinds = type(filter.kind) == "string" and { filter.kind } or filter.kind
  if kinds and not is_any(kinds, record.kind) then return false end
  if filter.tag and not (type(record.tags) == "table" and is_any(record.tags, filter.tag)) then return false end
  if filter.source and record.source ~= filter.source then return false end
  for name, value in pairs(filter.where or {}) do
    if record[name] ~= value then return false end
  end
  if filter.since and is_before(record, filter.since) then return false end
  return not filter.before or is_before(record, filter.before)
end

local function filtered(bytes, filter)
  local ids = {}
  for _, record in ipairs((memories.reading(bytes))) do
    if #ids >= (filter.limit or math.huge) then break end
    if passes(record, filter) then ids[#ids + 1] = record.id end
  end
  return ids
end

-- Generated items ------------------------------------------------------------------------------

local TIMES = {
  '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:06Z"', '"2026-01-02T03:04:04Z"', '"2026-01-02T03:04:05.5Z"',
  '"2026-01-02"', '"2026-01-02T03:04"', '"2026-01-02T03:04:05"', '"2026-01-02T03:04:05+02:00"', '"2026-01-02t03:04:05z"',
  '"2026-06-30T23:59:60Z"', '"1969-12-31T23:59:59Z"', '"1970-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"',
  '"0000-01-01T00:00:00Z"', '"2024-02-29T12:00:00Z"', '"2000-02-29T00:00:00Z"', '"yesterday"', '""', '"\\u0000"',
  '"2026\\u002d01-02T03:04:05Z"', '"\\u0032026-01-02T03:04:05\\u005A"', '"\195\169"', "null", "1767323045", "[]", "false",
}

local TAGS = {
  '["a"]', '["a","b"]', '["b","\\u0061"]', '[]', '["A"]', '["a "]', '["a\\/b"]', '["na\\u00efve"]', '["na\195\175ve"]',
  '[["a"]]', '[{"a":"b"},1,null,true,"b"]', '"a"', '{"x":"a"}', "null", '["\\ud83d\\ude00"]', '[""]', '["a\\u0000b"]',
  ' [ "x" , "a" ] ', '["ab"]', '["' .. ("t"):rep(300) .. '","b"]',
}

local SOURCES = { '"shell"', '"sh\\u0065ll"', '"web"', '""', "null", "12", '["shell"]', '"a\\/b"', '"Shell"', '"shell\\n"' }

local VALUES = { "1", "1.0", "1e0", "10E-1", "-0", "0", "0.1", "0.10", "9007199254740993", "1e999", '"1"', '""',
  '"a\\u0000b"', '"na\\u00efve"', '"\\u006ea\195\175ve"', '"a\\/b"', "true", "false", "null", "[1]", '["1"]', '{"n":1}' }

local function pick(random, list) return list[random(#list)] end

-- A file of `count` items in the order of their ids, or in none; some are forgotten, some given anew.
local function generated(seed, count, shuffled)
  local random = memories.random(seed)
  local lines = { memories.meta }
  for id = 1, count do
    local members = { '"id":' .. id, ('"kind":"%s"'):format(pick(random, { "fact", "pref", "context" })), '"content":"needle"' }
    local function add(name, list, often)
      if random(10) <= often then members[#members + 1] = ('"%s":%s'):format(name, pick(random, list)) end
    end
    add("ts", TIMES, 9)
    add("tags", TAGS, 8)
    add("source", SOURCES, 7)
    -- of duplicate keys the last counts
    add("tags", TAGS, 1)
    add("source", SOURCES, 1)
    add("n", VALUES, 8)
    add(pick(random, { "n", "\\u006e", "m" }), VALUES, 4)
    if random(12) == 1 then members[2] = '"\\u006bind":"pref"' end
    if random(4) == 1 then members[1], members[#members] = members[#members], members[1] end
    lines[#lines + 1] = "{" .. table.concat(members, pick(random, { ",", " , " })) .. "}\n"
    if random(8) == 1 then lines[#lines + 1] = memories.tombstone(count + id, random(id)) end
    if random(15) == 1 then lines[#lines + 1] = pick(random, { "garbage\n", '{"id":' .. id .. '\n', "\n", "\0\0\n" }) end
    if random(15) == 1 then lines[#lines + 1] = item(random(id)) end
  end
  for index = #lines, shuffled and 3 or #lines + 1, -1 do
    local other = 1 + random(index - 1)
    lines[index], lines[other] = lines[other], lines[index]
  end
  return table.concat(lines)
end

local function random_filter(random)
  local filter = {}
  local function set(name, list, often)
    if random(10) <= often then filter[name] = pick(random, list) end
  end
  set("kind", { "fact", "pref", "context", { "fact" }, { "fact", "context" }, { "pref", "pref" }, { "fact", "pref", "context" }, {} }, 3)
  set("tag", { "a", "b", "A", "a ", "a/b", "na\195\175ve", "\240\159\152\128", "", "a\0b", "nothing", ("t"):rep(300) }, 3)
  set("source", { "shell", "web", "", "a/b", "Shell", "12", "shell\n" }, 3)
  if random(10) <= 3 then
    filter.where = {}
    for _, name in ipairs({ "n", "n", "m", "source" }) do
      if random(3) == 1 then
        filter.where[name] = pick(random,
          { 1, 0, 0.1, 2 ^ 53, math.huge, "1", "", "a\0b", "na\195\175ve", "a/b", true, false, "shell" })
      end
    end
  end
  if random(10) <= 5 then filter.since = pick(random, support.times)[1] end
  if random(10) <= 4 then filter.before = pick(random, support.times)[1] end
  set("limit", { 0, 1, 2, 3, 10, 50, 1e6, 1e18, math.huge }, 5)
  return filter
end

local function describe_filter(filter)
  local parts = {}
  for name, value in pairs(filter.where or {}) do parts[#parts + 1] = name .. "==" .. tostring(value) end
  for _, name in ipairs({ "kind", "tag", "source", "since", "before", "limit" }) do
    local value = filter[name]
    if type(value) == "table" then value = "{" .. table.concat(value, " ") .. "}" end
    if value ~= nil then parts[#parts + 1] = name .. "=" .. tostring(value) end
  end
  return table.concat(parts, ", ")
end

local jit = rawget(_G, "jit")
if jit then jit.off(is_any) end

-- Specs ----------------------------------------------------------------------------------------

describe("a filter", function()
  helper.guard(before_each, after_each)

  local three = item(1, '"kind":"fact","ts":"2026-01-01T00:00:00Z","tags":["a","b"],"source":"shell"')
    .. item(2, '"kind":"pref","ts":"2026-01-03T00:00:00Z","tags":["b"]')
    .. item(3, '"kind":"context","ts":"2026-01-02T00:00:00Z","source":"web"')

  for label, case in pairs({
    ["that is empty lets all pass, newest first"] = { {}, { 2, 3, 1 } },
    ["of one kind"] = { { kind = "pref" }, { 2 } },
    ["of two kinds"] = { { kind = { "fact", "context" } }, { 3, 1 } },
    ["of one kind in an array"] = { { kind = { "fact" } }, { 1 } },
    ["of all kinds"] = { { kind = { "fact", "pref", "context" } }, { 2, 3, 1 } },
    ["of no kind lets none pass"] = { { kind = {} }, {} },
    ["of a tag"] = { { tag = "b" }, { 2, 1 } },
    ["of a tag that none has"] = { { tag = "c" }, {} },
    ["of a tag is no pattern and no part"] = { { tag = "" }, {} },
    ["of a source"] = { { source = "web" }, { 3 } },
    ["since a time, which is in it"] = { { since = "2026-01-02T00:00:00Z" }, { 2, 3 } },
    ["before a time, which is not in it"] = { { before = "2026-01-02T00:00:00Z" }, { 1 } },
    ["between two times"] = { { since = "2026-01-01", before = "2026-01-02" }, { 1 } },
    ["between two times the wrong way round lets none pass"] = { { since = "2026-01-03", before = "2026-01-02" }, {} },
    ["of everything at once"] = { { kind = "fact", tag = "a", source = "shell", since = "2026-01-01", before = "2026-01-02", limit = 1 }, { 1 } },
    ["with the limit 0"] = { { limit = 0 }, {} },
    ["with the limit 2"] = { { limit = 2 }, { 2, 3 } },
    ["with a limit beyond what there is"] = { { limit = 4 }, { 2, 3, 1 } },
    ["with an endless limit"] = { { limit = math.huge }, { 2, 3, 1 } },
    ["applies the limit last"] = { { limit = 1, kind = "fact" }, { 1 } },
  }) do
    it(label, function() gives(three, case[1], case[2]) end)
  end

  it("passes over what was forgotten, and looks at each item of an id", function()
    local bytes = three .. memories.tombstone(4, 2)
      .. item(1, '"kind":"context","ts":"2026-01-04T00:00:00Z"') .. item(5, '"kind":"fact","tags":["a"]')
    gives(bytes, { kind = "context" }, { 1, 3 })
    gives(bytes, { kind = "fact" }, { 1, 5 })
    gives(bytes, { tag = "a" }, { 1, 5 })
    gives(bytes, { kind = "pref" }, {})
    gives(bytes, { limit = 1 }, { 1 })
  end)

  it("takes the last of duplicate keys", function()
    gives(item(1, '"kind":"fact","kind":"pref","tags":["a"],"tags":["b"],"source":"x","source":"y"'), { kind = "pref", tag = "b", source = "y" }, { 1 })
    for _, filter in ipairs({ { kind = "fact" }, { tag = "a" }, { source = "x" } }) do
      gives(item(1, '"kind":"fact","kind":"pref","tags":["a"],"tags":["b"],"source":"x","source":"y"'), filter, {})
    end
    gives(item(1, '"kind":"fact","tags":["a"],"tags":null,"source":"x","source":null'), { tag = "a" }, {})
    gives(item(1, '"kind":"fact","tags":["a"],"tags":null,"source":"x","source":null'), { source = "x" }, {})
  end)

  it("compares tags and sources as what they stand for", function()
    local bytes = item(1, '"kind":"fact","ta\\u0067s":["na\\u00efve","a\\/b","\\ud83d\\ude00"],"sour\\u0063e":"\\u0073h\\tell"')
    for _, filter in ipairs({ { tag = "na\195\175ve" }, { tag = "a/b" }, { tag = "\240\159\152\128" }, { source = "sh\tell" } }) do
      gives(bytes, filter, { 1 })
    end
    for _, filter in ipairs({ { tag = "na\\u00efve" }, { tag = "NA\195\175VE" }, { tag = "a\\/b" }, { source = "\\u0073h\\tell" } }) do
      gives(bytes, filter, {})
    end
  end)

  it("compares members with where, as what they stand for", function()
    local bytes = item(1, [["kind":"fact","pro\u006aect":"a\/b","n":1.0,"big":9007199254740993,"yes":true,"no":false,]]
      .. [["none":null,"list":["x"],"":"empty","twice":1,"twice":"1","nested":{"inner":1}]])
    for _, where in ipairs({ {}, { project = "a/b" }, { n = 1 }, { big = 2 ^ 53 }, { yes = true }, { no = false }, { [""] = "empty" },
      { twice = "1" }, { id = 1, kind = "fact" }, { project = "a/b", n = 1, yes = true } }) do
      gives(bytes, { where = where }, { 1 })
    end
    for _, where in ipairs({ { project = "A/b" }, { project = "a\\/b" }, { project = "a/" }, { n = "1" }, { n = "1.0" }, { n = 0 / 0 },
      { n = true }, { yes = "true" }, { yes = false }, { no = true }, { none = false }, { none = "" }, { none = 0 }, { list = "x" },
      { twice = 1 }, { inner = 1 }, { missing = false }, { missing = "" }, { project = "a/b", n = 2 } }) do
      gives(bytes, { where = where }, {})
    end
    gives(bytes, { where = { n = 1 }, source = "" }, {})
    gives(bytes, { where = { n = 1 }, kind = "pref" }, {})
  end)

  it("is one of searches, too", function()
    local path = file(item(1, '"kind":"fact","p":"a"') .. item(2, '"kind":"fact","p":"b"'))
    local memory = assert(native.open(path))
    for _, method in ipairs({ "search", "recall" }) do
      assert.equal(2, #memory[method](memory, WORD))
      assert.same({ 2 }, support.pluck(memory[method](memory, WORD, { where = { p = "b" } }), "id"))
    end
    memory:close()
  end)

  it("keeps what it is to compare with, whatever becomes of the caller's table", function()
    local path = file(item(1, '"kind":"fact","p":"' .. ("long "):rep(100) .. '"'))
    for _ = 1, 200 do
      collectgarbage()
      local where = { p = ("long "):rep(100) }
      local trap = newproxy(true)
      getmetatable(trap).__gc = function() where.p = nil end
      trap = nil -- luacheck: ignore
      assert.equal(1, #native.load_memory(path, { where = where, kind = "fact" }))
    end
  end)

  it("finds a tag of any length and place", function()
    local tags = {}
    for length = 0, 600, 7 do tags[#tags + 1] = ("x"):rep(length) .. "!" end
    local bytes = item(1, '"kind":"fact","tags":["' .. table.concat(tags, '","') .. '"]')
    each_way(file(bytes), function(name, give)
      for _, tag in ipairs(tags) do
        assert.same({ 1 }, give({ tag = tag }), name)
        assert.same({}, give({ tag = "x" .. tag }), name)
      end
    end)
  end)

  it("orders by the time, then by the id, whatever the order in the file", function()
    local function at(id, ts) return item(id, '"kind":"fact"' .. (ts and ',"ts":' .. ts or "")) end
    local bytes = at(7, '"2026-01-02T00:00:00Z"') .. at(2, '"2026-01-02T00:00:00Z"') .. at(9) .. at(3, '"2026-01-05T00:00:00Z"')
      .. at(8, '"odd"') .. at(1, "null") .. at(4, '"2026-01-02"') .. at(6, '""') .. at(5, '"2026\\u002d01-02T00:00:00Z"')
    gives(bytes, {}, { 3, 7, 5, 2, 9, 8, 6, 4, 1 })
    gives(bytes, { limit = 3 }, { 3, 7, 5 })
    gives(bytes, { since = "2026-01-02" }, { 3, 7, 5, 2 })
    gives(bytes, { since = "2026-01-02T00:00", limit = 3 }, { 3, 7, 5 })
    gives(bytes, { before = "2026-01-02" }, { 9, 8, 6, 4, 1 })
    gives(bytes, { before = "2026-01-02T00:00:01Z", limit = 4 }, { 7, 5, 2, 9 })
  end)

  it("gives nothing of a file that is missing or empty", function()
    for _, filter in ipairs({ {}, { limit = 0 }, { kind = "fact", tag = "a", since = 0, limit = 5 } }) do
      assert.same({}, native.load_memory(helper.tmpdir() .. "/none.jsonl", filter))
      gives("", filter, {})
      gives(memories.meta, filter, {})
    end
  end)

  it("gives whole items, as they are without it", function()
    local path = file(generated(7, 200))
    local all = assert(native.load_memory(path))
    local some = assert(native.load_memory(path, { kind = { "fact", "pref" }, limit = 40 }))
    assert.equal(40, #some)
    local by_id = {}
    for _, one in ipairs(all) do
      by_id[one.id] = by_id[one.id] or {}
      table.insert(by_id[one.id], one)
    end
    for _, one in ipairs(some) do
      local same = 0
      for _, other in ipairs(by_id[one.id]) do
        if not cases.difference(other, one) then same = same + 1 end
      end
      assert.equal(1, same)
    end
  end)

  it("sees what was added, forgotten and compacted on the handle", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(native.open(path, { sync = "none" }))
    local function ids(filter) return support.pluck(assert(memory:items(filter)), "id") end
    assert.equal(1, memory:add("fact", "a", { "x" }, "shell"))
    assert.equal(2, memory:add("pref", "b", { "x", "y" }))
    assert.same({ 2, 1 }, ids({ tag = "x" }))
    assert.same({ 1 }, ids({ source = "shell" }))
    assert.is_true(memory:forget(1))
    assert.same({ 2 }, ids({ tag = "x" }))
    assert.same({}, ids({ source = "shell" }))
    assert.truthy(memory:compact())
    assert.same({ 2 }, ids({ tag = "y", kind = "pref", since = os.time() - 3600, before = os.time() + 3600 }))
    assert.same({}, ids({ since = os.time() + 3600 }))
    assert.same({}, ids({ before = os.time() - 3600 }))
    memory:close()
  end)

  it("leaves the table of the caller as it was", function()
    local filter = { kind = { "fact", "pref" }, tag = "a", source = "s", since = 0, before = "2026-01-02", limit = 3 }
    native.load_memory(file(three), filter)
    assert.same({ kind = { "fact", "pref" }, tag = "a", source = "s", since = 0, before = "2026-01-02", limit = 3 }, filter)
  end)
end)

describe("a filter's time", function()
  helper.guard(before_each, after_each)

  for _, pair in ipairs(support.times) do
    it("may be " .. type(pair[1]) .. " " .. pair[1], function()
      local lines = {}
      for index, ts in ipairs(TIMES) do lines[index] = item(index, '"kind":"fact","ts":' .. ts) end
      local bytes = table.concat(lines)
      each_way(file(bytes), function(name, give)
        for _, key in ipairs({ "since", "before" }) do
          assert.same(filtered(bytes, { [key] = pair[1] }), give({ [key] = pair[1] }), name .. ", " .. key)
        end
      end)
    end)
  end

  -- Not by os.date, which ends in 2038 where a time has 32 bits.
  it("in seconds is every day of four centuries", function()
    local days, lines, year, month, day = {}, {}, 1970, 1, 1
    for count = 0, 146097, 59 do
      while day > rules.days_of(year, month) do
        day, month = day - rules.days_of(year, month), month % 12 + 1
        year = month == 1 and year + 1 or year
      end
      local second = count % 86400
      days[#days + 1] = count * 86400 + second
      lines[#lines + 1] = item(#days, ('"kind":"fact","ts":"%04d-%02d-%02dT%02d:%02d:%02dZ"'):format(
        year, month, day, math.floor(second / 3600), math.floor(second / 60) % 60, second % 60))
      day = day + 59
    end
    local memory = assert(native.open(file(table.concat(lines))))
    for index, seconds in ipairs(days) do
      local found = memory:items({ since = seconds, before = seconds + 1 })
      assert(#found == 1 and found[1].id == index, lines[index])
      local before = memory:items({ before = seconds, limit = 1 })[1]
      assert.equal(index > 1 and index - 1 or nil, before and before.id)
    end
    memory:close()
  end)
end)

describe("filters against plain Lua", function()
  helper.guard(before_each, after_each)

  for seed = 1, 6 do
    it(("give the same items: file %d"):format(seed), function()
      local bytes = generated(seed * 7919, 150, seed % 2 == 0)
      local path = file(bytes)
      local random = memories.random(seed * 104729)
      local filters, something = {}, 0
      for index = 1, 150 do
        filters[index] = random_filter(random)
        filters[index].expected = filtered(bytes, filters[index])
        if #filters[index].expected > 0 then something = something + 1 end
      end
      assert.is_true(something > 40)
      each_way(path, function(name, give)
        for _, filter in ipairs(filters) do
          local expected = filter.expected
          filter.expected = nil
          local given = give(filter)
          filter.expected = expected
          local difference = cases.difference(expected, given)
          assert(not difference, name .. " with " .. describe_filter(filter) .. ": " .. tostring(difference))
        end
      end)
    end)

    it(("give the same items when they are searched: file %d"):format(seed), function()
      local bytes = generated(seed * 6007, 100, seed % 2 == 1)
      local memory = assert(native.open(file(bytes)))
      local random = memories.random(seed * 50021)
      for _ = 1, 100 do
        local filter = random_filter(random)
        local limit = filter.limit
        filter.limit = nil
        local expected = filtered(bytes, filter)
        filter.limit = 1e6
        local all = support.pluck(assert(memory:search(WORD, filter)), "id")
        filter.limit = limit
        local given = support.pluck(assert(memory:search(WORD, filter)), "id")
        assert.equal(math.min(#expected, limit or 20), #given, describe_filter(filter))
        for index, id in ipairs(given) do assert.equal(all[index], id, describe_filter(filter)) end
        table.sort(all)
        table.sort(expected)
        assert.same(expected, all, describe_filter(filter))
      end
      memory:close()
    end)
  end
end)

describe("a filter that is none", function()
  helper.guard(before_each, after_each)

  -- Calls visit(memory, path) with a memory of one item.
  local function with_memory(visit)
    local path = file(item(1))
    local memory = assert(native.open(path))
    local ok, message = pcall(visit, memory, path)
    memory:close()
    if not ok then error(message, 0) end
    return memory
  end

  -- Every call that takes a filter raises, naming what is wrong; the handle works on.
  local function raises(filter, ...)
    local words = { ... }
    with_memory(function(memory, path)
      support.raises(function() memory:items(filter) end, "bad argument #1 to 'items'", unpack(words))
      support.raises(function() memory:search(WORD, filter) end, "bad argument #2 to 'search'", unpack(words))
      support.raises(function() native.load_memory(path, filter) end, "bad argument #2", unpack(words))
      support.raises(function() history.load_memory(path, filter) end, "bad argument #2", unpack(words))
      support.raises(function() native.load_memory(path .. ".missing", filter) end, "bad argument #2", unpack(words))
      assert.equal(1, #memory:items())
    end)
  end

  for _, kind in ipairs(cases.types_but("table")) do
    it("is a " .. kind, function() raises(cases.values[kind], kind) end)
  end

  it("has a set of kinds instead of an array", function()
    raises({ kind = { fact = true } }, 'option "kind" must be a name or an array of names')
  end)

  it("wants of a member what is no string, number or boolean", function()
    raises({ where = "x" }, 'option "where" must be a table, got string')
    raises({ where = { "x" } }, 'option "where": the name of a member must be a string, got number')
    for kind, value in pairs({ table = {}, ["function"] = print, userdata = native.null }) do
      raises({ where = { p = value } }, 'option "where": "p" must be a string, number or boolean, got ' .. kind)
    end
  end)

  for _, key in ipairs({ "since", "before" }) do
    it("has a time that is none: " .. key, function()
      for _, value in ipairs(support.no_times) do raises({ [key] = value }, '"' .. key .. '"', "time") end
    end)
  end

  it("has a limit that is none", function()
    for _, value in ipairs(support.no_counts) do raises({ limit = value }, '"limit"') end
  end)

  for _, value in ipairs({ "", "forget", "Fact", "facts", "fact ", "meta" }) do
    it("has an unknown kind: " .. ("%q"):format(value), function()
      raises({ kind = value }, 'unknown kind "' .. value .. '"')
      raises({ kind = { "fact", value } }, 'unknown kind "' .. value .. '"')
    end)
  end

  for _, kind in ipairs(cases.types_but("string", "table")) do
    it("has a kind that is a " .. kind, function()
      raises({ kind = cases.values[kind] }, '"kind"', kind)
      raises({ kind = { "fact", cases.values[kind] } }, '"kind"', kind)
    end)
  end

  for _, key in ipairs({ "tag", "source" }) do
    for _, kind in ipairs(cases.types_but("string")) do
      it(("has a %s that is a %s"):format(key, kind), function()
        raises({ [key] = cases.values[kind] }, '"' .. key .. '" must be a string', kind)
      end)
    end
  end

  for _, name in ipairs({ "kinds", "tags", "Limit", "offset", "", "exact " }) do
    it("has an unknown option: " .. ("%q"):format(name), function() raises({ [name] = 1 }, 'unknown option "' .. name .. '"') end)
  end

  it("has options that are not named by strings", function()
    raises({ "fact" }, "name of an option must be a string, got number")
    raises({ [true] = 1 }, "name of an option must be a string, got boolean")
    raises({ ["limit\0"] = 1 }, "unknown option", "NUL")
  end)

  it("has the options of other calls", function()
    with_memory(function(memory)
      support.raises(function() memory:items({ exact = true }) end, 'unknown option "exact"')
      support.raises(function() memory:items({ shared = true }) end, 'unknown option "shared"')
      support.raises(function() memory:search(WORD, { role = "user" }) end, 'unknown option "role"')
    end)
  end)

  it("is one argument too many", function()
    with_memory(function(memory, path)
      support.raises(function() memory:items({}, 1) end, "no more than 1 argument")
      support.raises(function() memory:search(WORD, {}, 1) end, "no more than 2 arguments")
      cases.too_many_error(function() native.load_memory(path, {}, 1) end, 2, "load_memory")
    end)
  end)

  it("may be nil", function()
    local closed = with_memory(function(memory, path)
      assert.equal(1, #memory:items(nil))
      assert.equal(1, #memory:search(WORD, nil))
      assert.equal(1, #native.load_memory(path, nil))
    end)
    support.raises(function() closed:items({ limit = 1 }) end, "memory:items on closed handle")
  end)
end)
