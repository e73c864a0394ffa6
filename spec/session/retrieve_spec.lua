--- recall(where, text [, opts]): what was said in sessions that bears on a text, and in what order.
local assert = require("luassert")
local stat = require("posix.sys.stat")
local unistd = require("posix.unistd")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local history = require("history")
local native = require("aish_history")
local support = require("spec.support.recall")
local terms = require("spec.support.terms")

local turn, plain = support.turn, support.plain

-- What of the score of the turn before counts.
local SHARE = 0.4

-- A turn between two others, so that neither follows the other.
local GAP = turn('"-"', "none")

local function session(bytes)
  return helper.write(helper.tmpdir() .. "/s.jsonl", bytes)
end

-- A session of turns with these texts.
local function said(texts)
  local bytes = {}
  for index, text in ipairs(texts) do bytes[index] = turn(plain(text), index % 2 == 1 and "user" or "assistant") end
  return session(table.concat(bytes))
end

local function lines(path, text, options)
  return support.pluck(assert(native.recall(path, text, options)), "line")
end

local TALK = {
  "where do the backups of my laptop go?", "To the NAS, below /mnt/nas/laptop", "and how is the disk encrypted?",
  "LUKS; die Verschlüsselung hat eine Schlüsseldatei", "备份磁盘是加密的", "unrelated",
}

