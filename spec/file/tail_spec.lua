--- load(path, opts): the last turns, read from the end, and the records that are no turns.
local assert = require("luassert")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local history = require("history")
local memories = require("spec.support.memories")
local native = require("aish_history")
local shell = require("spec.support.shell")
local support = require("spec.support.recall")

local turn = support.turn

local BOM, META = "\239\187\191", '{"meta":{"model":"m"}}\n'

local function session(bytes)
  return helper.write(helper.tmpdir() .. "/s.jsonl", bytes)
end

-- load{last = N} gives the tail of what load gives, and the same meta, for each N of the list, or for
-- every one there is; the same with all = true.
local function same_tails(path, counts)
  for _, all in ipairs({ false, true }) do
    local turns, meta = assert(native.load(path, { all = all }))
    if not counts or all then
      counts = {}
      for count = 0, #turns + 2 do counts[#counts + 1] = count end
    end
    for _, count in ipairs(counts) do
      local last, last_meta = assert(native.load(path, { last = count, all = all }))
      local tail = {}
      for index = math.max(1, #turns - count + 1), #turns do tail[#tail + 1] = turns[index] end
      local difference = cases.difference({ tail, meta }, { last, last_meta })
      assert(not difference, ("last %s of %d: %s"):format(count, #turns, tostring(difference)))
    end
  end
end

describe("load with last", function()
  helper.guard(before_each, after_each)

  it("gives the last turns in the order of the file, and the meta", function()
    local path = session(META .. turn('"a"') .. turn('"b"') .. turn('"c"'))
    local turns, meta = native.load(path, { last = 2 })
    assert.same({ { role = "user", content = "b" }, { role = "user", content = "c" } }, turns)
    assert.same({ model = "m" }, meta)
    assert.same(turns, (history.load(path, { last = 2 })))
  end)

  it("gives none for 0, and all for as many as there are or more", function()
    local path = session(META .. turn('"a"') .. turn('"b"'))
    assert.same({ 0, 1, 2, 2, 2, 2, 2 }, (function()
      local counts = {}
      for index, last in ipairs({ 0, 1, 2, 3, 1e9, 1e300, math.huge }) do counts[index] = #native.load(path, { last = last }) end
      return counts
    end)())
    assert.same({ model = "m" }, select(2, native.load(path, { last = 0 })))
  end)

  for label, bytes in pairs({
    ["empty"] = "", ["blank"] = "\n\n\r\n \n", ["a byte order mark"] = BOM, ["only a meta"] = META, ["only a fragment"] = '{"role":"user","con',
    ["unterminated"] = META .. turn('"a"') .. turn('"b"'):sub(1, -2), ["torn"] = META .. turn('"a"') .. '{"role":"user","con',
    ["of CRLF lines"] = BOM .. (META .. turn('"a"') .. turn('"b"')):gsub("\n", "\r\n"), ["full of blank lines"] = "\n\n" .. META .. "\n\n" .. turn('"a"') .. "\n\n",
    ["full of damage"] = "garbage\n" .. META .. turn('"a"') .. "\0\0\0\n[1]\n" .. turn('"b"') .. '{"role":"user",\n12\n' .. turn('"c"') .. "null\n",
    ["with a turn and meta in the first line"] = '{"meta":{"a":1},"role":"user","content":"x"}\n' .. turn('"a"'),
    ["with that in the second"] = turn('"a"') .. '{"meta":{"a":1},"role":"user","content":"x"}\n' .. turn('"b"'),
    ["with a null meta"] = '{"meta":null,"role":"user","content":"x"}\n' .. turn('"a"'), ["with a byte order mark and a turn"] = BOM .. turn('"a"') .. turn('"b"'),
    ["with a byte order mark inside"] = turn('"a"') .. BOM .. turn('"b"') .. turn('"c"'),
  }) do
    it("gives the tail of a file that is " .. label, function() same_tails(session(bytes)) end)
  end

  for seed = 1, 12 do
    it(("gives the tail of generated session %d"):format(seed), function()
      local random, parts = cases.random(seed * 7919), { seed % 3 == 0 and BOM or "", seed % 2 == 0 and META or "" }
      for _ = 1, 40 do
        local kind = random(1, 10)
        if kind <= 6 then parts[#parts + 1] = cases.turn_text(random)
        elseif kind <= 8 then parts[#parts + 1] = cases.damaged_text(random):gsub("\n", "")
        elseif kind == 9 then parts[#parts + 1] = ""
        else parts[#parts + 1] = turn('"' .. ("long "):rep(random(1, 9000)) .. '"'):sub(1, -2) end
        parts[#parts + 1] = random(1, 6) == 1 and "\r\n" or "\n"
      end
      local bytes = table.concat(parts)
      same_tails(session(random(1, 2) == 1 and bytes:sub(1, -2) or bytes))
    end)
  end

  -- Blocks are read backward from the end: of 16 KiB, then as long as what is held, of 256 KiB behind
  -- what is passed over.
  local K = 1024

  it("gives lines that lie across the end of any block", function()
    local line = turn('"needle"')
    for _, from_end in ipairs({ 16 * K, 32 * K, 48 * K, 64 * K, 128 * K, 256 * K, 512 * K, 1024 * K }) do
      for shift = -2, #line + 2, 4 do
        local after = from_end - #line + shift -- bytes behind the line
        local path = session(turn('"first"') .. line .. turn('"' .. ("x"):rep(after - #turn('""')) .. '"'))
        local turns = native.load(path, { last = 2 })
        assert.same({ "needle", after - #turn('""') }, { turns[1].content, #turns[2].content }, from_end + shift)
        assert.equal("first", native.load(path, { last = 3 })[1].content)
      end
    end
  end)

  it("gives short lines that end anywhere in a block", function()
    for length = #turn('""'), #turn('""') + 40, 3 do
      local line = turn('"' .. ("x"):rep(length - #turn('""')) .. '"')
      local count = math.floor(70 * K / length)
      local path = session(META .. line:rep(count))
      assert.equal(count, #native.load(path, { last = count + 1 }))
      assert.equal(count - 1, #native.load(path, { last = count - 1 }))
    end
  end)

  for label, mark in pairs({ ["without a byte order mark"] = "", ["with a byte order mark"] = BOM }) do
    it("gives the first turn of a file of any size around the blocks', " .. label, function()
      for _, size in ipairs({ 16 * K, 32 * K, 64 * K, 256 * K, 512 * K }) do
        for shift = -5, 6 do
          for _, ending in ipairs({ "\n", "", "\r\n" }) do
            local head, tail = mark .. '{"role":"user","content":"', '"}' .. ending
            local path = session(head .. ("x"):rep(size + shift - #head - #tail) .. tail)
            local turns = native.load(path, { last = 5 })
            assert(#turns == 1, ("%d bytes: %d turns"):format(size + shift, #turns))
            assert.equal(size + shift - #head - #tail, #turns[1].content)
          end
        end
      end
    end)
  end

  it("finds the meta of a file whose first line is of any size", function()
    for _, size in ipairs({ 10, 16 * K - 20, 16 * K, 300 * K }) do
      local path = session(BOM .. '{"meta":{"model":"' .. ("m"):rep(size) .. '"},"role":"user","content":"x"}\n' .. turn('"a"'))
      same_tails(path)
    end
  end)

  it("passes over long lines that are damaged", function()
    for _, size in ipairs({ 15 * K, 16 * K, 255 * K, 256 * K, 257 * K, 512 * K, 513 * K, 1100 * K, 2000 * K }) do
      for _, byte in ipairs({ "\0", "x", "\1" }) do
        local junk = byte:rep(size)
        same_tails(session(META .. turn('"a"') .. junk .. "\n" .. turn('"b"') .. junk), { 0, 1, 2, 3 })
      end
    end
    local zeros = ("\0"):rep(600 * K)
    same_tails(session(zeros .. "\n" .. turn('"a"') .. zeros .. turn('"b"') .. turn('"c"') .. '{"role":"user","content":"' .. zeros .. '"}\n'), { 1, 2, 3 })
  end)

  it("gives the turns of long lines that are damaged, and of those after them", function()
    for _, size in ipairs({ 255 * K, 257 * K, 512 * K, 700 * K }) do
      local fragment = '{"role":"user","content":"' .. ("x"):rep(size)
      local bytes = META .. turn('"a"') .. fragment .. turn('"b"') .. turn('"c"') .. turn('"d"'):sub(1, -2) .. ("\0"):rep(size) .. turn('"e"') .. turn('"f"')
      same_tails(session(bytes), { 1, 2, 3, 4, 5, 6, 7 })
      assert.same({ "a", "b", "c", "d", "e", "f" }, memories.pluck(native.load(session(bytes), { last = 9 }), "content"))
    end
  end)

  it("gives lines of several megabytes", function()
    local long = turn('"' .. ("long \\u00e9 "):rep(300 * K) .. '"')
    same_tails(session(META .. turn('"a"') .. long .. turn('"b"') .. long:sub(1, -2)), { 1, 2, 3, 4, 5 })
  end)

  it("reads the end of a file that an append made longer than 4 GiB", function()
    local start = META .. turn('"a"')
    local path = session(start)
    assert.equal("", shell.run(("truncate -s 4294967296 %s && echo >>%s"):format(helper.quote(path), helper.quote(path))))
    assert(native.append(path, { role = "user", content = "last" }))
    local turns, meta = assert(native.load(path, { last = 1 }))
    assert.same({ "last", "m" }, { turns[1].content, meta.model })
    assert.equal(start, shell.run(("head -c %d %s"):format(#start, helper.quote(path))))
  end)

  it("reads a gigabyte of zeros after the turns in little memory", function()
    local path = session(META .. turn('"a"') .. turn('"b"') .. turn('"c"'))
    os.execute("truncate -s 1G " .. helper.quote(path))
    local output = cases.run_limited(helper.PEAK .. [[
      local turns, meta = require("aish_history").load((...), { last = 2 })
      print(#turns, turns[1] and turns[1].content, meta.model, peak())
    ]], path)
    -- the third turn's line ends where the zeros do, and so is damaged
    local count, content, model, peak = output:match("^(%d+)\t(%S+)\t(%S+)\t(%d+)\n$")
    assert(count, output)
    assert.same({ "2", "b", "m" }, { count, content, model })
    if not helper.instrumented then assert.is_true(tonumber(peak) < 64 * K, peak .. " kB") end
  end)

  it("reads no more than the ends of a large file", function()
    local path = session(META .. turn('"' .. ("x"):rep(1000) .. '"'):rep(20000) .. turn('"last"'))
    local output, trace = memories.trace("pread64,read", [[
      local turns, meta = require("aish_history").load((...), { last = 3 })
      print(#turns, turns[3].content, meta.model)
    ]], path)
    if not output then return pending("strace is not at hand") end
    assert.equal("3\tlast\tm\n", output)
    local read = 0
    for line in trace:gmatch("[^\n]+") do
      if line:find("/s.jsonl", 1, true) then read = read + tonumber(line:match("= (%d+)$")) end
    end
    assert.is_true(read > 0 and read <= 512 * K, read)
  end)
end)

describe("load with all", function()
  helper.guard(before_each, after_each)

  it("gives what load passes over", function()
    local path = session(META .. turn('"a"') .. '{"role":"assistant","content":null,"tool_calls":[{"name":"ls"}]}\n{"note":1}\n{}\ngarbage\n[1]\n{"meta":{"x":1}}\n')
    assert.equal(1, #native.load(path))
    assert.equal(1, #native.load(path, { all = false }))
    local turns, meta = native.load(path, { all = true })
    assert.same({ model = "m" }, meta)
    assert.same({ { role = "user", content = "a" }, { role = "assistant", tool_calls = { { name = "ls" } } }, { note = 1 }, {}, { meta = { x = 1 } } }, turns)
    assert.same({ {}, { meta = { x = 1 } } }, (native.load(path, { all = true, last = 2 })))
    assert.same({ { role = "user", content = "a" } }, (history.load(path, { last = 2 })))
  end)
end)

describe("load: invalid options", function()
  helper.guard(before_each, after_each)

  it("raise, naming them", function()
    local path = session(turn('"a"'))
    local function raises(options, ...)
      support.raises(function() native.load(path, options) end, "bad argument #2", ...)
      support.raises(function() history.load(path .. ".missing", options) end, "bad argument #2", ...)
    end
    for _, value in ipairs(support.no_counts) do raises({ last = value }, '"last"') end
    for _, kind in ipairs(cases.types_but("boolean")) do raises({ all = cases.values[kind] }, '"all" must be a boolean', kind) end
    for _, kind in ipairs(cases.types_but("table")) do raises(cases.values[kind], "table expected, got " .. kind) end
    for _, name in ipairs({ "limit", "Last", "first", "" }) do raises({ [name] = 1 }, 'unknown option "' .. name .. '"') end
    raises({ 5 }, "name of an option must be a string")
    cases.too_many_error(function() native.load(path, {}, 1) end, 2, "load")
    assert.equal(1, #native.load(path, nil))
  end)

  for _, case in ipairs(cases.not_regular) do
    local label, number, reason, make = unpack(case)
    it("do not block on " .. label, function()
      local path = make(helper.tmpdir())
      assert.equal("nil\topen " .. path .. ": " .. reason .. "\t" .. number .. "\n",
        cases.run_limited([[print(require("aish_history").load((...), { last = 1 }))]], path))
    end)
  end
end)
