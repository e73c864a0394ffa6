-- What a finalizer did while a call of the module was running took away what that call was using: the
-- file that a compaction replaced, the strings of a table of options; and an error that it raised left
-- an iterator busy for good.
local helper = require("spec.support.helper")

-- Every script runs in a process of its own. `arm(fn)` has the collector call fn once.
local prelude = [[
  local aish = require("aish_history")
  local dir = ...
  local path = dir .. "/memory.jsonl"
  local fired = 0
  local function arm(fn)
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = function()
      fired = fired + 1
      fn()
    end
  end

  -- A memory of `count` items, half as many as there were.
  local function make(count)
    local memory, drafts = assert(aish.open(path, { sync = "none" })), {}
    for index = 1, count do drafts[index] = { kind = "fact", content = "content " .. index } end
    assert(memory:add_many(drafts))
    assert(memory:add_many(drafts))
    for id = 1, 2 * count, 2 do memory:forget(id) end
    return memory
  end

  -- Compacts the file, and gives the number of the descriptor it had to one that holds other texts.
  local kept = {}
  local function swap(memory)
    assert(memory:compact())
    local lines = {}
    for line in io.lines(path) do lines[#lines + 1] = (line:gsub("content ", "another ")) end
    local other = assert(io.open(dir .. "/other", "w+"))
    other:write(table.concat(lines, "\n"), "\n")
    other:flush()
    kept[#kept + 1] = other
  end

  -- How many items there are and how many of them are not as they were added.
  local function judge(items, message)
    if not items then return print("failed", message) end
    local wrong, seen = 0, {}
    for _, item in ipairs(items) do
      local number = tonumber(item.content:match("^content (%d+)$"))
      if not number or seen[item.id] or item.id % 2 ~= 0 or (item.id - number) % (#items) ~= 0 then wrong = wrong + 1 end
      seen[item.id] = true
    end
    print(#items, wrong)
  end
]]

describe("a finalizer", function()
  helper.guard(before_each, after_each)

  local function case(label, expected, code)
    it(label, function()
      local output = helper.run(prelude .. code, helper.tmpdir())
      -- What a finalizer raises, LuaJIT tells the caller of what was running; since 2023 only stderr.
      assert.equal(expected, (output:gsub("ERROR in finalizer: [^\n]*raised by a finalizer\n", "")))
    end)
  end

  for _, count in ipairs({ 100, 12000 }) do
    for call, code in pairs({
      ["items"] = "memory:items()",
      ["items with a filter"] = 'memory:items({ kind = "fact", since = "2000-01-01" })',
      ["memory:search"] = ('memory:search("content", { limit = %d })'):format(2 * count),
      ["memory:search for a text"] = ('memory:search("content ", { exact = false, limit = %d })'):format(2 * count),
      ["load_memory"] = "aish.load_memory(path)",
    }) do
      case(("may compact a memory of %d items during %s"):format(count, call), ("%d\t0\n%d\t0\ntrue\n"):format(count, count), ([[
        local memory = make(%d)
        collectgarbage()
        collectgarbage()
        arm(function() swap(memory) end)
        judge(%s)
        collectgarbage()
        judge(%s)
        collectgarbage()
        print(fired == 1)
        memory:close()
      ]]):format(count, code, code))
    end
  end

  -- The collector goes on at the end of a call, when nothing of it is in use any more.
  for call, code in pairs({
    ["items"] = "memory:items({ limit = 3 })",
    ["memory:search"] = 'memory:search("content", { limit = 3 })',
    ["memory:recall"] = 'memory:recall("content", { limit = 3, budget = 10000 })',
    ["load_memory"] = "aish.load_memory(path, { limit = 3 })",
  }) do
    case(("may compact, add to, close or raise in each of many calls of %s"):format(call), "true\t0\ntrue\n", ([[
      if jit then jit.off() end -- what a finalizer raises on a trace crashes LuaJIT before 2023
      local memory, wrong, over = make(40), 0, false
      local deeds = {
        function() memory:compact() end,
        function() memory:add("fact", "content of a finalizer") end,
        function() error("raised by a finalizer") end,
        function() memory:close() end,
      }
      local function play(round)
        if memory.closed then memory = assert(aish.open(path, { sync = "none" })) end
        arm(function()
          if not over and not memory.closed then deeds[round %% 20 == 0 and 4 or round %% 3 + 1]() end
        end)
        for _ = 1, 3 do
          local items = %s
          if #items ~= 3 then wrong = wrong + 1 end
        end
      end
      for round = 1, 1000 do
        local ok, message = pcall(play, round)
        if not ok and not message:find("raised by a finalizer", 1, true) and not message:find("on closed handle", 1, true) then
          error(message)
        end
      end
      over = true
      print(fired > 500, wrong)
      memory:close()
      print(#aish.verify(path).problems == 0)
    ]]):format(code))
  end

  case("may clear the options of sessions", "0\ntrue\n", [[
    for index = 1, 300 do
      local file = assert(io.open(("%s/s%04d.jsonl"):format(dir, index), "w"))
      file:write(('{"role":"user","content":"hello %d"}\n'):format(index))
      file:close()
    end
    local options, wrong = {}, 0
    for round = 1, 20 do
      -- A string that nobody else has.
      options.before = ("s0200.jsonk"):sub(1, 5) .. ".k" .. round
      arm(function()
        options.before = nil
        collectgarbage()
        for index = 1, 200 do options[1] = ("s0%03d"):format(index) .. ".k" .. round end
        options[1] = nil
      end)
      if #aish.sessions(dir, options) ~= 200 then wrong = wrong + 1 end
      collectgarbage()
    end
    print(wrong)
    print(fired == 20)
  ]])

  case("may clear the options of a search", "0\ntrue\n", [[
    for number = 1, 100 do
      local file = assert(io.open(("%s/s%d.jsonl"):format(dir, number), "w"))
      for index = 1, 20 do
        file:write(('{"role":"role %d","content":"hello %d","x":{"y":[1,2,3,{"z":"zz"}]}}\n'):format(index % 2, index))
      end
      file:close()
    end
    local options, wrong = { limit = 5000 }, 0
    for round = 1, 20 do
      options.role = "role " .. tostring(round % 2)
      arm(function()
        options.role = nil
        collectgarbage()
        for index = 1, 200 do options[1] = ("role"):sub(1, 4) .. "-" .. index .. round end
        options[1] = nil
      end)
      local count = #aish.search(dir, "hello", options)
      -- Both roles' where it was cleared before the options were read.
      if count ~= 1000 and count ~= 2000 then wrong = wrong + 1 end
      collectgarbage()
    end
    print(wrong)
    print(fired == 20)
  ]])

  for _, name in ipairs({ "scan", "follow" }) do
    case("may raise during " .. name .. ", which goes on", "true\ttrue\ntrue\n", ([[
      local file = assert(io.open(dir .. "/s.jsonl", "w"))
      for index = 1, 40 do file:write('{"n":', index, ',"a":[', ("{},"):rep(20000), "1]}\n") end
      file:close()
      local iterator = assert(aish.%s(dir .. "/s.jsonl"))
      local last, raised, ended = 0, 0, false
      repeat
        if raised < 5 then arm(function() error("raised by a finalizer") end) end
        local ok, number, record = pcall(iterator)
        if not ok then
          raised = raised + 1
          ended = not number:find("raised by a finalizer", 1, true)
          if ended then print(number) end
        elseif number then
          if number <= last or record.n ~= number or #record.a ~= 20001 then print("wrong", number) end
          last = number
        else
          ended = true
        end
      until ended
      print(last > 30, fired > 0)
      iterator:close()
      print(pcall(iterator))
    ]]):format(name))
  end
end)
