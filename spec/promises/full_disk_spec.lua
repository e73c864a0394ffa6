-- A real disk that is full: a small tmpfs, filled, emptied, used again. It is mounted in a namespace
-- of its own, which ends with the process, so that no mount outlives the spec.
local helper = require("spec.support.helper")

local SIZE = "256k"

-- What every script begins with.
local prelude = [[
  local aish = require("aish_history")
  local errno = require("posix.errno")
  local support = require("spec.support.memories")
  local helper = require("spec.support.helper")
  local lfs = require("lfs")
  local dir, option = ...
  local path = dir .. "/memory.jsonl"

  -- Fills the disk to the last page.
  local function fill()
    local file = assert(io.open(dir .. "/ballast", "wb"))
    file:setvbuf("no")
    repeat until not file:write(("x"):rep(4096))
    repeat until not file:write("x")
    file:close()
  end

  local function empty()
    assert(os.remove(dir .. "/ballast"))
  end

  local function names()
    local found = {}
    for name in lfs.dir(dir) do
      if name ~= "." and name ~= ".." then found[#found + 1] = name end
    end
    table.sort(found)
    return table.concat(found, " ")
  end

  -- Calls fn, which fills what is left, until it fails for want of room; that call has changed nothing.
  local function until_full(fn, name, first)
    for count = 0, 10000 do
      local before = helper.read(name)
      local result, message, number = fn()
      if not result then
        assert(result == first)
        assert(message == "write " .. name .. ": No space left on device", message)
        assert(number == errno.ENOSPC)
        assert(helper.read(name) == before)
        return count
      end
    end
    error("the disk is not full")
  end

  local function equal(expected, actual)
    if expected ~= actual then error(("expected %s, got %s"):format(tostring(expected), tostring(actual)), 2) end
  end
]]

-- Runs a script in a process that has a small disk at a directory of its own; "no disk" where there
-- is no such thing to be had.
local function on_small_disk(code, option)
  local dir = helper.tmpdir()
  local mount = ("mount -t tmpfs -o size=%s,mode=700 none %s"):format(SIZE, helper.quote(dir))
  return helper.output(([[
    cd %s
    for option in -m -rm; do
      unshare $option sh -c %s 2>/dev/null && break
      option=
    done
    if [ -z "$option" ]; then echo "no disk"; exit; fi
    unshare $option sh -c %s sh ]]):format(helper.quote(helper.root), helper.quote(mount),
    helper.quote(mount .. ' && exec "$@"')) .. helper.command(prelude .. code .. '\nprint("done")', dir, option))
end

describe("a full disk", function()
  helper.guard(before_each, after_each)

  local function case(label, code, option)
    it(label, function()
      local output = on_small_disk(code, option)
      if output == "no disk\n" then return pending("no tmpfs can be mounted here") end
      assert.equal("done\n", output)
    end)
  end

  case("has no file that was made for a record which did not fit", [[
    assert(lfs.mkdir(dir .. "/there"))
    assert(lfs.link("aim.jsonl", dir .. "/link.jsonl", true))
    local empty_file = helper.write(dir .. "/old.jsonl", "")
    local here = "ballast link.jsonl old.jsonl there"
    fill()
    local meta = { text = ("m"):rep(9000) }
    for _, name in ipairs({ "new.jsonl", "there/new.jsonl", "link.jsonl", "old.jsonl" }) do
      for _, sync in ipairs({ "full", "none" }) do
        local session, message, number = aish.session(dir .. "/" .. name, meta, { sync = sync })
        equal(nil, session)
        equal("write " .. dir .. "/" .. name .. ": No space left on device", message)
        equal(errno.ENOSPC, number)
        equal(nil, (aish.append(dir .. "/" .. name, meta, { sync = sync })))
        equal(nil, (aish.open(dir .. "/" .. name .. "l")))
        equal(here, names())
        equal(0, #aish.list(dir .. "/there"))
      end
    end
    equal("aim.jsonl", lfs.symlinkattributes(dir .. "/link.jsonl", "target"))
    equal("", helper.read(empty_file))
    -- A handle that has made its file goes on with another one.
    local session = assert(aish.session(dir .. "/kept.jsonl"))
    equal(false, (session:append(meta)))
    equal(here, names())
    empty()
    assert(session:append(meta))
    session:close()
    equal("kept.jsonl link.jsonl old.jsonl there", names())
    equal(1, #aish.load(dir .. "/kept.jsonl", { all = true }))
    assert(aish.session(dir .. "/link.jsonl", meta)):close()
    equal(9000, #select(2, aish.load(dir .. "/aim.jsonl")).text)
  ]])

  for _, options in ipairs({
    "sync = 'full'", "sync = 'none'", "shared = true", "shared = true, sync = 'none'",
  }) do
    case("refuses what does not fit and takes it when there is room: " .. options, [[
      for _ = 1, 3 do
        os.remove(path)
        local memory = assert(aish.open(path, { ]] .. options .. [[ }))
        for index = 1, 20 do assert(memory:add("fact", "content " .. index)) end
        local count, next_id = 20, 21
        local function check()
          equal(count, #memory)
          equal(next_id, memory.next_id)
          equal("content 7", memory:get(7).content)
          equal(count, #memory:items())
          equal(count, #aish.load_memory(path))
          equal(0, #aish.verify(path).problems)
        end
        fill()
        local added = until_full(function() return memory:add("fact", ("y"):rep(100)) end, path)
        count, next_id = count + added, next_id + added
        check()
        -- A long one fits in part before it fails.
        equal(0, until_full(function() return memory:add("fact", ("z"):rep(100000)) end, path))
        equal(0, until_full(function()
          return memory:add_many({ { kind = "fact", content = "a" }, { kind = "fact", content = ("b"):rep(9000) } })
        end, path))
        check()
        -- What is forgotten makes no room, and needs some.
        local id = 7
        local forgotten = until_full(function()
          id = id + 1
          return memory:forget(id)
        end, path, false)
        count, next_id = count - forgotten, next_id + forgotten
        check()
        empty()
        equal(next_id, memory:add("fact", "there is room"))
        equal(true, memory:forget(id))
        next_id = next_id + 2
        check()
        memory:close()
        memory = assert(aish.open(path, { ]] .. options .. [[ }))
        check()
        memory:close()
      end
    ]])
  end

  case("is left as it was by one process while another is refused", [[
    local one = assert(aish.open(path, { shared = true }))
    local two = assert(aish.open(path, { shared = true }))
    fill()
    local added = until_full(function() return one:add("fact", ("y"):rep(100)) end, path)
    until_full(function() return two:add("fact", ("y"):rep(100)) end, path)
    equal(added, #one)
    equal(added, #two)
    empty()
    equal(added + 1, two:add("fact", "two"))
    equal(added + 2, one:add("fact", "one"))
    equal("two", one:get(added + 1).content)
    equal(0, #aish.verify(path).problems)
  ]])

  case("has no room for a new memory, and then has", [[
    fill()
    for _, options in ipairs({ {}, { shared = true } }) do
      local memory, message, number = aish.open(path, options)
      equal(nil, memory)
      equal("write " .. path .. ": No space left on device", message)
      equal(errno.ENOSPC, number)
      equal(0, lfs.attributes(path, "size") or 0)
      equal(0, #aish.load_memory(path))
    end
    empty()
    local memory = assert(aish.open(path))
    equal(1, memory:add("fact", "x"))
    equal(2, #helper.lines(path))
    memory:close()
  ]])

  case("is no end of a torn tail", [[
    -- The fragment's line is not ended either when the record does not fit.
    helper.write(path, support.item(1) .. '{"id":2,"ts')
    local before = helper.read(path)
    local memory = assert(aish.open(path))
    fill()
    equal(0, until_full(function() return memory:add("fact", ("y"):rep(9000)) end, path))
    equal(before, helper.read(path))
    empty()
    equal(2, memory:add("fact", "two"))
    equal(before .. "\n", helper.read(path):sub(1, #before + 1))
    equal("two", aish.load_memory(path)[1].content)
    memory:close()
  ]])

  case("refuses turns of a session, and records without a handle, until there is room", [[
    local session = assert(aish.session(path, { m = 1 }))
    assert(session:append({ role = "user", content = "first" }))
    fill()
    local count = 1 + until_full(function()
      return session:append({ role = "user", content = ("y"):rep(100) })
    end, path, false)
    equal(0, until_full(function() return session:append({ role = "user", content = ("z"):rep(9000) }) end, path, false))
    equal(0, until_full(function() return aish.append(path, { role = "user", content = ("z"):rep(9000) }) end, path))
    equal(count, #aish.load(path))
    empty()
    equal(true, session:append({ role = "user", content = "room" }))
    equal(true, aish.append(path, { role = "user", content = "room for this, too" }))
    session:close()
    local turns, meta = aish.load(path)
    equal(count + 2, #turns)
    equal("room for this, too", turns[count + 2].content)
    equal(1, meta.m)
    equal(count + 3, aish.verify(path).records)
  ]])

  case("leaves all as it was when there is no room for a compaction", [[
    local parts = { "garbage\n" }
    for index = 1, 300 do parts[#parts + 1] = support.item(index, ("x"):rep(100)) end
    for index = 1, 10 do parts[#parts + 1] = support.tombstone(300 + index, index) end
    parts[#parts + 1] = ("more garbage "):rep(700) .. "\n"
    local bytes = table.concat(parts)
    for _, aside in ipairs({ false, "put aside before\n" }) do
      helper.write(path, bytes)
      if aside then helper.write(path .. ".damaged", aside) end
      fill()
      local before = names()
      for _, options in ipairs({ {}, { shared = true } }) do
        local memory = assert(aish.open(path, options))
        for _ = 1, 2 do
          local result, message, number = memory:compact()
          equal(nil, result)
          equal("compact " .. path .. ": No space left on device", message)
          equal(errno.ENOSPC, number)
          equal(before, names())
          assert(helper.read(path) == bytes)
          if aside then equal(aside, helper.read(path .. ".damaged")) end
          equal(290, #memory)
          equal(2, memory:compact({ dry_run = true }).damaged)
        end
        equal(options.shared, aish.open(path) and true)
        collectgarbage()
        memory:close()
      end
      local result, message, number = aish.compact(path)
      equal(nil, result)
      equal("compact " .. path .. ": No space left on device", message)
      equal(errno.ENOSPC, number)
      assert(helper.read(path) == bytes)
      equal(before, names())
      empty()
      local done = assert(aish.compact(path))
      equal(290, done.kept)
      equal(2, done.damaged)
      equal("memory.jsonl memory.jsonl.damaged", names())
      equal((aside or "") .. parts[1] .. parts[#parts], helper.read(path .. ".damaged"))
      equal(290, #aish.load_memory(path))
      assert(os.remove(path .. ".damaged"))
    end
  ]])

  case("leaves all as it was when there is no room to erase", [[
    local parts = {}
    for index = 1, 300 do parts[#parts + 1] = support.item(index, ("secret "):rep(20)) end
    local bytes = table.concat(parts)
    helper.write(path, bytes)
    helper.write(path .. ".damaged", "a secret\n")
    fill()
    local before = names()
    local memory = assert(aish.open(path, { shared = true }))
    for _, call in ipairs({ function() return memory:erase("secret") end, function() return aish.erase(path, "secret") end }) do
      local result, message, number, report = call()
      equal(nil, result)
      equal("erase " .. path .. ": No space left on device", message)
      equal(errno.ENOSPC, number)
      equal(message, report.failed[path])
      equal(0, report.files)
      equal(before, names())
      assert(helper.read(path) == bytes)
      equal("a secret\n", helper.read(path .. ".damaged"))
      equal(300, #memory)
    end
    empty()
    equal(300, memory:erase("secret").records)
    equal("", helper.read(path .. ".damaged"))
    memory:close()
    equal("memory.jsonl memory.jsonl.damaged", names())
  ]])
end)
