-- A directory that could not be opened, as no descriptors were left, counted as a failed sync, after
-- which a handle writes nothing more; and one far above that is read-only, or may not be synced, kept
-- files from being opened at all.
local aish = require("aish_history")
local errno = require("posix.errno")
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a directory that cannot be opened to be synced", function()
  helper.guard(before_each, after_each)

  -- In a process of its own, `starved(fn)` calls fn while no descriptor is free.
  local prelude = [[
    local aish = require("aish_history")
    local resource = require("posix.sys.resource")
    local path = ...
    local function limit(soft)
      local limits = assert(resource.getrlimit(resource.RLIMIT_NOFILE))
      local before = limits.rlim_cur
      limits.rlim_cur = soft
      assert(resource.setrlimit(resource.RLIMIT_NOFILE, limits))
      return before
    end
    local function starved(fn)
      local held = {}
      local before = limit(64)
      local file
      repeat
        file = io.open("/dev/null")
        held[#held + 1] = file
      until not file
      print(fn())
      limit(before)
      for _, file in ipairs(held) do file:close() end
    end
  ]]

  for _, shared in ipairs({ "false", "true" }) do
    it("is reported, and the next add works: shared = " .. shared, function()
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1))
      local output = helper.run(prelude .. ([[
        local memory = assert(aish.open(path, { shared = %s }))
        local function add() return memory:add("fact", "two") end
        starved(add)
        starved(add)
        print(#memory)
        print(add())
        print(memory:sync())
        memory:close()
      ]]):format(shared), path)
      local failure = ("nil\tsync %s: %s\t%d\n"):format(path, errno.errno(errno.EMFILE), errno.EMFILE)
      assert.equal(failure .. failure .. "1\n2\ntrue\n", output)
      assert.same({ "two", "x" }, support.pluck(aish.load_memory(path), "content"))
      assert.same({}, aish.verify(path).problems)
    end)
  end

  it("is reported by a session, too, and the next append works", function()
    local path = helper.write(helper.tmpdir() .. "/session.jsonl", '{"meta":{}}\n')
    local output = helper.run(prelude .. [[
      local session = assert(aish.session(path, nil, { sync = "full" }))
      local function append() return session:append({ role = "user", content = "one" }) end
      starved(append)
      print(append())
      session:close()
    ]], path)
    assert.equal(("false\tsync %s: %s\t%d\ntrue\n"):format(path, errno.errno(errno.EMFILE), errno.EMFILE), output)
    assert.equal(1, #aish.load(path))
  end)
end)

-- Played on the fault build, see spec/faults/.
describe("the sync of a directory", function()
  helper.guard(before_each, after_each)

  -- Fails the sync of directory `number`, counted from the file's own upwards, and of those above it,
  -- while a memory is opened for which directories are made, then while one that is there is added to.
  local function play(reason, number)
    local root = faults.tmpdir()
    local output = faults.run_code([[
      local root, reason, number = ...
      local function failing(call)
        seam.arm({ at = 0 })
        assert(call("first"))
        local from = at("fsync", tonumber(number))
        seam.arm({ at = from, number = seam[reason], after = "same" })
        local result, message, code = call("second")
        print(seam.disarm(), result and true, message, code)
      end
      failing(function(name) return aish.open(root .. "/" .. name .. "/a/b/c/memory.jsonl") end)
      local path = root .. "/memory.jsonl"
      local file = assert(io.open(path, "w"))
      file:write('{"id":1,"ts":"","kind":"fact","content":"x"}\n')
      file:close()
      local memory
      failing(function(name)
        memory = assert(aish.open(path, { shared = true }))
        return memory:add("fact", name)
      end)
      print(memory:add("fact", "third"))
      print(memory:sync())
      print(#aish.load_memory(path))
    ]], root, reason, number)
    return output, root
  end

  for _, reason in ipairs({ "EROFS", "EPERM", "EACCES" }) do
    it("may be refused above the file's own: " .. reason, function()
      assert.equal("fsync\ttrue\tnil\tnil\nfsync\ttrue\tnil\tnil\n4\ntrue\n4\n", (play(reason, 2)))
    end)

    it("may not be refused for the file's own: " .. reason, function()
      local output, root = play(reason, 1)
      local failed = "fsync\tnil\tsync %s: " .. errno.errno(errno[reason]) .. "\t" .. errno[reason] .. "\n"
      assert.equal(failed:format(root .. "/second/a/b/c/memory.jsonl") .. failed:format(root .. "/memory.jsonl"),
        output:match("^[^\n]*\n[^\n]*\n"))
    end)
  end

  for number = 1, 2 do
    it("that really fails is reported, and the handle writes no more: directory " .. number, function()
      local output, root = play("EIO", number)
      local path = root .. "/memory.jsonl"
      local failed = "fsync\tnil\tsync %s: Input/output error\t" .. errno.EIO .. "\n"
      local refused = ("nil\twrite %s: an earlier sync failed; open it again\t%d\n"):format(path, errno.EIO)
      assert.equal(failed:format(root .. "/second/a/b/c/memory.jsonl") .. failed:format(path) .. refused .. refused .. "2\n",
        output)
    end)
  end

  it("that really fails also keeps the handle from erasing and compacting", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.item(1, "secret"))
    local output = faults.run_code([[
      local path = ...
      local memory = assert(aish.open(path, { shared = true }))
      assert(memory:add("fact", "one"))
      seam.arm({ at = 0 })
      assert(memory:add("fact", "two"))
      seam.arm({ at = at("fdatasync", 1), number = seam.EIO })
      assert(not memory:add("fact", "three"))
      assert(seam.disarm() == "fdatasync")
      print((select(2, memory:erase("secret"))))
      print((select(2, memory:compact())))
    ]], path)
    local refused = "%s " .. path .. ": an earlier sync failed; open it again\n"
    assert.equal(refused:format("erase") .. refused:format("compact"), output)
    assert.same({ "two", "one", "secret" }, support.pluck(aish.load_memory(path), "content"))
  end)
end)
