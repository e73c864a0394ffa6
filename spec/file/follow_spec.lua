--- follow(path [, opts]): a file's records and those it gets, and scan from an offset. Every function
-- of recall through the shim.
local assert = require("luassert")
local unistd = require("posix.unistd")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local history = require("history")
local native = require("aish_history")
local support = require("spec.support.recall")

local function record(n) return ('{"n":%d}\n'):format(n) end

local function add(path, bytes)
  local file = assert(io.open(path, "ab"))
  assert(file:write(bytes))
  file:close()
end

-- What the iterator gives until it gives nil: "line:n@offset", a bad line as "line:reason@offset".
local function rest(follow)
  local list = {}
  for line, value, offset, reason in follow do
    list[#list + 1] = ("%d:%s@%d"):format(line, value and tostring(value.n) or reason:match("%a+"), offset)
  end
  return table.concat(list, " ")
end

-- Calls visit(path, follow) with a file of these bytes that is followed.
local function following(bytes, visit, options)
  local path = helper.tmpdir() .. "/s.jsonl"
  if bytes then helper.write(path, bytes) end
  local follow = assert(native.follow(path, options))
  local ok, message = pcall(visit, path, follow)
  follow:close()
  if not ok then error(message, 0) end
end

describe("follow", function()
  helper.guard(before_each, after_each)

  it("gives what the file has, then what it gets", function()
    following(record(1) .. record(2), function(path, follow)
      assert.equal("1:1@0 2:2@8", rest(follow))
      assert.equal("", rest(follow))
      add(path, record(3))
      assert.equal("3:3@16", rest(follow))
      add(path, record(4) .. record(5))
      assert.equal("4:4@24 5:5@32", rest(follow))
      assert.equal("", rest(follow))
    end)
  end)

  it("gives what scan gives, with the same line numbers and offsets, however the file grows", function()
    local random = cases.random(99)
    local parts = { "\239\187\191" }
    for n = 1, 300 do
      local kind = random(1, 10)
      parts[#parts + 1] = kind == 1 and "\n" or kind == 2 and "garbage\n" or kind == 3 and " \r\n" or kind == 4 and ("\0"):rep(random(1, 2000)) .. "\n"
        or kind == 5 and ('{"n":%d,"text":"%s"}\n'):format(n, ("x"):rep(random(1, 9000))) or record(n)
    end
    local bytes = table.concat(parts)
    for _, malformed in ipairs({ false, true }) do
      following("", function(path, follow)
        local given, at = {}, 1
        while at <= #bytes do
          local size = random(1, 4) == 1 and random(1, 60000) or random(1, 40)
          add(path, bytes:sub(at, at + size - 1))
          at = at + size
          for _ = 1, random(0, 2) do
            local some = rest(follow)
            if some ~= "" then given[#given + 1] = some end
          end
        end
        given[#given + 1] = rest(follow)
        local scan = native.scan(path, { malformed = malformed })
        assert.equal(rest(scan), (table.concat(given, " "):gsub(" $", "")))
      end, { malformed = malformed })
    end
  end)

  it("does not count blank lines at the end more than once", function()
    following(record(1) .. "\n\n", function(path, follow)
      assert.equal("1:1@0", rest(follow))
      assert.equal("", rest(follow))
      assert.equal("", rest(follow))
      add(path, "\n" .. record(2))
      assert.equal("5:2@11", rest(follow))
    end)
  end)

  it("gives a line when it has its newline", function()
    following(record(1) .. '{"n"', function(path, follow)
      assert.equal("1:1@0", rest(follow))
      assert.equal("", rest(follow))
      add(path, ":2")
      assert.equal("", rest(follow))
      add(path, "}")
      assert.equal("", rest(follow))
      add(path, "\n")
      assert.equal("2:2@8", rest(follow))
      add(path, "torn")
      assert.equal("", rest(follow))
      add(path, "\n" .. record(4) .. "\239\187")
      assert.equal("3:value@16 4:4@21", (rest(follow):gsub("3:%a+", "3:value")))
    end, { malformed = true })
  end)

  it("waits for lines that are longer than any block", function()
    local long = '{"n":2,"text":"' .. ("x"):rep(700000) .. '"}\n'
    following(record(1), function(path, follow)
      for at = 1, #long - 1, 100000 do
        add(path, long:sub(at, math.min(at + 99999, #long - 1)))
        assert.equal(at == 1 and "1:1@0" or "", rest(follow))
      end
      add(path, "\n" .. ("\0"):rep(300000))
      assert.equal("2:2@8", rest(follow))
      add(path, ("\0"):rep(300000))
      assert.equal("", rest(follow))
      add(path, "\n" .. record(4))
      assert.equal(("3:not@%d 4:4@%d"):format(8 + #long, 8 + #long + 600001), rest(follow))
    end, { malformed = true })
  end)

  it("reads a file that was cut short from its start", function()
    following(record(1) .. record(2) .. record(3), function(path, follow)
      assert.equal("1:1@0 2:2@8 3:3@16", rest(follow))
      helper.write(path, record(7))
      assert.equal("1:7@0", rest(follow))
      add(path, record(8))
      assert.equal("2:8@8", rest(follow))
      helper.write(path, "")
      assert.equal("", rest(follow))
      add(path, record(9))
      assert.equal("1:9@0", rest(follow))
    end)
  end)

  it("reads a file that was replaced from its start, after what the old one still has", function()
    following(record(1) .. record(2), function(path, follow)
      assert.equal(1, (follow()))
      helper.write(path .. ".new", record(7) .. record(8) .. record(9))
      assert(os.rename(path .. ".new", path))
      assert.equal("2:2@8 1:7@0 2:8@8 3:9@16", rest(follow))
      add(path, record(10))
      assert.equal("4:10@24", rest(follow))
    end)
  end)

  it("waits for a file that is missing, and for one that was removed", function()
    following(nil, function(path, follow)
      assert.equal("", rest(follow))
      assert.equal("", rest(follow))
      helper.write(path, "\n" .. record(1))
      assert.equal("2:1@1", rest(follow))
      assert(os.remove(path))
      assert.equal("", rest(follow))
      helper.write(path, record(5) .. record(6))
      assert.equal("1:5@0 2:6@8", rest(follow))
      assert(os.rename(path, path .. ".old"))
      add(path .. ".old", record(7))
      assert.equal("3:7@16", rest(follow))
      assert.equal("", rest(follow))
    end)
  end)

  it("waits while the path leads to something that is no file", function()
    following(nil, function(path, follow)
      os.execute("mkfifo " .. helper.quote(path))
      assert.equal("", rest(follow))
      assert(os.remove(path))
      assert(unistd.link(path .. ".nowhere", path, true))
      assert.equal("", rest(follow))
      helper.write(path .. ".nowhere", record(1))
      assert.equal("1:1@0", rest(follow))
    end)
  end)

  it("begins at an offset that a scan gave", function()
    local bytes = record(1) .. record(2) .. record(3)
    following(bytes, function(path, follow)
      assert.equal("1:2@8 2:3@16", rest(follow))
      add(path, record(4))
      assert.equal("3:4@24", rest(follow))
      helper.write(path, record(5))
      assert.equal("1:5@0", rest(follow))
    end, { from = 8 })
    following(bytes, function(path, follow)
      assert.equal("", rest(follow))
      add(path, record(4))
      assert.equal("1:4@24", rest(follow))
    end, { from = #bytes })
  end)

  it("gives nothing more once it is closed", function()
    following(record(1) .. record(2), function(path, follow)
      assert.equal(1, (follow()))
      follow:close()
      follow:close()
      add(path, record(3))
      assert.is_nil(follow())
      assert.is_nil(follow())
      assert.same({}, cases.descriptors_of(path))
    end)
  end)

  it("closes its file when it is collected", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", record(1))
    local follow = native.follow(path)
    assert.equal(1, #cases.descriptors_of(path))
    assert.equal(1, (follow()))
    follow = nil -- luacheck: ignore
    cases.collect()
    assert.same({}, cases.descriptors_of(path))
  end)

  it("sees every record that a session handle writes meanwhile", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local session = assert(native.session(path, { model = "m" }))
    local follow = assert(native.follow(path))
    local seen = {}
    for n = 1, 200 do
      assert.is_true(session:append({ n = n }))
      for _, value in follow do seen[#seen + 1] = value.n end
      assert.equal(n, #seen)
    end
    assert.equal("m", select(2, native.scan(path)()).meta.model)
    session:close()
    follow:close()
    cases.collect()
  end)
end)

-- A write that is undone is cut back: the file is what it was before, in place.
describe("follow beside writes that are undone", function()
  helper.guard(before_each, after_each)

  local function long(n, size, ending)
    return ('{"n":%d,"text":"%s"}%s'):format(n, ("x"):rep(size), ending or "\n")
  end

  -- Two lines are given, then cut back; others take their place, as long, shorter or longer.
  for label, sizes in pairs({ ["20 bytes"] = { 1, 1 }, ["20 KiB"] = { 20000, 20000 }, ["100 KiB"] = { 100000, 100000 },
    ["3 MiB"] = { 1500000, 1500000 }, ["20 KiB and little"] = { 20000, 1 }, ["little and 20 KiB"] = { 1, 20000 } }) do
    for ending, name in pairs({ ["\n"] = "", ["\r\n"] = ", CRLF" }) do
      it("gives no line twice: a write of two lines of " .. label .. name, function()
        local before = record(1) .. long(2, 300, ending)
        following(before, function(path, follow)
          assert.equal("1:1@0 2:2@8", rest(follow))
          local place = #before
          for round, other in ipairs({ 0, -1, 7, 50000 }) do
            local first = long(3, sizes[1], ending)
            add(path, first .. long(4, sizes[2], ending))
            assert.equal(("3:3@%d 4:4@%d"):format(place, place + #first), rest(follow))
            helper.write(path, before)
            if round > 2 then assert.equal("", rest(follow)) end
            first = long(5, math.max(sizes[1] + other, 0), ending)
            add(path, first .. long(6, sizes[2], ending))
            assert.equal(("3:5@%d 4:6@%d"):format(place, place + #first), rest(follow))
            helper.write(path, before)
          end
          add(path, record(7))
          assert.equal(("3:7@%d"):format(place), rest(follow))
        end)
      end)
    end
  end

  it("gives no line twice that came in one read with those", function()
    local before = {}
    for n = 1, 2000 do before[n] = record(n) end
    before = table.concat(before)
    following(before .. long(2001, 20000) .. long(2002, 20000), function(path, follow)
      assert.equal(2002, select(2, rest(follow):gsub("%S+", "")))
      helper.write(path, before)
      assert.equal("", rest(follow))
      add(path, record(3))
      assert.equal("2001:3@" .. #before, rest(follow))
    end)
  end)

  it("gives a last line without its newline once, whose newline is taken back", function()
    for _, size in ipairs({ 1, 20000, 100000 }) do
      local before = record(1) .. long(2, size, "")
      following(before, function(path, follow)
        assert.equal("1:1@0", rest(follow))
        for _, text in ipairs({ record(3), long(3, size), record(3) .. long(4, size) }) do
          add(path, "\n" .. text)
          assert.truthy(rest(follow):find("3:3@" .. #before + 1, 1, true))
          helper.write(path, before)
          assert.equal("", rest(follow))
        end
        add(path, "\n" .. record(5))
        assert.equal(("3:5@%d"):format(#before + 1), rest(follow))
      end)
    end
  end)

  it("gives a last line again that then goes on otherwise", function()
    following(record(1) .. '{"n":2', function(path, follow)
      assert.equal("1:1@0", rest(follow))
      add(path, "\n" .. record(3))
      assert.truthy(rest(follow):find("^2:%a+@8 3:3@15$"))
      helper.write(path, record(1) .. '{"n":2')
      assert.equal("", rest(follow))
      add(path, "}\n" .. record(4))
      assert.equal("2:2@8 3:4@16", rest(follow))
    end, { malformed = true })
  end)

  it("gives no line from before the place that it began at", function()
    for _, from in ipairs({ 8, 16 }) do
      following(record(1) .. record(2), function(path, follow)
        assert.equal(from == 8 and "1:2@8" or "", rest(follow))
        add(path, record(3) .. long(4, 20000))
        assert.truthy(rest(follow):find("3@16 %d:4@24$"))
        helper.write(path, record(1) .. record(2))
        assert.equal("", rest(follow))
        add(path, record(5))
        assert.equal(from == 8 and "2:5@16" or "1:5@16", rest(follow))
      end, { from = from })
    end
  end)

  it("goes back to where the file differs, wherever that is, in a line that is left out too", function()
    local zeros = ("\0"):rep(17 * 1024 * 1024) -- too long to be held, and no object
    following(record(1), function(path, follow)
      assert.equal("1:1@0", rest(follow))
      add(path, zeros .. "\n" .. record(3))
      assert.equal(("2:not@8 3:3@%d"):format(9 + #zeros), rest(follow))
      helper.write(path, record(1) .. record(4))
      assert.equal("2:4@8", rest(follow))
    end, { malformed = true })
  end)

  it("goes back 8,192 lines, and from farther back to the start", function()
    local line, other = '{"n":1}\n', '{"n":2}\n'
    for lines, first in pairs({ [8192] = 8194, [8193] = 1 }) do
      following(line:rep(16385), function(path, follow)
        while follow() do end
        helper.write(path, line:rep(16385 - lines) .. other:rep(lines))
        assert.equal(first, (follow()))
      end)
    end
  end)

  -- Every line has its own number. What is acknowledged is given once, in its order; nothing else than what
  -- was written is given.
  it("gives each acknowledged line once, whatever is undone and when the file is rotated", function()
    for seed = 1, 20 do
      local random = cases.random(seed)
      local path = helper.write(helper.tmpdir() .. "/s.jsonl", "")
      local follow = assert(native.follow(path))
      local acknowledged, written, given, count, bytes = {}, {}, {}, 0, ""
      local function lines(ended)
        local made, numbers = {}, {}
        for index = 1, random(1, 3) do
          count = count + 1
          local size = random(1, 3)
          size = size == 1 and random(0, 40) or size == 2 and random(15000, 22000) or random(60000, 110000)
          made[index], numbers[index] = long(count, size, random(1, 4) == 1 and "\r\n" or "\n"), count
          written[count] = true
        end
        local text = table.concat(made)
        return ended and text or text:gsub("\r?\n$", ""), numbers
      end
      local function poll(most)
        for _ = 1, most do
          local _, record_given = follow()
          if not record_given then return end
          assert.truthy(written[record_given.n])
          given[#given + 1] = record_given.n
        end
      end
      for _ = 1, 40 do
        local newline = (bytes == "" or bytes:sub(-1) == "\n") and "" or "\n"
        local kind = random(1, 8)
        if kind <= 3 then -- undone, and given as far as it happens
          add(path, newline .. lines(true))
          poll(random(0, 5))
          helper.write(path, bytes)
        elseif kind <= 7 then
          local text, numbers = lines(random(1, 3) > 1)
          bytes = bytes .. newline .. text
          add(path, newline .. text)
          for _, number in ipairs(numbers) do acknowledged[#acknowledged + 1] = number end
        else
          assert(os.rename(path, path .. ".1"))
          helper.write(path, "")
          poll(math.huge)
          poll(math.huge)
          bytes = ""
        end
        poll(random(0, 2) == 0 and math.huge or random(0, 3))
      end
      add(path, "\n")
      poll(math.huge)
      follow:close()
      local wanted, of_these = {}, {}
      for _, number in ipairs(acknowledged) do wanted[number] = true end
      for _, number in ipairs(given) do of_these[#of_these + 1] = wanted[number] and number or nil end
      assert.same(acknowledged, of_these)
    end
  end)
end)

describe("scan from an offset", function()
  helper.guard(before_each, after_each)

  it("gives the rest from each line that a scan gave", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", "\239\187\191" .. record(1) .. "\ngarbage\n" .. record(2) .. '{"n":3,"text":"' .. ("x"):rep(300000) .. '"}\n' .. record(4):sub(1, -2))
    local all = {}
    for _, value, offset in native.scan(path, { malformed = true }) do all[#all + 1] = { value and value.n or false, offset } end
    assert.equal(5, #all)
    for index, one in ipairs(all) do
      local place = index
      for number, value, offset in native.scan(path, { malformed = true, from = one[2] }) do
        assert.same({ value and value.n or false, offset }, all[place])
        if place == index then assert.equal(1, number) end
        place = place + 1
      end
      assert.equal(6, place)
    end
  end)

  it("begins within a line where it is told to", function()
    local bytes = record(1) .. record(2):sub(1, -2) .. "\138" .. record(3) .. record(4)
    for _, from in ipairs({ 2, 8, 9, 15, 16, 17 }) do
      local path = helper.write(helper.tmpdir() .. "/s.jsonl", bytes)
      local expected = helper.write(helper.tmpdir() .. "/s.jsonl", bytes:sub(from + 1))
      for _, reading in ipairs({ native.scan, native.follow }) do
        local given = assert(reading(path, { malformed = true, from = from }))
        for number, value, offset in native.scan(expected, { malformed = true }) do
          local number_given, value_given, offset_given = given()
          assert.same({ number, value, offset + from }, { number_given, value_given, offset_given })
        end
        assert.is_nil((given()))
        if reading == native.follow then given:close() end
      end
    end
  end)

  it("gives nothing at or beyond the end", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", record(1))
    for _, from in ipairs({ 8, 9, 1e6, 2 ^ 53, 1e300, math.huge }) do
      assert.equal("", rest(native.scan(path, { from = from })))
    end
    assert.equal("1:1@0", rest(native.scan(path, { from = 0 })))
  end)
end)

describe("scan and follow: invalid arguments", function()
  helper.guard(before_each, after_each)

  for _, name in ipairs({ "scan", "follow" }) do
    it("options of " .. name, function()
      local path = helper.write(helper.tmpdir() .. "/s.jsonl", record(1))
      local function raises(options, ...) support.raises(function() native[name](path, options) end, "bad argument #2", ...) end
      for _, value in ipairs(support.no_counts) do raises({ from = value }, '"from"') end
      for _, kind in ipairs(cases.types_but("boolean")) do raises({ malformed = cases.values[kind] }, '"malformed" must be a boolean', kind) end
      for _, kind in ipairs(cases.types_but("table")) do raises(cases.values[kind], "table expected, got " .. kind) end
      for _, option in ipairs({ "limit", "From", "" }) do raises({ [option] = 1 }, 'unknown option "' .. option .. '"') end
      raises({ 5 }, "name of an option must be a string")
    end)
  end

  it("arguments of follow", function()
    for _, kind in ipairs(cases.types_but("string")) do
      cases.argument_error(function() native.follow(cases.values[kind]) end, 1, "follow", kind)
    end
    cases.argument_error(function() native.follow() end, 1, "follow", "path must be a string")
    cases.too_many_error(function() native.follow("x", {}, 1) end, 2, "follow")
    cases.failed("open a: path has a NUL byte", 22, native.follow("a\0b"))
  end)

  for _, case in ipairs(cases.not_regular) do
    local label, number, reason, make = unpack(case)
    it("a path to follow that is " .. label, function()
      local path = make(helper.tmpdir())
      assert.equal("nil\topen " .. path .. ": " .. reason .. "\t" .. number .. "\n",
        cases.run_limited([[print(require("aish_history").follow((...)))]], path))
    end)
  end

  it("the iterator of a call without one", function()
    local follow = native.follow(helper.write(helper.tmpdir() .. "/s.jsonl", record(1)))
    support.raises(function() follow.close() end, "bad argument #1")
    support.raises(function() follow.close(io.stdout) end, "bad argument #1")
    follow:close()
  end)
end)

describe("the shim", function()
  helper.guard(before_each, after_each)

  it("gives every function of recall", function()
    for _, name in ipairs({ "sessions", "search", "follow", "scan", "load", "verify", "compact", "list", "append" }) do
      assert.equal(native[name], history[name], name)
    end
    local dir = helper.tmpdir()
    local session = assert(history.open(dir .. "/a.jsonl", { model = "m" }))
    session:append({ role = "user", content = "Where is the needle?", ts = "2026-01-02T03:04:05Z" })
    session:append({ role = "assistant", content = "Here." })
    session:close()
    assert.equal("Here.", history.load(dir .. "/a.jsonl", { last = 1 })[1].content)
    assert.equal("Where is the needle?", history.sessions(dir, { limit = 1 })[1].first)
    assert.equal(2, history.search(dir, "NEEDLE", { role = "user", since = "2026-01-02" })[1].line)
    local follow = assert(history.follow(dir .. "/a.jsonl", { from = 0 }))
    assert.equal("m", select(2, follow()).meta.model)
    follow:close()

    local memory = assert(history.open_memory(dir .. "/memory.jsonl"))
    memory:add("pref", "likes needles", { "taste" }, "shell")
    memory:add("fact", "other")
    assert.same({ 1 }, support.pluck(memory:items({ kind = "pref", limit = 5 }), "id"))
    assert.same({ 1 }, support.pluck(memory:search("needle TASTE", { source = "shell" }), "id"))
    memory:close()
    assert.same({ 2 }, support.pluck(history.load_memory(dir .. "/memory.jsonl", { kind = "fact" }), "id"))
    local none, message, number = history.load_memory(dir, { kind = "fact" })
    assert.same({ {}, "open " .. dir .. ": Is a directory", 21 }, { none, message, number })
  end)
end)