describe("recall of a session", function()
  helper.guard(before_each, after_each)

  it("gives hits as search does, with a score", function()
    local path = session('{"meta":{"model":"laptop"}}\n' .. turn('"Where is the laptop?"', "user", "2026-01-02T03:04:05Z") .. turn('"no"'))
    local hits, errors = native.recall(path, "my laptops")
    assert.same({}, errors)
    assert.equal(2, #hits)
    assert.is_true(hits[1].score > hits[2].score)
    hits[1].score = nil
    assert.same({ path = path, line = 2, ts = "2026-01-02T03:04:05Z", role = "user", text = "Where is the laptop?",
      record = { role = "user", content = "Where is the laptop?", ts = "2026-01-02T03:04:05Z" } }, hits[1])
  end)

  it("finds by any word, another form of it, a part, a slip, in any script", function()
    local path = said(TALK)
    for question, line in pairs({ ["Which backup do you mean?"] = 1, ["encryption of disks"] = 3, ["bakcups"] = 1,
      ["SCHLÜSSEL"] = 4, ["磁盘上的备份"] = 5 }) do
      assert.equal(line, lines(path, question)[1], question)
    end
    assert.same({}, lines(path, "zzzz"))
  end)

  it("gives an answer with its question, and nothing else that has no word of it", function()
    assert.same({ 1, 2 }, lines(said(TALK), "backups"))
    assert.same({ 2 }, lines(said(TALK), "backups", { role = "assistant" }))
  end)

  it("looks into every string of a record, and not into keys, role, time and meta", function()
    local path = session('{"meta":{"x":"needle"}}\n' .. turn('"x"', "needle") .. '{"needle":1}\n' .. turn('"y"', "user", "needle")
      .. '{"role":"tool","content":"","calls":[{"name":"x","arguments":{"path":"/needle/x"}}]}\n')
    local hits = native.recall(path, "needle")
    assert.same({ { 5, "/needle/x" } }, { { hits[1].line, hits[1].text } })
    assert.equal(1, #hits)
  end)

  it("gives turns alone, and an answer with its question where other records stand between them", function()
    local path = session(turn('"where are the backups?"') .. '{"role":"user","content":null,"x":"backups"}\n{"content":"backups"}\n'
      .. '{"role":false,"content":"backups"}\n["backups"]\n{"role":"tool","content":"on the NAS"}{"meta":{"backups":1},"x":"backups"}\n')
    assert.same({ 1, 6 }, lines(path, "backups"))
    assert.same({ 6, 1 }, lines(path, ""))
  end)

  it("ranks as a plain implementation does", function()
    local random = cases.random(20262)
    for _ = 1, 40 do
      local texts = {}
      for index = 1, random(2, 60) do texts[index] = terms.text(random, 12) end
      local path = said(texts)
      for _ = 1, 10 do
        local question = terms.text(random, 6)
        local own, scores = terms.scores(texts, question), {}
        for index = 1, #texts do
          if own[index] or own[index - 1] then scores[index] = (own[index] or 0) + (own[index - 1] and SHARE * own[index - 1] or 0) end
        end
        local wanted, found = terms.ranked(scores), native.recall(path, question, { limit = 1000 })
        for _, hit in ipairs(wanted) do hit.id = hit.index end
        for _, hit in ipairs(found) do hit.id = hit.line end
        assert(terms.alike(wanted, found), question)
        local best = lines(path, question, { limit = 3 })
        for place, line in ipairs(best) do assert.equal(found[place].line, line) end
      end
    end
  end)

  it("counts the words of a text however often, long ones and short ones, at its end and before letters beyond ASCII", function()
    for _, word in ipairs({ "a", "of", "the", "laptop", "internet", "laptops12", ("x"):rep(14), ("y"):rep(15), ("z"):rep(16), ("w"):rep(40) }) do
      local texts = {}
      for _, around in ipairs({ "%s", "other %s", "%s other words that are many", "(%s)", "a-%s-b", "other %sé", "é%s other", "%s, %s; %s." }) do
        texts[#texts + 1] = around:gsub("%%s", word)
        texts[#texts + 1] = "nothing here 1234"
      end
      local found = {}
      for _, hit in ipairs(native.recall(said(texts), word, { limit = 1000 })) do
        if hit.text:find(word, 1, true) then found[hit.line] = true end
      end
      for line = 1, #texts, 2 do assert(found[line] or (#word < 3 and texts[line]:find("é")), word .. " in " .. texts[line]) end
    end
  end)

  it("gives the newest where the text has no word, 20 of them", function()
    local texts = {}
    for index = 1, 30 do texts[index] = "text " .. index end
    local path = said(texts)
    for _, text in ipairs({ "", " \n", "?!" }) do
      local found = lines(path, text)
      assert.same({ 30, 20, 11 }, { found[1], #found, found[20] })
    end
    assert.same({ 30, 28 }, lines(path, "", { limit = 2, role = "assistant" }))
    assert.same({}, lines(path, "", { limit = 0 }))
    assert.same({}, lines(path, "text", { limit = 0 }))
  end)

  it("takes the filters, and fades with the half-life", function()
    local function ago(days) return os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - days * 86400) end
    local path = session(turn('"same words"', "a", ago(20)) .. GAP .. turn('"same words"', "b", "never") .. GAP
      .. turn('"same words"', "a", ago(10)) .. GAP .. turn('"same words"', "b", ago(-5)))
    assert.same({ 5, 1 }, lines(path, "words", { role = "a" }))
    assert.same({ 7, 5 }, lines(path, "words", { since = ago(15) }))
    assert.same({ 3, 1 }, lines(path, "words", { before = ago(15), limit = 2 }))
    local whole, hits = native.recall(path, "words")[1].score, {}
    for _, hit in ipairs(native.recall(path, "words", { half_life = 10 })) do if hit.role ~= "none" then hits[#hits + 1] = hit end end
    assert.same({ 7, 5, 1, 3 }, support.pluck(hits, "line"))
    for place, part in ipairs({ 1, 0.5, 0.25, 0 }) do assert.is_true(math.abs(hits[place].score - whole * part) < whole * 1e-4) end
  end)

  it("puts what has no time last, however little is left of other scores", function()
    local path = session(turn('"same words"', "a", "2001-01-01T00:00:00Z") .. GAP .. turn('"same words"', "a", "2002-01-01T00:00:00Z") .. GAP
      .. turn('"same words"', "a", "never"))
    for _, half_life in ipairs({ 1e5, 1, 1e-9, 1e-300 }) do
      assert.equal(5, lines(path, "words", { half_life = half_life, role = "a" })[3], half_life)
    end
  end)

  it("gives a text of at most 240 bytes around the word that bears on it most", function()
    local filler = ("filler wörds of no concern "):rep(40)
    local path = said({ filler .. "the passphrase of LUKS" .. filler, "the the of the " .. filler })
    local hit = native.recall(path, "what is the passphrase?")[1]
    assert.is_true(#hit.text <= 240)
    assert.truthy(hit.text:find("passphrase", 1, true))
  end)

  it("gives what fits into a budget, in the order of the score", function()
    local path = session(turn('"backup"') .. GAP .. turn('"backup and a longer text"') .. GAP .. turn('"a backup of the disk"'))
    local function fits(options) options.role = "user" return lines(path, "backup", options) end
    assert.same({ 1, 5, 3 }, fits({}))
    assert.same({ 1, 5 }, fits({ budget = 26 }))
    assert.same({ 1 }, fits({ budget = 25 }))
    assert.same({ 1 }, fits({ budget = 1000, limit = 1 }))
    assert.same({}, fits({ budget = 0 }))
    assert.same({ 1, 3 }, fits({ budget = 2, cost = function(hit) return hit.line == 5 and 100 or 1 end }))
    assert.same({}, select(2, native.recall(path, "backup", { budget = 10 })))
  end)

  it("raises what a cost raises, what is no cost, and where it uses the file, and goes on", function()
    local path = said(TALK)
    local dir = path:gsub("/s.jsonl$", "")
    local handle = assert(native.session(path))
    local problem = {}
    local function recall(cost, where) return pcall(native.recall, where or path, "backups", { budget = 100, cost = cost }) end
    assert.same({ false, problem }, { recall(function() error(problem) end) })
    for _, bad in ipairs({ "3", -1, 0 / 0, false }) do
      assert.matches("cost must return a number, not negative", select(2, recall(function() return bad end)))
    end
    local function calls(file)
      return {
        function() native.search(file, "x") end, function() native.recall(file, "x") end, function() native.load(file) end,
        function() native.append(file, {}) end, function() native.session(file) end, function() native.scan(file) end,
        function() handle:append({}) end, function() handle:close() end, function() native.flock(handle, native.LOCK_UN) end,
        -- Also of a handle, from within a cost that is asked by another.
        function()
          native.recall(said({ "backups" }), "backups", { budget = 9, cost = function() native.load(file) return 1 end })
        end,
        function()
          pcall(native.recall, said({ "backups" }), "backups", { budget = 9, cost = error })
          native.load(file)
        end,
      }
    end
    local beside = helper.tmpdir()
    assert(unistd.link(dir, beside .. "/dir", true))
    assert(unistd.link(path, beside .. "/link", true))
    assert(unistd.link(path, beside .. "/hard", false))
    local names = { path, dir .. "/./s.jsonl", dir .. "//s.jsonl", dir .. "/../" .. dir:match("[^/]+$") .. "/s.jsonl", beside .. "/dir/s.jsonl",
      beside .. "/link", beside .. "/hard" }
    for _, name in ipairs(names) do
      for place, call in ipairs(calls(name)) do
        for _, where in ipairs({ path, dir, dir .. "/", beside .. "/dir/.", beside .. "/link" }) do
          assert.matches("must not be used within cost", select(2, recall(call, where)), 1, true, name .. " " .. place .. " " .. where)
        end
      end
    end
    for _, name in ipairs({ dir, dir .. "/", beside .. "/dir" }) do
      assert.matches("must not be used within cost", select(2, recall(function() native.sessions(name) end, dir)))
    end
    assert.is_true(recall(function() return #native.display(path) end))
    local other = said({ "backup" })
    assert.is_true(recall(function() return #native.recall(other, "backup", { budget = 9, cost = function() return 1 end }) end))
    assert.is_true(handle:append({ role = "user", content = "backups" }))
    assert.equal(1, #native.search(path, "unrelated"))
    handle:close()
  end)

  it("names a file that is replaced again and again among those that cannot be read, and gives what others have", function()
    if _VERSION == "Lua 5.2" then return pending("its collector does not run within each reading") end
    local dir = helper.tmpdir()
    helper.write(dir .. "/1.jsonl", turn('"a backup"'))
    helper.write(dir .. "/2.jsonl", turn('"backup"'))
    local replacing, count, kept = true, 0, helper.tmpdir()
    local function replace()
      if not replacing then return end
      count = count + 1
      unistd.link(dir .. "/1.jsonl", kept .. "/" .. count, false) -- or a new file gets its inode
      helper.write(dir .. "/new", turn('"a backup"'))
      os.rename(dir .. "/new", dir .. "/1.jsonl")
      getmetatable(newproxy(true)).__gc = replace
    end
    replace()
    local mode = _VERSION >= "Lua 5.4" and collectgarbage("incremental") -- for a generational one waits longer
    collectgarbage("setpause", 0)
    collectgarbage("setstepmul", _VERSION >= "Lua 5.5" and 0 or 1e6) -- a cycle a step
    collectgarbage()
    local hits, errors = native.recall(dir, "backup")
    replacing = false
    collectgarbage("setpause", 200)
    collectgarbage("setstepmul", 200)
    if mode then collectgarbage(mode) end
    assert.same({ dir .. "/2.jsonl" }, support.pluck(hits, "path"))
    assert.same({ [dir .. "/1.jsonl"] = "read " .. dir .. "/1.jsonl: it changed again and again while it was read" }, errors)
    assert.equal(2, #native.recall(dir, "backup"))
  end)

  it("takes a text of any length, and bytes that are no text", function()
    local path = session(turn('"backup"') .. GAP .. turn('"caf\233 \255\254"') .. GAP .. turn('"other"'))
    assert.equal(1, lines(path, ("filler "):rep(150000) .. "backup")[1])
    assert.equal(1, lines(path, "backup " .. ("filler "):rep(150000))[1])
    assert.equal(3, lines(path, "\255\254")[1])
    assert.equal(3, lines(path, "caf\233")[1])
  end)

  it("finds the same where there are more notes than are kept", function()
    local one = {}
    for index = 1, 200 do one[index] = turn(plain(("%x word%d of the record "):format(index * 7919 % 4096, index):rep(3))) end
    local path = session(table.concat(one):rep(2500)) -- 500,000 records
    local hits = assert(native.recall(path, "record word17 of the " .. ("%x"):format(17 * 7919 % 4096), { limit = 4 }))
    assert.same({ 499817, 499617, 499417, 499217 }, support.pluck(hits, "line"))
  end)

  it("is the same through the shim", function()
    local path = said(TALK)
    assert.same(native.recall(path, "backups"), (history.recall(path, "backups")))
  end)

  it("raises on wrong arguments and options", function()
    local path = said(TALK)
    for _, options in ipairs({ { budget = -1 }, { budget = "1" }, { half_life = -1 }, { cost = 1 }, { exact = true }, { kind = "fact" },
      { role = 1 }, { since = "never" }, { limit = -1 } }) do
      assert.is_false(pcall(native.recall, path, "x", options))
    end
    for _, kind in ipairs(cases.types_but("string")) do
      cases.argument_error(function() native.recall(cases.values[kind], "x") end, 1, "recall", kind)
      cases.argument_error(function() native.recall("x", cases.values[kind]) end, 2, "recall", kind)
    end
    cases.too_many_error(function() native.recall("x", "y", {}, 1) end, 3, "recall")
  end)

  for _, case in ipairs(cases.unreachable) do
    local label, number, reason, make = unpack(case)
    it("fails at a place that is " .. label, function()
      local path = make(helper.tmpdir())
      cases.failed("open " .. path .. ": " .. reason, number, native.recall(path, "x"))
    end)
  end
end)

describe("recall of a directory", function()
  helper.guard(before_each, after_each)

  it("ranks the turns of all sessions together, the newer ones first where that ties", function()
    local dir = support.directory({ ["a.jsonl"] = turn('"a backup"') .. turn('"x"') .. turn('"a backup"'), ["b.jsonl"] = turn('"a backup"'),
      ["c.jsonl"] = turn('"the backup backup"'), ["d.txt"] = turn('"backup"') })
    local found = {}
    for _, hit in ipairs(native.recall(dir, "backup", { role = "user" })) do found[#found + 1] = hit.path:sub(-7, -7) .. hit.line end
    assert.same({ "c1", "b1", "a3", "a1", "a2" }, found)
    local newest = {}
    for _, hit in ipairs(native.recall(dir, "", { limit = 3 })) do newest[#newest + 1] = hit.path:sub(-7, -7) .. hit.line end
    assert.same({ "c1", "b1", "a3" }, newest)
  end)

  it("ranks sessions of one turn as a memory ranks items, in every script", function()
    local random = cases.random(20263)
    local parts = { "laptop", "LAPTOP", "lap", "a", "é", "É", "ß", "и", "диск", "ΑΣ", "磁盘", "盘", "バック", "각하", "😀", "\255", "\195", "12", "0189", "az", "-",
      ".", ",", " ", "  ", "\n", ("x"):rep(7), ("x"):rep(8), ("y"):rep(9), "e\204\129", "“", "\226\128" }
    local function text(most)
      local out = {}
      for index = 1, random(1, most) do out[index] = parts[random(1, #parts)] .. (random(1, 3) == 1 and " " or "") end
      return table.concat(out)
    end
    for _ = 1, 15 do
      local dir, memory = helper.tmpdir(), assert(native.open(helper.tmpdir() .. "/memory.jsonl", { sync = "none" }))
      for index = 1, 40 do
        local content = text(60)
        assert(memory:add("fact", content))
        assert(native.append(("%s/%02d.jsonl"):format(dir, index), { role = "user", content = content }))
      end
      for _ = 1, 15 do
        local question = text(8)
        local found = native.recall(dir, question, { limit = 1000 })
        for _, hit in ipairs(found) do hit.id = tonumber(hit.path:match("(%d+).jsonl$")) end
        assert(terms.alike(memory:recall(question, { limit = 1000 }), found), question)
      end
      memory:close()
    end
  end)

  it("tells what it could not read, and finds the rest", function()
    local dir = support.directory({ ["a.jsonl"] = turn('"needle"') })
    assert(stat.mkdir(dir .. "/b.jsonl"))
    local hits, errors = native.recall(dir, "needle")
    assert.equal(1, #hits)
    assert.matches("^open .*/b.jsonl: ", errors[dir .. "/b.jsonl"])
    assert.same({ {}, {} }, { native.recall(helper.tmpdir(), "x") })
  end)
end)
