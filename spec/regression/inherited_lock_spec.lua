-- Every child that the shell started inherited the lock's descriptor: a background job kept the file
-- locked after the shell had exited.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")

describe("a background job of the shell", function()
  helper.guard(before_each, after_each)

  -- The descriptors of process `pid` that lead to `path`.
  local function holds(pid, path)
    for name in lfs.dir("/proc/" .. pid .. "/fd") do
      if lfs.symlinkattributes("/proc/" .. pid .. "/fd/" .. name, "target") == path then return true end
    end
    return false
  end

  for _, module in ipairs({ "aish_history", "history" }) do
    local name = module == "history" and "open_memory" or "open"

    it("does not keep the lock when the shell has exited: " .. module, function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      local output = helper.run(([[
        io.stdout:setvbuf("no")
        local memory = assert(require("%s").%s((...)))
        print(memory:add("fact", "from the shell"))
        os.execute("sleep 60 >/dev/null 2>&1 & echo $!")
      ]]):format(module, name), path)
      local id, pid = output:match("^(%d+)\n(%d+)\n$")
      assert.equal("1", id, output)
      finally(function() support.kill(tonumber(pid)) end)
      assert.is_false(holds(pid, path))
      local memory = assert(aish.open(path))
      assert.equal(2, memory.next_id)
      memory:close()
    end)
  end

  it("does not keep the lock of a session's write", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path))
    session:append({ role = "user", content = "x" })
    local pipe = io.popen("echo $$; exec sleep 60")
    local pid = pipe:read("*n")
    assert.is_false(holds(pid, path))
    support.kill(pid)
    pipe:close()
    session:close()
  end)
end)
