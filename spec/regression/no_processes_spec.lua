-- Opening started a shell and mkdir, and list_sessions a shell and ls.
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("no process is started", function()
  helper.guard(before_each, after_each)

  local everything = [[
    local dir = ...
    local aish, history = require("aish_history"), require("history")
    local memory = assert(aish.open(dir .. "/a/b/memory.jsonl"))
    memory:add("fact", "x")
    memory:add_many({ { kind = "fact", content = "y" } })
    memory:forget(1)
    assert(#memory:items() == 1)
    assert(aish.open(dir .. "/a/b/memory.jsonl") == nil)
    memory:sync()
    memory:close()
    assert(#aish.load_memory(dir .. "/a/b/memory.jsonl") == 1)
    local session = assert(aish.session(dir .. "/c/d/s.jsonl", { m = 1 }))
    session:append({ role = "user", content = "x" })
    session:close()
    assert(#aish.load(dir .. "/c/d/s.jsonl") == 1)
    assert(aish.append(dir .. "/e/any.jsonl", { n = 1 }))
    assert(#aish.list(dir .. "/c/d") == 1)
    local shell = assert(history.open(dir .. "/f/g/s.jsonl", { m = 1 }))
    shell:append({ role = "user", content = "x" })
    shell:close()
    assert(#history.load(dir .. "/f/g/s.jsonl") == 1)
    assert(#history.list_sessions(dir .. "/f/g") == 1)
    local store = assert(history.open_memory(dir .. "/h/i/memory.jsonl"))
    store:add("fact", "x")
    store:close()
    assert(#history.load_memory(dir .. "/h/i/memory.jsonl") == 1)
    print("all done")
  ]]

  it("by any call, as strace sees it", function()
    local output, log = support.trace("process", everything, helper.tmpdir())
    if not output then return pending("strace is not at hand") end
    assert.equal("all done\n", output)
    for line in log:gmatch("[^\n]+") do
      local call = line:match("^%d*%s*(%w+)%(")
      assert.is_nil(call and call:match("fork") or call and call:match("^clone"), line)
    end
    -- The interpreter itself, which may be a script that starts another.
    local _, count = log:gsub("execve%(", "")
    local _, bare = select(2, support.trace("process", "print(1)")):gsub("execve%(", "")
    assert.equal(bare, count)
  end)

  it("by any call, with os.execute and io.popen out of reach", function()
    local output = helper.run([[
      local function forbidden() error("a process was to be started", 2) end
      os.execute, io.popen = forbidden, forbidden
    ]] .. everything, helper.tmpdir())
    assert.equal("all done\n", output)
  end)

  it("by the native module, which has no call for it", function()
    local path
    for template in package.cpath:gmatch("[^;]+") do
      local name = template:gsub("?", "aish_history")
      local file = io.open(name)
      if file then
        file:close()
        path = path or name
      end
    end
    local pipe = io.popen("nm -D --undefined-only " .. helper.quote(path) .. " 2>&1")
    local symbols = pipe:read("*a")
    pipe:close()
    if not symbols:find("lua_", 1, true) then return pending("nm is not at hand") end
    for symbol in symbols:gmatch("U ([%w_]+)") do
      for _, name in ipairs({ "system", "popen", "fork", "vfork", "clone", "execl", "execlp", "execle", "execv", "execve",
        "execvp", "execvpe", "fexecve", "posix_spawn", "posix_spawnp" }) do
        assert.not_equal(name, symbol)
      end
    end
  end)
end)
