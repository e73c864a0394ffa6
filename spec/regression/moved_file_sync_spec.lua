-- sync looked first where the path leads, and so left the file unsynced to which all had been appended,
-- when that had been renamed meanwhile, as a rotation of logs does. Played on the fault build, see
-- spec/faults/.
local errno = require("posix.errno")
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")

describe("sync of a file that was moved away", function()
  helper.guard(before_each, after_each)

  local opening = {
    session = [[
      local handle = assert(aish.session(path))
      local function put(text) return handle:append({ role = "user", content = text }) end
    ]],
    ["exclusive memory"] = [[
      local handle = assert(aish.open(path, { sync = "none" }))
      local function put(text) return handle:add("fact", text) end
    ]],
    ["shared memory"] = [[
      local handle = assert(aish.open(path, { sync = "none", shared = true }))
      local function put(text) return handle:add("fact", text) end
    ]],
  }

  local function play(kind, code)
    local path = helper.tmpdir() .. "/file.jsonl"
    return faults.run_code("local path = ...\n" .. opening[kind] .. [[
      assert(put("one"))
      local old = assert(io.open(path))
      local fd = handle.fd
    ]] .. code, path), path
  end

  -- The syncs and the closing of the old file, in order; then what sync returned.
  local order = [[
    seam.record(true)
    print(handle:sync())
    for _, entry in ipairs(seam.log()) do
      if entry.fd == fd and (entry.name == "fdatasync" or entry.name == "close") then print(entry.name) end
      if entry.fd == fd and entry.name == "close" then break end
    end
    seam.record(false)
    print(put("two") and true)
    print(old:read("*a"):find('"content":"one"') and true, io.open(path):read("*a"):find('"content":"two"') and true)
  ]]

  for kind in pairs(opening) do
    it("syncs that before it looks for another: " .. kind, function()
      local output = play(kind, "assert(os.rename(path, path .. '.1'))\n" .. order)
      assert.equal("true\nfdatasync\nclose\ntrue\ntrue\ttrue\n", output)
    end)

    it("syncs what was removed as well: " .. kind, function()
      local output = play(kind, "assert(os.remove(path))\n" .. order)
      assert.equal("true\nfdatasync\nclose\ntrue\ntrue\ttrue\n", output)
    end)

    it("reports it when that fails, and writes no more: " .. kind, function()
      local output, path = play(kind, [[
        assert(os.rename(path, path .. ".1"))
        seam.arm({ at = 1, number = seam.EIO })
        print(select(2, handle:sync()))
        print(seam.disarm())
        print(select(2, put("two")))
      ]])
      local written, refused = output:match("^(.-)\nfdatasync\n(.-)\n$")
      assert.equal(("sync %s: Input/output error\t%d"):format(path, errno.EIO), written, output)
      assert.equal(("write %s: an earlier sync failed; open it again\t%d"):format(path, errno.EIO), refused)
    end)
  end
end)
