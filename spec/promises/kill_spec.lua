-- SIGKILL at random moments of writers, in exclusive and in shared mode: every id that was
-- acknowledged is there with its content, none twice. An id is acknowledged when the writer has
-- written it to a pipe after the call returned. SOAK=1 makes it thousands of rounds; otherwise a slow
-- machine may do with fewer than it is given.
local aish = require("aish_history")
local children = require("spec.support.children")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local SOAK = os.getenv("SOAK")
local ROUNDS = SOAK and 5000 or 240
local SECONDS = SOAK and math.huge or 9
local BATCH = 8 -- rounds a file

-- Contents tell their own length: one that was cut, or glued to another, shows.
local function content(name, size)
  return ("%s/%d/%s"):format(name, size, ("x"):rep(size))
end

local function is_whole(text)
  local size, rest = text:match("^[%d.]+/(%d+)/(x*)$")
  return size ~= nil and #rest == tonumber(size)
end

-- The life of a writer: says "+ID CONTENT'S NAME/SIZE" for each item that was added, "?ID" before it
-- forgets one and "-ID" after that.
local function write_until_killed(path, name, options, seed)
  return function(say)
    local random, mine, count = support.random(seed), {}, 0
    local memory = assert(aish.open(path, options))
    local function draft()
      count = count + 1
      -- A long write takes long enough to be cut.
      local size = random(300) == 1 and random(4000000) or random(150)
      return ("%s.%d"):format(name, count), size
    end
    while true do
      local choice = random(100)
      if choice <= 75 then
        local label, size = draft()
        local id = assert(memory:add("fact", content(label, size)))
        say(("+%d %s/%d\n"):format(id, label, size))
        mine[#mine + 1] = id
      elseif choice <= 85 then
        local drafts, lines = {}, {}
        for index = 1, random(12) do
          local label, size = draft()
          drafts[index] = { kind = "pref", content = content(label, size) }
          lines[index] = { label, size }
        end
        for index, id in ipairs(assert(memory:add_many(drafts))) do
          lines[index] = ("+%d %s/%d\n"):format(id, lines[index][1], lines[index][2])
          mine[#mine + 1] = id
        end
        say(table.concat(lines))
      elseif choice <= 97 then
        local id = #mine > 0 and table.remove(mine, random(#mine))
        if id then
          say(("?%d\n"):format(id))
          assert(memory:forget(id))
          say(("-%d\n"):format(id))
        end
      else
        assert(memory:compact())
      end
    end
  end
end

-- What the writers of one file have said.
local Ledger = {}
Ledger.__index = Ledger

local function new_ledger()
  return setmetatable({ added = {}, forgotten = {}, perhaps = {}, count = 0 }, Ledger)
end

function Ledger:take(said)
  assert.is_nil(said:find("error", 1, true), said:match("error[^\n]*"))
  -- A word that the kill has cut is none.
  for word in said:gmatch("([^\n]+)\n") do
    local sign, id, name = word:match("^([+?-])(%d+) ?(.*)$")
    assert(sign, word)
    if sign == "+" then
      assert.is_nil(self.added[id], "id given twice: " .. id)
      self.added[id] = name
      self.count = self.count + 1
    elseif sign == "?" then
      self.perhaps[id] = true
    else
      self.forgotten[id] = true
    end
  end
end

function Ledger:check(items)
  local found, contents = {}, {}
  for _, item in ipairs(items) do
    local id = ("%.0f"):format(item.id)
    assert(not found[id], "id twice: " .. id)
    assert(is_whole(item.content), "not whole: " .. item.content:sub(1, 100))
    assert(not contents[item.content], "content twice: " .. item.content:sub(1, 100))
    found[id], contents[item.content] = item.content, true
  end
  for id, name in pairs(self.added) do
    if found[id] then
      assert.equal(name, found[id]:match("^(.*)/"))
      assert(not self.forgotten[id], "forgotten, and back: " .. id)
    else
      assert(self.perhaps[id], "lost: " .. id .. " " .. name)
    end
  end
end

describe("writers that are killed at any moment lose nothing they acknowledged", function()
  helper.guard(before_each, after_each)

  local torn

  -- The file as lua-cjson reads it, as we read it, and after a compaction.
  local function check_file(path, ledger)
    local bytes = helper.read(path)
    local items = support.reading(bytes)
    ledger:check(items)
    assert.same(support.pluck(items, "id"), support.pluck(assert(aish.load_memory(path)), "id"))
    local report = assert(aish.verify(path))
    assert.equal(0, report.damaged)
    for _, problem in ipairs(report.problems) do assert.equal("torn", problem.reason) end
    local result = assert(aish.compact(path))
    assert.equal(#items, result.kept)
    assert.equal(report.torn, result.damaged)
    ledger:check(aish.load_memory(path))
    -- What compactions put aside is the beginnings of records, and nothing else.
    local aside = aish.verify(path .. ".damaged")
    if not aside then return end
    assert.equal(aside.lines, aside.torn)
    torn = torn + aside.torn
  end

  -- The numbers of each batch's first round, until all are done or the time is over.
  local function batches()
    local first, start = 1 - BATCH, os.time()
    return function()
      first = first + BATCH
      if first <= ROUNDS and (first <= 2 * BATCH or os.difftime(os.time(), start) < SECONDS) then return first end
    end
  end

  local function report(mode, rounds, acknowledged)
    print(("\nkilled %s writers: %d rounds, %d ids acknowledged, %d torn lines left by them"):format(
      mode, rounds, acknowledged, torn))
  end

  it("in exclusive mode, one after the other", function()
    local random, rounds, acknowledged = support.random(20260101), 0, 0
    torn = 0
    for first in batches() do
      local path, ledger = helper.tmpdir() .. "/memory.jsonl", new_ledger()
      for round = first, first + BATCH - 1 do
        local options = { wait = 10, sync = random(4) == 1 and "full" or "none" }
        local writer = children.fork(write_until_killed(path, tostring(round), options, random(1e6)))
        support.sleep(random(120) / 10000)
        ledger:take(children.kill(writer))
      end
      check_file(path, ledger)
      rounds, acknowledged = rounds + BATCH, acknowledged + ledger.count
    end
    assert(acknowledged > rounds)
    report("exclusive", rounds, acknowledged)
  end)

  it("in shared mode, three at a time", function()
    local random, rounds, acknowledged = support.random(20260102), 0, 0
    local writers = {}
    finally(function() children.clear(writers) end)
    torn = 0
    for first in batches() do
      local path, ledger = helper.tmpdir() .. "/memory.jsonl", new_ledger()
      local function start(place, round)
        local options = { shared = true, wait = 50, sync = random(6) == 1 and "full" or "none" }
        writers[place] = children.fork(write_until_killed(path, ("%d.%d"):format(round, place), options, random(1e6)))
      end
      for place = 1, 3 do start(place, 0) end
      for round = first, first + BATCH - 1 do
        local place = random(3)
        support.sleep(random(100) / 10000)
        ledger:take(children.kill(writers[place]))
        if round < first + BATCH - 1 then start(place, round) end
      end
      for place = 1, 3 do
        if not writers[place].ended then ledger:take(children.kill(writers[place])) end
      end
      check_file(path, ledger)
      rounds, acknowledged = rounds + BATCH, acknowledged + ledger.count
    end
    assert(acknowledged > rounds)
    report("shared", rounds, acknowledged)
  end)
end)
