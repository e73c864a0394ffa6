-- Lua unloads modules before it has called the last finalizers: one that called the module at the end of
-- the script crashed the process.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a finalizer at the end of the script", function()
  helper.guard(before_each, after_each)

  -- Runs code to its end as a process of its own; returns what it printed, and the status.
  local function run(code, ...)
    local pipe = assert(io.popen("exec 2>&1\ncd " .. helper.quote(helper.root) .. "\n" .. helper.command(code, ...)
      .. 'echo "status $?"'))
    local output = pipe:read("*a")
    pipe:close()
    return output
  end

  local calls = {
    items = "#memory:items()",
    ["#"] = "#memory",
    ["memory:search"] = '#memory:search("last")',
    add = 'memory:add("fact", "last words")',
    sync = "memory:sync()",
    compact = "memory:compact()",
    close = "memory:close()",
    fields = "memory.fd, memory.next_id, tostring(memory)",
    ["session:append"] = 'session:append({ role = "user", content = "last words" })',
    ["session:close"] = "session:close()",
    load = "#aish.load(dir .. '/s.jsonl')",
    load_memory = "#aish.load_memory(dir .. '/m.jsonl')",
    ["compact of a path"] = "aish.compact(dir .. '/m.jsonl')",
    append = 'aish.append(dir .. "/s.jsonl", { role = "user", content = "last words" })',
    encode = "aish.encode({ 1, { a = 2 } })",
    decode = 'aish.decode("[1,{}]")',
    sessions = "#aish.sessions(dir)",
    search = '#aish.search(dir, "hello")',
    scan = "scan()",
    ["scan of a path"] = "aish.scan(dir .. '/s.jsonl')()",
    follow = "follow()",
    verify = "aish.verify(dir .. '/s.jsonl').records",
    ["open, left open"] = 'aish.open(dir .. "/new.jsonl")',
    ["open and add"] = 'assert(aish.open(dir .. "/new.jsonl")):add("fact", "last words")',
    ["session, left open"] = 'aish.session(dir .. "/new.jsonl", { m = 1 })',
    flock = "aish.flock(memory, aish.LOCK_UN)",
  }

  for name, call in pairs(calls) do
    it("may call " .. name, function()
      local dir = helper.tmpdir()
      local output = run(([[
        local dir = ...
        local aish, memory, session, scan, follow
        local function last()
          local proxy = newproxy(true)
          getmetatable(proxy).__gc = function()
            local ok, result = pcall(function() return %s end)
            -- What was collected before is a closed handle.
            if not ok then result = tostring(result):match("closed") or result end
            io.write("called: ", tostring(result), "\n")
          end
          return proxy
        end
        kept = { last(), last() }
        aish = require("aish_history")
        kept[3] = last()
        memory, session = assert(aish.open(dir .. "/m.jsonl")), assert(aish.session(dir .. "/s.jsonl"))
        memory:add("fact", "hello")
        session:append({ role = "user", content = "hello" })
        scan, follow = assert(aish.scan(dir .. "/s.jsonl")), assert(aish.follow(dir .. "/s.jsonl"))
        kept[4] = last()
        kept[5] = { memory, session, scan, follow }
      ]]):format(call), dir)
      local called, rest = output:match("^(called: .*\n)(status %d+\n)$")
      assert.equal("status 0\n", rest, output)
      local _, count = called:gsub("called: ", "")
      assert.equal(4, count, output)
      -- What was acknowledged is there.
      if name == "add" then
        local items = aish.load_memory(dir .. "/m.jsonl")
        for id in called:gmatch("called: (%d+)\n") do
          assert.equal("last words", items[#items + 1 - tonumber(id)].content)
        end
      elseif name == "session:append" or name == "append" then
        local _, acknowledged = called:gsub("called: true", "")
        assert.equal(1 + acknowledged, #aish.load(dir .. "/s.jsonl"))
      elseif name == "open and add" then
        local ids = support.pluck(aish.load_memory(dir .. "/new.jsonl"), "id")
        for id in called:gmatch("called: (%d+)\n") do assert.equal(tonumber(id), ids[#ids + 1 - tonumber(id)]) end
      end
    end)
  end
end)
