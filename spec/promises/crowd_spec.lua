-- 16 processes add 1,000 memories each to one file in shared mode, while others read it and one
-- compacts it again and again.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")

local WRITERS, ADDS, READERS = 16, 1000, 2

-- Each says the id of each of its contents, a line each.
local writer = [[
  local path, go, name, adds = ...
  local memory = assert(aish.open(path, { shared = true, sync = "none", wait = 290 }))
  await(go)
  local lines = {}
  for number = 1, adds do
    local id, message = memory:add("fact", name .. "/" .. number)
    lines[number] = id and ("%.0f"):format(id) or "failed: " .. tostring(message)
  end
  memory:close()
  print(table.concat(lines, "\n"))
]]

-- Reads until the writers are done, in each of the ways there are; a memory that was there stays
-- there, no id comes twice, and no line is damaged. Says how often it has read.
local reader = [[
  local path, done = ...
  local shared = assert(aish.open(path, { shared = true }))
  local rounds, lowest = 0, { 0, 0, 0 }
  local function check(place, items)
    assert(#items >= lowest[place], "fewer than before")
    lowest[place] = #items
    local seen = {}
    for _, item in ipairs(items) do
      assert(not seen[item.id], "an id twice")
      seen[item.id] = true
      assert(item.content:match("^%d+/%d+$"), "a content of nobody: " .. item.content)
    end
  end
  repeat
    local last = unistd.access(done) == 0
    check(1, assert(aish.load_memory(path)))
    check(2, assert(shared:items()))
    local count = #shared
    assert(count >= lowest[3], "fewer than before")
    lowest[3] = count
    local report = assert(aish.verify(path))
    assert(report.damaged == 0, "damaged: " .. report.damaged)
    for _, problem in ipairs(report.problems) do assert(problem.reason == "torn", problem.reason) end
    rounds = rounds + 1
  until last
  shared:close()
  print(rounds)
]]

local compactor = [[
  local path, done = ...
  local rounds = 0
  repeat
    local result = assert(aish.compact(path, { wait = 290 }))
    assert(result.damaged == 0 and result.dropped == 0)
    rounds = rounds + 1
  until unistd.access(done) == 0
  print(rounds)
]]

describe("a crowd on one file", function()
  helper.guard(before_each, after_each)

  it("gets different ids, and loses nothing", function()
    local dir = helper.tmpdir()
    local path, go, done = dir .. "/memory.jsonl", dir .. "/go", dir .. "/done"
    assert(aish.open(path)):close()
    local writers, others = {}, {}
    for index = 1, WRITERS do
      writers[index] = select(2, support.start(writer, path, go, index, ADDS))
    end
    for index = 1, READERS do
      others[index] = select(2, support.start(reader, path, done))
    end
    others[#others + 1] = select(2, support.start(compactor, path, done))
    helper.write(go, "")

    local acknowledged, count = {}, 0
    for index, child in ipairs(writers) do
      for number = 1, ADDS do
        local line = child:read("*l") or "no output"
        local id = assert(tonumber(line), line)
        assert(not acknowledged[id], "given twice: " .. line)
        acknowledged[id] = index .. "/" .. number
        count = count + 1
      end
      assert.equal("", child:read("*a"))
      child:close()
    end
    helper.write(done, "")
    local rounds = {}
    for index, child in ipairs(others) do
      local output = child:read("*a")
      rounds[index] = assert(tonumber(output), output)
      child:close()
    end

    assert.equal(WRITERS * ADDS, count)
    local items = assert(aish.load_memory(path))
    assert.equal(WRITERS * ADDS, #items)
    for _, item in ipairs(items) do assert.equal(acknowledged[item.id], item.content) end
    assert.same(support.pluck(items, "id"), support.pluck(support.reading(helper.read(path)), "id"))
    local report = assert(aish.verify(path))
    assert.same({}, report.problems)
    assert.equal(WRITERS * ADDS + 1, report.records)
    assert.is_nil(lfs.attributes(path .. ".damaged"))
    print(("\ncrowd: %d processes added %d memories; %d reads, %d compactions meanwhile"):format(
      WRITERS, count, rounds[1] + rounds[2], rounds[3]))
  end)
end)
