-- Compaction gave the file that a group shares to the group of whoever called it, with the permissions
-- that were meant for the other: its owner could not open it any more, and strangers could.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local stat = require("posix.sys.stat")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

-- A build that counts coverage would say that it may not write its counts.
local EXIT = "\nio.stdout:flush() require('posix.unistd')._exit(0)"

local OWNER, MEMBER, STRANGER, GROUP = 41111, 42222, 43333, 45555

describe("a compacted file", function()
  helper.guard(before_each, after_each)

  local function status(command)
    local result = os.execute(command .. " >/dev/null 2>&1")
    return result == 0 or result == true
  end

  local function module_path(name)
    for template in package.cpath:gmatch("[^;]+") do
      local path = template:gsub("?", name)
      if lfs.attributes(path) then return path end
    end
  end

  -- A directory and a file of these modes, and `as(user, code)`, which runs code as a user of a group of
  -- the same number who is in GROUP too unless he is a stranger; nil where we may not be others.
  local function shared(directory_mode, mode)
    if unistd.geteuid() ~= 0 or not status("setpriv --reuid 41111 --regid 41111 --groups 45555 true") then return nil end
    local dir = helper.tmpdir()
    assert(unistd.chown(dir, OWNER, GROUP))
    local path = helper.write(dir .. "/memory.jsonl", support.item(1) .. support.item(2) .. support.tombstone(3, 1))
    -- The modules where everybody can load them, and what runs Lua: the checkout need not be within their reach.
    local module = helper.tmpdir()
    assert(os.execute("chmod 755 " .. helper.quote(module)))
    for _, name in ipairs({ "aish_history", "posix" }) do
      local file = module_path(name)
      if file then helper.write(module .. "/" .. name .. ".so", helper.read(file)) end
    end
    local lua = helper.lua
    if lua:find("/") then
      lua = helper.write(module .. "/lua", helper.read(lua))
      assert(os.execute("chmod 755 " .. helper.quote(lua)))
    end
    assert(unistd.chown(path, OWNER, GROUP))
    assert(os.execute(("chmod %s %s && chmod %s %s"):format(mode, helper.quote(path), directory_mode, helper.quote(dir))))
    return path, function(user, code)
      local groups = user == STRANGER and "--clear-groups" or "--groups " .. GROUP
      if user == 0 then groups = "--keep-groups" end
      local kept = helper.lua
      helper.lua = lua
      local command = helper.command(("package.cpath = %q .. package.cpath\nlocal aish, path = require('aish_history'), ...\n"):format(module .. "/?.so;")
        .. code .. EXIT, path)
      helper.lua = kept
      return helper.output(("cd /\nsetpriv --reuid %d --regid %d %s %s"):format(user, user, groups, command))
    end
  end

  local function case(label, directory_mode, mode, fn)
    it(label, function()
      local path, as = shared(directory_mode, mode)
      if not path then return pending("other users' processes need root and setpriv") end
      fn(path, as, function()
        local st = assert(stat.stat(path))
        return { st.st_uid, st.st_gid, ("%o"):format(st.st_mode % 4096) }
      end)
    end)
  end

  local COMPACT = "print(assert(aish.compact(path)).kept)"
  local ADD = "local memory = assert(aish.open(path, { shared = true })) print(memory:add('fact', 'x')) memory:close()"

  for _, directory_mode in ipairs({ "0770", "2770" }) do
    case("by another member stays the group's, and all can use it: " .. directory_mode, directory_mode, "0660", function(path, as, now)
      assert.equal("1\n", as(MEMBER, COMPACT))
      assert.same({ MEMBER, GROUP, "660" }, now())
      assert.equal("4\n", as(OWNER, ADD))
      assert.equal("2\n", as(OWNER, COMPACT))
      assert.same({ OWNER, GROUP, "660" }, now())
      assert.equal("5\n", as(MEMBER, ADD))
      assert.same({ 5, 4, 2 }, support.pluck(aish.load_memory(path), "id"))
    end)
  end

  case("by another member through an open handle stays the group's", "0770", "0660", function(_, as, now)
    assert.equal("1\n3\n", as(MEMBER, [[
      local memory = assert(aish.open(path))
      print(assert(memory:compact()).kept)
      assert(memory:add("fact", "x") == 4 and memory:add("fact", "y") == 5)
      print(#memory)
    ]]))
    assert.same({ MEMBER, GROUP, "660" }, now())
  end)

  case("by root is its owner's still", "0770", "0660", function(_, as, now)
    assert.equal("1\n", as(0, COMPACT))
    assert.same({ OWNER, GROUP, "660" }, now())
    assert.equal("4\n", as(OWNER, ADD))
  end)

  case("by its owner has the mode it had", "0770", "0604", function(_, as, now)
    assert.equal("1\n", as(OWNER, COMPACT))
    assert.same({ OWNER, GROUP, "604" }, now())
  end)

  case("by one who is not in the group takes nothing from it to another group", "0777", "0666", function(_, as, now)
    assert.equal("1\n", as(STRANGER, COMPACT))
    assert.same({ STRANGER, STRANGER, "606" }, now())
    assert.equal("4\n", as(OWNER, ADD))
  end)

  case("leaves its damaged lines to the group, whose members go on with them", "0770", "0660", function(path, as, now)
    for _, who in ipairs({ MEMBER, OWNER, MEMBER, 0, OWNER }) do
      helper.write(path, helper.read(path) .. "garbage\n")
      assert.equal("1\n", as(who, COMPACT))
      if who ~= 0 then assert.same({ who, GROUP, "660" }, now()) end
      local st = assert(stat.stat(path .. ".damaged"))
      assert.same({ MEMBER, GROUP, "660" }, { st.st_uid, st.st_gid, ("%o"):format(st.st_mode % 4096) })
    end
    assert.equal(("garbage\n"):rep(5), helper.read(path .. ".damaged"))
  end)
end)
