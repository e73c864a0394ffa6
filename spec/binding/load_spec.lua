--- load(path): a session's turns and meta.
local stat = require("posix.sys.stat")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local user = require("spec.support.user")
local native = require("aish_history")

local ENOENT, EIO, EINVAL, EACCES = 2, 5, 22, 13
local BOM = "\239\187\191"

-- `load` of a file that has exactly `bytes`.
local function load(bytes)
  return native.load(helper.write(helper.tmpdir() .. "/s.jsonl", bytes))
end

-- The contents of the turns of a file that has exactly `bytes`.
local function contents(bytes)
  local list = {}
  for index, turn in ipairs(assert(load(bytes))) do list[index] = turn.content end
  return list
end

local function turn_line(content)
  return '{"role":"user","content":"' .. content .. '"}'
end

local A, B, C = turn_line("a"), turn_line("b"), turn_line("c")

describe("load", function()
  helper.guard(before_each, after_each)

  it("gives the turns in file order, and the meta table", function()
    local turns, meta = load('{"meta":{"model":"m","started":"2026-01-02T03:04:05Z"}}\n' .. A .. "\n"
      .. '{"content":"b","role":"assistant","tool_calls":[{"name":"ls","arguments":{"path":"."}}]}\n')
    assert.same({ model = "m", started = "2026-01-02T03:04:05Z" }, meta)
    assert.same({
      { role = "user", content = "a" },
      { role = "assistant", content = "b", tool_calls = { { name = "ls", arguments = { path = "." } } } },
    }, turns)
  end)

  it("gives no meta when there is none", function()
    local turns, meta = load(A .. "\n")
    assert.same({ { role = "user", content = "a" } }, turns)
    assert.is_nil(meta)
  end)

  for label, bytes in pairs({
    ["an empty file"] = "",
    ["a byte order mark"] = BOM,
    ["blank lines"] = "\n\n\r\n\n",
    ["garbage"] = "garbage\n\0\0\n[]\n12",
    ["a record without role and content"] = '{"a":1}\n',
  }) do
    it("gives an empty table and no meta for " .. label, function()
      local turns, meta = load(bytes)
      assert.same({}, turns)
      assert.is_nil(meta)
    end)
  end

  it("gives what a session wrote", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local session = assert(native.session(path, { model = "m" }))
    session:append({ role = "user", content = "a", n = 1760000000.123456, big = 9007199254740991 })
    session:append({ role = "tool", content = { { type = "text", text = "\0\1\255" } } })
    session:close()
    local turns, meta = native.load(path)
    assert.same({ model = "m" }, meta)
    assert.same({
      { role = "user", content = "a", n = 1760000000.123456, big = 9007199254740991 },
      { role = "tool", content = { { type = "text", text = "\0\1\255" } } },
    }, turns)
  end)

  it("makes neither file nor directory", function()
    local dir = helper.tmpdir()
    assert.is_nil((native.load(dir .. "/a/s.jsonl")))
    assert.is_false(cases.exists(dir .. "/a"))
    assert.is_nil((native.load(dir .. "/s.jsonl")))
    assert.is_false(cases.exists(dir .. "/s.jsonl"))
  end)

  it("changes nothing in the file", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", A .. "\r\n\0\n" .. B:sub(1, 9))
    assert.equal(1, #native.load(path))
    assert.equal(A .. "\r\n\0\n" .. B:sub(1, 9), helper.read(path))
  end)

  it("needs no lock", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", A .. "\n")
    local holder = assert(io.open(path, "r"))
    assert.is_true(native.flock(holder, native.LOCK_EX + native.LOCK_NB))
    assert.equal(1, #native.load(path))
    holder:close()
  end)
end)

describe("load: a turn", function()
  helper.guard(before_each, after_each)

  for _, case in ipairs({
    { '{"role":"user","content":"x"}', 1 },
    { '{"content":"x","role":"user"}', 1 },
    { ' { "role" : "user" ,\t"content" : "x" } ', 1 },
    { '{"\\u0072ole":"user","c\\u006fntent":"x"}', 1 },
    { '{"role":"user","content":""}', 1 },
    { '{"role":"user","content":0}', 1 },
    { '{"role":"user","content":true}', 1 },
    { '{"role":"user","content":[]}', 1 },
    { '{"role":"user","content":{}}', 1 },
    { '{"role":{},"content":"x"}', 1 },
    { '{"role":"user","content":null,"content":"x"}', 1 },
    { '{"role":"user","content":"x","extra":null}', 1 },
    { '{"role":"user","content":null}', 0 },
    { '{"role":"user","content":false}', 0 },
    { '{"role":null,"content":"x"}', 0 },
    { '{"role":false,"content":"x"}', 0 },
    { '{"role":"user","content":"x","content":null}', 0 },
    { '{"role":"user"}', 0 },
    { '{"content":"x"}', 0 },
    { '{"Role":"user","Content":"x"}', 0 },
    { '{"role ":"user","content":"x"}', 0 },
    { '{"x":{"role":"user","content":"x"}}', 0 },
    { '{"meta":{},"role":"user","content":"x"}', 1 },
    { '{}', 0 },
    { '[{"role":"user","content":"x"}]', 0 },
    { '["role","content"]', 0 },
    { '{"role":"user","content":"x",}', 0 },
    { '{"role":"user","content":"x"}}', 1 },
    { '{"role":"user","content":"x"}\0', 1 },
    { '{"role":"user","content":"x"} //', 1 },
    { '{"role":"user","content":"\1"}', 0 },
    { '{"role":"user","content":"a\0b"}', 0 },
    { '{"role":"user","content":\'x\'}', 0 },
    { '{"role":"user","content":01}', 0 },
    { '{"role":"user","content":.5}', 0 },
    { '{"role":"user","content":NaN}', 0 },
    { '{"role":"user","content":"\\x41"}', 0 },
    { BOM .. '{"role":"user","content":"x"}', 1 },
  }) do
    local line, count = unpack(case)
    it((count == 1 and "is " or "is not ") .. line:gsub("[%c\128-\255]", "."), function()
      local list = assert(load(A .. "\n" .. line .. "\n" .. C .. "\n"))
      assert.equal(2 + count, #list)
      assert.equal("a", list[1].content)
      assert.equal("c", list[#list].content)
    end)
  end

  it("keeps every key, to the last digit and byte", function()
    local turns = load('{"role":"user","content":"na\195\175ve \\u00e9 \\ud83d\\ude00 \\ud800 \255 \\/ \\u0000","ts":'
      .. '1760000000.123456,"max":9007199254740991,"tiny":5e-324,"minus":-0.0,"no":false,"yes":true,"nothing":null,'
      .. '"deep":{"a":[1,[2,[3]],{"b":"\\"\\\\"}]},"1":"one","":"empty"}\n')
    assert.equal(1, #turns)
    local turn = turns[1]
    assert.equal("na\195\175ve \195\169 \240\159\152\128 \237\160\128 \255 / \0", turn.content)
    assert.is_true(turn.ts == 1760000000.123456)
    assert.is_true(turn.max == 9007199254740991)
    assert.is_true(turn.tiny == 5e-324 and turn.tiny > 0)
    assert.equal(-math.huge, 1 / turn.minus)
    assert.is_false(turn.no)
    assert.is_true(turn.yes)
    assert.is_nil(turn.nothing)
    assert.same({ a = { 1, { 2, { 3 } }, { b = '"\\' } } }, turn.deep)
    assert.equal("one", turn["1"])
    assert.is_nil(turn[1])
    assert.equal("empty", turn[""])
  end)

  it("may be 1,000 levels deep and not one more", function()
    local function deep(levels)
      return '{"role":"user","content":' .. ("["):rep(levels - 1) .. ("]"):rep(levels - 1) .. "}\n"
    end
    local turns = load(A .. "\n" .. deep(1000) .. deep(1001) .. B .. "\n")
    assert.equal(3, #turns)
    assert.equal("a", turns[1].content)
    assert.is_table(turns[2].content)
    assert.equal("b", turns[3].content)
  end)
end)

describe("load: the first record", function()
  helper.guard(before_each, after_each)

  local META = '{"meta":{"m":1}}'

  for _, case in ipairs({
    { "first", META .. "\n" .. A .. "\n", true, { "a" } },
    { "alone", META .. "\n", true, {} },
    { "alone and without a newline", META, true, {} },
    { "behind a byte order mark", BOM .. META .. "\n" .. A .. "\n", true, { "a" } },
    { "behind blank lines", "\n\n" .. META .. "\n" .. A .. "\n", true, { "a" } },
    { "behind blank lines with \\r\\n", "\r\n\r\n" .. META .. "\r\n" .. A .. "\r\n", true, { "a" } },
    { "with other keys", '{"v":1,"meta":{"m":1},"w":2}\n' .. A, true, { "a" } },
    { "with an escape in the key", '{"m\\u0065ta":{"m":1}}\n' .. A, true, { "a" } },
    { "in a turn", '{"meta":{"m":1},"role":"user","content":"x"}\n' .. A .. "\n", false, { "x", "a" } },
    { "in a turn behind blank lines", '\n \n{"role":"user","content":"x","meta":{"m":1}}\n' .. A .. "\n", false, { "x", "a" } },
    { "behind a turn with one", '{"role":"user","content":"x","meta":1}\n' .. META .. "\n" .. A .. "\n", false, { "x", "a" } },
    { "with a role alone", '{"meta":{"m":1},"role":"user","content":null}\n' .. A .. "\n", true, { "a" } },
    { "false", '{"meta":false}\n' .. A .. "\n", false, { "a" } },
    { "twice", META .. '\n{"meta":{"m":2}}\n' .. A .. "\n", true, { "a" } },
    { "behind a turn", A .. "\n" .. META .. "\n" .. B .. "\n", false, { "a", "b" } },
    { "behind garbage", "garbage\n" .. META .. "\n" .. B .. "\n", true, { "b" } },
    { "behind a scalar", "12\n" .. META .. "\n" .. B .. "\n", true, { "b" } },
    { "behind a torn line", '{"meta":{"m"\n' .. META .. "\n" .. B .. "\n", true, { "b" } },
    { "behind a fragment, on its line", '{"me' .. META .. "\n" .. B .. "\n", true, { "b" } },
    { "behind an empty object", "{}\n" .. META .. "\n" .. B .. "\n", false, { "b" } },
    { "null", '{"meta":null}\n' .. A .. "\n", false, { "a" } },
    { "null in a turn", '{"meta":null,"role":"user","content":"x"}\n' .. A .. "\n", false, { "x", "a" } },
    { "below another key", '{"x":{"meta":{"m":1}}}\n' .. A .. "\n", false, { "a" } },
    { "in an array", "[" .. META .. "]\n" .. A .. "\n", false, { "a" } },
  }) do
    local label, bytes, expected, turns = unpack(case)
    it("decides about meta: " .. label, function()
      local _, meta = load(bytes)
      assert.same(expected and { m = 1 } or nil, meta)
      assert.same(turns, contents(bytes))
    end)
  end
end)

describe("load: the number of damaged lines", function()
  helper.guard(before_each, after_each)

  local function damaged(bytes, options)
    return (select(3, assert(native.load(helper.write(helper.tmpdir() .. "/s.jsonl", bytes), options))))
  end

  it("is that of a plain reading", function()
    local random = cases.random(20260107)
    for _ = 1, 60 do
      local parts = {}
      for index = 1, random(1, 30) do
        local sort = random(1, 5)
        parts[index] = sort == 1 and cases.damaged_text(random) or sort == 2 and "\r" or cases.turn_text(random)
      end
      local bytes = table.concat(parts, "\n")
      local turns, _, count = cases.read_session(bytes)
      assert.equal(count, damaged(bytes))
      assert.equal(count, damaged(bytes, { last = #turns + 1 }))
    end
  end)

  it("is that of the lines that were met", function()
    local bytes = 'garbage\n{"meta":{}}\nx\n' .. A .. "\n" .. B .. "}\n\0\n" .. C .. '\n{"ro'
    assert.equal(5, damaged(bytes))
    assert.equal(2, damaged(bytes, { last = 1 }))
    assert.equal(4, damaged(bytes, { last = 2 }))
    assert.equal(1, damaged(bytes, { last = 0 }))
    assert.equal(0, damaged("{}\n\n\r\n" .. A .. B))
    assert.equal(0, damaged(""))
  end)
end)

describe("load: lines", function()
  helper.guard(before_each, after_each)

  for _, case in ipairs({
    { "\\n", A .. "\n" .. B .. "\n", { "a", "b" } },
    { "\\r\\n", A .. "\r\n" .. B .. "\r\n", { "a", "b" } },
    { "both", A .. "\r\n" .. B .. "\n" .. C .. "\r\n", { "a", "b", "c" } },
    { "blank ones", "\n" .. A .. "\n\n\n" .. B .. "\n\r\n\r\n" .. C .. "\n\n", { "a", "b", "c" } },
    { "a byte order mark", BOM .. A .. "\n" .. B .. "\n", { "a", "b" } },
    { "a whole last one without newline", A .. "\n" .. B, { "a", "b" } },
    { "a whole last one with \\r and no newline", A .. "\r\n" .. B .. "\r", { "a", "b" } },
    { "only one, without newline", A, { "a" } },
    { "a torn last one", A .. "\n" .. B:sub(1, -2), { "a" } },
    { "a torn last one of one byte", A .. "\n{", { "a" } },
    { "a last one of NUL bytes", A .. "\n" .. ("\0"):rep(5000), { "a" } },
    { "NUL bytes between", A .. "\n" .. ("\0"):rep(5000) .. "\n" .. B .. "\n", { "a", "b" } },
    { "NUL bytes glued to one", A .. "\n\0\0" .. B .. "\n" .. C .. "\n", { "a", "b", "c" } },
    { "one glued to a fragment", A .. '\n{"role":"us' .. B .. "\n" .. C .. "\n", { "a", "b", "c" } },
    { "scalars", '1\ntrue\n' .. A .. '\nfalse\nnull\n"text"\n-0.5e3\n' .. B .. "\n", { "a", "b" } },
    { "arrays", '[]\n[1,2]\n' .. A .. '\n[{"role":"user","content":"x"}]\n' .. B .. "\n", { "a", "b" } },
    { "lines of one byte", "1\nx\n{\n}\n[\n]\n\"\n,\n" .. A .. "\n\0\n:\n \n\t\n" .. B .. "\n", { "a", "b" } },
    { "garbage of all bytes", A .. "\n\1\2\3\127\128\255\254\n" .. B .. "\n", { "a", "b" } },
    { "\\r alone, which ends no line", A .. "\r" .. B .. "\n" .. C .. "\n", { "a", "b", "c" } },
    { "other separators", A .. "\n" .. turn_line("x\226\128\168y") .. "\n" .. turn_line("\194\133") .. "\n",
      { "a", "x\226\128\168y", "\194\133" } },
    { "a byte order mark further down", A .. "\n" .. BOM .. B .. "\n" .. C .. "\n", { "a", "b", "c" } },
    { "two objects on one", A .. "\n" .. B .. C .. "\n" .. C .. "\n", { "a", "b", "c", "c" } },
  }) do
    local label, bytes, expected = unpack(case)
    it("may be ended by, or may be: " .. label, function()
      assert.same(expected, contents(bytes))
    end)
  end

  it("may be torn after any byte", function()
    local record = '{"role":"user","content":"\\ud83d\\ude00\195\169","n":-1.5e3,"t":[true,null]}'
    for length = 0, #record do
      local list = contents(A .. "\n" .. record:sub(1, length) .. "\n" .. C .. "\n" .. record:sub(1, length))
      if length == #record then
        assert.same({ "a", "\240\159\152\128\195\169", "c", "\240\159\152\128\195\169" }, list)
      else
        assert.same({ "a", "c" }, list)
      end
    end
  end)

  it("may have any length from a few bytes to several megabytes", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local sizes = {}
    for size = 0, 300 do sizes[#sizes + 1] = size end
    for power = 9, 22 do
      for _, step in ipairs({ -30, -29, -28, -27, -2, -1, 0, 1, 2 }) do sizes[#sizes + 1] = 2 ^ power + step end
    end
    local file = assert(io.open(path, "wb"))
    for index, size in ipairs(sizes) do
      file:write('{"role":"user","n":', index, ',"content":"', ("x"):rep(size), '"}\n')
    end
    file:close()
    local turns = assert(native.load(path))
    assert.equal(#sizes, #turns)
    for index, size in ipairs(sizes) do
      assert.equal(index, turns[index].n)
      assert.equal(size, #turns[index].content)
    end
    assert.is_true(turns[#turns].content == ("x"):rep(sizes[#sizes]))
  end)

  for label, garbage in pairs({
    ["that is wrong from early on"] = ('{"role":"user",'):rep(300000),
    ["that is wrong from the first byte"] = ("x"):rep(3000000),
    ["that is never ended"] = '{"role":"user","content":"' .. ("x"):rep(3000000),
    ["that is wrong at its last byte"] = '{"role":"user","content":"' .. ("x"):rep(3000000) .. '"]',
    ["of NUL bytes"] = ("\0"):rep(3000000),
    ["of quotes and backslashes"] = ('\\"'):rep(1500000),
    ["of brackets"] = ("["):rep(3000000),
    ["of digits"] = ("1"):rep(3000000),
    ["that is an array"] = "[" .. A .. ("," .. A):rep(60000) .. "],",
  }) do
    it("may be one damaged line of several megabytes " .. label, function()
      assert.same({ "a", "b" }, contents(A .. "\n" .. garbage .. "\n" .. B .. "\n"))
      assert.same({ "b" }, contents(garbage .. "\n" .. B))
      assert.same({ "a" }, contents(A .. "\n" .. garbage))
      assert.same({}, contents(garbage))
    end)
  end

  it("may be an object after megabytes of spaces", function()
    assert.same({ "a", "b" }, contents((" "):rep(3000000) .. A .. (" "):rep(3000000) .. "\n" .. B .. "\n"))
  end)

  it("may be very many and very short", function()
    local turns = assert(load(("{}\n1\n\n"):rep(100000) .. A .. "\n"))
    assert.equal(1, #turns)
    assert.equal("a", turns[1].content)
  end)
end)

describe("load: blocks", function()
  helper.guard(before_each, after_each)

  -- Every token that can be split: escapes, a surrogate pair, UTF-8, numbers, literals, \r\n.
  local RECORD = '{"role":"user","content":"\\"\\\\\\u00e9\\ud83d\\ude00\195\169\240\159\152\128",'
    .. '"n":-12.5e-1,"t":[true,false,null,{}]}\r\n'
  local WANTED = { role = "user", content = "\"\\\195\169\240\159\152\128\195\169\240\159\152\128",
    n = -1.25, t = { true, false, nil, {} } }

  -- The file has `boundary` at each byte of the record and around it; what comes before is one line, or many.
  local function check(boundary, filler)
    local path = helper.tmpdir() .. "/s.jsonl"
    for before = boundary - #RECORD - 1, boundary + 1 do
      local padding = filler(before)
      assert.equal(before, #padding)
      helper.write(path, padding .. RECORD .. RECORD .. A .. "\n")
      local turns = assert(native.load(path))
      local count = #turns
      assert.equal("a", turns[count].content)
      assert.is_nil(cases.difference(WANTED, turns[count - 1], "at " .. before))
      assert.is_nil(cases.difference(WANTED, turns[count - 2], "at " .. before))
      assert.equal("padding", turns[1].role)
      assert.equal(3, count - turns[1].lines)
    end
  end

  local function one_line(size)
    local frame = '{"role":"padding","lines":1,"content":""}\n'
    return frame:sub(1, -4) .. ("p"):rep(size - #frame) .. frame:sub(-3)
  end

  local function many_lines(size)
    local line = '{"role":"padding","content":"0123456789"}\n'
    local count = math.floor((size - 60) / #line)
    local first = ('{"role":"padding","lines":%d,"content":""}\n'):format(count + 1)
    local rest = size - #first - count * #line
    return first:sub(1, -4) .. ("p"):rep(rest) .. first:sub(-3) .. line:rep(count)
  end

  for _, boundary in ipairs({ 4096, 8192, 65536, 262144, 524288 }) do
    it("end at every byte of a record: " .. boundary .. ", behind one long line", function()
      check(boundary, one_line)
    end)
    it("end at every byte of a record: " .. boundary .. ", behind short lines", function()
      check(boundary, many_lines)
    end)
  end

  -- A line that fills a block is looked at before it is whole.
  for _, boundary in ipairs({ 4096, 65536, 262144, 524288, 1048576 }) do
    it("end at every byte of a record that is longer: " .. boundary, function()
      local path = helper.tmpdir() .. "/s.jsonl"
      local head = '{"role":"user","content":"'
      local tail = '\\"\\\\\\u00e9\\ud83d\\ude00\195\169\240\159\152\128","n":-12.5e-1,"t":[true,false,null,{}]}'
      for size = boundary - 4, boundary + #tail + 2 do
        local pad = ("p"):rep(size - #head - #tail)
        for _, ending in ipairs({ "\n", "\r\n", "   \n", "" }) do
          helper.write(path, head .. pad .. tail .. ending .. (ending == "" and "" or A .. "\n"))
          local turns = assert(native.load(path))
          assert.equal(ending == "" and 1 or 2, #turns, "line of " .. size)
          assert.is_true(turns[1].content == pad .. WANTED.content)
          assert.equal(-1.25, turns[1].n)
          assert.same(WANTED.t, turns[1].t)
        end
      end
    end)
  end

  it("may end within the first line after a byte order mark", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    for _, size in ipairs({ 262140, 262144, 262148, 3000000 }) do
      helper.write(path, BOM .. one_line(size) .. A .. "\n")
      assert.equal(2, #native.load(path), "line of " .. size)
    end
  end)

  it("may end with the last byte of the file, with and without a newline", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    for _, boundary in ipairs({ 4096, 65536, 262144, 524288, 1048576 }) do
      for size = boundary - 2, boundary + 2 do
        helper.write(path, one_line(size))
        assert.equal(1, #native.load(path))
        helper.write(path, one_line(size + 1):sub(1, size))
        assert.equal(1, #native.load(path))
        helper.write(path, one_line(size + 2):sub(1, size))
        assert.same({}, native.load(path))
        helper.write(path, one_line(size - #A) .. A)
        assert.equal(2, #native.load(path))
      end
    end
  end)

  it("may end within a run of newlines, and within the \\r\\n of a blank line", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    for size = 262144 - 6, 262144 + 1 do
      helper.write(path, one_line(size) .. "\n\n\r\n\n\r\n" .. A .. "\n")
      local turns = assert(native.load(path))
      assert.equal(2, #turns)
      assert.equal("a", turns[2].content)
    end
  end)
end)

describe("load against lua-cjson", function()
  helper.guard(before_each, after_each)

  for seed = 1, 8 do
    it("reads the same turns and meta from a generated session, seed " .. seed, function()
      local random = cases.random(seed * 7919)
      local lines = {}
      if random(1, 2) == 1 then lines[1] = '{"meta":{"seed":' .. seed .. ',"tools":["ls","rg"]}}' end
      for _ = 1, 1000 do
        local sort = random(1, 15)
        lines[#lines + 1] = sort == 1 and cases.damaged_text(random) or sort == 2 and "" or cases.turn_text(random)
      end
      local bytes = (random(1, 2) == 1 and BOM or "") .. table.concat(lines, random(1, 2) == 1 and "\n" or "\r\n")
        .. (random(1, 2) == 1 and "\n" or "")
      local expected, expected_meta = cases.read_session(bytes)
      assert(#expected > 500, "the generator makes too few turns: " .. #expected)
      local turns, meta = load(bytes)
      assert.is_nil(cases.difference(expected_meta, meta, "meta"))
      assert.equal(#expected, #turns)
      assert.is_nil(cases.difference(expected, turns, "turns"))
    end)
  end

  it("reads the same turns when the file is cut after any byte of its end", function()
    local random = cases.random(99)
    local lines = {}
    for index = 1, 12 do lines[index] = cases.turn_text(random) .. "\n" end
    local bytes = table.concat(lines)
    local path = helper.tmpdir() .. "/s.jsonl"
    for length = math.max(0, #bytes - 1500), #bytes do
      local cut = bytes:sub(1, length)
      helper.write(path, cut)
      assert.is_nil(cases.difference(cases.read_session(cut), native.load(path), "cut at " .. length))
    end
  end)
end)

describe("load: a path that cannot be used", function()
  helper.guard(before_each, after_each)

  it("is missing", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    cases.failed("open " .. path .. ": " .. cases.strerror(ENOENT), ENOENT, native.load(path))
  end)

  it("is in a missing directory", function()
    local path = helper.tmpdir() .. "/no/s.jsonl"
    cases.failed("open " .. path .. ": " .. cases.strerror(ENOENT), ENOENT, native.load(path))
  end)

  cases.paths_are_refused(it, "load(path)")

  it("has a NUL byte", function()
    local path = helper.write(helper.tmpdir() .. "/a", A .. "\n")
    local turns, message, number = native.load(path .. "\0b")
    assert.is_nil(turns)
    assert.matches("^open .*: path has a NUL byte$", message)
    assert.equal(EINVAL, number)
  end)

  it("cannot be read to its end", function()
    local path = cases.unreadable()
    if not path then return pending("no file here fails to be read") end
    cases.failed("read " .. path .. ": " .. cases.strerror(EIO), EIO, native.load(path))
  end)

  it("may not be read", function()
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/s.jsonl", A .. "\n")
    assert(stat.chmod(path, 0))
    user.run(dir, function()
      cases.failed("open " .. path .. ": " .. cases.strerror(EACCES), EACCES, native.load(path))
    end)
  end)

  it("is a file that may be read but not written to", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", A .. "\n")
    assert(stat.chmod(path, tonumber("400", 8)))
    assert.equal(1, #native.load(path))
  end)
end)

describe("load: arguments", function()
  helper.guard(before_each, after_each)

  it("may not be more than it takes", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", "")
    cases.too_many_error(function() native.load(path, {}, "more") end, 2, "load")
  end)

  it("are needed", function()
    cases.argument_error(function() native.load() end, 1, "load", "no value")
    cases.argument_error(function() native.load(nil) end, 1, "load", "nil")
  end)

  for _, name in ipairs(cases.types_but("string")) do
    it("take no " .. name .. " as path", function()
      cases.argument_error(function() native.load(cases.values[name]) end, 1, "load", name)
    end)
  end

  for _, name in ipairs(cases.types_but("table")) do
    it("take no " .. name .. " as options", function()
      local path = helper.write(helper.tmpdir() .. "/s.jsonl", "")
      cases.argument_error(function() native.load(path, cases.values[name]) end, 2, "load", name)
    end)
  end

  it("refuse an unknown option", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", "")
    cases.argument_error(function() native.load(path, { limt = 1 }) end, 2, "load", 'unknown option "limt"')
  end)

  it("may have an empty table of options", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", A .. "\n")
    assert.equal(1, #native.load(path, {}))
  end)
end)
