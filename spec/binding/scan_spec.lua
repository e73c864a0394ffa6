--- scan(path, opts): an iterator over the records of any file.
local fcntl = require("posix.fcntl")
local stat = require("posix.sys.stat")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local user = require("spec.support.user")
local native = require("aish_history")

local ENOENT, EIO, EINVAL, EACCES = 2, 5, 22, 13
local BOM = "\239\187\191"

local function file_with(bytes)
  return helper.write(helper.tmpdir() .. "/any.jsonl", bytes)
end

-- All that scan gives of a file that has exactly `bytes`: {line, record, offset, reason}.
local function rows(bytes, options)
  local list = {}
  for line, record, offset, reason in assert(native.scan(file_with(bytes), options)) do
    list[#list + 1] = { line = line, record = record, offset = offset, reason = reason }
  end
  return list
end

-- The same by a plain reading of the bytes.
local function expected_rows(bytes, malformed)
  local list, number, from = {}, 0, 1
  while from <= #bytes do
    local stop = bytes:find("\n", from, true) or #bytes + 1
    local line = bytes:sub(from, stop - 1)
    if from == 1 then line = line:gsub("^" .. BOM, "   ") end
    number = number + 1
    for _, part in ipairs(cases.read_line(line)) do
      if part[2] or malformed then
        list[#list + 1] = { line = number, record = part[2], offset = from - 1 + part[1] }
      end
    end
    from = stop + 1
  end
  return list
end

local function assert_rows(expected, list)
  assert.equal(#expected, #list)
  for index, row in ipairs(expected) do
    assert.equal(row.line, list[index].line)
    assert.equal(row.offset, list[index].offset)
    assert.is_nil(cases.difference(row.record, list[index].record, "line " .. row.line))
    if row.record == nil then
      assert.is_string(list[index].reason)
      assert.is_true(#list[index].reason > 0)
    else
      assert.is_nil(list[index].reason)
    end
  end
end

describe("scan", function()
  helper.guard(before_each, after_each)

  it("gives line number, record and offset, in file order", function()
    assert.same({
      { line = 1, offset = 0, record = { meta = { m = 1 } } },
      { line = 2, offset = 17, record = { id = 1, kind = "fact", content = "x" } },
      { line = 3, offset = 54, record = {} },
      { line = 4, offset = 57, record = { last = true } },
    }, rows('{"meta":{"m":1}}\n{"id":1,"kind":"fact","content":"x"}\n{}\n{"last":true}\n'))
  end)

  it("gives nothing for a file with nothing in it", function()
    assert.same({}, rows(""))
    assert.same({}, rows("\n\r\n\n"))
    assert.same({}, rows(BOM))
    assert.same({}, rows("", { malformed = true }))
    assert.same({}, rows("\n\r\n\n", { malformed = true }))
    assert.same({}, rows(BOM, { malformed = true }))
  end)

  it("counts blank and damaged lines, and gives neither", function()
    assert.same({
      { line = 2, offset = 1, record = { a = 1 } },
      { line = 5, offset = 14, record = { b = 2 } },
      { line = 9, offset = 35, record = { c = 3 } },
    }, rows('\n{"a":1}\n\r\n12\n{"b":2}\r\n[]\n{"torn\n\0\n{"c":3}\n{"d'))
  end)

  it("gives damaged lines when asked, with nil, the offset and a reason", function()
    local list = rows('\n{"a":1}\n\r\n12\n{"b":2}\r\n[]\n{"torn\n\0\n{"c":3}\n{"d', { malformed = true })
    local seen = {}
    for index, row in ipairs(list) do
      seen[index] = { row.line, row.offset, row.record ~= nil, type(row.reason) }
    end
    assert.same({
      { 2, 1, true, "nil" },
      { 4, 11, false, "string" },
      { 5, 14, true, "nil" },
      { 6, 23, false, "string" },
      { 7, 26, false, "string" },
      { 8, 33, false, "string" },
      { 9, 35, true, "nil" },
      { 10, 43, false, "string" },
    }, seen)
  end)

  for _, bytes in ipairs({ "12", "[]{", "true", "null", '"text"', "garbage", '{"a":', "{'a':1}", "\0\0", "{", "}", "\255\254", '{"a":"\t"}', '{"a":01}', ("["):rep(1001) .. ("]"):rep(1001) .. "x" }) do
    it("has a reason of one line for " .. bytes:sub(1, 20):gsub("[%c\128-\255]", "."), function()
      local list = rows(bytes .. "\n", { malformed = true })
      assert.equal(1, #list)
      assert.equal(1, list[1].line)
      assert.equal(0, list[1].offset)
      assert.is_nil(list[1].record)
      assert.is_true(#list[1].reason > 0)
      assert.is_nil(list[1].reason:find("%c"))
    end)
  end

  it("gives other reasons for other damage", function()
    local list = rows('12\n{"torn\n{"a":1}x\n', { malformed = true })
    assert.equal(4, #list)
    assert.not_equal(list[1].reason, list[2].reason)
    assert.not_equal(list[2].reason, list[4].reason)
    assert.not_equal(list[1].reason, list[4].reason)
  end)

  it("gives no damaged lines when malformed is false", function()
    assert.same({ { line = 2, offset = 3, record = { a = 1 } } }, rows('12\n{"a":1}\n', { malformed = false }))
    assert.same({ { line = 2, offset = 3, record = { a = 1 } } }, rows('12\n{"a":1}\n', {}))
  end)

  it("takes a byte order mark as part of the first line", function()
    assert.same({
      { line = 1, offset = 0, record = { a = 1 } },
      { line = 2, offset = 11, record = { b = 2 } },
    }, rows(BOM .. '{"a":1}\n{"b":2}\n', { malformed = true }))
  end)

  it("passes over a byte order mark further down", function()
    assert.same({
      { line = 1, offset = 0, record = { a = 1 } },
      { line = 2, offset = 11, record = { b = 2 } },
      { line = 3, offset = 19, record = { c = 3 } },
    }, rows('{"a":1}\n' .. BOM .. '{"b":2}\n{"c":3}\n', { malformed = true }))
  end)

  it("gives the records that share a line its number, and the damage between them in its place", function()
    local list = rows('{"a":1}{"b":2}\n{"c":3} {"d":"x{"e":5}\0{"f":6}\r\n', { malformed = true })
    assert.is_string(list[4].reason)
    list[4].reason = nil
    assert.same({
      { line = 1, offset = 0, record = { a = 1 } },
      { line = 1, offset = 7, record = { b = 2 } },
      { line = 2, offset = 15, record = { c = 3 } },
      { line = 2, offset = 23 },
      { line = 2, offset = 30, record = { e = 5 } },
      { line = 2, offset = 38, record = { f = 6 } },
    }, list)
    assert.same({ 1, 1, 2, 2, 2 }, (function()
      local lines = {}
      for index, row in ipairs(rows('{"a":1}{"b":2}\n{"c":3} {"d":"x{"e":5}\0{"f":6}\r\n')) do lines[index] = row.line end
      return lines
    end)())
  end)

  it("gives a whole last line without a newline", function()
    assert.same({
      { line = 1, offset = 0, record = { a = 1 } },
      { line = 2, offset = 8, record = { b = 2 } },
    }, rows('{"a":1}\n{"b":2}', { malformed = true }))
  end)

  it("gives each line a table of its own", function()
    local list = rows('{"a":[]}\n{"a":[]}\n')
    assert.not_equal(list[1].record, list[2].record)
    assert.not_equal(list[1].record.a, list[2].record.a)
  end)

  it("gives nothing more after the end", function()
    local iterator, state, control = native.scan(file_with('{"a":1}\n'))
    local line, record = iterator(state, control)
    assert.equal(1, line)
    assert.same({ a = 1 }, record)
    assert.is_nil((iterator(state, line)))
    assert.is_nil((iterator(state, line)))
    assert.is_nil((iterator(state, line)))
  end)

  it("reads memory files with tombstones and all", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(native.open(path))
    local id = assert(memory:add("fact", "x"))
    assert.is_true(memory:forget(id))
    memory:close()
    local kinds = {}
    for line, record in native.scan(path) do kinds[line] = record.kind or "meta" end
    assert.same({ "meta", "fact", "forget" }, kinds)
  end)
end)

describe("scan: offsets", function()
  helper.guard(before_each, after_each)

  it("are where the records begin: reading there gives the record", function()
    local random = cases.random(31337)
    local lines = {}
    for index = 1, 3000 do
      local sort = random(1, 12)
      lines[index] = sort == 1 and cases.damaged_text(random) or sort == 2 and "" or sort == 3 and "\r"
        or cases.turn_text(random) .. (" "):rep(random(0, 300))
    end
    local path = file_with(table.concat(lines, "\n") .. "\n")
    local file = assert(io.open(path, "rb"))
    local seen = 0
    for number, record, offset in native.scan(path) do
      assert.equal(offset, file:seek("set", offset))
      local line = file:read("*l")
      assert.equal(lines[number]:sub(-#line), line)
      assert.is_nil(cases.difference(cases.read_line(line)[1][2], record, "line " .. number))
      seen = seen + 1
    end
    file:close()
    assert.is_true(seen > 2000)
  end)

  for seed = 1, 6 do
    it("and records are those of a plain reading, seed " .. seed, function()
      local random = cases.random(seed * 104729)
      local lines = {}
      for index = 1, 800 do
        local sort = random(1, 6)
        lines[index] = sort == 1 and cases.damaged_text(random) or sort == 2 and "" or cases.turn_text(random)
      end
      local bytes = (random(1, 2) == 1 and BOM or "") .. table.concat(lines, random(1, 2) == 1 and "\n" or "\r\n")
        .. (random(1, 2) == 1 and "\n" or "")
      assert_rows(expected_rows(bytes, false), rows(bytes))
      assert_rows(expected_rows(bytes, true), rows(bytes, { malformed = true }))
    end)
  end

  for _, boundary in ipairs({ 4096, 65536, 262144, 524288 }) do
    it("are right with a block's end at every byte of a record: " .. boundary, function()
      local path = helper.tmpdir() .. "/any.jsonl"
      local record = '{"s":"\\"\\ud83d\\ude00\195\169","n":-1.5e1}'
      for before = boundary - #record - 3, boundary + 1 do
        local padding = '{"p":"' .. ("p"):rep(before - 9) .. '"}\n'
        assert.equal(before, #padding)
        helper.write(path, padding .. record .. "\r\n" .. "\n" .. "torn" .. "\n" .. record)
        local list = {}
        for line, value, offset in native.scan(path, { malformed = true }) do
          list[#list + 1] = { line, offset, value and value.s or false, value and value.n or false }
        end
        assert.same({
          { 1, 0, false, false },
          { 2, before, "\"\240\159\152\128\195\169", -15 },
          { 4, before + #record + 3, false, false },
          { 5, before + #record + 8, "\"\240\159\152\128\195\169", -15 },
        }, list)
      end
    end)
  end

  for _, damage in ipairs({ "\0", "x", "[", '{"s":"' }) do
    it("are right after damage that ends around a block's end: " .. damage:gsub("%z", "NUL"), function()
      local path = helper.tmpdir() .. "/any.jsonl"
      local last = damage:sub(-1)
      for _, boundary in ipairs({ 262144, 524288 }) do
        for size = boundary - 10, boundary + 2 do
          helper.write(path, '{"a":1}\n' .. damage .. (last == '"' and "s" or last):rep(size - #damage - 8)
            .. '\n{"b":2}\r\n{"c":3}')
          local list = {}
          for line, record, offset in native.scan(path, { malformed = true }) do
            list[#list + 1] = { line, offset, record or false }
          end
          assert.same({
            { 1, 0, { a = 1 } }, { 2, 8, false }, { 3, size + 1, { b = 2 } }, { 4, size + 10, { c = 3 } },
          }, list)
        end
      end
    end)
  end

  it("count every byte of lines of several megabytes", function()
    local sizes = { 1, 300000, 5000000, 10, 262144, 262143, 1048576 }
    local parts, offsets, offset = {}, {}, 0
    for index, size in ipairs(sizes) do
      parts[index] = '{"s":"' .. ("s"):rep(size) .. '"}\n'
      offsets[index] = offset
      offset = offset + #parts[index]
    end
    local list = rows(table.concat(parts))
    assert.equal(#sizes, #list)
    for index, size in ipairs(sizes) do
      assert.equal(index, list[index].line)
      assert.equal(offsets[index], list[index].offset)
      assert.equal(size, #list[index].record.s)
    end
  end)
end)

describe("scan: the loop", function()
  helper.guard(before_each, after_each)

  local function many(count)
    local lines = {}
    for index = 1, count do lines[index] = '{"n":' .. index .. ',"pad":"' .. ("x"):rep(100) .. '"}\n' end
    return table.concat(lines)
  end

  it("may be left, and collection frees the descriptor", function()
    local path = file_with(many(10000))
    local function first_line()
      for line, record in native.scan(path) do
        if record.n == 1 then return line end
      end
    end
    for _ = 1, 5 do assert.equal(1, first_line()) end
    cases.collect()
    assert.same({}, cases.descriptors_of(path))
  end)

  -- LuaJIT's compiled code keeps the functions alive that it calls, so none of them may hold the file.
  it("closes the file at once when it is left, from Lua 5.4 on", function()
    if not loadstring("local x <close> = nil") then return pending("Lua 5.4 and later only") end
    local path = file_with('{"n":1}\n{"n":2}\n')
    for _, opened in ipairs({ native.scan, native.follow }) do
      local before = helper.descriptors()
      collectgarbage("stop")
      for _ in opened(path) do break end -- luacheck: ignore 512
      local after = helper.descriptors()
      collectgarbage("restart")
      assert.same(before, after)
      local kept = assert(opened(path))
      for _ in kept do break end -- luacheck: ignore 512
      assert.equal(2, (kept()))
      kept:close()
    end
  end)

  it("may be left again and again once it is compiled", function()
    local path = file_with(many(200))
    local function leave()
      for line in native.scan(path) do
        if line == 100 then break end
      end
    end
    for _ = 1, 20 do leave() end
    cases.collect()
    assert.same({}, cases.descriptors_of(path))
  end)

  it("may be left by an error", function()
    local path = file_with(many(100))
    assert.is_false(pcall(function()
      for line in native.scan(path) do
        if line == 50 then error("out") end
      end
    end))
    cases.collect()
    assert.same({}, cases.descriptors_of(path))
  end)

  it("may never be begun", function()
    local path = file_with(many(10))
    local function begin() assert.truthy((native.scan(path))) end
    begin()
    cases.collect()
    assert.same({}, cases.descriptors_of(path))
  end)

  it("may run inside another over the same file", function()
    local path = file_with(many(40))
    local count = 0
    for outer, record in native.scan(path) do
      assert.equal(outer, record.n)
      for inner, other in native.scan(path) do
        assert.equal(inner, other.n)
        count = count + 1
      end
    end
    assert.equal(1600, count)
  end)

  it("may take turns with another, under collection", function()
    local path = file_with(many(3000))
    local one, state_one, line_one = native.scan(path)
    local two, state_two, line_two = native.scan(path)
    local a, b
    for index = 1, 3000 do
      line_one, a = one(state_one, line_one)
      line_two, b = two(state_two, line_two)
      assert.equal(index, a.n)
      assert.equal(index, b.n)
      if index % 100 == 0 then collectgarbage() end
    end
    assert.is_nil((one(state_one, line_one)))
    assert.is_nil((two(state_two, line_two)))
  end)

  it("may run in a coroutine that is left alone", function()
    local path = file_with(many(100))
    local function begin()
      local thread = coroutine.wrap(function()
        for line in native.scan(path) do coroutine.yield(line) end
      end)
      assert.equal(1, thread())
      assert.equal(2, thread())
      assert.equal(1, #cases.descriptors_of(path))
    end
    begin()
    cases.collect()
    assert.same({}, cases.descriptors_of(path))
  end)

  it("has a descriptor that no child inherits", function()
    local path = file_with(many(10))
    local iterator = native.scan(path)
    local open = cases.descriptors_of(path)
    assert.equal(1, #open)
    assert.equal(fcntl.FD_CLOEXEC, fcntl.fcntl(open[1], fcntl.F_GETFD))
    assert.truthy(iterator)
  end)

  it("gives the records in order while the file grows, and ends", function()
    for _, start in ipairs({ 1, 10, 5000 }) do
      local path = file_with(many(start))
      local session = assert(native.session(path))
      local total, seen = start, 0
      for line, record, _, reason in native.scan(path, { malformed = true }) do
        assert.is_nil(reason)
        seen = seen + 1
        assert.equal(seen, line)
        assert.equal(seen, record.n)
        if total < start + 500 then
          total = total + 1
          assert.is_true(session:append({ n = total }))
        end
      end
      session:close()
      assert.is_true(seen >= start and seen <= total)
    end
  end)

  for _, case in ipairs({
    { "whole", '{"n":2}' }, { "torn", '{"n":2,"s":"' }, { "a long torn one", '{"n":2,"s":"' .. ("s"):rep(300000) },
  }) do
    local label, tail = unpack(case)
    it("gives no wrong line number or offset when the file grows after a last line without newline: " .. label, function()
      local path = file_with('{"n":1}\n' .. tail)
      local added = false
      local given = {}
      for line, _, offset in native.scan(path, { malformed = true }) do
        given[#given + 1] = { line, offset }
        if line == 2 and not added then
          added = true
          local file = assert(io.open(path, "ab"))
          file:write(tail:sub(-1) == "}" and "\n" or 'more"}\n', '{"n":3}\n{"n":4}\n')
          file:close()
        end
      end
      local right, number, from = {}, 0, 0
      for _, text in ipairs(helper.lines(path)) do
        number = number + 1
        right[number] = { number, from }
        from = from + #text + 1
      end
      assert.is_true(#given >= 2)
      for index, row in ipairs(given) do assert.same(right[index], row) end
    end)
  end

  it("survives a file that is cut short under it", function()
    local path = file_with(many(20000))
    local output = cases.run_limited([[
      local path = ...
      local native = require("aish_history")
      local last = 0
      for line, record in native.scan(path) do
        assert(record.n == line and line == last + 1)
        last = line
        if line == 3 then io.open(path, "w"):close() end
      end
      print(last >= 3 and last < 20000)
    ]], path)
    assert.equal("true\n", output)
  end)

  it("survives a file that is removed or replaced under it", function()
    local path = file_with(many(5000))
    local seen = 0
    for line in native.scan(path) do
      if line == 2 then
        helper.write(path .. ".new", '{"n":0}\n')
        assert(os.rename(path .. ".new", path))
      elseif line == 3 then
        assert(os.remove(path))
      end
      seen = line
    end
    assert.equal(5000, seen)
  end)

  it("takes the same memory however large the file is", function()
    if helper.instrumented then
      pending("an instrumented build keeps freed memory")
      return
    end
    local path = helper.tmpdir() .. "/large.jsonl"
    local file = assert(io.open(path, "wb"))
    local block = many(2000)
    local blocks = math.ceil(50 * 1024 * 1024 / #block)
    for _ = 1, blocks do file:write(block) end
    file:close()
    local output = helper.run(helper.PEAK .. [[
      local path = ...
      local native = require("aish_history")
      for _ in native.scan(".busted", { malformed = true }) do break end
      collectgarbage()
      local before, count = peak(), 0
      for _, record in native.scan(path, { malformed = true }) do count = count + record.n end
      print(count, peak() - before)
    ]], path)
    local count, growth = output:match("^(%d+)\t(%d+)\n$")
    assert(count, output)
    assert.equal(blocks * 2000 * 2001 / 2, tonumber(count))
    assert.is_true(tonumber(growth) < 16 * 1024, "grew by " .. growth .. " kB")
  end)
end)

describe("scan: a path that cannot be used", function()
  helper.guard(before_each, after_each)

  it("is missing", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    cases.failed("open " .. path .. ": " .. cases.strerror(ENOENT), ENOENT, native.scan(path))
    assert.is_false(cases.exists(path))
  end)

  cases.paths_are_refused(it, "scan(path)")

  it("has a NUL byte", function()
    local path = file_with('{"a":1}\n')
    local iterator, message, number = native.scan(path .. "\0x")
    assert.is_nil(iterator)
    assert.matches("^open .*: path has a NUL byte$", message)
    assert.equal(EINVAL, number)
  end)

  it("raises when it cannot be read on the way", function()
    local path = cases.unreadable()
    if not path then return pending("no file here fails to be read") end
    local iterator, state, control = assert(native.scan(path))
    local ok, message = pcall(iterator, state, control)
    assert.is_false(ok)
    assert(message:find("read " .. path .. ": " .. cases.strerror(EIO), 1, true), message)
  end)

  it("may not be read", function()
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/a.jsonl", '{"a":1}\n')
    assert(stat.chmod(path, 0))
    user.run(dir, function()
      cases.failed("open " .. path .. ": " .. cases.strerror(EACCES), EACCES, native.scan(path))
    end)
  end)
end)

describe("scan: arguments", function()
  helper.guard(before_each, after_each)

  it("may not be more than it takes", function()
    local path = file_with("")
    cases.too_many_error(function() native.scan(path, {}, "more") end, 2, "scan")
  end)

  it("are needed", function()
    cases.argument_error(function() native.scan() end, 1, "scan", "no value")
    cases.argument_error(function() native.scan(nil) end, 1, "scan", "nil")
  end)

  for _, name in ipairs(cases.types_but("string")) do
    it("take no " .. name .. " as path", function()
      cases.argument_error(function() native.scan(cases.values[name]) end, 1, "scan", name)
    end)
  end

  for _, name in ipairs(cases.types_but("table")) do
    it("take no " .. name .. " as options", function()
      local path = file_with("")
      cases.argument_error(function() native.scan(path, cases.values[name]) end, 2, "scan", name)
    end)
  end

  for _, case in ipairs({
    { { malformd = true }, 'unknown option "malformd"' },
    { { wait = 1 }, 'unknown option "wait"' },
    { { malformed = 1 }, 'option "malformed" must be' },
    { { malformed = "yes" }, 'option "malformed" must be' },
    { { malformed = {} }, 'option "malformed" must be' },
  }) do
    local options, words = unpack(case)
    it("refuse options: " .. words .. " (" .. type(select(2, next(options))) .. ")", function()
      local path = file_with("")
      cases.argument_error(function() native.scan(path, options) end, 2, "scan", words)
    end)
  end

  it("of the iterator itself are ignored, whatever they are", function()
    local iterator, state = native.scan(file_with('{"a":1}\n{"b":2}\n{"c":3}\n'))
    assert.equal(1, (iterator(state, 99)))
    for _, name in ipairs(cases.types_but()) do pcall(iterator, cases.values[name], cases.values[name]) end
    pcall(iterator)
    assert.truthy(iterator)
  end)
end)
