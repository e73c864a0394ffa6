-- Memory files as they are found: whoever wrote them, however they were cut, and whatever stands between
-- the records. What they mean is worked out a second time with lua-cjson.
local aish = require("aish_history")
local dkjson = require("dkjson")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local EAGAIN = require("posix.errno").EAGAIN
local item, tombstone, pluck = support.item, support.tombstone, support.pluck

-- One directory a spec does for all its files.
local made = 0
local function file(bytes)
  made = made + 1
  return helper.write(("%s/%d.jsonl"):format(helper.dirs[1] or helper.tmpdir(), made), bytes)
end

-- The ids that load_memory and a handle find active in `bytes`, newest first, and the next id.
local function read(bytes)
  local path = file(bytes)
  local loaded = assert(aish.load_memory(path))
  local memory = assert(aish.open(path))
  local items, next_id = memory:items(), memory.next_id
  assert.equal(#loaded, #memory)
  assert.is_nil(cases.difference(loaded, items))
  local seen = {}
  for _, found in ipairs(loaded) do
    if not seen[found.id] then assert.is_nil(cases.difference(found, memory:get(found.id))) end
    seen[found.id] = true
  end
  memory:close()
  assert.equal(bytes, helper.read(path))
  return pluck(loaded, "id"), next_id, loaded
end

local function check(ids, next_id, bytes)
  local found, found_next, items = read(bytes)
  assert.same(ids, found)
  assert.equal(next_id, found_next)
  return items
end

describe("the order of keys", function()
  helper.guard(before_each, after_each)

  it("may be dkjson's", function()
    local lines, expected = { dkjson.encode({ meta = { aish_version = "phase4", created = "2026-01-01T00:00:00Z" } }) }, {}
    for id = 1, 200 do
      local record = { id = id, ts = ("2026-01-02T%02d:%02d:00Z"):format(math.floor(id / 60), id % 60), kind = "fact",
        content = "c\n\"" .. id, tags = { "a", "é" }, source = "s" }
      lines[#lines + 1] = dkjson.encode(record)
      table.insert(expected, 1, record)
    end
    lines[#lines + 1] = dkjson.encode({ id = 201, ts = "2026-01-03T00:00:00Z", kind = "forget", target = 200 })
    table.remove(expected, 1)
    local _, next_id, items = read(table.concat(lines, "\n") .. "\n")
    assert.equal(202, next_id)
    assert.is_nil(cases.difference(expected, items))
  end)

  it("may be any", function()
    local members = { '"id":7', '"ts":"2026-01-02T03:04:05Z"', '"kind":"fact"', '"content":"c"', '"x":{"id":9,"kind":"forget"}' }
    local tried = 0
    local function permute(n)
      if n == 0 then
        tried = tried + 1
        local items = aish.load_memory(file("{" .. table.concat(members, ",") .. "}\n"))
        assert.is_nil(cases.difference({ { id = 7, ts = "2026-01-02T03:04:05Z", kind = "fact", content = "c",
          x = { id = 9, kind = "forget" } } }, items))
        return
      end
      for index = 1, n do
        members[index], members[n] = members[n], members[index]
        permute(n - 1)
        members[index], members[n] = members[n], members[index]
      end
    end
    permute(#members)
    assert.equal(120, tried)
  end)

  it("may have white space wherever JSON does", function()
    check({ 7 }, 8, ' \t { \t"id" : 7\t,"ts":\r"t" , "kind": "fact"  ,"content" :"c", "x": [ 1 , { } , [ ] ] } \t \n')
    check({ 7 }, 10, '{ "kind":"fact", "id":7 }\n\t{ "target" : 8 , "kind" : "forget" , "id" : 9 }\n')
  end)
end)

describe("keys", function()
  helper.guard(before_each, after_each)

  it("that nobody knows are kept", function()
    local items = check({ 1 }, 2, '{"v":2,"id":1,"kind":"fact","a b":{"é":[null,true,"x"]},"content":"c","":0}\n')
    assert.is_nil(cases.difference({ id = 1, kind = "fact", content = "c", v = 2, [""] = 0,
      ["a b"] = { ["é"] = { nil, true, "x" } } }, items[1]))
  end)

  it("may be hundreds, and all are kept", function()
    local parts, expected = {}, { id = 1, kind = "fact", content = "x" }
    for index = 1, 300 do
      parts[index] = (',"key %d":%d'):format(index, index)
      expected["key " .. index] = index
    end
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl",
      '{"id":1,"kind":"fact","content":"x"' .. table.concat(parts) .. "}\n" .. support.item(2))
    assert.same(expected, aish.load_memory(path, { before = "2000-01-01" })[1])
    assert.equal(2, #aish.load_memory(path))
  end)

  it("may be written with escapes", function()
    local items = check({ 1 }, 4, table.concat({
      '{"\\u0069d":1,"\\u0074\\u0073":"t","k\\u0069nd":"f\\u0061ct","\\u0063ontent":"c"}',
      '{"i\\u0064":2,"ts":"t","kind":"\\u0066act","content":"c"}',
      '{"id":3,"kin\\u0064":"f\\u006frget","t\\u0061rget":2}\n',
    }, "\n"))
    assert.is_nil(cases.difference({ { id = 1, ts = "t", kind = "fact", content = "c" } }, items))
  end)

  it("that only resemble the known ones mean nothing", function()
    check({}, 1, support.meta .. '{"Id":1,"kind":"fact"}\n{"id ":1,"kind":"fact"}\n{"id\\u0000":1,"kind":"fact"}\n{"i":1,"kind":"fact"}\n')
    check({}, 2, support.meta .. '{"id":1,"Kind":"fact"}\n{"id":1,"kinds":"fact"}\n{"id":1,"kind\\u0000":"fact"}\n')
    check({ 1 }, 3, item(1) .. '{"id":2,"kind":"forget","targets":1}\n{"id":2,"kind":"forget","Target":1}\n')
    check({ 1 }, 3, item(1) .. '{"id":2,"kind":"forget\\u0000","target":1}\n{"id":2,"kind":"Forget","target":1}\n')
  end)

  it("of nested objects mean nothing", function()
    check({}, 1, support.meta .. '{"meta":{"id":5,"kind":"fact","content":"c"}}\n{"x":[{"id":6,"kind":"fact"}]}\n')
    check({ 1 }, 3, item(1) .. '{"id":2,"kind":"forget","x":{"target":1}}\n')
    check({ 1 }, 2, '{"x":{"id":9},"id":1,"y":{"id":9,"kind":"forget"},"kind":"fact","z":[{"id":9}]}\n')
    check({ 1 }, 2, '{"content":"\\"id\\":9,{\\"id\\":9}","id":1,"kind":"fact"}\n')
  end)

  it("given twice count the second time", function()
    local items = check({ 2 }, 3, '{"id":1,"kind":"fact","content":"a","id":2,"content":"b"}\n')
    assert.equal("b", items[1].content)
    check({}, 2, support.meta .. '{"id":1,"kind":"fact","kind":"other"}\n')
    check({ 1 }, 2, '{"id":1,"kind":"other","kind":"fact"}\n')
    check({ 1 }, 2, '{"id":1,"kind":"forget","target":1,"kind":"fact"}\n')
    check({}, 1, support.meta .. '{"id":1,"kind":"fact","id":null}\n')
    check({}, 1, support.meta .. '{"id":1,"kind":"fact","id":"1"}\n')
    check({ 1 }, 2, '{"id":"1","kind":"fact","i\\u0064":1}\n')
    check({ 1 }, 4, item(1) .. item(2) .. '{"id":3,"kind":"forget","target":1,"target":2}\n')
    check({ 2, 1 }, 4, item(1) .. item(2) .. '{"id":3,"kind":"forget","target":1,"target":null}\n')
    items = check({ 2, 1 }, 3, '{"id":1,"ts":"b","kind":"fact","ts":"a"}\n{"id":2,"ts":"a","kind":"fact","ts":"b"}\n')
    assert.equal("b", items[1].ts)
    items = check({ 1 }, 2, '{"id":1,"kind":"fact","content":"a","content":null}\n')
    assert.is_nil(items[1].content)
  end)
end)

describe("lines", function()
  helper.guard(before_each, after_each)

  it("may end in CRLF", function()
    check({ 2, 1 }, 5, (support.meta .. item(1) .. item(2) .. item(3) .. tombstone(4, 3)):gsub("\n", "\r\n"))
  end)

  it("may have byte order marks before and after them", function()
    check({ 1 }, 2, "\239\187\191" .. item(1))
    check({ 2, 1 }, 3, "\239\187\191" .. support.meta .. item(1) .. item(2))
    check({ 2, 1 }, 3, item(1) .. "\239\187\191" .. item(2))
    check({ 2, 1 }, 3, "\239\187\191\239\187\191" .. item(1) .. item(2))
    check({ 2, 1 }, 3, item(1):sub(1, -2) .. "\239\187\191\n" .. item(2))
    check({ 2 }, 3, "\239\187" .. item(1) .. item(2))
    check({ 2 }, 3, "\254\255" .. item(1) .. item(2))
  end)

  it("may be blank", function()
    check({ 2, 1 }, 3, "\n\n" .. item(1) .. "\r\n \n\t\n\n" .. item(2) .. "\n\n\n")
  end)

  it("may have NUL bytes before and after them, but not inside", function()
    check({ 3, 1 }, 4, item(1) .. item(2):gsub("x", "\0") .. item(3))
    check({ 3, 1 }, 4, item(1) .. ("\0"):rep(4096) .. "\n" .. item(3))
    check({ 3, 2, 1 }, 4, item(1) .. ("\0"):rep(100) .. item(2) .. item(3))
    check({ 3, 2, 1 }, 4, item(1) .. item(2):sub(1, -2) .. "\0\n" .. item(3))
    check({ 3, 2, 1 }, 4, item(1) .. ("\0"):rep(400000) .. item(2) .. item(3))
    check({ 1 }, 2, item(1) .. ("\0"):rep(70000))
  end)

  it("that are no objects are passed over", function()
    for _, line in ipairs({ "1", "-1", "0", "1e400", "true", "false", "null", '"string"', '"', "[]", "[1]", '[{"id":5,"kind":"fact"}]',
      "nonsense", "{", "}", "{}}", "{]", '{"id"}', '{"id":}', '{"id":5,}', "{,}", '{"id":5 "kind":"fact"}', "{'id':5}",
      "{id:5}", '{"id":05,"kind":"fact"}', '{"id":5.,"kind":"fact"}', '{"id":+5,"kind":"fact"}', '{"id":.5,"kind":"fact"}',
      '{"id":0x5,"kind":"fact"}', '{"id":5e,"kind":"fact"}', '{"id":5,"kind":"fact","x":NaN}', '{"id":5,"kind":"fact","x":\1}',
      '{"id":5,"kind":"fact","x":"\1"}', '{"id":5,"kind":"fact","x":"\t"}', '{"id":5,"kind":"fact","x":"\\x"}',
      '{"id":5,"kind":"fact","x":"\\u12"}', '{"id":5,"kind":"fact","x":"\\u12g4"}', '{"id":5,"kind":"fact","x":tru}',
      '{"id":5,"kind":"fact","x":"y}', '{"id":5,"kind":"fact","x":[1,]}', '{"id":5,"kind":"fact","x":[1}', '{"id":5,"kind":"fact"',
      '{"id":5,"kind":"fact","x":{"y":1]}', "\11" .. item(5):sub(1, -2),
      ',{"id":5,"kind":"fact"}', "\194\160" .. item(5):sub(1, -2),
      '{"id":5,"kind":"fact","x":' .. ("["):rep(1001) .. ("]"):rep(1001) .. "}" }) do
      local ids, next_id = read(item(1) .. line .. "\n" .. item(2))
      assert.same({ 2, 1 }, ids, line)
      assert.equal(3, next_id, line)
      ids, next_id = read(line .. "\n" .. item(2))
      assert.same({ 2 }, ids, line)
      assert.equal(3, next_id, line)
      ids, next_id = read(item(1) .. line)
      assert.same({ 1 }, ids, line)
      assert.equal(2, next_id, line)
    end
  end)

  it("may be shared by records, and may be damaged beside them", function()
    local bare, more = item(5):sub(1, -2), item(6)
    check({ 6, 5 }, 7, bare .. more)
    check({ 6, 5 }, 7, bare .. " \0\239\187\191\r" .. more)
    check({ 5 }, 6, bare .. " // comment\n")
    check({ 5 }, 6, bare .. ",\n")
    check({ 6 }, 7, '{"id":5,"ts' .. more)
    check({ 6 }, 7, '{"id":5,"x":[{' .. more)
    check({ 6, 5 }, 7, bare .. '{"id":7,"content":"\\' .. more)
    check({ 5 }, 8, bare .. '{"id":7,"ts' .. tombstone(6, 7))
    check({ 1 }, 7, bare .. tombstone(6, 5):sub(1, -2) .. item(1))
    check({ 6 }, 7, '{"id":' .. more)
    check({ 6 }, 7, support.meta .. '{"id":4,"kind":"fact","content":' .. more)
    check({}, 1, support.meta .. '{"id":4,"kind":"fact","x":' .. more)
    check({}, 1, support.meta .. '{"id":4,"refs":[' .. tombstone(6, 7):sub(1, -2) .. "\n")
    check({ 5 }, 6, bare .. '{"id":4,"x":' .. more)
    check({}, 1, support.meta .. '{"id":4,"content":"x {\\"id\\":5,\\"kind\\":\\"fact\\"}\n')
  end)

  it("that are empty objects, or have no id, are passed over", function()
    check({ 2, 1 }, 3, item(1) .. '{}\n{"kind":"fact","content":"c"}\n{"role":"user","content":"c"}\n' .. item(2))
  end)

  it("nested to 1,000 levels are read", function()
    local function nested(levels) return '{"id":5,"kind":"fact","x":' .. ("["):rep(levels) .. ("]"):rep(levels) .. "}\n" end
    check({ 5 }, 6, nested(999))
    check({}, 1, nested(1000))
    check({ 6 }, 7, nested(100000) .. item(6))
  end)

  it("may be of any length", function()
    local long = ("long "):rep(1000000)
    local items = check({ 3, 2, 1 }, 4, item(1) .. item(2, long) .. item(3))
    assert.equal(long, items[2].content)
    check({ 3, 1 }, 4, item(1) .. item(2, long):sub(1, -4) .. "\n" .. item(3))
  end)

  -- A reader that looks at the beginning of a long line may not take it for garbage, wherever its buffer
  -- ends: in an escape, a number, a word, a character or white space.
  for _, unit in ipairs({ '"\\u00e9', '"\\ud83d\\ude00', '"\\n', '"\\"', '"é', '"x', "[-1.5e-3", "[0.25", "[true", "[null", '["a"', "[[]",
    "[{}", '[{"k":[-0.5e+1,false]}', "[ ", "[\t\r " }) do
    it("longer than a block are read, whatever stands at its end: " .. unit, function()
      local open, body = unit:sub(1, 1), unit:sub(2)
      local close, comma = open == "[" and "]" or '"', open == "[" and "," or ""
      if body:find("^%s") then comma = "" end
      for _, block in ipairs({ 262144, 524288 }) do
        for shift = 0, math.max(#body + #comma, 4) do
          local head = '{"id":7,"kind":"fact","pad":"' .. ("-"):rep(shift) .. '","content":' .. open
          local repeats = math.floor((block + 3000 - #head) / (#body + #comma))
          local line = head .. (body .. comma):rep(repeats) .. (comma == "" and "" or body) .. close .. "}"
          local path = file(line .. "\n" .. item(1))
          local memory = assert(aish.open(path))
          assert.equal(8, memory.next_id)
          assert.equal(2, #memory)
          memory:close()
          local items = aish.load_memory(path)
          assert.same({ 1, 7 }, pluck(items, "id"))
          assert.equal(open == "[" and "table" or "string", type(items[2].content))
          if comma == "," then assert.equal(repeats + 1, #items[2].content + (body == "null" and repeats + 1 or 0)) end
          os.remove(path)
        end
      end
    end)
  end

  it("longer than a block may be damaged before a record", function()
    for _, size in ipairs({ 300000, 3000000, 15 * 2 ^ 20 }) do
      check({ 2, 1 }, 3, item(1) .. '"' .. ("x"):rep(size) .. item(2))
    end
  end)

  it("longer than a block may end in white space", function()
    for size = 262144 - 3, 262144 + 3 do
      check({ 2, 1 }, 3, item(1):sub(1, -2) .. (" "):rep(size) .. "\n" .. item(2))
      check({ 2, 1 }, 3, (" "):rep(size) .. item(1) .. item(2))
      check({ 2, 1 }, 3, item(1):sub(1, -2) .. (" "):rep(size) .. "x\n" .. item(2))
    end
  end)

  it("longer than a block that are garbage are passed over, and only they", function()
    for _, garbage in ipairs({ "{" .. ("x"):rep(300000), ("[1],"):rep(100000), ('{"a":1}'):rep(50000), ("{"):rep(300000),
      '{"id":5,"kind":"fact","x":"' .. ("y"):rep(600000), '{"id":5,"kind":"fact","x":' .. ("1"):rep(300000) .. "x}",
'{"id":5,"kind":"fact","x":"' .. ("\\u00e9"):rep(60000) .. '\\x"}' }) do
      for _, cut in ipairs({ 0, 1, 2 }) do
        check({ 2, 1 }, 3, item(1) .. garbage:sub(1, #garbage - cut) .. "\n" .. item(2))
      end
    end
  end)
end)

describe("the last line without its newline", function()
  helper.guard(before_each, after_each)

  -- What a file is after an add, and that the add's record is read back.
  local function after_add(bytes)
    local path = file(bytes)
    local memory = assert(aish.open(path, { sync = "none" }))
    assert.equal(bytes, helper.read(path))
    local id = memory:add("fact", "added")
    memory:close()
    local result = helper.read(path)
    assert.equal(bytes, result:sub(1, #bytes))
    local found = 0
    for _, record in ipairs(aish.load_memory(path)) do
      if record.id == id and record.content == "added" then found = found + 1 end
    end
    assert.equal(1, found)
    return result:sub(#bytes + 1), id
  end

  it("counts if it is whole, and is ended before the next record", function()
    check({ 2, 1 }, 3, item(1) .. item(2):sub(1, -2))
    check({ 1 }, 2, item(1):sub(1, -2))
    check({ 1 }, 4, item(1) .. item(2) .. '{"id":3,"kind":"forget","target":2}')
    local added, id = after_add(item(1) .. item(2):sub(1, -2))
    assert.equal(3, id)
    assert.matches('^\n{"id":3,"uid":"%w+","ts":"[^"]*","kind":"fact","content":"added"}\n$', added)
    added = after_add(item(1):sub(1, -2) .. "\r")
    assert.matches('^\n{"id":2,', added)
  end)

  it("is kept and ended if it is torn, wherever the tear", function()
    local last = '{"id":9,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"naïve \\u00e9 \\"q\\"","tags":["a",{"b":1.5e3}]}'
    for length = 1, #last - 1 do
      local bytes = item(1) .. last:sub(1, length)
      local path = file(bytes)
      assert.same({ 1 }, pluck(aish.load_memory(path), "id"))
      local added, id = after_add(bytes)
      assert.equal(2, id)
      assert.matches('^\n{"id":2,"uid":"%w+","ts":"[^"]*","kind":"fact","content":"added"}\n$', added)
    end
    local added, id = after_add(item(1) .. last)
    assert.equal(10, id)
    assert.matches('^\n{"id":10,', added)
  end)

  it("is ended once, by whichever call writes first", function()
    for _, call in ipairs({
      function(memory) return memory:add("fact", "x") end,
      function(memory) return memory:add_many({ { kind = "fact", content = "x" } }) end,
      function(memory) return memory:forget(1) end,
    }) do
      local path = file(item(1) .. '{"id":2,"ki')
      local memory = assert(aish.open(path))
      assert.same({}, memory:add_many({}))
      assert.is_false((memory:forget(99)))
      memory:sync()
      assert.equal(item(1) .. '{"id":2,"ki', helper.read(path))
      assert.truthy(call(memory))
      memory:add("fact", "y")
      memory:close()
      local lines = helper.lines(path)
      assert.equal(4, #lines)
      assert.equal('{"id":2,"ki', lines[2])
      assert.matches('^{"id":2,.*}$', lines[3])
      assert.matches('^{"id":3,.*}$', lines[4])
    end
  end)

  it("is not blank when it only looks so", function()
    for _, tail in ipairs({ " ", "\t", "\r", "\0", "\239\187\191", "5", "true", "[]", "}" }) do
      local added, id = after_add(item(1) .. tail)
      assert.equal(2, id)
      assert.matches('^\n{"id":2,', added)
    end
  end)

  it("may be the only one, and torn", function()
    local added, id = after_add('{"meta":{"aish_ver')
    assert.equal(1, id)
    assert.matches('^\n{"id":1,', added)
  end)
end)

describe("ids", function()
  helper.guard(before_each, after_each)

  local function line(id, kind)
    return ('{"id":%s,"kind":"%s","content":"c"}\n'):format(id, kind or "fact")
  end

  it("count by their value, however they are written", function()
    for text, value in pairs({ ["1.0"] = 1, ["1e2"] = 100, ["1E+2"] = 100, ["100e-2"] = 1, ["0.5e1"] = 5, ["1.5e1"] = 15,
      ["9007199254740991"] = support.max_id, ["9007199254740991.0"] = support.max_id, ["9.007199254740991e15"] = support.max_id,
      ["90071992547409910e-1"] = support.max_id, ["1.000000000000000000000000000000"] = 1, ["3e0"] = 3 }) do
      check({ value }, value + 1, line(text))
      check({}, math.max(value, 2) + 1, line(text) .. tombstone(2, value))
    end
    check({ 100, 100, 100 }, 101, line("1e2") .. line("100.0") .. line("100"))
  end)

  it("that are none are passed over, and their neighbours are not", function()
    for _, text in ipairs({ '"1"', '"x"', '""', "null", "true", "false", "[]", "[1]", "{}", '{"id":1}', "0", "-0", "0.0", "-1",
      "-5.0", "1.5", "0.5", "1e-1", "9007199254740992", "9007199254740993", "9.1e15", "1e16", "1e300", "1e400", "-1e400",
      "18446744073709551617", "18446744073709551615", "9223372036854775808", "4294967296.5",
      ("9"):rep(400), "0." .. ("0"):rep(400) .. "1" }) do
      local ids, next_id = read(item(3) .. line(text) .. item(4))
      assert.same({ 4, 3 }, ids, text)
      assert.equal(5, next_id, text)
      ids, next_id = read(item(3) .. line(text, "forget"):gsub('"c"', '"c","target":3'))
      assert.same((text == "null" or text == "false") and { 3 } or {}, ids, text)
      assert.equal(4, next_id, text)
    end
  end)

  it("of whatever kind raise the next one", function()
    check({}, 6, support.meta .. line(5, "nobody"))
    check({}, 6, support.meta .. '{"id":5}\n')
    check({}, 6, support.meta .. '{"id":5,"kind":null}\n{"id":4,"kind":5}\n')
    check({}, 6, support.meta .. '{"id":5,"kind":"forget"}\n')
    check({}, 6, support.meta .. '{"id":5,"meta":{}}\n')
    check({ 3 }, 8, line(7, "nobody") .. line(3))
  end)

  it("that a handle has read under the lock are not given again by it, whatever takes the file's place", function()
    local path = file(support.meta .. item(9))
    local memory = assert(aish.open(path))
    assert(os.rename(file(support.meta .. item(2)), path))
    assert.equal(10, memory:add("fact", "new"))
    assert.equal(2, #memory)
    memory:close()
  end)

  it("of a target do not raise the next one", function()
    check({ 1 }, 3, line(1) .. tombstone(2, 500))
  end)

  it("given twice are of two items", function()
    local items = check({ 1, 1, 2 }, 3, item(1, "older", "2026-01-01T00:00:02Z") .. item(2, "other", "2026-01-01T00:00:01Z")
      .. item(1, "newer", "2026-01-01T00:00:03Z"))
    assert.equal("newer", items[1].content)
    check({}, 3, item(1, "older") .. tombstone(2, 1) .. item(1, "newer"))
    check({ 1 }, 2, item(1) .. '{"id":1,"kind":"nobody"}\n{"id":1}\n')
    check({ 1 }, 2, item(1) .. tombstone(1, 5))
    items = check({ 1 }, 2, item(1, "whole") .. '{"id":1,"ts":"t","kind":"fact","content":"to')
    assert.equal("whole", items[1].content)
  end)
end)

describe("kinds", function()
  helper.guard(before_each, after_each)

  it("fact, pref and context are items, no other is", function()
    check({ 3, 2, 1 }, 4, item(1, "c", "t", "fact") .. item(2, "c", "t", "pref") .. item(3, "c", "t", "context"))
    for _, kind in ipairs({ '"other"', '"Fact"', '"facts"', '"fac"', '""', '" fact"', "null", "1", "true", "[]", '["fact"]', "{}",
      '"fact\\u0000"', '"for\\u0000get"' }) do
      check({ 1 }, 3, item(1) .. ('{"id":2,"ts":"t","kind":%s,"content":"c","target":1}\n'):format(kind))
    end
  end)

  it("are enough, with an id: content may be missing or anything", function()
    check({ 1 }, 2, '{"id":1,"kind":"fact"}\n')
    for _, content in ipairs({ "null", "5", "true", "[]", "{}", '""', '["a"]' }) do
      check({ 1 }, 2, ('{"id":1,"kind":"fact","content":%s}\n'):format(content))
    end
  end)
end)

describe("a shared memory whose lock another holds", function()
  helper.guard(before_each, after_each)

  it("changes nothing, by whatever call", function()
    local bytes = support.meta .. item(1) .. item(2)
    local path = file(bytes)
    local memory = assert(aish.open(path, { shared = true, wait = 0 }))
    local holder = assert(io.open(path))
    assert(aish.flock(holder, aish.LOCK_EX + aish.LOCK_NB))
    for _, call in ipairs({ { "add", "fact", "x" }, { "add_many", { { kind = "fact", content = "x" } } },
      { "update", 1, { content = "x" } }, { "forget", 1 }, { "compact" }, { "erase", "x" } }) do
      local done, message, number = memory[call[1]](memory, unpack(call, 2))
      assert.falsy(done, call[1])
      assert(message:find("held by another aish process", 1, true), message)
      assert.equal(EAGAIN, number)
    end
    assert.equal(bytes, helper.read(path))
    holder:close()
    assert(memory:forget(1))
    memory:close()
  end)
end)

describe("tombstones", function()
  helper.guard(before_each, after_each)

  it("count wherever they stand", function()
    check({ 1 }, 4, tombstone(3, 2) .. item(1) .. item(2))
    check({ 1 }, 4, item(1) .. item(2) .. tombstone(3, 2))
    check({ 1 }, 5, item(1) .. item(2) .. tombstone(3, 2) .. tombstone(4, 2))
    check({ 1 }, 5, item(1) .. item(2) .. tombstone(3, 2) .. item(2, "again") .. item(4, "x", "2020", "other"))
  end)

  it("without a match change nothing", function()
    check({ 1 }, 12, item(1) .. tombstone(2, 9) .. tombstone(11, 10))
    check({ 3, 1 }, 4, item(1) .. tombstone(2, 2) .. item(3))
  end)

  it("with a bad target change nothing", function()
    for _, target in ipairs({ '"1"', "null", "true", "[1]", "{}", '{"target":1}', "0", "-1", "1.5", "1e400", "9007199254740992",
      "4294967297", "18446744073709551617" }) do
      check({ 1 }, 3, item(1) .. ('{"id":2,"ts":"t","kind":"forget","target":%s}\n'):format(target))
    end
    check({ 1 }, 3, item(1) .. '{"id":2,"ts":"t","kind":"forget"}\n')
  end)

  it("take a target by its value", function()
    for _, target in ipairs({ "1", "1.0", "10e-1", "0.1e1" }) do
      check({}, 3, item(1) .. ('{"id":2,"ts":"t","kind":"forget","target":%s}\n'):format(target))
    end
  end)

  it("need no time, and may have anything else", function()
    check({}, 3, item(1) .. '{"content":"c","target":1,"x":[1],"kind":"forget","id":2}\n')
  end)
end)

describe("order", function()
  helper.guard(before_each, after_each)

  it("is by ts, then by id, both descending, wherever the lines stand", function()
    local function on(day) return ("2026-01-%02dT00:00:00Z"):format(day) end
    check({ 1, 5, 3, 2, 4 }, 6, item(1, "c", on(5)) .. item(2, "c", on(3)) .. item(3, "c", on(3))
      .. item(4, "c", on(1)) .. item(5, "c", on(4)))
    check({ 3, 2, 1 }, 4, item(3) .. item(1) .. item(2))
    check({ 10, 9, 8, 2 }, 11, item(9) .. item(10) .. item(2) .. item(8))
  end)

  it("puts a ts that is missing or no string last", function()
    for _, ts in ipairs({ "", '"ts":null,', '"ts":5,', '"ts":true,', '"ts":["z"],', '"ts":{"ts":"z"},', '"ts":"",' }) do
      check({ 1, 5, 3, 2 }, 6, item(1, "c", "0000-01-01T00:00:00Z") .. ('{"id":2,%s"kind":"fact"}\n'):format(ts)
        .. ('{"id":3,"kind":"fact",%s"x":1}\n'):format(ts) .. '{"id":5,"kind":"fact"}\n')
    end
  end)

  it("is that of points in time, however they are written; what is no time is last", function()
    local ts = { "2026-01-02T03:04:05", "", "2026-01-02T00:00:00.Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-01-02T24:00:00Z",
      "2026-01-02T03:04:61Z", "2026-01-02 03:04:05Z", "x", "9999-99-99T99:99:99Z", "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05Z ",
      "0000-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2026-01-02T03:04:05+05:00", "2026-01-01T22:04:05.1Z",
      "2026-01-02t03:04:05.2z", "2026-01-02T03:04:05.25Z", "2026-01-02T03:04:05.2500000000000000001Z", "2026-01-02T03:04:05.3\\u005a",
      "2026-01-02T03:04:60Z", "2026-01-02T03:05:00.000001Z", "2026-01-02T03:04:60.5Z", "2026-01-01T23:05:01-04:00",
      "9999-12-31T23:59:60Z", "9999-12-31T23:59:59-23:59" }
    local lines, expected = {}, {}
    local random = support.random(5)
    for index, text in ipairs(ts) do
      table.insert(lines, random(#lines + 1), item(index, "c", text))
      table.insert(expected, 1, index)
    end
    check(expected, #ts + 1, table.concat(lines))
  end)

  it("of one point in time is by id", function()
    local ts = { "2026-01-02T03:05:00Z", "2026-01-02T03:04:60Z", "2026-01-02T03:05:00.000Z", "2026-01-02T08:05:00+05:00",
      "2026-01-01T23:05:00-04:00", "2026-01-02T03:05:00-00:00", "2026-01-02T03:04:60.0Z" }
    local lines = {}
    for index, text in ipairs(ts) do lines[index] = item(index, "c", text) end
    check({ 7, 6, 5, 4, 3, 2, 1 }, 8, table.concat(lines))
  end)

  it("holds for times that go forth and back", function()
    local random, lines, stamps = support.random(11), {}, {}
    for id = 1, 3000 do
      stamps[id] = ("2026-%02d-%02dT00:00:00Z"):format(random(12), random(28))
      lines[id] = item(id, "c", stamps[id])
    end
    local ids = read(table.concat(lines))
    assert.equal(3000, #ids)
    for index = 2, #ids do
      local newer, older = ids[index - 1], ids[index]
      assert.truthy(stamps[newer] > stamps[older] or stamps[newer] == stamps[older] and newer > older)
    end
  end)
end)

describe("generated files", function()
  helper.guard(before_each, after_each)

  local function pick(random, list) return list[random(#list)] end

  local function key_text(random, name)
    if name == "" or random(12) > 1 then return '"' .. name .. '"' end
    local at = random(#name)
    return ('"%s\\u%04x%s"'):format(name:sub(1, at - 1), name:byte(at), name:sub(at + 1))
  end

  local strings = { '""', '"plain"', '"with \\"quotes\\" and \\\\"', '"\\u00e9\\u4e2d"', '"naïve 中文"', '"\\ud83d\\ude00"', '"\\u0000"',
    '"\\n\\r\\t\\b\\f\\/"', '"\255\254"', '"{\\"id\\":3,\\"kind\\":\\"fact\\"}"', '"[[[{{{"', '"' .. ("long "):rep(300) .. '"', '"}"', '"\\\\"',
    '"\\\\\\\\"', '"a\\\\\\""' }
  local numbers = { "0", "-0", "1", "-1", "1.5", "1e3", "0.1", "9007199254740991", "9007199254740993", "1760000000.123456", "1e308", "5e-324",
    "2.2250738585072011e-308", "123456789012345678901234567890", "1E+2" }

  local function value(random, depth)
    local choice = random(depth > 3 and 6 or 9)
    if choice <= 3 then return pick(random, strings) end
    if choice == 4 then return pick(random, numbers) end
    if choice <= 6 then return pick(random, { "true", "false", "null", "[]", "{}" }) end
    local parts = {}
    for index = 1, random(4) do
      local member = value(random, depth + 1)
      parts[index] = choice == 9 and member or pick(random, strings) .. pick(random, { ":", " : " }) .. member
    end
    local open, close = choice == 9 and "[" or "{", choice == 9 and "]" or "}"
    return open .. table.concat(parts, pick(random, { ",", ", ", " ,\t" })) .. close
  end

  local odd_ids = { "1.0", "1e1", "2E+1", "0.5e1", "30e-1", "-3", "0", "-0", "1.5", '"7"', '"id"', "null", "true", "[1]", "{}",
    "9007199254740992", "1e300", "1e400", '{"id":2}' }

  local function id_text(random)
    if random(8) > 1 then return tostring(random(60)) end
    return pick(random, odd_ids)
  end

  local function ts_text(random)
    if random(8) > 1 then return ('"2026-0%d-1%dT00:00:0%dZ"'):format(random(9), random(9), random(9)) end
    return pick(random, { '""', "5", "null", '"2026"', '"\\u0032026-01"', '"é"', "[]", '"\\u0000"', "true" })
  end

  local function kind_text(random)
    if random(10) == 1 then return pick(random, { '"other"', "null", "5", '"f\\u0061ct"', '"\\u0066orget"', '""', '"pre"', '["fact"]' }) end
    return pick(random, { '"fact"', '"pref"', '"context"', '"fact"', '"forget"' })
  end

  local function record(random)
    local members = {}
    local function put(name, text)
      table.insert(members, random(#members + 1),
        key_text(random, name) .. pick(random, { ":", ":", ":", " : ", "\t:\r" }) .. text)
    end
    if random(15) > 1 then put("id", id_text(random)) end
    if random(15) > 1 then put("kind", kind_text(random)) end
    if random(15) > 1 then put("ts", ts_text(random)) end
    if random(15) > 1 then put("content", value(random, random(3))) end
    if random(3) == 1 then put("target", id_text(random)) end
    if random(3) == 1 then put("tags", value(random, 1)) end
    if random(4) == 1 then put("source", value(random, 3)) end
    if random(4) == 1 then put(pick(random, { "x", "meta", "ids", "idx", "kin", "", "tsx" }), value(random, 1)) end
    if random(10) == 1 then put(pick(random, { "id", "kind", "ts", "target", "content" }), id_text(random)) end
    return "{" .. table.concat(members, pick(random, { ",", ",", ", " })) .. "}"
  end

  local function line(random)
    local choice, text = random(30), record(random)
    if choice == 1 then return "" end
    if choice == 2 then return value(random, 1) end
    if choice == 3 then return text:sub(1, random(#text)) end
    if choice == 4 then return text .. record(random) end
    if choice == 5 then return text:sub(1, random(#text)) .. record(random) end
    if choice == 6 then return text .. pick(random, { " ", "\t", " x", "}", ",", "\0", "]" }) end
    if choice == 7 then return pick(random, { " ", "\t", "\0", "x", "[", "\239\187\191", "," }) .. text end
    if choice == 8 then return ("\0"):rep(random(100)) end
    -- lua-cjson refuses half a surrogate pair, which we keep.
    if choice == 9 and not text:find("\\ud83d", 1, true) then
      local at = random(#text)
      return text:sub(1, at - 1) .. pick(random, { "\0", "{", "}", '"', "\\", ":", "," }) .. text:sub(at + 1)
    end
    return text
  end

  local function generate(random, count)
    local lines = {}
    for index = 1, count do lines[index] = line(random) end
    local text = table.concat(lines, pick(random, { "\n", "\n", "\r\n" }))
    if random(3) > 1 then text = text .. "\n" end
    if random(5) == 1 then text = text:sub(1, random(#text)) end
    return (random(6) == 1 and "\239\187\191" or "") .. support.meta .. text
  end

  local function compare(bytes, label)
    local expected, next_id = support.reading(bytes)
    local path = file(bytes)
    local differs = cases.difference(expected, aish.load_memory(path), label .. ": load_memory")
    assert.is_nil(differs, differs)
    local memory = assert(aish.open(path, { sync = "none" }))
    assert.equal(next_id, memory.next_id, label)
    assert.equal(#expected, #memory, label)
    differs = cases.difference(expected, memory:items(), label .. ": items")
    assert.is_nil(differs, differs)
    local seen = {}
    for _, found in ipairs(expected) do
      differs = not seen[found.id] and cases.difference(found, memory:get(found.id), label .. ": get") or nil
      assert.is_nil(differs, differs)
      seen[found.id] = true
    end
    local before = helper.read(path)
    -- An empty file has its meta line by now.
    assert.is_true(bytes == "" or bytes == before, label .. ": the bytes after reading")
    assert.equal(next_id, memory:add("fact", "added", nil, "spec"), label)
    memory:close()
    local after = helper.read(path)
    local added = (before:sub(-1) == "\n" and "" or "\n") .. '{"id":' .. ("%.0f"):format(next_id) .. ',"uid":"'
    assert.is_true(before .. added == after:sub(1, #before + #added), label .. ": the bytes before the record added")
    expected, next_id = support.reading(after)
    differs = cases.difference(expected, aish.load_memory(path), label .. ": after add")
    assert.is_nil(differs, differs)
    memory = assert(aish.open(path))
    assert.equal(next_id, memory.next_id, label)
    memory:close()
  end

  for seed = 1, 10 do
    it(("mean what lua-cjson reads in them, seed %d"):format(seed), function()
      local random = support.random(seed * 7919)
      for index = 1, 40 do
        compare(generate(random, random(60)), ("seed %d, file %d"):format(seed, index))
      end
    end)
  end

  it("of thousands of lines mean what lua-cjson reads in them", function()
    compare(generate(support.random(424242), 8000), "large")
  end)
end)
