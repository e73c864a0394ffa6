-- sync, as the system sees it: what reaches the disk before a call returns, in which order, and that
-- nothing more is written once a sync has failed.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")

local CALLS = "write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,ftruncate"

-- What `code` does to files below `dir`, in order, as "call name" with names relative to it, and "mark"
-- where it calls mark(). `inject` is an option of strace. nil where strace is not at hand.
local function events(dir, code, inject, ...)
  local output, log = support.trace(CALLS .. (inject and " -e inject=" .. inject or ""), [[
    local aish = require("aish_history")
    local function mark() io.stderr:write("mark\n") end
  ]] .. code, ...)
  if not output then return nil end
  local seen = {}
  for line in log:gmatch("[^\n]+") do
    local name, target = line:match("(%w+)%(%d+<([^>]*)>")
    if not name then name, target = line:match('(rename%w*)%(.-"([^"]*)"') end
    local place = target and (target .. "/"):sub(1, #dir + 1) == dir .. "/" and target:sub(#dir + 2)
    if line:find('"mark\\n"', 1, true) then
      seen[#seen + 1] = "mark"
    elseif place then
      seen[#seen + 1] = (name:match("^rename") or name) .. " " .. (place == "" and "." or place)
    end
  end
  return seen, (output:gsub("mark\n", ""))
end

-- Runs fn(events...) or leaves the spec pending.
local function traced(name, fn)
  it(name, function()
    local dir = helper.tmpdir()
    if not support.trace("write", "") then return pending("strace is not at hand") end
    fn(dir, dir .. "/memory.jsonl")
  end)
end

-- The events after the mark of this number, up to the next one.
local function after_mark(seen, number)
  local found = {}
  for _, event in ipairs(seen) do
    if event == "mark" then number = number - 1 elseif number == 0 then found[#found + 1] = event end
  end
  return found
end

-- The events before the first mark without those of a kind.
local function sorted_syncs(list)
  local found = {}
  for _, event in ipairs(list) do
    if event:match("^fsync") then found[#found + 1] = event:match(" (.*)") end
  end
  table.sort(found)
  return found
end

describe("sync = full", function()
  helper.guard(before_each, after_each)

  traced("syncs the names of all directories that open made, once", function(dir)
    local path = dir .. "/a/b/c/memory.jsonl"
    local seen = events(dir, [[
      local memory = assert(aish.open((...)))
      mark()
      assert(memory:add("fact", "one"))
      mark()
      assert(memory:add("fact", "two"))
      mark()
      assert(memory:sync())
      memory:close()
    ]], nil, path)
    -- The meta line is as durable as a record.
    local first = after_mark(seen, 0)
    assert.equal("write a/b/c/memory.jsonl", first[1])
    assert.equal("fdatasync a/b/c/memory.jsonl", first[2])
    assert.same({ ".", "a", "a/b", "a/b/c" }, sorted_syncs(first))
    assert.same({ "write a/b/c/memory.jsonl", "fdatasync a/b/c/memory.jsonl" }, after_mark(seen, 1))
    assert.same({ "write a/b/c/memory.jsonl", "fdatasync a/b/c/memory.jsonl" }, after_mark(seen, 2))
    assert.same({ "fdatasync a/b/c/memory.jsonl" }, after_mark(seen, 3))
  end)

  traced("syncs the file's own directory, and those above it, whoever made them", function(dir)
    assert(lfs.mkdir(dir .. "/a") and lfs.mkdir(dir .. "/a/b"))
    for place, expected in pairs({
      ["a/b/memory.jsonl"] = { ".", "a", "a/b" },
      ["a/b/c/memory.jsonl"] = { ".", "a", "a/b", "a/b/c" },
      ["a//b/./../d/e//memory.jsonl"] = { ".", "a", "a/d", "a/d/e" },
    }) do
      local seen = events(dir, [[
        local memory = assert(aish.open((...)))
        assert(memory:add("fact", "one"))
        mark()
      ]], nil, dir .. "/" .. place)
      local found, last = {}, nil
      for _, name in ipairs(sorted_syncs(seen)) do
        if name ~= last then found[#found + 1] = name end
        last = name
      end
      assert.same(expected, found, place)
    end
  end)

  traced("syncs the directory of a link's target", function(dir)
    assert(lfs.mkdir(dir .. "/links") and lfs.mkdir(dir .. "/real"))
    assert(lfs.link("../real/data", dir .. "/links/memory.jsonl", true))
    for round = 1, 2 do
      local seen = events(dir, [[
        local memory = assert(aish.open((...)))
        assert(memory:add("fact", "one"))
      ]], nil, dir .. "/links/memory.jsonl")
      assert.same({ ".", "real" }, sorted_syncs(seen), round)
      assert.equal(round == 1 and 2 or 1, select(2, table.concat(seen, "\n"):gsub("fdatasync real/data", "")))
    end
  end)

  traced("syncs the directory that a relative path means", function(dir)
    local seen = events(dir, [[
      assert(require("lfs").chdir((...)))
      local memory = assert(aish.open("memory.jsonl"))
      assert(memory:add("fact", "one"))
    ]], nil, dir)
    assert.same({ "." }, sorted_syncs(seen))
  end)

  traced("syncs the directory again when the file was made anew", function(dir, path)
    local seen = events(dir, [[
      local path = ...
      local memory = assert(aish.open(path))
      assert(memory:add("fact", "one"))
      assert(os.remove(path))
      mark()
      assert(memory:add("fact", "two"))
      mark()
      assert(memory:add("fact", "three"))
    ]], nil, path)
    assert.same({ "." }, sorted_syncs(after_mark(seen, 1)))
    assert.same({ "write memory.jsonl", "fdatasync memory.jsonl" }, after_mark(seen, 2))
  end)

  traced("is each shared handle's own matter", function(dir, path)
    local seen = events(dir, [[
      local path = ...
      local none = assert(aish.open(path, { shared = true, sync = "none" }))
      assert(none:add("fact", "one"))
      mark()
      local full = assert(aish.open(path, { shared = true }))
      assert(full:add("fact", "two"))
      mark()
      assert(full:forget(1))
      mark()
      assert(none:add("fact", "three"))
    ]], nil, path)
    assert.same({ "write memory.jsonl", "write memory.jsonl" }, after_mark(seen, 0))
    -- The first one says nothing of the name, so the second one sees to it.
    assert.same({ "write memory.jsonl", "fdatasync memory.jsonl", "fsync ." }, after_mark(seen, 1))
    assert.same({ "write memory.jsonl", "fdatasync memory.jsonl" }, after_mark(seen, 2))
    assert.same({ "write memory.jsonl" }, after_mark(seen, 3))
  end)

  traced("goes for sessions and single records that ask for it", function(dir, path)
    local seen = events(dir, [[
      local path = ...
      local session = assert(aish.session(path, { m = 1 }, { sync = "full" }))
      mark()
      assert(session:append({ role = "user" }))
      mark()
      assert(aish.append(path .. "2", { role = "user" }, { sync = "full" }))
      mark()
      session:close()
    ]], nil, path)
    assert.same({ "write memory.jsonl", "fdatasync memory.jsonl", "fsync ." }, after_mark(seen, 0))
    assert.same({ "write memory.jsonl", "fdatasync memory.jsonl" }, after_mark(seen, 1))
    assert.same({ "write memory.jsonl2", "fdatasync memory.jsonl2", "fsync ." }, after_mark(seen, 2))
    assert.same({}, after_mark(seen, 3))
  end)
end)

describe("sync = none", function()
  helper.guard(before_each, after_each)

  traced("syncs nothing until sync is called, and then names as well", function(dir)
    local seen = events(dir, [[
      local memory = assert(aish.open((...), { sync = "none" }))
      assert(memory:add("fact", "one"))
      assert(memory:add_many({ { kind = "fact", content = "two" } }))
      assert(memory:forget(1))
      mark()
      assert(memory:sync())
      mark()
      assert(memory:sync())
      mark()
      assert(memory:add("fact", "three"))
      memory:close()
    ]], nil, dir .. "/a/b/memory.jsonl")
    for _, event in ipairs(after_mark(seen, 0)) do assert.equal("write a/b/memory.jsonl", event) end
    local first = after_mark(seen, 1)
    assert.equal("fdatasync a/b/memory.jsonl", first[1])
    assert.same({ ".", "a", "a/b" }, sorted_syncs(first))
    assert.same({ "fdatasync a/b/memory.jsonl" }, after_mark(seen, 2))
    assert.same({ "write a/b/memory.jsonl" }, after_mark(seen, 3))
  end)

  traced("is a session's way unless told otherwise", function(dir, path)
    local seen = events(dir, [[
      local session = assert(aish.session((...), { m = 1 }))
      assert(session:append({ role = "user" }))
      mark()
      assert(session:sync())
      mark()
      session:close()
      assert(aish.append((...), { role = "user" }))
    ]], nil, path)
    assert.same({ "write memory.jsonl", "write memory.jsonl" }, after_mark(seen, 0))
    assert.same({ "fdatasync memory.jsonl", "fsync ." }, after_mark(seen, 1))
    assert.same({ "write memory.jsonl" }, after_mark(seen, 2))
  end)
end)

describe("a compaction", function()
  helper.guard(before_each, after_each)

  for _, sync in ipairs({ "full", "none" }) do
    traced("has all on the disk before it puts the new file in place, and the name after: " .. sync, function(dir, path)
      helper.write(path, support.item(1) .. "garbage\n" .. support.item(2) .. support.tombstone(3, 1))
      local seen = events(dir, [[
        local memory = assert(aish.open((...), { sync = ... and "]] .. sync .. [[" }))
        mark()
        assert(memory:compact())
        mark()
        assert(memory:add("fact", "x"))
      ]], nil, path)
      local order, place = after_mark(seen, 1), {}
      for index, event in ipairs(order) do
        event = event:gsub("%.compact%-%x+$", ".compact")
        place[event] = place[event] or index
      end
      local renamed = assert(place["rename memory.jsonl.compact"], table.concat(order, "\n"))
      assert(place["write memory.jsonl.compact"] < place["fdatasync memory.jsonl.compact"])
      assert(place["fdatasync memory.jsonl.compact"] < renamed)
      assert(place["write memory.jsonl.damaged"] < place["fdatasync memory.jsonl.damaged"])
      assert(place["fdatasync memory.jsonl.damaged"] < renamed)
      -- The name of the damaged lines' file before, the new file's after.
      assert(place["fsync ."] < renamed)
      assert.equal("fsync .", order[#order])
      assert.equal(sync == "full" and 2 or 1, #after_mark(seen, 2))
    end)
  end
end)

describe("a sync that fails", function()
  helper.guard(before_each, after_each)

  local refused = "write %s: "

  -- Runs code with the n-th call of a kind failing; returns its output's lines.
  local function failing(dir, path, call, number, code)
    local _, output = events(dir, "local path = ...\n" .. code, ("%s:error=EIO:when=%d"):format(call, number), path)
    local lines = {}
    for line in output:gmatch("[^\n]+") do lines[#lines + 1] = line end
    return lines
  end

  local function check_refusal(line, path, first)
    first = first .. "\t" .. refused:format(path)
    assert.equal(first, line:sub(1, #first))
    assert.equal("\t" .. errno.EIO, line:match("\t%d+$"))
  end

  traced("is reported; the handle writes no more until it is opened again", function(dir, path)
    helper.write(path, support.item(1))
    local lines = failing(dir, path, "fdatasync", 2, [[
      local memory = assert(aish.open(path))
      print(memory:add("fact", "two"))
      print(memory:add("fact", "three"))
      print(memory:add("fact", "four"))
      print(memory:add_many({ { kind = "fact", content = "four" } }))
      print(memory:forget(1))
      print(memory:sync())
      print(memory:compact())
      print(#memory, memory:get(2).content, #memory:items())
      memory:close()
      memory = assert(aish.open(path))
      print(memory:add("fact", "after"))
      print(memory:sync())
    ]])
    assert.equal("2", lines[1])
    assert.equal(("nil\tsync %s: Input/output error\t%d"):format(path, errno.EIO), lines[2])
    for index, first in ipairs({ "nil", "nil", "false", "nil" }) do check_refusal(lines[2 + index], path, first) end
    assert.matches("^nil\tcompact " .. path:gsub("%p", "%%%0") .. ": ", lines[7])
    assert.equal("2\ttwo\t2", lines[8])
    assert.equal("3", lines[9])
    assert.equal("true", lines[10])
    -- What was not acknowledged is not there, what was, is.
    assert.same({ "after", "two", "x" }, support.pluck(aish.load_memory(path), "content"))
    assert.same({}, aish.verify(path).problems)
  end)

  traced("of a directory is one, too", function(dir, path)
    local lines = failing(dir, path, "fsync", 1, [[
      print(aish.open(path))
      local memory = assert(aish.open(path))
      print(memory:add("fact", "one"))
    ]])
    assert.equal(("nil\tsync %s: Input/output error\t%d"):format(path, errno.EIO), lines[1])
    assert.equal("1", lines[2])
    assert.same({ "one" }, support.pluck(aish.load_memory(path), "content"))
  end)

  traced("that was asked for is one, too", function(dir, path)
    helper.write(path, support.item(1))
    local lines = failing(dir, path, "fdatasync", 1, [[
      local memory = assert(aish.open(path, { sync = "none" }))
      print(memory:add("fact", "two"))
      print(memory:sync())
      print(memory:add("fact", "three"))
      print(memory:sync())
    ]])
    assert.equal("2", lines[1])
    assert.equal(("nil\tsync %s: Input/output error\t%d"):format(path, errno.EIO), lines[2])
    check_refusal(lines[3], path, "nil")
    check_refusal(lines[4], path, "nil")
    assert.same({ 2, 1 }, support.pluck(aish.load_memory(path), "id"))
  end)

  traced("is that shared handle's alone, and its record is not there for the others", function(dir, path)
    helper.write(path, support.item(1))
    local lines = failing(dir, path, "fdatasync", 1, [[
      local one = assert(aish.open(path, { shared = true }))
      local two = assert(aish.open(path, { shared = true }))
      print(one:add("fact", "lost"))
      print(two:add("fact", "two"))
      print(one:add("fact", "three"))
      print(two:add("fact", "three"))
      print(#one, #two)
    ]])
    assert.equal(("nil\tsync %s: Input/output error\t%d"):format(path, errno.EIO), lines[1])
    assert.equal("2", lines[2])
    check_refusal(lines[3], path, "nil")
    assert.equal("3", lines[4])
    assert.equal("3\t3", lines[5])
    assert.same({ "three", "two", "x" }, support.pluck(aish.load_memory(path), "content"))
  end)

  traced("stops a session, too", function(dir, path)
    local lines = failing(dir, path, "fdatasync", 2, [[
      local session = assert(aish.session(path, nil, { sync = "full" }))
      print(session:append({ role = "user", content = "one" }))
      print(session:append({ role = "user", content = "two" }))
      print(session:append({ role = "user", content = "three" }))
      print(session:sync())
      session:close()
      print(aish.append(path, { role = "user", content = "four" }, { sync = "full" }))
    ]])
    assert.equal("true", lines[1])
    assert.equal(("false\tsync %s: Input/output error\t%d"):format(path, errno.EIO), lines[2])
    check_refusal(lines[3], path, "false")
    check_refusal(lines[4], path, "false")
    assert.equal("true", lines[5])
    assert.same({ "one", "four" }, support.pluck((aish.load(path)), "content"))
  end)

  traced("before the new file is in place leaves a compaction undone", function(dir, path)
    local bytes = support.item(1) .. "garbage\n" .. support.item(2) .. support.tombstone(3, 1)
    local aside = ": sync " .. path .. ".damaged"
    for _, point in ipairs({ { "fdatasync", 1, " " .. path }, { "fdatasync", 2, aside }, { "fsync", 1, aside } }) do
      helper.write(path, bytes)
      local lines = failing(dir, path, point[1], point[2], [[
        local memory = assert(aish.open(path))
        print(memory:compact())
        print(#memory, memory.next_id)
        print(aish.open(path))
        print(memory:add("fact", "x"))
      ]])
      assert.equal(("nil\tcompact%s: Input/output error\t%d"):format(point[3], errno.EIO), lines[1])
      assert.equal("1\t4", lines[2])
      assert.equal("nil\t" .. support.held, lines[3]:match("^nil\t[^\t]*"))
      assert.equal("4", lines[4])
      assert.equal(bytes, helper.read(path):sub(1, #bytes))
      assert.same({ "memory.jsonl" }, aish.list(dir))
      for name in lfs.dir(dir) do assert.is_nil(name:find("memory.jsonl.", 1, true), name) end
    end
  end)

  traced("after the new file is in place is reported, and nothing is lost", function(dir, path)
    helper.write(path, support.item(1) .. support.item(2) .. support.tombstone(3, 1))
    local lines = failing(dir, path, "fsync", 1, [[
      local memory = assert(aish.open(path))
      print(memory:compact())
      print(memory:add("fact", "x"))
      print(#memory, memory:get(2).content, memory.next_id)
      memory:close()
      print(assert(aish.open(path)):add("fact", "y"))
    ]])
    assert.matches("^nil\t.*: Input/output error\t" .. errno.EIO .. "$", lines[1])
    check_refusal(lines[2], path, "nil")
    assert.equal("1\tx\t4", lines[3])
    assert.equal("4", lines[4])
    assert.same({ 4, 2 }, support.pluck(aish.load_memory(path), "id"))
  end)
end)
