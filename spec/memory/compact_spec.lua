-- compact: what is kept, byte for byte, what goes, and that nothing is lost on the way.
local aish = require("aish_history")
local children = require("spec.support.children")
local cjson = require("cjson")
local errno = require("posix.errno")
local faults = require("spec.faults.support")
local fcntl = require("posix.fcntl")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local mixed = require("spec.support.mixed_file")
local stat = require("posix.sys.stat")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

local function file(bytes)
  return helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
end

local function mode(path)
  return ("%o"):format(stat.stat(path).st_mode % 4096)
end

-- The names in a directory, sorted.
local function names(dir)
  local found = {}
  for name in lfs.dir(dir) do
    if name ~= "." and name ~= ".." then found[#found + 1] = name end
  end
  table.sort(found)
  return found
end

local function dir_of(path)
  return path:match("^(.*)/")
end

-- Compacts a file of these bytes; returns the bytes after, and those put aside, if any.
local function compacted(bytes)
  local path = file(bytes)
  assert(aish.compact(path))
  local aside = path .. ".damaged"
  return helper.read(path), lfs.attributes(aside) and helper.read(aside) or nil
end

-- The time of a tombstone that compaction made is that of the call.
local function masked(bytes)
  return (bytes:gsub('("ts":")%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ(","kind":"forget")', "%1T%2"))
end

describe("compact that fails at any call", function()
  helper.guard(before_each, after_each)

  -- Unless the new file is in its place already.
  it("leaves what stood in <file>.damaged", function()
    local bytes = support.item(1) .. "garbage\n" .. support.tombstone(2, 1) .. support.item(3)
    assert.equal("true\ttrue\n", faults.run_code([[
      local path, bytes = ...
      local function write(name, text)
        os.remove(name)
        if not text then return end
        local file = assert(io.open(name, "w"))
        assert(file:write(text))
        file:close()
      end
      local function read(name)
        local file = io.open(name)
        local text = file and file:read("*a")
        if file then file:close() end
        return text
      end
      local function play(at, aside)
        write(path, bytes)
        write(path .. ".damaged", aside)
        local memory = assert(aish.open(path, { sync = "none" }))
        seam.arm({ at = at, number = seam.EIO })
        memory:compact()
        local calls = #seam.calls()
        seam.disarm()
        memory:close()
        return calls
      end
      local failed = {}
      for _, aside in ipairs({ "old garbage\n", false }) do
        local count, left = play(0, aside), 0
        for at = 1, count do
          play(at, aside)
          if read(path) == bytes then
            left = left + 1
            if (read(path .. ".damaged") or false) ~= aside then print("changed by a failure of call " .. at) end
          end
        end
        failed[#failed + 1] = tostring(left > 10 and left < count)
      end
      print(unpack(failed))
    ]], helper.tmpdir() .. "/memory.jsonl", bytes))
  end)
end)

describe("compact beside a program that takes no lock", function()
  helper.guard(before_each, after_each)

  -- A line arrives right behind each of its reads in turn, by the build of spec/faults/.
  it("loses nothing that is appended meanwhile", function()
    local bytes = support.item(1) .. "garbage\n" .. support.tombstone(2, 1) .. support.item(3)
    assert.equal("true\n", faults.run_code([[
      local path, bytes, line = ...
      local refused = 0
      local function play(at)
        os.remove(path .. ".damaged")
        local file = assert(io.open(path, "w"))
        assert(file:write(bytes))
        file:close()
        local memory = assert(aish.open(path, { sync = "none" }))
        seam.arm({ at = at, grows = path, by = line })
        local done, message = memory:compact()
        local calls = seam.calls()
        assert(seam.disarm() == (at > 0 and "pread" or nil))
        memory:close()
        if not done and message:find("changed meanwhile by a program that takes no lock", 1, true) then refused = refused + 1 end
        return calls
      end
      for at, name in ipairs(play(0)) do
        if name == "pread" then
          play(at)
          if not io.open(path):read("*a"):find(line, 1, true) then print("lost behind call " .. at) end
        end
      end
      print(refused > 0)
    ]], helper.tmpdir() .. "/memory.jsonl", bytes, support.item(4)))
  end)
end)

describe("compact keeps", function()
  helper.guard(before_each, after_each)

  it("the meta line and the active items, byte for byte", function()
    local kept = {
      '{"meta":{"created":"2026-01-01T00:00:00Z" , "own":[1.50,1E2]}}\n',
      '{"id":1,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"na\195\175ve"}\n',
      ' { "content":"na\\u00efve\\/" ,"kind":"pref", "unknown":{"b":1,"a":-0.0,"id":9},"id":2.0 }\t\n',
      '{"id":3e0,"ts":null,"kind":"context","content":"\255\254","tags":[]}\r\n',
      '{"\\u0069d":4,"kind":"f\\u0061ct","content":12345678901234567890.10}\n',
      '{"id":5,"id":6,"kind":"forget","kind":"fact","content":"' .. ("long "):rep(100000) .. '"}\n',
      '{"id":10,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"highest"}\n',
    }
    local gone = support.item(8) .. support.tombstone(9, 8)
    local bytes, aside = compacted(table.concat(kept, "", 1, 4) .. gone .. table.concat(kept, "", 5))
    assert.equal(table.concat(kept, "", 1, 4) .. support.tombstone(9, 8) .. table.concat(kept, "", 5), bytes)
    assert.is_nil(aside)
  end)

  it("records that it does not know, wherever they stand", function()
    local kept = '{"kind":"note"}\n' .. support.meta .. '{"id":4,"kind":"note","x":1}\n{}\n'
      .. '{"id":"x","kind":"fact"}\n{"kind":"forget","target":1}\n{"id":3,"kind":"forget","target":0}\n'
    assert.equal(kept .. support.tombstone(6, 5) .. support.item(9),
      (compacted(kept .. support.item(5) .. support.tombstone(6, 5) .. support.item(9))))
  end)

  it("each item of an id, once", function()
    local bytes = support.item(1, "first") .. support.item(1, "second") .. support.item(2)
    assert.equal(bytes, (compacted(bytes .. support.item(1, "first"))))
    assert.equal("", (compacted(bytes .. support.tombstone(3, 1))):match("first") or "")
  end)

  it("one tombstone of each target and `of`", function()
    local function forget(id, target, of)
      return ('{"id":%d,"ts":"2026-01-02T03:04:05Z","kind":"forget","target":%s%s}\n'):format(id, target, of and ',"of":' .. of or "")
    end
    local kept = { support.meta, support.item(1), forget(3, 2), forget(4, 2, '"abcdefgh"'), forget(5, 2, '"2026-01-02T03:04:05Z"'),
      forget(6, 2, "null"), forget(7, 9), forget(8, 9, '""'), support.item(20) }
    local copies = { forget(11, 2), forget(12, 2, '"a\\u0062cdefgh"'), forget(13, 2, '"2026-01-02T03:04:05Z"'), forget(14, 2, "null"),
      forget(15, 2, "7"), forget(16, "9.0", '"\\u0000"'):gsub("\\u0000", ""), forget(3, 2) }
    local path = file(table.concat(kept) .. table.concat(copies))
    local result = assert(aish.compact(path))
    assert.equal(table.concat(kept), helper.read(path))
    assert.equal(#copies, result.dropped)
    assert.equal(0, assert(aish.compact(path)).dropped)
    -- Whatever their order: compactions of copies that are merged later must not keep different ones.
    local function chosen(...)
      helper.write(path, support.item(20) .. table.concat({ ... }))
      assert(aish.compact(path))
      return helper.read(path)
    end
    local other_time = forget(3, 2):gsub("03:04:05", "03:04:06")
    for _, pair in ipairs({ { forget(3, 2), forget(4, 2) }, { forget(3, 2), other_time }, { forget(3, 2), " " .. forget(3, 2) } }) do
      assert.equal(chosen(pair[1], pair[2]), chosen(pair[2], pair[1]))
    end
    -- Nor is one kept that retires something for one that does not, as it targets itself.
    for _, order in ipairs({ forget(2, 2) .. forget(3, 2), forget(3, 2) .. forget(2, 2) }) do
      helper.write(path, support.item(9) .. order)
      assert(aish.compact(path))
      helper.write(path, helper.read(path) .. support.item(2))
      assert.same({ 9 }, support.pluck(aish.load_memory(path), "id"))
    end
  end)

  it("no tombstone if that is wanted, but the highest id", function()
    local bytes = support.meta .. support.item(1) .. support.item(2) .. support.tombstone(3, 2) .. support.tombstone(4, 4)
    for _, more in ipairs({ "", support.item(9), '{"id":9,"kind":"note"}\n', support.tombstone(9, 0), support.tombstone(5, 0) .. support.item(9) }) do
      local path = file(bytes .. more)
      local before = assert(aish.open(path))
      local next_id = before.next_id
      before:close()
      local result = assert(aish.compact(path, { tombstones = false }))
      local kept = more:gsub('{"id":5[^\n]*\n', "")
      if more == "" or more:find("note", 1, true) then kept = kept .. support.tombstone(4, 0, support.now()) end
      assert.equal(masked(support.meta .. support.item(1) .. kept), masked(helper.read(path)))
      local same = helper.read(path)
      local memory = assert(aish.open(path))
      assert.equal(next_id, memory.next_id)
      assert.equal(0, assert(memory:compact({ tombstones = false })).dropped)
      memory:close()
      assert.equal(same, helper.read(path))
      assert.same({}, aish.verify(path).problems)
      assert.is_true(result.dropped >= 3)
    end
  end)

  it("one mark of the highest id, and a file that has nothing else is a memory", function()
    local path = file(support.tombstone(3, 0) .. support.tombstone(5, 0) .. support.tombstone(4, 0) .. support.tombstone(5, 0))
    assert.equal(3, assert(aish.compact(path)).dropped)
    assert.equal(support.tombstone(5, 0), helper.read(path))
    assert.equal(1, aish.verify(path).tombstones)
    local memory = assert(aish.open(path))
    assert.equal(6, memory:add("fact", "x"))
    memory:close()
  end)

  it("a last line without its newline, and ends it", function()
    assert.equal(support.item(1) .. support.item(2), (compacted((support.item(1) .. support.item(2)):sub(1, -2))))
  end)

  it("a file without anything to drop as it is", function()
    for _, bytes in ipairs({ "", support.meta, support.item(1), support.meta .. support.item(1) .. support.item(2) }) do
      local path = file(bytes)
      assert.same({ { before = #bytes, after = #bytes, kept = #aish.load_memory(path), dropped = 0, damaged = 0 }, n = 1 },
        helper.pack(aish.compact(path)))
      assert.equal(bytes, helper.read(path))
    end
  end)

  it("no blank lines", function()
    assert.equal(support.meta .. support.item(1) .. support.item(2),
      (compacted("\n \r\n" .. support.meta .. "\r\n\n" .. support.item(1) .. "\t\n" .. support.item(2) .. "  ")))
  end)

  it("what a plain reading says, of every kind of line", function()
    local random, path = support.random(20260104), helper.tmpdir() .. "/memory.jsonl"
    for _ = 1, 120 do
      os.remove(path .. ".damaged")
      local lines, bytes, sum
      repeat
        lines, bytes = mixed.make(random, 60)
        sum = mixed.sum(lines)
      until sum.highest > 0 and sum.highest == sum.highest_ours -- other records' ids have a spec of their own
      local kept, aside = {}, {}
      local expected = { before = #bytes, kept = 0, dropped = 0, damaged = 0 }
      local highest_kept, chosen = 0, {}
      for _, line in ipairs(lines) do
        if line.class == "tombstone" then
          local last, own = chosen[line.target], line.id == line.target
          if not last or (last.id == last.target and not own) or ((last.id == last.target) == own and line.id < last.id) then
            chosen[line.target] = line
          end
        end
      end
      for _, line in ipairs(lines) do
        local keep = line.class == "other"
        if line.class == "item" then
          keep = not sum.forgotten[line.id]
          if keep then expected.kept = expected.kept + 1 end
        elseif line.class == "tombstone" then
          keep = chosen[line.target] == line
        elseif line.class ~= "blank" and line.class ~= "other" then
          expected.damaged = expected.damaged + 1
          aside[#aside + 1] = line.text .. "\n"
        end
        if keep then
          kept[#kept + 1] = line.text .. "\n"
          highest_kept = math.max(highest_kept, line.id or 0)
        elseif line.class == "item" or line.class == "tombstone" then
          expected.dropped = expected.dropped + 1
        end
      end
      if highest_kept < sum.highest then kept[#kept + 1] = support.tombstone(sum.highest, 0, support.now()) end
      local after = table.concat(kept)
      expected.after = #after

      helper.write(path, bytes)
      local items = support.reading(bytes)
      local dry = aish.compact(path, { dry_run = true })
      assert.equal(bytes, helper.read(path))
      assert.same({ "memory.jsonl" }, names(dir_of(path)))
      assert.same(expected, aish.compact(path), bytes)
      assert.same(expected, dry)
      assert.equal(masked(after), masked(helper.read(path)))
      assert.equal(table.concat(aside), #aside > 0 and helper.read(path .. ".damaged") or "")
      assert.same(#aside > 0 and { "memory.jsonl", "memory.jsonl.damaged" } or { "memory.jsonl" }, names(dir_of(path)))
      assert.is_nil(cases.difference(items, (support.reading(helper.read(path)))))
      -- There is nothing left to do.
      local again = aish.compact(path)
      assert.same({ #after, #after, 0, 0 }, { again.before, again.after, again.dropped, again.damaged })
    end
  end)

  it("the file's mode and owner", function()
    for _, wanted in ipairs({ "600", "640", "666", "444" }) do
      local path = file(support.item(1) .. support.tombstone(2, 1))
      if unistd.geteuid() == 0 then assert(unistd.chown(path, 12345, 54321)) end
      assert(stat.chmod(path, tonumber(wanted, 8)))
      local before = stat.stat(path)
      assert(aish.compact(path))
      local after = stat.stat(path)
      assert.equal(wanted, mode(path))
      assert.same({ before.st_uid, before.st_gid }, { after.st_uid, after.st_gid })
      assert.not_equal(before.st_ino, after.st_ino)
    end
  end)

  it("a symbolic link one, and leaves nothing beside it", function()
    local dir = helper.tmpdir()
    assert(lfs.mkdir(dir .. "/real"))
    helper.write(dir .. "/real/data", support.item(1) .. support.item(2) .. support.tombstone(3, 1) .. "garbage\n")
    assert(lfs.link("real/data", dir .. "/one", true))
    assert(lfs.link("one", dir .. "/memory.jsonl", true))
    assert(aish.compact(dir .. "/memory.jsonl"))
    assert.equal("one", lfs.symlinkattributes(dir .. "/memory.jsonl", "target"))
    assert.equal("real/data", lfs.symlinkattributes(dir .. "/one", "target"))
    assert.equal(support.item(2) .. support.tombstone(3, 1), helper.read(dir .. "/real/data"))
    assert.same({ "data", "data.damaged" }, names(dir .. "/real"))
    assert.same({ "memory.jsonl", "one", "real" }, names(dir))
  end)
end)

describe("compact puts aside", function()
  helper.guard(before_each, after_each)

  it("damaged lines as they were, in a file of the same mode that it goes on with", function()
    local path = file("garbage \255\r\n" .. support.item(1) .. ("\0"):rep(5000) .. "\n42\n" .. '{"id":7,"ts')
    local aside = path .. ".damaged"
    assert(stat.chmod(path, tonumber("604", 8)))
    assert.equal(4, assert(aish.compact(path)).damaged)
    assert.equal(support.item(1), helper.read(path))
    local first = "garbage \255\r\n" .. ("\0"):rep(5000) .. "\n42\n" .. '{"id":7,"ts\n'
    assert.equal(first, helper.read(aside))
    assert.equal("604", mode(aside))
    assert(stat.chmod(aside, tonumber("640", 8)))
    helper.write(path, support.item(1) .. "again\n")
    assert.equal(1, assert(aish.compact(path)).damaged)
    assert.equal(first .. "again\n", helper.read(aside))
    assert.equal("640", mode(aside))
  end)

  it("damaged lines after one that a crash has cut, which it ends", function()
    for before, after in pairs({ [""] = "", ["cut"] = "cut\n", ["whole\ncut"] = "whole\ncut\n", ["\n"] = "\n" }) do
      local path = file("garbage\n" .. support.item(1))
      helper.write(path .. ".damaged", before)
      assert(aish.compact(path))
      assert.equal(after .. "garbage\n", helper.read(path .. ".damaged"))
    end
  end)

  it("nothing when nothing is damaged, and on a dry run", function()
    local path = file(support.item(1) .. support.tombstone(2, 1))
    assert(aish.compact(path))
    assert.same({ "memory.jsonl" }, names(dir_of(path)))
    helper.write(path, support.item(1) .. "garbage\n")
    assert.equal(1, aish.compact(path, { dry_run = true }).damaged)
    assert.same({ "memory.jsonl" }, names(dir_of(path)))
  end)

  it("a line of more than 64 MiB, without holding it in memory", function()
    -- As zeros after a crash: no block of the disk is taken by them.
    local size, path = 65 * 2 ^ 20 + 123, file(support.item(1))
    local zeros = assert(io.open(path, "r+b"))
    assert(zeros:seek("set", #support.item(1) + size))
    assert(zeros:write("\n" .. support.item(2)))
    zeros:close()
    local result = assert(aish.compact(path))
    assert.same({ 2, 1 }, { result.kept, result.damaged })
    assert.equal(support.item(1) .. support.item(2), helper.read(path))
    assert.equal(size + 1, lfs.attributes(path .. ".damaged", "size"))
    assert.is_true(lfs.attributes(path .. ".damaged", "blocks") * 512 < 2 ^ 20)
    local aside = assert(io.open(path .. ".damaged", "rb"))
    local block, last = ("\0"):rep(2 ^ 16), nil
    for bytes in function() return aside:read(2 ^ 16) end do
      if bytes ~= block then
        assert.is_nil(last)
        last = bytes
      end
    end
    aside:close()
    assert.equal(("\0"):rep(size % 2 ^ 16) .. "\n", last)
  end)

  it("a last line of more than 16 MiB without its newline, to its last byte", function()
    local size, path = 17 * 2 ^ 20, file(support.item(1))
    local zeros = assert(io.open(path, "r+b"))
    assert(zeros:seek("set", #support.item(1) + size - 1))
    assert(zeros:write("x"))
    zeros:close()
    assert.equal(1, assert(aish.compact(path)).damaged)
    assert.equal(support.item(1), helper.read(path))
    local aside = assert(io.open(path .. ".damaged", "rb"))
    assert.equal(size - 1, aside:seek("end", -2))
    assert.equal("x\n", aside:read("*a"))
    aside:close()
  end)

  it("a fragment, and saves the records that are glued to it", function()
    for _, fragment in ipairs({
      '{"id":2,"ts":"20', '{"id":2,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"abc', "{", '{"a":{"b":[{',
      '{"id":2,"content":"x\\', '{"id":', '"text"', "[1,2] ",
    }) do
      local saved = support.item(3, "saved"):sub(1, -2)
      local bytes, aside = compacted(support.item(1) .. fragment .. saved .. "\n")
      assert.equal(support.item(1) .. saved .. "\n", bytes)
      assert.equal(fragment .. "\n", aside)
      -- At the end of the file, without a newline, as well.
      bytes, aside = compacted(support.item(1) .. fragment .. saved)
      assert.equal(support.item(1) .. saved .. "\n", bytes)
      assert.equal(fragment .. "\n", aside)
      if fragment ~= '{"id":' then
        bytes, aside = compacted(fragment .. saved .. "\0\r" .. support.item(1))
        assert.equal(saved .. "\n" .. support.item(1), bytes)
        assert.equal(fragment .. "\n", aside)
      end
    end
  end)

  it("what comes after whole records, and gives each of these a line", function()
    local one, two = support.item(1):sub(1, -2), support.item(2):sub(1, -2)
    for _, between in ipairs({ "", " ", "\0\0\0", "\239\187\191" }) do
      local bytes, aside = compacted(between .. one .. between .. two .. between .. "\n")
      assert.equal(one .. "\n" .. two .. "\n", bytes)
      assert.is_nil(aside)
      bytes, aside = compacted(one .. between .. two .. between .. '{"id":3,"x":{"id":9}\n')
      assert.equal(one .. "\n" .. two .. "\n", bytes)
      assert.equal('{"id":3,"x":{"id":9}\n', aside)
    end
  end)

  it("all of a line on which no record stands", function()
    for _, line in ipairs({ "garbage" .. support.item(2), "}" .. support.item(2), ("["):rep(500) .. support.item(2),
      '{"id":2,"x":' .. support.item(2), '{"id":2,"x":[' .. support.tombstone(3, 1), '{"id":2,"content":"x"' }) do
      line = line:gsub("\n$", "")
      local bytes, aside = compacted(support.item(1) .. line .. "\n")
      assert.equal(support.item(1), bytes)
      assert.equal(line .. "\n", aside)
    end
  end)

  it("a fragment, and counts the id of the record that it saves", function()
    local path = file(support.item(1) .. '{"id":2,"ts":"20' .. support.item(30, "saved"))
    local memory = assert(aish.open(path))
    assert.equal(31, memory.next_id)
    assert.same({ before = #helper.read(path), after = #support.item(1) + #support.item(30, "saved"), kept = 2, dropped = 0,
      damaged = 1 }, memory:compact())
    assert.equal("saved", memory:get(30).content)
    assert.equal(31, memory:add("fact", "x"))
    memory:close()
  end)
end)

describe("compact refuses", function()
  helper.guard(before_each, after_each)

  for label, bytes in pairs({
    ["a session"] = '{"meta":{"model":"m"}}\n{"role":"user","content":"x"}\n',
    ["a text"] = "notes\nmore notes\n",
    ["a file of blank lines"] = "\n\n",
    ["a torn first line"] = '{"meta":{"aish_version":"phase4"',
  }) do
    it(label, function()
      local path = file(bytes)
      for _, dry_run in ipairs({ false, true }) do
        local result, message, number = aish.compact(path, { dry_run = dry_run })
        assert.is_nil(result)
        assert.matches(": it holds .* memory$", message)
        assert.truthy(message:find(path, 1, true))
        assert.equal(errno.EINVAL, number)
      end
      assert.equal(bytes, helper.read(path))
      assert.same({ "memory.jsonl" }, names(dir_of(path)))
    end)
  end

  it("no file with a memory's first line, or with anything of a memory", function()
    for _, bytes in ipairs({ support.meta, '{"x":1}\n' .. support.tombstone(2, 1), "notes\n" .. support.item(1) }) do
      assert(aish.compact(file(bytes)))
    end
  end)
end)

describe("compact does not give an id again", function()
  helper.guard(before_each, after_each)

  -- A reader that knows nothing of a file but the highest id of its items and tombstones.
  local function next_id(path)
    local highest = 0
    for _, line in ipairs(helper.lines(path)) do
      local ok, record = pcall(cjson.decode, line)
      if ok and type(record) == "table" and (record.kind == "forget" or record.content) and tonumber(record.id) then
        highest = math.max(highest, record.id)
      end
    end
    return highest + 1
  end

  for label, bytes in pairs({
    ["the highest is active"] = support.item(1) .. support.tombstone(2, 1) .. support.item(3),
    ["the highest is a tombstone"] = support.item(1) .. support.item(2) .. support.tombstone(3, 1),
    ["the highest is a tombstone of nothing"] = support.item(1) .. support.tombstone(3, 2),
    ["the highest is a forgotten item"] = support.item(1) .. support.tombstone(2, 7) .. support.item(7),
    ["the highest is a tombstone before its item"] = support.tombstone(9, 2) .. support.item(2) .. support.item(3),
    ["the highest is its own tombstone"] = support.item(5) .. support.tombstone(5, 5),
    ["all are forgotten"] = support.meta .. support.item(1) .. support.item(2) .. support.tombstone(3, 1) .. support.tombstone(4, 2),
    ["nothing but a tombstone"] = support.tombstone(12, 4),
    ["an item twice, the higher one in between"] = support.item(1) .. support.item(8) .. support.item(1) .. support.tombstone(3, 8),
    ["a compaction was before"] = support.item(1) .. support.tombstone(12, 12),
  }) do
    it("where " .. label, function()
      local path = file(bytes)
      local before = next_id(path)
      local active = support.reading(bytes)
      local memory = assert(aish.open(path))
      assert.equal(before, memory.next_id)
      assert.equal(#active, memory:compact().kept)
      assert.equal(before, memory.next_id)
      memory:close()
      for _ = 1, 2 do
        assert.equal(before, next_id(path))
        memory = assert(aish.open(path))
        assert.equal(before, memory.next_id)
        memory:close()
        assert.is_nil(cases.difference(active, aish.load_memory(path)))
        assert(aish.compact(path))
      end
      memory = assert(aish.open(path))
      assert.equal(before, memory:add("fact", "new"))
      assert.equal("new", memory:get(before).content)
      memory:close()
    end)
  end

  it("though the file was made anew meanwhile", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path))
    for _ = 1, 5 do memory:add("fact", "x") end
    assert(os.remove(path))
    helper.write(path, support.meta)
    assert(memory:compact())
    assert.equal(6, memory.next_id)
    memory:close()
    memory = assert(aish.open(path))
    assert.equal(6, memory.next_id)
    memory:close()
  end)

  it("when they have run out", function()
    local path = file(support.item(support.max_id - 1) .. support.tombstone(support.max_id, support.max_id - 1))
    assert(aish.compact(path))
    local memory = assert(aish.open(path))
    local id, message, number = memory:add("fact", "x")
    assert.is_nil(id)
    assert.matches("no ids are left", message)
    assert.equal(errno.EOVERFLOW, number)
    memory:close()
  end)
end)

describe("what was forgotten", function()
  helper.guard(before_each, after_each)

  it("is in no file any more after compact", function()
    for _, shared in ipairs({ false, true }) do
      local path = helper.tmpdir() .. "/memory.jsonl"
      local memory = assert(aish.open(path, { shared = shared }))
      for index = 1, 30 do
        memory:add("fact", (index % 3 == 0 and "SECRET " or "plain ") .. index, { index % 3 == 0 and "SECRET" or "tag" })
      end
      for index = 3, 30, 3 do assert.is_true(memory:forget(index)) end
      local before = helper.read(path)
      assert.truthy(before:find("SECRET", 1, true))
      local result = memory:compact()
      assert.same({ 20, 10, #before, #helper.read(path) }, { result.kept, result.dropped, result.before, result.after })
      assert.same({ "memory.jsonl" }, names(dir_of(path)))
      assert.is_nil(helper.read(path):find("SECRET", 1, true))
      assert.equal(20, #memory)
      memory:close()
    end
  end)

  it("stays forgotten", function()
    local path = file(support.item(1, "SECRET") .. support.item(2) .. support.tombstone(3, 1))
    assert(aish.compact(path))
    local memory = assert(aish.open(path))
    assert.is_nil(memory:get(1))
    assert.same({ false, "no active item 1", n = 2 }, helper.pack(memory:forget(1)))
    assert.equal(4, memory:add("fact", "x"))
    memory:close()
  end)
end)

describe("compact{dry_run = true}", function()
  helper.guard(before_each, after_each)

  it("says what would be, and changes nothing", function()
    local path = file(support.item(1) .. support.item(2) .. "garbage\n" .. support.tombstone(3, 1) .. '{"torn')
    assert(lfs.touch(path, 1000000, 1000000))
    local function look()
      local attributes = lfs.attributes(path)
      attributes.access = nil
      return { attributes, helper.read(path), names(dir_of(path)) }
    end
    local before = look()
    local expected = { before = #before[2], after = #support.item(2) + #support.tombstone(3, 1), kept = 1, dropped = 2 - 1,
      damaged = 2 }
    assert.same({ expected, n = 1 }, helper.pack(aish.compact(path, { dry_run = true })))
    for _, shared in ipairs({ false, true }) do
      local memory = assert(aish.open(path, { shared = shared }))
      assert.same({ expected, n = 1 }, helper.pack(memory:compact({ dry_run = true })))
      assert.equal(1, #memory)
      memory:close()
    end
    assert.same(before, look())
    assert.same(expected, aish.compact(path, { dry_run = false }))
  end)
end)

describe("compact on a handle", function()
  helper.guard(before_each, after_each)

  for _, shared in ipairs({ false, true }) do
    local name = shared and "shared" or "exclusive"

    it("leaves it in use: " .. name, function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      local memory = assert(aish.open(path, { shared = shared }))
      for index = 1, 10 do memory:add("fact", "content " .. index) end
      for round = 1, 5 do
        assert.is_true(memory:forget(round))
        local next_id, items = memory.next_id, memory:items()
        local result = memory:compact()
        assert.equal(#items, result.kept)
        assert.equal(path, helper.descriptors()[memory.fd])
        assert.equal(fcntl.FD_CLOEXEC, fcntl.fcntl(memory.fd, fcntl.F_GETFD))
        assert.equal(next_id, memory.next_id)
        assert.same(items, memory:items())
        assert.is_nil(memory:get(round))
        assert.equal("content 7", memory:get(7).content)
        assert.equal(next_id, memory:add("fact", "content of round " .. round))
        assert.equal("content of round " .. round, memory:get(next_id).content)
        assert.same({ next_id + 1 }, memory:add_many({ { kind = "pref", content = "many" } }))
        assert.is_true(memory:forget(next_id + 1))
        assert.is_true(memory:sync())
        assert.equal(#items + 1, #memory)
        assert.is_nil(cases.difference(memory:items(), aish.load_memory(path)))
      end
      memory:close()
      assert.same({}, aish.verify(path).problems)
    end)
  end

  it("keeps an exclusive handle's lock", function()
    local path = file(support.item(1))
    local memory = assert(aish.open(path))
    assert(memory:compact())
    local other, message, number = aish.open(path)
    assert.is_nil(other)
    assert.equal(support.held, message)
    assert.equal(errno.EAGAIN, number)
    assert.matches("^refused\t", helper.run([[print(require("aish_history").open(...) and "opened" or "refused", "")]], path))
    memory:close()
    assert(aish.open(path)):close()
  end)

  it("gives a shared handle's lock back", function()
    local path = file(support.item(1))
    local memory = assert(aish.open(path, { shared = true }))
    assert(memory:compact())
    assert(aish.open(path)):close()
    memory:close()
  end)

  it("is seen by the other shared handles", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local one, two = assert(aish.open(path, { shared = true })), assert(aish.open(path, { shared = true }))
    for index = 1, 20 do one:add("fact", "content " .. index) end
    assert.equal(20, #two)
    for index = 1, 19 do two:forget(index) end
    assert(one:compact())
    assert.equal(1, #two)
    assert.equal("content 20", two:get(20).content)
    assert.equal(40, two.next_id)
    assert.equal(40, two:add("fact", "of two"))
    assert(two:compact())
    assert.equal(41, one:add("fact", "of one"))
    assert.same({ 41, 40, 20 }, support.pluck(one:items(), "id"))
    one:close()
    two:close()
  end)

  it("uses the file that its path led to when it was opened, whatever the directory is now", function()
    local dir, here = helper.tmpdir(), lfs.currentdir()
    finally(function() lfs.chdir(here) end)
    assert(lfs.chdir(dir))
    local memory = assert(aish.open("memory.jsonl"))
    memory:add("fact", "x")
    memory:forget(1)
    assert(lfs.mkdir("other") and lfs.chdir("other"))
    assert(memory:compact())
    memory:close()
    assert(lfs.chdir(here))
    assert.same({ "memory.jsonl", "other" }, names(dir))
    assert.same({}, names(dir .. "/other"))
    assert.equal(0, aish.verify(dir .. "/memory.jsonl").items)
  end)

  it("that is closed raises", function()
    local memory = assert(aish.open(file("")))
    memory:close()
    assert.has_error(function() memory:compact() end, "memory:compact on closed handle")
  end)
end)

describe("compact beside others", function()
  helper.guard(before_each, after_each)

  it("is refused while another holds the file, and waits for it if told to", function()
    local path = file(support.item(1) .. support.tombstone(2, 1))
    local go = dir_of(path) .. "/go"
    local before = helper.read(path)
    local pid, child = support.holder(path, go)
    local refused = support.names_holders() and { nil, support.held, errno.EAGAIN, pid, n = 4 }
      or { nil, support.held, errno.EAGAIN, n = 3 }
    assert.same(refused, helper.pack(aish.compact(path)))
    assert.same(refused, helper.pack(aish.compact(path, { wait = 0.05 })))
    assert.same(refused, helper.pack(aish.compact(path, { dry_run = true })))
    local shared = assert(aish.open(path, { shared = true, wait = 0.05 }))
    assert.same(refused, helper.pack(shared:compact()))
    shared:close()
    assert.equal(before, helper.read(path))
    assert.same({ "memory.jsonl" }, names(dir_of(path)))
    local _, waiter = support.start([[
      print("waiting")
      print(assert(aish.compact((...), { wait = 50 })).dropped)
    ]], path)
    assert.equal("waiting", waiter:read("*l"))
    support.sleep(0.05)
    helper.write(go, "")
    assert.equal("1\n", waiter:read("*a"))
    waiter:close()
    child:close()
  end)

  it("leaves readers the file that they have begun", function()
    local parts = {}
    for index = 1, 5000 do parts[index] = support.item(index, ("x"):rep(200)) end
    local path = file(table.concat(parts) .. support.tombstone(5001, 1))
    local seen = 0
    for line, record in aish.scan(path) do
      if line == 1 then assert(aish.compact(path)) end
      assert.equal(line, record.id)
      seen = line
    end
    assert.equal(5001, seen)
    assert.equal(4999, #aish.load_memory(path))
  end)

  it("loses nothing of writers in other processes, again and again", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path, { shared = true, wait = 50 }))
    local list = {}
    finally(function() children.clear(list) end)
    for index = 1, 3 do
      list[index] = children.fork(function()
        local own = assert(aish.open(path, { shared = true, wait = 50, sync = "none" }))
        for number = 1, 400 do
          local id = assert(own:add("fact", index .. "/" .. number))
          if number % 2 == 0 then assert(own:forget(id)) end
        end
      end)
    end
    local rounds = 0
    while #memory < 600 and rounds < 20000 do
      assert(memory:compact())
      rounds = rounds + 1
      support.sleep(0.005) -- or the others would never find the lock free
    end
    for _, child in ipairs(list) do assert.equal("", (children.join(child))) end
    assert(memory:compact())
    local items, seen = memory:items(), {}
    assert.equal(600, #items)
    for _, item in ipairs(items) do seen[item.content] = true end
    for index = 1, 3 do
      for number = 1, 399, 2 do assert.is_true(seen[index .. "/" .. number]) end
    end
    assert.equal(1801, memory.next_id)
    memory:close()
    assert.same({ "memory.jsonl" }, names(dir_of(path)))
  end)
end)

describe("compact that was interrupted", function()
  helper.guard(before_each, after_each)

  -- Names of new files: eight digits, and eight that follow from them.
  local LEFT = { ".compact-000000009e3779b1", ".compact-fffffffe61c8864f" }

  it("has the next one remove what it left", function()
    local path = file(support.item(1) .. support.item(2) .. support.tombstone(3, 1))
    helper.write(path .. LEFT[1], ("half of a file "):rep(1000))
    helper.write(path .. LEFT[2], "")
    assert(aish.compact(path, { dry_run = true }))
    assert.same({ "memory.jsonl", "memory.jsonl" .. LEFT[1], "memory.jsonl" .. LEFT[2] }, names(dir_of(path)))
    assert.equal(2, #aish.load_memory(path) + 1)
    assert(aish.compact(path))
    assert.same({ "memory.jsonl" }, names(dir_of(path)))
    assert.equal(support.item(2) .. support.tombstone(3, 1), helper.read(path))
  end)

  it("has the next one leave what it cannot have left", function()
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/memory.jsonl", support.item(1) .. support.tombstone(2, 1))
    local other = helper.write(dir .. "/other", "mine\n")
    local names_of_others = { ".compact", ".compact-", ".compact-0123456789abcdef", ".compact-000000009E3779B1",
      ".compact-000000009e3779b1x", ".compact-000000009e3779b", ".new" }
    for _, suffix in ipairs(names_of_others) do helper.write(path .. suffix, "another's\n") end
    assert(lfs.link("other", path .. LEFT[1], true))
    assert(lfs.mkdir(path .. LEFT[2]))
    helper.write(dir .. "/m.jsonl" .. LEFT[1], "another memory's\n")
    local before = names(dir)
    assert(aish.compact(path))
    assert.same(before, names(dir))
    for _, suffix in ipairs(names_of_others) do assert.equal("another's\n", helper.read(path .. suffix)) end
    assert.equal("other", lfs.symlinkattributes(path .. LEFT[1], "target"))
    assert.equal("mine\n", helper.read(other))
    assert.equal("file", lfs.symlinkattributes(path, "mode"))
  end)

  it("has the next one leave the new file of one that is not over", function()
    local path = file(support.item(1) .. support.tombstone(2, 1))
    local writing = assert(io.open(path .. LEFT[1], "w"))
    assert(aish.flock(writing, aish.LOCK_EX))
    assert(aish.compact(path))
    assert.equal("file", lfs.symlinkattributes(path .. LEFT[1], "mode"))
    writing:close()
    assert(aish.compact(path))
    assert.same({ "memory.jsonl" }, names(dir_of(path)))
  end)

  it("by SIGKILL leaves the file whole, the old one or the new one", function()
    local random = support.random(20260105)
    local path = helper.tmpdir() .. "/memory.jsonl"
    local parts = {}
    for index = 1, 4000 do parts[index] = support.item(index, ("x"):rep(150)) end
    helper.write(path, table.concat(parts))
    local active, left = 4000, 0
    local list = {}
    finally(function() children.clear(list) end)
    for round = 1, 40 do
      local child = children.fork(function(say)
        local memory = assert(aish.open(path, { sync = "none" }))
        assert(memory:forget(round))
        say("forgotten")
        while true do assert(memory:compact()) end
      end)
      list[1] = child
      assert.equal("forgotten", children.hear(child))
      support.sleep(random(80) / 10000)
      children.kill(child)
      active = active - 1
      if #names(dir_of(path)) > 1 then left = left + 1 end
      local report = assert(aish.verify(path))
      assert.same({ active, 0, 0 }, { report.active, report.torn, report.damaged })
      assert.is_true(report.max_id == 4000 + round)
    end
    assert(aish.compact(path))
    assert.same({ "memory.jsonl" }, names(dir_of(path)))
    assert.equal(active, #aish.load_memory(path))
    print(("\ncompact: killed 40 times, %d times with its new file beside the old one"):format(left))
  end)
end)

describe("compact that cannot be done", function()
  helper.guard(before_each, after_each)

  it("says why, and makes nothing", function()
    local dir = helper.tmpdir()
    assert(stat.mkfifo(dir .. "/fifo"))
    helper.write(dir .. "/file", "")
    assert(lfs.link("nowhere", dir .. "/link", true))
    local before = names(dir)
    for _, case in ipairs({
      { dir .. "/none", "No such file or directory", errno.ENOENT },
      { dir .. "/none/memory.jsonl", "No such file or directory", errno.ENOENT },
      { dir .. "/link", "No such file or directory", errno.ENOENT },
      { dir, "Is a directory", errno.EISDIR },
      { dir .. "/fifo", "not a regular file", errno.EINVAL },
      { "/dev/null", "not a regular file", errno.EINVAL },
      { dir .. "/file/none", "Not a directory", errno.ENOTDIR },
      { "", "No such file or directory", errno.ENOENT },
    }) do
      for _, dry_run in ipairs({ false, true }) do
        assert.same({ nil, "open " .. case[1] .. ": " .. case[2], case[3], n = 3 },
          helper.pack(aish.compact(case[1], { dry_run = dry_run })))
      end
    end
    assert.same(before, names(dir))
    local result, message, number = aish.compact("a\0b")
    assert.is_nil(result)
    assert.matches("path has a NUL byte", message)
    assert.equal(errno.EINVAL, number)
  end)

  it("leaves all as it was where the new file cannot be made", function()
    local dir, name = helper.tmpdir(), ("m"):rep(240) -- with more at its end it is none
    local path = helper.write(dir .. "/" .. name, support.item(1) .. support.tombstone(2, 1) .. "garbage\n")
    local before = helper.read(path)
    for _, shared in ipairs({ false, true }) do
      local memory = assert(aish.open(path, { shared = shared }))
      local result, message, number = memory:compact()
      assert.is_nil(result)
      assert.equal("compact: make " .. path, message:match("^(.*)%.compact%-%x+: File name too long$"), message)
      assert.equal(errno.ENAMETOOLONG, number)
      memory:close()
    end
    assert.equal(before, helper.read(path))
    assert.same({ name }, names(dir))
  end)

  it("leaves all as it was where damaged lines cannot be put aside", function()
    for _, case in ipairs({
      { function(aside) return stat.mkdir(aside) end, "Is a directory", errno.EISDIR },
      { function(aside) return stat.mkfifo(aside) end, "not a regular file", errno.EINVAL },
      { function(aside) return lfs.link(helper.write(aside .. "~", ""), aside) end, "it has another name, too", errno.EPERM },
    }) do
      local path = file(support.item(1) .. "garbage\n")
      assert(case[1](path .. ".damaged"))
      local before = names(dir_of(path))
      assert.same({ nil, "compact: open " .. path .. ".damaged: " .. case[2], case[3], n = 3 }, helper.pack(aish.compact(path)))
      assert.equal(support.item(1) .. "garbage\n", helper.read(path))
      assert.same(before, names(dir_of(path)))
    end
  end)

  it("leaves all as it was where damaged lines cannot be written", function()
    for _, before in ipairs({ false, "an older one\n" }) do
      for _, filler in ipairs({ "x", "\0" }) do -- of zeros, holes are made
        local size = filler == "x" and before and 600000 or 20000 -- as a buffer is full, or in the end
        local path = file(support.item(1) .. filler:rep(size) .. "\n")
        if before then helper.write(path .. ".damaged", before) end
        local output = helper.run([[
          local resource, signal = require("posix.sys.resource"), require("posix.signal")
          signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
          assert(resource.setrlimit(resource.RLIMIT_FSIZE, { rlim_cur = 10000, rlim_max = 10000 }))
          print(require("aish_history").compact(...))
        ]], path)
        assert.equal(("nil\tcompact: write %s.damaged: File too large\t%d\n"):format(path, errno.EFBIG), output)
        assert.equal(size + #support.item(1) + 1, lfs.attributes(path, "size"))
        assert.same({ "memory.jsonl", before and "memory.jsonl.damaged" or nil }, names(dir_of(path)))
        if before then assert.equal(before, helper.read(path .. ".damaged")) end
      end
    end
  end)

  it("raises for wrong arguments, and changes nothing", function()
    local path = file(support.item(1) .. support.tombstone(2, 1))
    local before = helper.read(path)
    local memory = assert(aish.open(path))
    for _, case in ipairs({
      { "path must be a string, got no value" },
      { "path must be a string, got number", 42 },
      { "table expected, got string", path, "dry_run" },
      { 'unknown option "dry"', path, { dry = true } },
      { 'unknown option "sync"', path, { sync = "full" } },
      { 'option "dry_run" must be a boolean, got number', path, { dry_run = 1 } },
      { 'option "wait" must be a number of seconds, got string', path, { wait = "1" } },
      { 'option "wait" must not be negative', path, { wait = -1 } },
      { "no more than 2 arguments expected", path, {}, 1 },
    }) do
      local ok, message = pcall(aish.compact, unpack(case, 2))
      assert.is_false(ok)
      assert.truthy(message:find(case[1], 1, true), message)
    end
    for _, case in ipairs({
      { 'unknown option "wait"', { wait = 1 } },
      { 'option "dry_run" must be a boolean, got string', { dry_run = "yes" } },
      { "table expected, got boolean", true },
    }) do
      local ok, message = pcall(memory.compact, memory, case[2])
      assert.is_false(ok)
      assert.truthy(message:find(case[1], 1, true), message)
    end
    assert.is_false((pcall(memory.compact)))
    memory:close()
    assert.equal(before, helper.read(path))
  end)
end)
