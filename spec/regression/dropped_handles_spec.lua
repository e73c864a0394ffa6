-- Under LuaJIT each call that returned records let the heap grow to twice its size before the collector
-- went on, up to 64 MB in a loop of small calls, and handles that were dropped meanwhile kept all the
-- descriptors that a process may have. Where there was none left, no call had the collector look for more.
local helper = require("spec.support.helper")

-- Every script runs in a process that may have 256 descriptors.
local prelude = [[
  local aish = require("aish_history")
  local dir = ...
  local path, log = dir .. "/memory.jsonl", dir .. "/log.jsonl"
  local memory = assert(aish.open(path, { sync = "none" }))
  for index = 1, 50 do memory:add("fact", "content " .. index) end
  local session = assert(aish.session(log))
  for index = 1, 20 do session:append({ role = "user", content = "text " .. index }) end
  session:close()

  local calls = {
    items = function() return memory:items({ limit = 3 }) end,
    search = function() return memory:search("content 7") end,
    load = function() return (aish.load(log)) end,
    load_memory = function() return aish.load_memory(path, { limit = 3 }) end,
  }

  -- As many handles as there may be, and they are dropped.
  local function drop_all()
    collectgarbage("stop")
    for _ = 1, 300 do
      if not io.open(path) then return end
    end
    error("there are more descriptors")
  end

  local function equal(expected, actual)
    if expected ~= actual then error(("expected %s, got %s"):format(tostring(expected), tostring(actual)), 2) end
  end
]]

local function run(code)
  local pipe = assert(io.popen("exec 2>&1\ncd " .. helper.quote(helper.root) .. "\nulimit -n 256\n"
    .. helper.command(prelude .. code .. '\nprint("done")', helper.tmpdir())))
  local output = pipe:read("*a")
  pipe:close()
  assert.equal("done\n", output)
end

describe("handles that were dropped", function()
  helper.guard(before_each, after_each)

  for _, name in ipairs({ "items", "search", "load", "load_memory" }) do
    it("and the results of " .. name .. " are collected as ever", function()
      run(([[
        local call, most = calls[%q], 0
        collectgarbage()
        local before = collectgarbage("count")
        for round = 1, 20000 do
          assert(#call() > 0)
          if round %% 50 == 0 then most = math.max(most, collectgarbage("count")) end
        end
        assert(most < before + 1024, "the heap grew to " .. most .. " KB from " .. before)
        -- No program need wait for the collector that asks the module for something now and then.
        for _ = 1, 2000 do
          assert(io.open(path))
          for _ = 1, 10 do call() end
        end
      ]]):format(name))
    end)
  end

  it("do not keep a file from being opened", function()
    run([[
      local opens = {
        function() return aish.open(dir .. "/other.jsonl", { shared = true }) end,
        function() return aish.session(log) end,
        function() return aish.append(log, { x = 1 }) end,
        function() return aish.scan(log) end,
        function() return aish.follow(log) end,
        function() return aish.load(log) end,
        function() return aish.load_memory(dir .. "/other.jsonl") end,
        function() return aish.verify(path) end,
        function() return aish.list(dir)[1] end,
        function() return aish.sessions(dir)[1] end,
        function() return aish.search(log, "text") end,
        function() return aish.search(dir, "text") end,
        function() return aish.compact(dir .. "/other.jsonl") end,
        function() return memory:compact() end,
      }
      for index, open in ipairs(opens) do
        drop_all()
        local result, message = open()
        if not result then error(index .. ": " .. tostring(message)) end
      end
      -- A file that another took the place of is opened by the next call.
      assert(os.rename(path, dir .. "/old.jsonl"))
      drop_all()
      equal(51, assert(memory:add("fact", "in a new file")))
    ]])
  end)

  it("are what is given back, and no other", function()
    run([[
      local kept, file = {}
      repeat
        file = io.open(path)
        kept[#kept + 1] = file
      until not file
      local result, message, number = aish.load(log)
      equal(nil, result)
      equal("open " .. log .. ": Too many open files", message)
      equal(24, number)
      local ok, why = pcall(aish.open)
      assert(not ok and why:find("bad argument #1", 1, true), why)
      equal(true, #kept > 200)
    ]])
  end)

  -- Erasing began again, and said nothing of the files that it had written before.
  it("do not have it forgotten what was erased", function()
    run([[
      memory:close()
      for free = 1, 5 do
        for index = 1, 3 do
          local file = assert(io.open(("%s/log%d.jsonl"):format(dir, index), "w"))
          file:write('{"role":"user","content":"secret"}\n')
          file:close()
        end
        local file = assert(io.open(dir .. "/log3.jsonl.damaged", "w"))
        file:write("secret\n")
        file:close()
        collectgarbage()
        local kept = {}
        repeat
          file = io.open(log)
          kept[#kept + 1] = file
        until not file
        for index = 1, free do kept[index]:close() end
        local erased, message, number, partial = aish.erase(dir, "secret")
        for index = free + 1, #kept do kept[index]:close() end
        local done = 0
        for index, name in ipairs({ "1.jsonl", "2.jsonl", "3.jsonl", "3.jsonl.damaged" }) do
          file = assert(io.open(dir .. "/log" .. name))
          if not file:read("*a"):find("secret") then done = done + 1 end
          file:close()
        end
        equal(done, (erased or partial).files)
      end
    ]])
  end)

  -- The second time it was given the id of the item, and forgot the newest that has it.
  it("do not have another item of its id forgotten", function()
    run([[
      memory:close()
      local file = assert(io.open(path, "w"))
      for _, uid in ipairs({ "aaaaaaaa", "bbbbbbbb" }) do
        file:write('{"id":1,"uid":"', uid, '","ts":"2026-01-01T00:00:00Z","kind":"fact","content":"', uid, '"}\n')
      end
      file:close()
      memory = assert(aish.open(path, { shared = true }))
      local older = memory:items()[2]
      assert(os.rename(path, path .. ".away"))
      assert(os.execute("cp " .. path .. ".away " .. path) == 0)
      drop_all()
      assert(memory:forget(older))
      equal("bbbbbbbb", memory:items()[1].content)
    ]])
  end)
end)
