--- memory:recall: which items bear on a text, and in what order.
local assert = require("luassert")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local native = require("aish_history")
local support = require("spec.support.memories")
local terms = require("spec.support.terms")

-- Calls visit(memory) with a memory of these texts, whose ids are 1, 2, ...
local function with_texts(texts, visit)
  local memory = assert(native.open(helper.tmpdir() .. "/memory.jsonl", { sync = "none" }))
  for _, text in ipairs(texts) do assert(memory:add("fact", text)) end
  local ok, message = pcall(visit, memory)
  memory:close()
  if not ok then error(message, 0) end
end

local function ids(items) return support.pluck(assert(items), "id") end

local KNOWN = {
  "staging: ssh deploy@10.0.0.5 -p 2222",
  "Answer in German",
  "Backups of the laptop go to /mnt/nas every night",
  "Die Sicherungsplatte ist verschlüsselt",
  "备份磁盘是加密的",
}

describe("memory:recall", function()
  helper.guard(before_each, after_each)

  it("finds what bears on a question, by any word, another form of it, a part, a slip", function()
    with_texts(KNOWN, function(memory)
      for question, id in pairs({
        ["how do I ssh to the staging server?"] = 1,
        ["please write the answers in german from now on"] = 2,
        ["is there a backup of my laptops?"] = 3,
        ["bakcups on the NAS"] = 3,
        ["VERSCHLÜSSELUNG der Platte"] = 4,
        ["磁盘上的备份"] = 5,
      }) do
        assert.equal(id, ids(memory:recall(question))[1], question)
      end
      assert.same({}, memory:recall("zzzz"))
    end)
  end)

  it("ranks as a plain implementation does, whatever was forgotten", function()
    local random = cases.random(20261)
    for _ = 1, 30 do
      local texts = {}
      for index = 1, random(2, 60) do texts[index] = terms.text(random, 12) end
      with_texts(texts, function(memory)
        for round = 1, 2 do
          local given, known = {}, {} -- the oldest first, as their ids ascend
          for _, item in ipairs(memory:items()) do
            table.insert(given, 1, item.content)
            table.insert(known, 1, item.id)
          end
          for _ = 1, 10 do
            local question = terms.text(random, 6)
            local wanted = terms.ranked(terms.scores(given, question))
            for _, hit in ipairs(wanted) do hit.id = known[hit.index] end
            assert(terms.alike(wanted, memory:recall(question, { limit = 1000 })), question)
          end
          if round == 1 and #texts > 2 then assert(memory:forget(random(1, #texts))) end
        end
      end)
    end
  end)

  it("gives the newest where the text has no word, 20 of them", function()
    local texts = {}
    for index = 1, 30 do texts[index] = "text " .. index end
    with_texts(texts, function(memory)
      for _, text in ipairs({ "", "  \n", "?!" }) do
        local found = ids(memory:recall(text))
        assert.same({ 30, 20, 11 }, { found[1], #found, found[20] })
      end
      assert.same({ 30, 29 }, ids(memory:recall("", { limit = 2 })))
    end)
  end)

  it("takes the filters, and sees what was added and forgotten", function()
    with_texts(KNOWN, function(memory)
      assert.equal(3, ids(memory:recall("backups"))[1])
      assert(memory:add("pref", "No backups on Sundays", { "disk" }))
      assert.same({ 6 }, ids(memory:recall("backups", { kind = "pref" })))
      assert.same({ 6 }, ids(memory:recall("backups", { tag = "disk" })))
      assert.same({ 6 }, ids(memory:recall("disk")))
      assert.same({}, ids(memory:recall("backups", { before = "2001-01-01" })))
      assert(memory:forget(6))
      assert.same({}, ids(memory:recall("sundays")))
    end)
  end)

  it("halves a score with each half-life, and puts last what has no time", function()
    local function line(id, ts) return ('{"id":%d,"ts":"%s","kind":"fact","content":"the same words"}\n'):format(id, ts) end
    local day = 86400
    local now = os.time()
    local function ago(days) return os.date("!%Y-%m-%dT%H:%M:%SZ", now - days * day) end
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. line(1, ago(20)) .. line(2, "never") .. line(3, ago(10)) .. line(4, ago(-5)))
    local memory = assert(native.open(path))
    local whole = memory:recall("words")[1].score
    local found = memory:recall("words", { half_life = 10 })
    assert.same({ 4, 3, 1, 2 }, ids(found))
    for index, part in ipairs({ 1, 0.5, 0.25, 0 }) do
      assert.is_true(math.abs(found[index].score - whole * part) < whole * 1e-4)
    end
    memory:close()
  end)

  it("takes the first and the last 16 KiB of a longer text", function()
    with_texts({ "zebra" }, function(memory)
      local filler, half = ("q "):rep(30000), 16 * 1024
      for place, count in pairs({ [1] = 1, [half - 6] = 1, [half + 1] = 0, [#filler / 2] = 0, [#filler - half - 6] = 0,
        [#filler - half + 1] = 1, [#filler - 6] = 1 }) do
        assert.equal(count, #memory:recall(filler:sub(1, place - 1) .. " zebra " .. filler:sub(place + 7)), place)
      end
    end)
  end)

  it("gives what fits into a budget, in the order of the score", function()
    with_texts({ "backup", "backup and a longer text", "a backup of the disk" }, function(memory)
      assert.same({ 1, 3, 2 }, ids(memory:recall("backup")))
      assert.same({ 1, 3 }, ids(memory:recall("backup", { budget = 6 + 20 })))
      assert.same({ 1 }, ids(memory:recall("backup", { budget = 25 })))
      assert.same({ 1 }, ids(memory:recall("backup", { budget = 1000, limit = 1 })))
      assert.same({}, memory:recall("backup", { budget = 0 }))
      local function cost(item) return item.id == 3 and 100 or 1 end
      assert.same({ 1, 2 }, ids(memory:recall("backup", { budget = 2, cost = cost })))
    end)
  end)

  it("gives as many as the limit says within a budget in bytes", function()
    local memory = assert(native.open(helper.tmpdir() .. "/memory.jsonl", { sync = "none" }))
    local items = {}
    for index = 1, 1200 do items[index] = { kind = "fact", content = "zebra " .. index } end
    assert(memory:add_many(items))
    assert.equal(1200, #memory:recall("zebra", { limit = 2000, budget = 1e12 }))
    assert.equal(1000, #memory:recall("zebra", { limit = 2000, budget = 1e12, cost = function() return 0 end }))
    assert.equal(3, #memory:recall("zebra", { limit = 3, budget = 1e12 }))
    memory:close()
  end)

  it("asks for a cost at most 1,000 times", function()
    local texts = {}
    for index = 1, 1200 do texts[index] = "backup " .. index end
    with_texts(texts, function(memory)
      local calls = 0
      memory:recall("backup", { budget = 1e9, limit = 1e6, cost = function() calls = calls + 1; return 1 end })
      assert.equal(1000, calls)
    end)
  end)

  it("raises what a cost raises, and what is no cost, and goes on", function()
    with_texts(KNOWN, function(memory)
      local problem = {}
      local function recall(cost) return pcall(memory.recall, memory, "backups", { budget = 100, cost = cost }) end
      assert.same({ false, problem }, { recall(function() error(problem) end) })
      for _, bad in ipairs({ "3", -1, 0 / 0, false }) do
        assert.matches("cost must return a number, not negative", select(2, recall(function() return bad end)))
      end
      for name, call in pairs({
        add = function() memory:add("fact", "x") end,
        forget = function() memory:forget(1) end,
        items = function() memory:items() end,
        recall = function() memory:recall("x") end,
        compact = function() memory:compact() end,
        close = function() memory:close() end,
        load = function() native.load_memory(memory.path) end,
        open = function() native.open(memory.path, { shared = true }) end,
        flock = function() native.flock(memory.fd, native.LOCK_UN) end,
      }) do
        assert.matches("must not be used within cost", select(2, recall(call)), 1, true, name)
      end
      assert.equal(5, #memory)
      assert.equal(6, memory:add("fact", "x"))
    end)
  end)

  it("raises on wrong options", function()
    with_texts(KNOWN, function(memory)
      for _, options in ipairs({ { budget = -1 }, { budget = "1" }, { half_life = -1 }, { cost = 1 }, { exact = true }, { nothing = 1 } }) do
        assert.is_false(pcall(memory.recall, memory, "x", options))
      end
      assert.is_false(pcall(memory.recall, memory))
      assert.is_false(pcall(memory.recall, memory, 1))
      memory:close()
      assert.matches("memory:recall on closed handle", select(2, pcall(memory.recall, memory, "x")))
    end)
  end)

  it("takes a text of any length, and bytes that are no text", function()
    with_texts({ "backup", "caf\233 \255\254", "other" }, function(memory)
      assert.equal(1, ids(memory:recall(("filler "):rep(150000) .. "backup"))[1])
      assert.equal(1, ids(memory:recall("backup " .. ("filler "):rep(150000)))[1])
      assert.equal(2, ids(memory:recall("\255\254"))[1])
      assert.equal(2, ids(memory:recall("caf\233"))[1])
    end)
  end)

  it("sees what a neighbour adds to a shared memory", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local here, there = assert(native.open(path, { shared = true })), assert(native.open(path, { shared = true }))
    assert(here:add("fact", "one backup"))
    assert.same({ 1 }, ids(there:recall("backups")))
    assert(there:add("fact", "another backup"))
    assert.same({ 1, 2 }, (function() local list = ids(here:recall("backups")) table.sort(list) return list end)())
    here:close()
    there:close()
  end)
end)
