-- What erase does to lines: which strings change and which bytes stay, however the text is escaped, what
-- becomes of damaged lines, and that a follower does not get old lines again.
local aish = require("aish_history")
local cases = require("spec.support.cases")
local faults = require("spec.faults.support")
local generate = require("spec.support.generate")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")

local MARK = "\239\187\191"

local function file(bytes, name)
  return helper.write(helper.tmpdir() .. "/" .. (name or "s.jsonl"), bytes)
end

-- Erases from a file of these bytes; returns the bytes after, and the report.
local function erased(bytes, what, options)
  local path = file(bytes)
  local report = assert(aish.erase(path, what, options))
  return helper.read(path), report
end

-- ---- random lines, and what they are to become ----

-- A text as the inside of a JSON string, each of its bytes escaped in a random way.
local function escaped(source, text)
  local parts = {}
  local at = 1
  while at <= #text do
    local size = text:byte(at) < 0xC0 and 1 or text:byte(at) < 0xE0 and 2 or text:byte(at) < 0xF0 and 3 or 4
    local character = text:sub(at, at + size - 1)
    at = at + size
    local short = ({ ['"'] = '\\"', ["\\"] = "\\\\", ["/"] = "\\/", ["\n"] = "\\n", ["\t"] = "\\t" })[character]
    local raw = not character:find('^["\\%c]$')
    local choice = source:below(4)
    if choice == 0 or not (raw or short) then
      local units = {}
      local point = character:byte()
      if size > 1 then
        point = point % 2 ^ (7 - size)
        for index = 2, size do point = point * 64 + character:byte(index) % 64 end
      end
      if point < 0x10000 then units[1] = point
      else units[1], units[2] = 0xD7C0 + math.floor(point / 1024), 0xDC00 + point % 1024 end
      for _, unit in ipairs(units) do
        parts[#parts + 1] = (source:below(2) == 0 and "\\u%04x" or "\\u%04X"):format(unit)
      end
    elseif short and (choice == 1 or not raw) then parts[#parts + 1] = short
    else parts[#parts + 1] = character end
  end
  return table.concat(parts)
end

-- What the module writes for a string.
local function written(text)
  return assert(aish.encode(text))
end

local function replaced(text, what, by)
  local at = text:find(what, 1, true)
  if not at then return text end
  return text:sub(1, at - 1) .. by .. replaced(text:sub(at + #what), what, by)
end

local function spaces(source)
  return source:pick({ "", "", " ", "\t", "  " })
end

-- Two texts, the value and what it becomes. `stays`: no string of it changes.
local function value(source, what, depth, stays)
  local kind = source:below(depth > 0 and 7 or 4)
  if kind == 0 then
    local number = source:pick({ "1", "-0.0", "1E2", "12345678901234567890.10", "null", "true" })
    return number, number
  elseif kind < 4 then
    local text = source:string(6)
    for _ = 1, source:below(3) do text = text .. what .. source:string(3) end
    local before = '"' .. escaped(source, text) .. '"'
    if stays or not text:find(what, 1, true) then return before, before end
    return before, written(replaced(text, what, "<>"))
  end
  local before, after = {}, {}
  local opening, closing = "[", "]"
  if kind > 5 then opening, closing = "{", "}" end
  for index = 1, source:below(4) do
    local a, b = value(source, what, depth - 1)
    local around = { spaces(source), spaces(source) }
    local key = kind > 5 and '"' .. escaped(source, source:string(4)) .. '"' .. spaces(source) .. ":" or ""
    before[index] = around[1] .. key .. a .. around[2]
    after[index] = around[1] .. key .. b .. around[2]
  end
  return opening .. table.concat(before, ",") .. closing, opening .. table.concat(after, ",") .. closing
end

local OWN = { id = true, uid = true, ts = true, kind = true, target = true, of = true, role = true }

local function line(source, what)
  local before, after = {}, {}
  for index = 1, 1 + source:below(5) do
    local key = source:pick({ "content", "x", "role", "ts", "kind", "of", "meta", "uid", "id", "target", "calls" })
    local a, b = value(source, what, 3)
    if OWN[key] and a:sub(1, 1) == '"' then b = a end
    local start = spaces(source) .. '"' .. escaped(source, key) .. '"' .. spaces(source) .. ":" .. spaces(source)
    before[index], after[index] = start .. a, start .. b
  end
  local ending = source:pick({ "\n", "\n", "\r\n", " \n" })
  return "{" .. table.concat(before, ",") .. "}" .. ending, "{" .. table.concat(after, ",") .. "}" .. ending
end

describe("erase in lines", function()
  helper.guard(before_each, after_each)

  for _, what in ipairs({ "secret", "s", "a/b\"c\\d", "\n", "na\195\175ve \240\159\152\128", "\229\175\134\231\160\129", "A\0b",
    ("long "):rep(50) }) do
    it("changes the strings that hold it, however escaped, and no other byte: " .. written(what), function()
      local source = generate.new(#what)
      for _ = 1, 15 do
        local before, after = {}, {}
        for index = 1, 1 + source:below(6) do before[index], after[index] = line(source, what) end
        before, after = table.concat(before), table.concat(after)
        if source:below(3) == 0 then before, after = before:sub(1, -2), after:sub(1, -2) end
        if source:below(4) == 0 then before, after = MARK .. before, MARK .. after end
        local found, report = erased(before, what, { replacement = "<>" })
        assert.equal(after, found)
        assert.equal(before == after and 0 or 1, report.files)
        assert.same({}, report.failed)
        local again, second = erased(found, what, { replacement = "<>" })
        assert.equal(found, again)
        assert.equal(report.left, second.left)
      end
    end)
  end

  it("finds surrogate halves, and the bytes that they stand for", function()
    local function content(text) return ('{"role":"user","content":"%s"}\n'):format(text) end
    assert.equal(content("<[erased]>"), (erased(content("<\\ud83d\\uDE00>"), "\240\159\152\128")))
    assert.equal(content("<[erased]>"), (erased(content("<\\ud83d>"), "\237\160\189")))
    assert.equal(content("<[erased]>"), (erased(content("<\\udcff\\udc80>"), "\255\128")))
    assert.equal(content("<[erased]>"), (erased(content("<\255\\udc80>"), "\255\128")))
    assert.equal(content("\\udcf0\\udc9f[erased]"), (erased(content("\\ud83d\\uDE00"), "\152\128")))
  end)

  it("leaves no occurrence that a replacement makes with what surrounds it", function()
    local function turn(text) return ('{"content":"%s"}\n'):format(text) end
    assert.equal(turn("x"), (erased(turn("aabbx"), "ab", { replacement = "" })))
    assert.equal(turn(("a"):rep(3)), (erased(turn(("a"):rep(8) .. ("b"):rep(5)), "ab", { replacement = "" })))
    for depth = 1, 20 do
      local found = erased(turn(("a"):rep(depth) .. ("b"):rep(depth)), "ab", { replacement = "" })
      assert.equal(turn(""), found)
    end
    assert.equal(turn("[erased]"), (erased(turn("xx[erased]"), "x[erased]")))
  end)

  it("counts what it leaves: keys, numbers, and a record's own members", function()
    local bytes = '{"s1":1}\n{"a":{"s1":[]}}\n{"n":[3,-2.5e7]}\n{"role":"s1","x":"1"}\n{"ts":"s1"}\n{"id":{"s1":1}}\n{"id":true}\n'
    local _, report = erased(bytes, "s1")
    assert.same({ files = 0, records = 0, occurrences = 0, left = 5, failed = {} }, report)
    assert.equal(1, select(2, erased(bytes, "2.5e7")).left)
    local report_of_e = select(2, erased(bytes, "e", { replacement = "" }))
    assert.same({ 0, 2 }, { report_of_e.records, report_of_e.left }) -- role, 2.5e7; true is no number
    assert.same({ 1, 3 }, { select(2, erased('{"x":"1","1":1}\n{"y":1}\n{"y":"2"}\n{"z":1}\n', "1")).records,
      select(2, erased('{"x":"1","1":1}\n{"y":1}\n{"y":"2"}\n{"z":1}\n', "1")).left })
  end)

  it("keeps lines with several records, NUL bytes and marks as they are", function()
    local bytes = '{"a":"no"}{"b":"secret"} \0' .. MARK .. '{"c":"secret"}\n\n \r\n{"d":"secret"}'
    assert.equal((bytes:gsub("secret", "[erased]")), (erased(bytes, "secret")))
  end)

  it("removes damaged lines that hold it, and of these saves the records", function()
    for _, case in ipairs({
      { 'torn secret\n{"a":1}\n', '{"a":1}\n' },
      { '{"a":1}\n{"role":"user","content":"sec\\u0072et\n', '{"a":1}\n' },
      { '{"a":1}\n{"role":"user","content":"secret', '{"a":1}\n' },
      { '{"a":1}\nu0073ecret\n', '{"a":1}\nu0073ecret\n', "\0secret" },
      { '{"a":"torn{"role":"user","content":"secret"}\n', '{"role":"user","content":"[erased]"}\n' },
      { '{"a":"secret{"role":"user","content":"x"}\n', '{"role":"user","content":"x"}\n' },
      { '{"a":"secret"} secret\n{"b":1}\n', '{"a":"[erased]"} \n{"b":1}\n' },
      { 'torn sec ret\n{"a":"secret"}\n', 'torn sec ret\n{"a":"[erased]"}\n' },
      { MARK .. 'secret\n{"a":1}\n', '{"a":1}\n' },
      { MARK .. '{"b":"secret{"a":1}\n', '{"a":1}\n' },
      { MARK .. 'x\nsecret\n{"a":1}\n', MARK .. 'x\n{"a":1}\n' },
      { "secret\n", "" }, { "secret", "" }, { "[secret\nsecret\n{}\n", "{}\n" },
    }) do
      assert.equal(case[2], (erased(case[1], case[3] or "secret")), case[1])
    end
  end)

  it("drops no record of a damaged line that only damage holds together", function()
    -- With `secret` gone, the whole line would be nothing but the beginning of a record.
    assert.equal('{",":",secret"}\n', (erased('["{",":",secret"}\n', "xyz")):sub(3))
    assert.equal('{",":","}\n', (erased('["{",":",secret"}\n', "secret", { replacement = "" })))
  end)

  it("takes a function, which sees each string once, and damaged text", function()
    local seen = {}
    local bytes = '{"meta":{"n":"one"}}\n{"role":"two","x":["three",{"four":"five"}],"n":6}\nseven\n{"x":"three"}\n'
    local found, report = erased(bytes, function(text)
      seen[#seen + 1] = text
      return (text:gsub("three", "3"))
    end)
    assert.equal((bytes:gsub("three", "3")), found)
    assert.equal("one three five seven", table.concat(seen, " "))
    assert.same({ files = 1, records = 2, occurrences = 2, left = 0, failed = {} }, report)
    assert.equal((bytes:gsub("seven\n", "")), (erased(bytes, function(text) return (text:gsub("seven", "")) end)))
  end)

  it("cleans with secrets.redact", function()
    local secrets = require("aish_history.secrets")
    local key = "ghp_" .. ("aB3dE6gH9j"):rep(4):sub(1, 36)
    assert.equal("[redacted:github-token]", (secrets.redact(key)))
    local found, report = erased(('{"role":"user","content":"use %s now"}\ntorn %s\n{"a":1}\n'):format(key, key), secrets.redact)
    assert.equal('{"role":"user","content":"use [redacted:github-token] now"}\n{"a":1}\n', found)
    assert.equal(1, report.records)
  end)

  it("finds it in lines longer than a block, and across blocks", function()
    local random = cases.random(7)
    for _ = 1, 10 do
      local before = {}
      for index = 1, 60 do
        local filler = ("x"):rep(random(1, 30000))
        before[index] = ('{"n":%d,"c":"%s%s%s"}\n'):format(index, filler, random(1, 3) == 1 and "se\\u0063ret" or "-", filler)
      end
      local bytes = table.concat(before)
      assert(bytes:gsub("se\\u0063ret", "[erased]") == erased(bytes, "secret"))
    end
    local long = '{"c":"' .. ("y"):rep(600000) .. "secret" .. ("y"):rep(600000) .. '"}\n'
    assert((long:gsub("secret", "[erased]")) == erased(long, "secret"))
  end)

  it("removes a line too long to be held, and keeps holes", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local function long(text, at)
      local out = assert(io.open(path, "w"))
      out:write('{"a":"secret"}\n')
      out:seek("set", at)
      out:write(text, ("\0"):rep(10))
      out:seek("set", 40 * 2 ^ 20)
      out:write('x\n{"b":1}\n')
      out:close()
    end
    local function blocks() return lfs.attributes(path, "blocks") end
    for _, at in ipairs({ 2 ^ 22 - 3, 17 * 2 ^ 20, 39 * 2 ^ 20 + 13 }) do
      for _, text in ipairs({ "secret", "\\u0073ecret" }) do
        long(text, at)
        assert.equal(2, assert(aish.erase(path, "secret")).occurrences)
        assert.equal('{"a":"[erased]"}\n{"b":1}\n', helper.read(path))
      end
    end
    long("nothing", 2 ^ 22)
    local before, size = blocks(), lfs.attributes(path, "size")
    assert(aish.erase(path, "secret"))
    assert.equal(size + 2, lfs.attributes(path, "size"))
    assert.is_true(before == nil or blocks() <= before + 64)
  end)

  it("keeps a file that does not hold it: the same inode, and its times", function()
    local path = file('{"a":"x"}\n{"secret":1}\n')
    local before = lfs.attributes(path)
    assert(aish.erase(path, "secret"))
    assert(aish.erase(path, "y"))
    assert(aish.erase(path, function(text) return text end))
    assert.same(before, lfs.attributes(path))
  end)

  it("takes damaged lines out of what compaction put aside", function()
    local path = file(support.meta .. support.item(1, "x") .. '{"torn":"secret\nother\n{"id":2,"ts":"\n', "memory.jsonl")
    assert(aish.compact(path))
    local aside = path .. ".damaged"
    assert(helper.read(aside):find("secret", 1, true))
    local before = helper.read(path)
    local report = assert(aish.erase(path, "secret", { dry_run = true }))
    assert.equal(1, report.occurrences)
    assert(helper.read(aside):find("secret", 1, true))
    report = assert(aish.erase(path, "secret"))
    assert.same({ files = 1, records = 0, occurrences = 1, left = 0, failed = {} }, report)
    assert.equal('other\n{"id":2,"ts":"\n', helper.read(aside))
    assert.equal(before, helper.read(path))
    helper.write(aside, '{"a":"whole secret"}\nx\n')
    assert(aish.erase(path, "secret"))
    assert.equal("x\n", helper.read(aside))
  end)

  it("fails where no new file can be made, whatever is to go first", function()
    local name = ("s"):rep(240) -- with more at its end it is none
    for _, bytes in ipairs({ '{"content":"secret"}\n', '{"content":"secret\n', '{"content":"x{"content":"secret"}\n' }) do
      local path = file(bytes, name)
      local report, message = aish.erase(path, "secret")
      assert.is_nil(report)
      assert.equal("erase: make " .. path, message:match("^(.*)%.compact%-%x+: File name too long$"), message)
      assert.equal(bytes, helper.read(path))
    end
  end)
end)

-- By the build of spec/faults/: each pread in turn finds the file's end, as if somebody had cut it meanwhile.
describe("a file that is cut while it is erased from", function()
  helper.guard(before_each, after_each)

  it("stays as it is, or loses the text; and the call comes to an end", function()
    assert.equal("true\n", faults.run_code([[
      require("posix.unistd").alarm(60) -- else it would hang
      local path = ...
      local lines = ('{"a":"secret ' .. ("x"):rep(1000) .. '"}\n'):rep(300) -- more than one block
      local all, cases = lines:gsub("secret", "[erased]"), 0
      local function play(at, options)
        local out = assert(io.open(path, "w"))
        out:write(lines)
        out:close()
        seam.arm({ at = at, ends = 1, after = "same" })
        local report, message = aish.erase(path, "secret", options)
        assert(report or message)
        assert(at == 0 or seam.disarm() == "pread")
        local bytes = io.open(path):read("*a")
        assert(bytes == lines or bytes == all, at)
      end
      for _, options in ipairs({ {}, { dry_run = true } }) do
        play(0, options)
        for at, name in ipairs(seam.calls()) do
          if name == "pread" then
            play(at, options)
            cases = cases + 1
          end
        end
      end
      print(cases > 5)
    ]], helper.tmpdir() .. "/s.jsonl"))
  end)
end)

describe("a line too long to be held", function()
  helper.guard(before_each, after_each)

  it("stays where only the next one has the text", function()
    for _, size in ipairs({ 17 * 2 ^ 20, 18 * 2 ^ 20 - 8 }) do
      local long = "x" .. ("y"):rep(size) .. "\n"
      local bytes, report = erased(long .. '{"a":"secret"}\n', "secret")
      assert.equal(1, report.occurrences)
      assert.is_true(bytes == long .. '{"a":"[erased]"}\n', size)
    end
  end)
end)

describe("a text that its own replacement makes again", function()
  helper.guard(before_each, after_each)

  it("is replaced eight times, and then with all that it stands in", function()
    for _, case in ipairs({ { 2, "za" }, { 128, "za" }, { 256, "a" } }) do
      assert.equal(('{"a":"%s"}\n'):format(case[2]), (erased(('{"a":"z%s"}\n'):format(("a"):rep(case[1])), "aa", { replacement = "a" })))
    end
  end)
end)
