-- Compaction wrote damaged lines beside the symbolic link that it was given, through whatever link, FIFO
-- or file of strangers stood there, and to a file of its own that the memory's owner could not open any
-- more; and it removed the file with the new one's name, whoever's that was.
local aish = require("aish_history")
local children = require("spec.support.children")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local stat = require("posix.sys.stat")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

local BYTES = support.item(1) .. "garbage\n" .. support.item(2) .. support.tombstone(3, 2)
local USER = 41111

local function memory(mode)
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", BYTES)
  assert(stat.chmod(path, tonumber(mode or "600", 8)))
  return path, path .. ".damaged"
end

local function is_root(pend)
  return unistd.geteuid() == 0 or pend("needs root")
end

local function owner_and_mode(path)
  local st = assert(stat.lstat(path))
  return { st.st_uid, st.st_gid, ("%o"):format(st.st_mode % 4096) }
end

-- The names in a directory but for the memory's.
local function others(path)
  local found = {}
  for name in lfs.dir(path:match("^(.*)/")) do
    if not name:find("^%.+$") and name ~= "memory.jsonl" then found[#found + 1] = name end
  end
  table.sort(found)
  return table.concat(found, " ")
end

describe("a file of damaged lines", function()
  helper.guard(before_each, after_each)

  it("stands beside the file that symbolic links lead to", function()
    local dir = helper.tmpdir()
    assert(lfs.mkdir(dir .. "/real"))
    helper.write(dir .. "/real/data", BYTES)
    assert(lfs.link("real/data", dir .. "/memory.jsonl", true))
    assert(aish.compact(dir .. "/memory.jsonl"))
    assert.equal("garbage\n", helper.read(dir .. "/real/data.damaged"))
    assert.is_nil(lfs.symlinkattributes(dir .. "/memory.jsonl.damaged", "mode"))
    assert.equal("real/data", lfs.symlinkattributes(dir .. "/memory.jsonl", "target"))
  end)

  -- Nothing may happen to the memory, nor to what stands at the name.
  local function refused(path, reason, number)
    local aside = path .. ".damaged"
    local before = { owner_and_mode(aside), others(path) }
    for _, call in ipairs({ function() return aish.compact(path) end, function()
      local handle = assert(aish.open(path))
      local result = helper.pack(handle:compact())
      handle:close()
      return unpack(result, 1, result.n)
    end }) do
      assert.same({ nil, ("compact: open %s: %s"):format(aside, reason), number, n = 3 }, helper.pack(call()))
      assert.equal(BYTES, helper.read(path))
      assert.same(before, { owner_and_mode(aside), others(path) })
    end
  end

  it("is refused if it is a symbolic link", function()
    local path, aside = memory()
    local other = helper.write(path:gsub("memory.jsonl$", "other"), "mine\n")
    for _, target in ipairs({ "other", "nowhere" }) do
      assert(lfs.link(target, aside, true))
      refused(path, "not a regular file", errno.EINVAL)
      assert.equal(target, lfs.symlinkattributes(aside, "target"))
      os.remove(aside)
    end
    assert.equal("mine\n", helper.read(other))
  end)

  it("is refused if it is a FIFO, without waiting for its other end", function()
    local path, aside = memory()
    assert(stat.mkfifo(aside))
    refused(path, "not a regular file", errno.EINVAL)
  end)

  it("is refused if it is a directory", function()
    local path, aside = memory()
    assert(lfs.mkdir(aside))
    refused(path, "Is a directory", errno.EISDIR)
  end)

  it("is refused if it is a file that has another name", function()
    local path, aside = memory()
    local other = helper.write(path:gsub("memory.jsonl$", "other"), "mine\n")
    assert(lfs.link(other, aside))
    refused(path, "it has another name, too", errno.EPERM)
    assert.equal("mine\n", helper.read(other))
  end)

  it("is refused if it is a stranger's", function()
    if not is_root(pending) then return end
    local path, aside = memory("660")
    helper.write(aside, "")
    assert(stat.chmod(aside, tonumber("666", 8)))
    assert(unistd.chown(aside, USER, 0))
    refused(path, "it is another user's", errno.EPERM)
    assert(unistd.chown(aside, USER, USER))
    assert(stat.chmod(aside, tonumber("660", 8)))
    refused(path, "it is another user's", errno.EPERM)
  end)

  it("has the memory's owner and mode, whoever makes it", function()
    if not is_root(pending) then return end
    for _, mode in ipairs({ "600", "640" }) do
      local path, aside = memory(mode)
      assert(unistd.chown(path, USER, USER + 1))
      assert(aish.compact(path))
      assert.same({ USER, USER + 1, mode }, owner_and_mode(aside))
      assert.same({ USER, USER + 1, mode }, owner_and_mode(path))
    end
  end)

  it("that root has made is the user's to go on with", function()
    if not is_root(pending) then return end
    local path, aside = memory()
    local dir = path:match("^(.*)/")
    assert(os.execute(("chown -R %d:%d %s"):format(USER, USER, helper.quote(dir))))
    assert(aish.compact(path))
    children.run(function()
      assert(unistd.setpid("g", USER))
      assert(unistd.setpid("u", USER))
      helper.write(path, helper.read(path) .. "more garbage\n")
      assert(aish.compact(path))
    end)
    assert.equal("garbage\nmore garbage\n", helper.read(aside))
  end)

  it("takes no blocks of the disk for a hole", function()
    local path, aside = memory()
    local size = 2 ^ 30
    local file = assert(io.open(path, "r+b"))
    assert(file:seek("set", #BYTES + size))
    assert(file:write("\n" .. support.item(4)))
    file:close()
    assert.equal(2, assert(aish.compact(path)).damaged)
    assert.same({ 4, 1 }, support.pluck(aish.load_memory(path), "id"))
    local attributes = lfs.attributes(aside)
    assert.equal(#"garbage\n" + size + 1, attributes.size)
    assert.is_true(attributes.blocks * 512 < 2 ^ 20)
  end)
end)

describe("a compaction", function()
  helper.guard(before_each, after_each)

  it("leaves a memory alone whose name ends in .compact", function()
    local path = memory()
    helper.write(path .. ".compact", BYTES)
    assert(aish.compact(path))
    assert.equal(BYTES, helper.read(path .. ".compact"))
    assert.equal("memory.jsonl.compact memory.jsonl.damaged", others(path))
  end)

  it("keeps the set-group-id bit, which a user's write takes away", function()
    if not is_root(pending) then return end
    for _, mode in ipairs({ "2660", "2770", "6755", "1600" }) do
      local path = memory()
      local dir = path:match("^(.*)/")
      assert(os.execute(("chown -R %d:%d %s"):format(USER, USER, helper.quote(dir))))
      assert(stat.chmod(path, tonumber(mode, 8)))
      children.run(function()
        assert(unistd.setpid("g", USER))
        assert(unistd.setpid("u", USER))
        assert(aish.compact(path))
      end)
      assert.same({ USER, USER, mode }, owner_and_mode(path))
    end
  end)

  it("works where the group has no number, in a user namespace", function()
    local null = " >/dev/null 2>&1"
    if not is_root(pending) then return end
    local function status(command)
      local result = os.execute(command)
      return result == 0 or result == true
    end
    if not status("unshare --user --map-root-user true" .. null) then return pending("needs user namespaces") end
    local path = memory("660")
    assert(unistd.chown(path, 0, USER))
    local command = helper.command([[
      local aish = require("aish_history")
      print(aish.compact((...)))
    ]], path)
    local pipe = assert(io.popen("exec 2>&1\ncd " .. helper.quote(helper.root)
      .. "\nunshare --user --map-root-user " .. command))
    assert.matches("^table", pipe:read("*a"))
    pipe:close()
    assert.same({ 0, 0, "600" }, owner_and_mode(path))
    assert.equal("garbage\n", helper.read(path .. ".damaged"))
  end)
end)
