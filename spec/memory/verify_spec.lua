-- verify: every line of a memory file, counted and judged.
local aish = require("aish_history")
local errno = require("posix.errno")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local mixed = require("spec.support.mixed_file")
local stat = require("posix.sys.stat")
local support = require("spec.support.memories")

local function report_of(bytes)
  return assert(aish.verify(helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)))
end

-- The report on a file of the lines of spec.mixed_file. A damaged line's reason may be any.
local function expected_report(lines, bytes)
  local sum, count = mixed.sum(lines), {}
  local report = { bytes = #bytes, lines = #lines, records = 0, items = 0, active = 0, tombstones = 0,
    max_id = sum.highest, torn = 0, damaged = 0, saved = 0, twins = 0, problems = {} }
  for number, line in ipairs(lines) do
    local problem = line.problem
    if line.class == "item" or line.class == "tombstone" or line.class == "other" then
      report.records = report.records + 1
    end
    if line.class == "item" then
      report.items = report.items + 1
      count[line.id] = (count[line.id] or 0) + 1
      if not sum.forgotten[line.id] then report.active = report.active + 1 end
    end
    if line.class == "tombstone" then report.tombstones = report.tombstones + 1 end
    if line.class == "torn" then report.torn = report.torn + 1 end
    if line.class == "damaged" then
      report.damaged = report.damaged + 1
      problem = "damaged"
    end
    if problem then table.insert(report.problems, { line = number, offset = line.offset, reason = problem }) end
  end
  for _, line in ipairs(lines) do
    if line.class == "item" and count[line.id] > 1 then report.twins = report.twins + 1 end
  end
  return report
end

local known = { torn = true, ["bad id"] = true, ["no id"] = true, ["bad target"] = true }

-- The reason of a damaged line, whatever it says, as "damaged".
local function plain(report)
  for _, problem in ipairs(report.problems) do
    assert.equal("string", type(problem.reason))
    assert.matches("%S", problem.reason)
    if not known[problem.reason] then problem.reason = "damaged" end
  end
  return report
end

