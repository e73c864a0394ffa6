--- sessions(dir [, opts]): the list of sessions with what they hold.
local assert = require("luassert")
local lfs = require("lfs")
local stat = require("posix.sys.stat")
local unistd = require("posix.unistd")
local utime = require("posix.utime")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local history = require("history")
local memories = require("spec.support.memories")
local native = require("aish_history")
local shell = require("spec.support.shell")
local support = require("spec.support.recall")
local user = require("spec.support.user")

local turn, plain = support.turn, support.plain

local META = '{"meta":{"model":"m"}}\n'

-- The only entry of a directory with a session of these bytes.
local function entry(bytes, options)
  local list = assert(native.sessions(support.directory({ ["s.jsonl"] = bytes }), options))
  assert.equal(1, #list)
  return list[1]
end

local function first(content, options)
  return entry(turn(content), options).first
end

local function names(dir, options)
  return support.pluck(assert(native.sessions(dir, options)), "name")
end

-- The independent reading ----------------------------------------------------------------------

-- At most 200 bytes of a text, without a character's beginning at the end.
local function cut(text)
  if #text <= 200 then return text end
  local last = 200
  while text:byte(last + 1) >= 0x80 and text:byte(last + 1) < 0xC0 do last = last - 1 end
  return text:sub(1, last)
end

local function text_of(content)
  if type(content) == "string" then return content end
  for _, part in ipairs(type(content) == "table" and content or {}) do
    if type(part) == "table" and type(part.text) == "string" then return part.text end
  end
  return nil
end

local function expected(dir, name)
  local path = dir .. "/" .. name
  local turns, meta = cases.read_session(helper.read(path))
  local attributes = lfs.attributes(path)
  local result = { name = name, path = path, bytes = attributes.size, mtime = attributes.modification, turns = #turns, meta = meta }
  for _, one in ipairs(turns) do
    if one.role == "user" and not result.first then result.first = cut(text_of(one.content)) end
    if type(one.ts) == "string" then result.last_ts = one.ts end
  end
  return result
end

describe("sessions", function()
  helper.guard(before_each, after_each)

  it("gives a table a session, newest first", function()
    local dir = support.directory({
      ["2026-01-02.jsonl"] = META .. turn('"system"', "system", "2026-01-02T00:00:00Z") .. turn('"Hello\\nthere"', "user", "2026-01-02T00:00:01Z")
        .. turn('"Hi"', "assistant", "2026-01-02T00:00:02Z") .. turn('"Bye"', "user"),
      ["2026-01-01.jsonl"] = turn('"only an answer"', "assistant"),
    })
    utime.utime(dir .. "/2026-01-01.jsonl", 1234567890, 1)
    local list = assert(native.sessions(dir))
    assert.same({
      { name = "2026-01-02.jsonl", path = dir .. "/2026-01-02.jsonl", bytes = lfs.attributes(dir .. "/2026-01-02.jsonl", "size"),
        mtime = lfs.attributes(dir .. "/2026-01-02.jsonl", "modification"), turns = 4, meta = { model = "m" }, first = "Hello\nthere",
        last_ts = "2026-01-02T00:00:02Z" },
      { name = "2026-01-01.jsonl", path = dir .. "/2026-01-01.jsonl", bytes = lfs.attributes(dir .. "/2026-01-01.jsonl", "size"),
        mtime = 1234567890, turns = 1 },
    }, list)
    assert.same({ list[1].turns, list[2].turns }, { #native.load(list[1].path), #native.load(list[2].path) })
  end)

  it("tells of a file of the year 2100", function()
    local dir = support.directory({ ["a.jsonl"] = turn('"a"') })
    assert.equal("", shell.run("TZ=UTC touch -d 2100-01-01 " .. helper.quote(dir .. "/a.jsonl")))
    assert.equal(4102444800, native.sessions(dir)[1].mtime)
  end)

  it("gives the files of list, the last name first", function()
    local files = { [".hidden.jsonl"] = "", ["x.json"] = "", ["jsonl"] = "", ["x.jsonl~"] = "" }
    for _, name in ipairs({ "a", "B", "10", "9", "é", "a b", "-", "\255" }) do files[name .. ".jsonl"] = "" end
    local dir = support.directory(files)
    local list, given = native.list(dir), names(dir)
    assert.equal(8, #list)
    for index, name in ipairs(list) do assert.equal(name, given[#list + 1 - index]) end
  end)

  it("gives what an independent reading of generated sessions gives", function()
    local files, random = {}, cases.random(4242)
    for number = 1, 60 do
      local parts = { number % 3 == 0 and "\239\187\191" or "", number % 2 == 0 and META or "" }
      for index = 1, random(0, 25) do
        local kind = random(1, 12)
        local ts = random(1, 3) > 1 and ("2026-01-%02dT00:00:%02dZ"):format(random(1, 28), index) or nil
        if kind <= 6 then
          parts[#parts + 1] = turn(plain(("é€x"):rep(random(1, 80))), random(1, 2) == 1 and "user" or "assistant", ts)
        elseif kind == 7 then
          parts[#parts + 1] = turn('[{"type":"image"},{"type":"text","text":"part"},{"text":"no"}]', "user", ts)
        elseif kind == 8 then
          parts[#parts + 1] = cases.damaged_text(random):gsub("\n", "") .. "\n"
        elseif kind == 9 then
          parts[#parts + 1] = ({ "\n", "\r\n", '{"role":"user","content":null}\n', '{"content":"x","ts":"T"}\n', '{"role":"user","ts":"T"}\n' })[random(1, 5)]
        else
          parts[#parts + 1] = turn('"x"', "tool", ts)
        end
      end
      local bytes = table.concat(parts)
      files[("s%02d.jsonl"):format(number)] = number % 5 == 0 and bytes:gsub("\n$", "") or bytes
    end
    local dir = support.directory(files)
    local turns = 0
    for index, given in ipairs(native.sessions(dir)) do
      assert.equal(("s%02d.jsonl"):format(61 - index), given.name)
      local difference = cases.difference(expected(dir, given.name), given)
      assert(not difference, given.name .. ": " .. tostring(difference))
      assert.equal(#native.load(given.path), given.turns)
      turns = turns + given.turns
    end
    assert.is_true(turns > 300)
  end)

  it("gives size and time as stat does", function()
    local dir = support.directory({ ["a.jsonl"] = ("x"):rep(12345), ["b.jsonl"] = "" })
    utime.utime(dir .. "/a.jsonl", 1, 1)
    for _, given in ipairs(native.sessions(dir)) do
      local line = support.output("stat -c '%s %Y' " .. helper.quote(given.path))
      assert.equal(line, ("%d %d\n"):format(given.bytes, given.mtime))
    end
  end)

  it("is empty where there is none, or no directory", function()
    local dir = helper.tmpdir()
    assert.same({}, native.sessions(dir))
    assert.same({}, native.sessions(dir .. "/none"))
    assert.same({}, native.sessions(""))
    assert.same({}, native.sessions(dir, { limit = 5, before = "x", count = false }))
  end)

  it("joins the name to the directory as it is given", function()
    local dir = support.directory({ ["a.jsonl"] = "" })
    assert.equal(dir .. "/a.jsonl", native.sessions(dir)[1].path)
    assert.equal(dir .. "/a.jsonl", native.sessions(dir .. "/")[1].path)
    local output = helper.run([[
      local native = require("aish_history")
      require("posix.unistd").chdir(...)
      print(native.sessions(".")[1].path)
    ]], dir)
    assert.equal("./a.jsonl\n", output)
  end)

  it("is the same through the shim", function()
    local dir = support.directory({ ["a.jsonl"] = META .. turn('"x"') })
    assert.same(native.sessions(dir), history.sessions(dir))
  end)
end)

describe("sessions: the first user turn's text", function()
  helper.guard(before_each, after_each)

  it("is cut to 200 bytes between characters", function()
    for _, filler in ipairs({ "x", "é", "€", "😀", "xé€😀" }) do
      for count = 190, 203 do
        for lead = 0, 3 do
          local text = ("y"):rep(lead) .. filler:rep(math.ceil(count / #filler))
          for _, spell in ipairs({ plain, support.escaped }) do
            assert.equal(cut(text), first(spell(text)))
          end
        end
      end
    end
  end)

  it("is the string, or that of the first part that has a text", function()
    for content, text in pairs({
      ['"plain"'] = "plain", ['"esc\\u0061ped \\ud83d\\ude00"'] = "escaped 😀", ['""'] = "", ['[{"type":"text","text":"part"}]'] = "part",
      ['[{"type":"image","url":"u"},{"text":"second"}]'] = "second", ['[{"te\\u0078t":"key"}]'] = "key", ['["bare","b"]'] = "bare",
      ['[{"text":12},{"text":"string"}]'] = "string", ['{"text":"object"}'] = "object", ["[]"] = "", ["12"] = "", ["true"] = "",
    }) do
      assert.equal(text, first(content), content)
      assert.equal(text, first(content, { count = false }), content)
    end
  end)

  it("is of a turn of the role user, with content", function()
    assert.equal("three", entry(turn('"one"', "system") .. '{"role":"user","content":null}\n{"role":"user"}\n{"content":"two"}\n'
      .. '{"content":"three","role":"us\\u0065r"}\n' .. turn('"four"')).first)
    assert.is_nil(entry(turn('"one"', "assistant")).first)
    assert.is_nil(entry("").first)
  end)

  it("is that of the first line where that is a turn, whatever meta it has", function()
    for _, blank in ipairs({ "", "\n", " \r\n\n" }) do
      local one = entry(blank .. '{"meta":{},"role":"user","content":"one"}\n' .. turn('"two"'))
      assert.same({ "one", 2 }, { one.first, one.turns })
      assert.is_nil(one.meta)
    end
  end)

  it("is found after turns of others, and without counting within the first MiB", function()
    for _, size in ipairs({ 10, 16384, 300000, 1048000, 3000000 }) do
      local before = turn('"' .. ("x"):rep(size) .. '"', "system")
      local bytes = META .. before .. turn('"found"') .. turn('"' .. ("y"):rep(300000) .. '"', "assistant", "T")
      assert.same({ "found", "T", 3 }, { entry(bytes).first, entry(bytes).last_ts, entry(bytes).turns })
      local one = entry(bytes, { count = false })
      assert.equal("T", one.last_ts)
      if size < 1048576 then assert.equal("found", one.first) end
    end
  end)
end)

describe("sessions: damaged and odd files", function()
  helper.guard(before_each, after_each)

  for label, case in pairs({
    ["empty"] = { "", 0 },
    ["blank"] = { "\n\n \r\n", 0 },
    ["garbage"] = { "garbage\n\0\0\0\n[1]\n12", 0 },
    ["torn"] = { META .. turn('"a"') .. '{"role":"user","cont', 1, { model = "m" } },
    ["unterminated"] = { META .. turn('"a"'):sub(1, -2), 1, { model = "m" } },
    ["of CRLF lines"] = { "\239\187\191" .. (META .. turn('"a"')):gsub("\n", "\r\n"), 1, { model = "m" } },
    ["begun by blank lines"] = { "\n \n" .. META .. turn('"a"'), 1, { model = "m" } },
    ["begun by a damaged line"] = { "garbage\n" .. META .. turn('"a"'), 1, { model = "m" } },
    ["begun by zeros"] = { ("\0"):rep(300000) .. "\n" .. META .. turn('"a"'), 1, { model = "m" } },
    ["begun by zeros on the same line"] = { ("\0"):rep(300000) .. META .. turn('"a"'), 1, { model = "m" } },
    ["of records that share lines"] = { '{"me' .. META:sub(1, -2) .. turn('"a"') .. '{"role":"us' .. turn('"b"'):sub(1, -2) .. turn('"c"'), 3,
      { model = "m" } },
    ["with a torn turn that looks like another inside"] = { META .. turn('"a"') .. '{"role":"assistant","x":' .. turn('"b"'), 1, { model = "m" } },
    ["without a meta, but null"] = { '{"meta":null}\n' .. turn('"a"'), 1 },
    ["with a meta of no table"] = { '{"meta":"text"}\n' .. turn('"a"'), 1, "text" },
    ["with a second meta"] = { META .. '{"meta":{"model":"n"}}\n' .. turn('"a"'), 1, { model = "m" } },
    ["with zeros inside"] = { META .. turn('"a"') .. ("\0"):rep(600000) .. "\n" .. turn('"b"'), 2, { model = "m" } },
    ["with a long line"] = { META .. turn('"a"') .. turn('"' .. ("x"):rep(600000) .. '"'), 2, { model = "m" } },
  }) do
    it("is " .. label, function()
      local dir = support.directory({ ["s.jsonl"] = case[1] })
      local one = native.sessions(dir)[1]
      assert.equal(case[2], one.turns)
      assert.same(case[3], one.meta)
      assert.equal(case[2] > 0 and "a" or nil, one.first)
      local turns, meta = native.load(one.path)
      assert.equal(#turns, one.turns)
      assert.same(meta, one.meta)
    end)
  end

  it("are listed with their error, the others as usual", function()
    local dir = support.directory({ ["a.jsonl"] = turn('"first"'), ["z.jsonl"] = META })
    assert(stat.mkdir(dir .. "/directory.jsonl"))
    assert(stat.mkfifo(dir .. "/fifo.jsonl", 384))
    assert(unistd.link(dir .. "/nowhere", dir .. "/dangling.jsonl", true))
    assert(unistd.link(dir .. "/loop.jsonl", dir .. "/loop.jsonl", true))
    assert(unistd.link("/dev/zero", dir .. "/zero.jsonl", true))
    assert(unistd.link(dir .. "/a.jsonl", dir .. "/link.jsonl", true))
    os.execute("truncate -s 10G " .. helper.quote(dir .. "/huge.jsonl"))
    for _, count in ipairs({ "true", "false" }) do
      local output = cases.run_limited([[
        local dir, count = ...
        local prefix = #("open " .. dir)
        for _, one in ipairs(assert(require("aish_history").sessions(dir, { count = count == "true" }))) do
          assert(one.path == dir .. "/" .. one.name)
          local extra = 0
          for _ in pairs(one) do extra = extra + 1 end
          print(one.name, one.error and one.error:sub(prefix + 1), one.errno, one.first, extra)
        end
      ]], dir, count)
      local function bad(name, number, reason)
        return ("%s.jsonl\t/%s.jsonl: %s\t%d\tnil\t4\n"):format(name, name, reason or cases.strerror(number), number)
      end
      local less = count == "true" and 0 or 1
      assert.equal(bad("zero", 22, "not a regular file") .. "z.jsonl\tnil\tnil\tnil\t" .. 6 - less .. "\n" .. bad("loop", 40)
        .. "link.jsonl\tnil\tnil\tfirst\t" .. 6 - less .. "\n" .. bad("huge", 27, "larger than 4 GiB, which no session is")
        .. bad("fifo", 22, "not a regular file") .. bad("directory", 21) .. bad("dangling", 2) .. "a.jsonl\tnil\tnil\tfirst\t" .. 6 - less .. "\n", output)
    end
  end)

  it("may not be read", function()
    local dir = support.directory({ ["a.jsonl"] = "", ["b.jsonl"] = "" })
    os.execute("chmod 0 " .. helper.quote(dir .. "/b.jsonl"))
    user.run(dir, function()
      local list = native.sessions(dir)
      assert.same({ name = "b.jsonl", path = dir .. "/b.jsonl", error = "open " .. dir .. "/b.jsonl: Permission denied", errno = 13 }, list[1])
      assert.equal(0, list[2].turns)
    end)
  end)
end)

describe("sessions: limit, before and count", function()
  helper.guard(before_each, after_each)

  local function numbered(count, bytes)
    local files = {}
    for number = 1, count do files[("s%03d.jsonl"):format(number)] = bytes or turn('"' .. number .. '"') end
    return support.directory(files)
  end

  it("gives as many as the limit says", function()
    local dir = numbered(30)
    for _, limit in ipairs({ 0, 1, 2, 29, 30, 31, 1e9, 1e300, math.huge }) do
      local list = native.sessions(dir, { limit = limit })
      assert.equal(math.min(limit, 30), #list)
      for index, one in ipairs(list) do assert.equal(("s%03d.jsonl"):format(31 - index), one.name) end
    end
    assert.equal(30, #native.sessions(dir))
  end)

  it("gives the names that sort before one, there or not", function()
    local dir = numbered(5)
    assert.same({ "s002.jsonl", "s001.jsonl" }, names(dir, { before = "s003.jsonl" }))
    assert.same({ "s003.jsonl", "s002.jsonl", "s001.jsonl" }, names(dir, { before = "s003.jsonlx" }))
    assert.same({ "s002.jsonl", "s001.jsonl" }, names(dir, { before = "s003" }))
    assert.same({}, names(dir, { before = "s001.jsonl" }))
    assert.same({}, names(dir, { before = "" }))
    assert.equal(5, #names(dir, { before = "\255" }))
    assert.same({ "s004.jsonl" }, names(dir, { before = "s005.jsonl", limit = 1 }))
  end)

  it("gives all of them once, page by page, in pages of any size", function()
    local dir = numbered(23)
    local all = native.sessions(dir)
    for size = 1, 25 do
      local paged, before = {}, nil
      repeat
        local page = native.sessions(dir, { limit = size, before = before })
        for _, one in ipairs(page) do paged[#paged + 1] = one end
        before = #page > 0 and page[#page].name
      until not before
      assert.same(all, paged)
    end
  end)

  it("gives all but the turns without counting", function()
    local dir = support.directory({
      ["a.jsonl"] = META .. turn('"one"', "user", "T1") .. turn('"two"', "assistant", "T2"),
      ["b.jsonl"] = turn('"x"', "assistant", "T1") .. '{"role":"user","content":"no time"}\n',
      ["c.jsonl"] = META .. turn('"first"', "user", "T1") .. turn('"' .. ("x"):rep(5000) .. '"', "assistant", "T2"):rep(300) .. turn('"last"', "user", "T3"),
      ["d.jsonl"] = "", ["e.jsonl"] = "garbage", ["f.jsonl"] = META,
      ["g.jsonl"] = turn('"x"', "user", "T1") .. ("\n"):rep(40) .. "garbage\n" .. '{"role":"user","cont',
    })
    local counted, uncounted = native.sessions(dir), native.sessions(dir, { count = false })
    for index, one in ipairs(counted) do
      assert.is_number(one.turns)
      one.turns = nil
      assert.same(one, uncounted[index])
    end
    assert.equal("T3", uncounted[5].last_ts)
  end)

  it("looks for the last time in the last 64 lines without counting", function()
    for count, time in pairs({ [0] = "T1", [62] = "T1", [63] = "T1", [64] = false, [100] = false }) do
      local bytes = turn('"x"', "user", "T1") .. '{"role":"tool","content":"y"}\n' .. ('{"role":"tool"}\n'):rep(count - 1)
      if count == 0 then bytes = turn('"x"', "user", "T1") end
      assert.equal(time or nil, entry(bytes, { count = false }).last_ts, count)
      assert.equal("T1", entry(bytes).last_ts)
    end
  end)

  -- Twice each, as the file was written to just before: what was read is compared with it.
  it("reads only head and tail of a file that is not to be counted", function()
    local rest = turn('"' .. ("x"):rep(1000) .. '"', "tool", "T2"):rep(8000)
    for role, most in pairs({ user = 2 * 512 * 1024, system = 2 * 1536 * 1024 }) do
      local dir = support.directory({ ["a.jsonl"] = META .. turn('"first"', role, "T1") .. rest .. turn('"last"', "user", "T3") })
      local output, trace = memories.trace("pread64,read", [[
        local one = require("aish_history").sessions((...), { count = false })[1]
        print(one.first, one.last_ts, one.turns)
      ]], dir)
      if not output then return pending("strace is not at hand") end
      assert.equal((role == "user" and "first" or "nil") .. "\tT3\tnil\n", output)
      local read = 0
      for line in trace:gmatch("[^\n]+") do
        if line:find("/a.jsonl", 1, true) then read = read + tonumber(line:match("= (%d+)$")) end
      end
      assert.is_true(read > 0 and read <= most, read)
    end
  end)

  it("opens only as many files as are asked for", function()
    local dir = numbered(200)
    local output, trace = memories.trace("openat,open", [[
      local aish = require("aish_history")
      print(#aish.sessions((...), { limit = 3 }), #aish.sessions((...), { limit = 2, before = "s050.jsonl", count = false }), #aish.sessions((...), { limit = 0 }))
    ]], dir)
    if not output then return pending("strace is not at hand") end
    assert.equal("3\t2\t0\n", output)
    local opened = {}
    for name in trace:gmatch("/(s%d+)%.jsonl") do opened[name] = true end
    assert.same({ s200 = true, s199 = true, s198 = true, s049 = true, s048 = true }, opened)
  end)
end)

describe("sessions without a turn", function()
  helper.guard(before_each, after_each)

  local empty = { "", "\n", META, "garbage\n", '{"role":"user","content":null}\n', '{"note":"x"}\n', META .. '{"meta":{},"role":"user"}\n' }

  it("are left out where empty is false, and not counted by the limit", function()
    local files = {}
    for index, bytes in ipairs(empty) do files[("s%02d.jsonl"):format(index * 2)] = bytes end
    for _, number in ipairs({ 1, 5, 9 }) do files[("s%02d.jsonl"):format(number)] = META .. turn('"' .. number .. '"', number == 5 and "tool" or "user") end
    local dir = support.directory(files)
    assert.equal(#empty + 3, #native.sessions(dir))
    assert.equal(#empty + 3, #native.sessions(dir, { empty = true, count = false }))
    for _, count in ipairs({ true, false }) do
      local all = { "s09.jsonl", "s05.jsonl", "s01.jsonl" }
      assert.same(all, names(dir, { empty = false, count = count }))
      for limit = 0, 4 do
        assert.same({ unpack(all, 1, limit) }, names(dir, { empty = false, count = count, limit = limit }))
      end
      assert.same({ "s05.jsonl" }, names(dir, { empty = false, count = count, limit = 1, before = "s09.jsonl" }))
    end
  end)

  it("are not those with a turn after much else", function()
    local dir = support.directory({ ["a.jsonl"] = META .. ('{"note":"x"}\n'):rep(200000) .. turn('"late"') .. ('{"note":"y"}\n'):rep(200) })
    assert.same({ "a.jsonl" }, names(dir, { empty = false, count = false }))
    assert.same({ "a.jsonl" }, names(dir, { empty = false }))
  end)

  it("are not those that cannot be read", function()
    local dir = helper.tmpdir()
    assert(stat.mkdir(dir .. "/a.jsonl"))
    assert.same({ "a.jsonl" }, names(dir, { empty = false }))
  end)
end)

describe("sessions: invalid arguments", function()
  helper.guard(before_each, after_each)

  it("options", function()
    local dir = helper.tmpdir()
    local function raises(options, ...) support.raises(function() native.sessions(dir, options) end, "bad argument #2 to 'sessions'", ...) end
    for _, value in ipairs(support.no_counts) do raises({ limit = value }, '"limit"') end
    for _, kind in ipairs(cases.types_but("string")) do raises({ before = cases.values[kind] }, '"before"', kind) end
    for _, kind in ipairs(cases.types_but("boolean")) do
      raises({ count = cases.values[kind] }, '"count" must be a boolean', kind)
      raises({ empty = cases.values[kind] }, '"empty" must be a boolean', kind)
    end
    for _, kind in ipairs(cases.types_but("table")) do raises(cases.values[kind], "table expected, got " .. kind) end
    for _, name in ipairs({ "since", "Limit", "turns", "" }) do raises({ [name] = "x" }, 'unknown option "' .. name .. '"') end
    raises({ 5 }, "name of an option must be a string")
    assert.same({}, native.sessions(dir, nil))
  end)

  it("arguments", function()
    for _, kind in ipairs(cases.types_but("string")) do
      cases.argument_error(function() native.sessions(cases.values[kind]) end, 1, "sessions", kind)
    end
    cases.argument_error(function() native.sessions() end, 1, "sessions", "path must be a string")
    cases.too_many_error(function() native.sessions("x", {}, 1) end, 2, "sessions")
  end)

  it("a directory", function()
    local path = helper.write(helper.tmpdir() .. "/file", "kept\n")
    cases.failed("list " .. path .. ": " .. cases.strerror(20), 20, native.sessions(path))
    local loop = helper.tmpdir() .. "/loop"
    assert(unistd.link(loop, loop, true))
    cases.failed("list " .. loop .. ": " .. cases.strerror(40), 40, native.sessions(loop))
    cases.failed("open a: path has a NUL byte", 22, native.sessions("a\0b"))
    local fifo = helper.tmpdir() .. "/fifo"
    assert(stat.mkfifo(fifo, 384))
    assert.equal("nil\tlist " .. fifo .. ": " .. cases.strerror(20) .. "\t20\n",
      cases.run_limited([[print(require("aish_history").sessions((...)))]], fifo))
  end)
end)