describe("verify", function()
  helper.guard(before_each, after_each)

  it("counts what a file of ours holds", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path))
    for index = 1, 5 do memory:add("fact", "content " .. index) end
    memory:forget(2)
    memory:close()
    assert.same({ { bytes = #helper.read(path), lines = 7, records = 7, items = 5, active = 4, tombstones = 1, max_id = 6,
      torn = 0, damaged = 0, saved = 0, twins = 0, problems = {} }, n = 1 }, helper.pack(aish.verify(path)))
  end)

  it("counts nothing in an empty file", function()
    assert.same({ bytes = 0, lines = 0, records = 0, items = 0, active = 0, tombstones = 0, max_id = 0, torn = 0,
      damaged = 0, saved = 0, twins = 0, problems = {} }, report_of(""))
  end)

  it("gives line, offset and reason of each problem, in the order of the file", function()
    local bytes = support.meta .. "garbage\n\n" .. support.item(3) .. support.item(3) .. '{"id":0,"kind":"fact"}\r\n'
      .. support.item(2) .. '{"id":7,"ki\n' .. support.item(2)
    local at = {}
    local offset = 0
    for line in bytes:gmatch("[^\n]*\n") do
      at[#at + 1] = offset
      offset = offset + #line
    end
    local report = plain(report_of(bytes))
    assert.same({
      { line = 2, offset = at[2], reason = "damaged" },
      { line = 6, offset = at[6], reason = "bad id" },
      { line = 8, offset = at[8], reason = "torn" },
    }, report.problems)
    assert.same({ 9, 6, 2, 2, 1, 1, 3 }, { report.lines, report.records, report.items, report.active, report.torn,
      report.damaged, report.max_id })
    assert.equal(0, report.twins) -- copies are one item
    assert.equal(2, report_of(support.item(1, "a") .. support.item(2) .. support.item(1, "b") .. support.item(1, "a")).twins)
  end)

  it("counts every kind of line as a plain reading does", function()
    local random, path = support.random(20260103), helper.tmpdir() .. "/memory.jsonl"
    for _ = 1, 600 do
      local lines, bytes = mixed.make(random, 60)
      local report = assert(aish.verify(helper.write(path, bytes)))
      local difference = cases.difference(expected_report(lines, bytes), plain(report))
      assert.is_nil(difference, difference and difference .. "\n" .. bytes)
    end
  end)

  it("counts a line cut at any byte as torn, and the same line whole as a record", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local line = '{"id":12,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"a\\u00e9\\n\\ud83d\\ude00 \195\169",'
      .. '"tags":["x",true,false,null,-1.5e+10,0,{"a":{}}],"source":"s"}'
    for ending = 0, 1 do
      for cut = 1, #line do
        helper.write(path, support.item(1) .. line:sub(1, cut) .. ("\n"):rep(ending))
        local report = aish.verify(path)
        local torn = cut < #line and 1 or 0
        assert.same({ 2, 2 - torn, torn, 0 }, { report.lines, report.records, report.torn, report.damaged },
          line:sub(1, cut))
        assert.equal(torn, #report.problems)
      end
    end
  end)

  it("takes blank lines, a byte order mark and CRLF for what they are", function()
    local report = report_of("\239\187\191" .. support.meta:gsub("\n", "\r\n") .. "\r\n\n \n" .. support.item(1):gsub("\n", "\r\n"))
    assert.same({ 5, 2, 1, 0, 0 }, { report.lines, report.records, report.items, report.torn, report.damaged })
    assert.same({}, report.problems)
    report = report_of(support.item(1) .. "\239\187\191" .. support.item(2))
    assert.same({ 2, 0 }, { report.records, report.damaged })
  end)

  it("counts the records of a damaged line, and says where the damage begins", function()
    local bare, torn = support.item(1):sub(1, -2), '{"id":7,"ts'
    local report = report_of(bare .. support.item(2) .. "\0" .. bare .. " " .. torn .. support.item(8) .. torn .. "\n"
      .. torn .. support.item(9):sub(1, -2) .. support.item(10) .. bare .. "x\n")
    assert.same({ 5, 7, 5, 3, 1 }, { report.lines, report.records, report.saved, report.damaged, report.torn })
    local at, places = #bare + #support.item(2), {}
    for index, problem in ipairs(plain(report).problems) do places[index] = { problem.line, problem.offset, problem.reason } end
    local third = at + 1 + #bare + 1 + #torn + #support.item(8)
    local fourth = third + #torn + 1
    local fifth = fourth + #torn + #bare + #support.item(10)
    assert.same({ { 2, at + 1 + #bare + 1, "damaged" }, { 3, third, "torn" },
      { 4, fourth, "damaged" }, { 5, fifth + #bare, "damaged" } }, places)
  end)

  it("counts a last line without its newline", function()
    local report = report_of((support.item(1) .. support.item(2)):sub(1, -2))
    assert.same({ 2, 2, 0 }, { report.lines, report.items, #report.problems })
  end)

  it("judges lines that are longer than a block", function()
    local long = ("x"):rep(700000)
    local report = plain(report_of(support.item(1, long) .. long .. "\n" .. '{"id":2,"content":"' .. long .. "\n"
      .. support.item(3) .. '{"id":4,"content":"' .. long))
    assert.same({ 5, 2, 2, 1 }, { report.lines, report.records, report.torn, report.damaged })
    assert.same({ 2, 3, 5 }, support.pluck(report.problems, "line"))
  end)

  it("judges a line of garbage that is longer than a block and the first", function()
    for _, garbage in ipairs({ ("x"):rep(600000), ("\0"):rep(600000), "[" .. ("1,"):rep(300000) }) do
      local report = report_of(garbage .. "\n" .. support.item(1) .. garbage)
      assert.same({ 3, 1, 0, 2, #garbage * 2 + 1 + #support.item(1) },
        { report.lines, report.records, report.torn, report.damaged, report.bytes })
      assert.same({ line = 3, offset = #garbage + 1 + #support.item(1), reason = "not an object" }, report.problems[2])
    end
  end)

  it("names the first 1,000 problems and counts all", function()
    local parts = {}
    for index = 1, 1500 do
      parts[#parts + 1] = "garbage\n" .. support.item(1500 - index) .. support.item(index) .. '{"id":1,\n'
    end
    local report = report_of(table.concat(parts))
    assert.same({ 6000, 1500, 1500, 1000 }, { report.lines, report.torn, report.damaged, #report.problems })
    local last = 0
    for _, problem in ipairs(report.problems) do
      assert(problem.line > last)
      last = problem.line
    end
    assert.equal(2000, last)
  end)

  it("gives ids up to the highest", function()
    local report = report_of(support.item(support.max_id) .. '{"id":9007199254740992,"kind":"fact"}\n')
    assert.equal(support.max_id, report.max_id)
    assert.same({ "bad id" }, support.pluck(report.problems, "reason"))
  end)

  it("changes nothing and needs no lock", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1) .. "garbage\n{")
    assert(lfs.touch(path, 1000000, 1000000))
    local memory = assert(aish.open(path, { shared = true }))
    local holder = assert(aish.open(path))
    local before = lfs.attributes(path)
    assert.equal(1, aish.verify(path).damaged)
    before.access = nil
    local after = lfs.attributes(path)
    after.access = nil
    assert.same(before, after)
    assert.equal(support.item(1) .. "garbage\n{", helper.read(path))
    holder:close()
    memory:close()
  end)

  it("reads a session's file as well", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path, { m = 1 }))
    session:append({ role = "user", content = "one" })
    session:close()
    local report = assert(aish.verify(path))
    assert.same({ 2, 2, 0, 0 }, { report.lines, report.records, report.items, #report.problems })
  end)

  it("says why a file cannot be read", function()
    local dir = helper.tmpdir()
    assert(stat.mkfifo(dir .. "/fifo"))
    for _, case in ipairs({
      { dir .. "/none", "No such file or directory", errno.ENOENT },
      { dir, "Is a directory", errno.EISDIR },
      { dir .. "/fifo", "not a regular file", errno.EINVAL },
      { "/dev/null", "not a regular file", errno.EINVAL },
      { helper.write(dir .. "/file", "") .. "/none", "Not a directory", errno.ENOTDIR },
      { "", "No such file or directory", errno.ENOENT },
    }) do
      assert.same({ nil, "open " .. case[1] .. ": " .. case[2], case[3], n = 3 }, helper.pack(aish.verify(case[1])))
    end
    assert.is_nil(lfs.attributes(dir .. "/none"))
    local report, message, number = aish.verify("a\0b")
    assert.is_nil(report)
    assert.matches("path has a NUL byte", message)
    assert.equal(errno.EINVAL, number)
  end)

  it("takes a path and nothing else", function()
    assert.has_error(function() aish.verify() end, "bad argument #1 to 'verify' (path must be a string, got no value)")
    assert.has_error(function() aish.verify(42) end, "bad argument #1 to 'verify' (path must be a string, got number)")
    local ok, message = pcall(aish.verify, "x", {})
    assert.is_false(ok)
    assert.matches("no more than 1 argument expected", message)
  end)
end)
