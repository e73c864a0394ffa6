--- aish-history search.
local helper = require("spec.support.helper")
local command = require("spec.support.command")
local aish_history = require("aish_history")

local run = command.run

describe("aish-history search", function()
  helper.guard(before_each, after_each)

  it("shows the hits of the memory and of the sessions, a line each", function()
    local output, code, said = run(command.history(), "search backups")
    assert.same({ 0, "" }, { code, said })
    assert.equal([[
memory:1: 2026-01-02 11:15 fact: Backups go to /mnt/nas
2026-01-03:2: 2026-01-04 00:30 user: Where do Jürgen's backups go?
]], output)
  end)

  it("finds all words, and with --exact the text", function()
    local dir = command.history()
    assert.equal(0, select(2, run(dir, "search 'JURGEN?' go")))
    assert.equal(1, select(2, run(dir, "search jurgen disk")))
    assert.equal(0, select(2, run(dir, "search --exact backups go")))
    assert.equal(1, select(2, run(dir, "search --exact go backups")))
    assert.equal(0, select(2, run(dir, "search go backups")))
  end)

  it("searches where it is told to", function()
    local dir = command.history()
    local function count(options) return #command.jq(run(dir, "search --json " .. options), ".") end
    assert.equal(2, count("nas"))
    assert.equal(1, count("nas --memory"))
    assert.equal(1, count("nas --sessions"))
    assert.equal(1, count("nas --role assistant"))
    assert.equal(0, count("nas --role user"))
    assert.equal(1, count("nas --since 2026-01-03"))
    assert.equal(1, count("nas --before 2026-01-03"))
    assert.equal(2, count("nas --limit 1"))
    assert.equal(2, select(2, run(dir, "search nas --memory --sessions")))
  end)

  it("prints what the module gives, as JSON", function()
    local dir = command.history()
    local lines = command.jq(run(dir, "search --json backups"), ".")
    local hit = aish_history.search(dir .. "/sessions", "backups")[1]
    assert.same(hit, aish_history.decode(lines[2]))
    assert.same({ "1 Backups go to /mnt/nas" }, command.jq(lines[1], '"\\(.id) \\(.content)"'))
    assert.equal(2, #lines)
  end)

  it("exits with 1 when nothing is found", function()
    assert.same({ "", 1, "aish-history: nothing found\n" }, { run(command.history(), "search nowhere") })
  end)

  it("makes controls visible, and shows where the words are", function()
    local dir = command.history()
    assert(run(dir, "search thanks"):find("Thanks \\x1b[31m\\u202e!\n", 1, true))
    local output = run(dir, "search JÜRGEN away --color always")
    assert(output:find("\27[1;31mJürgen\27[0m is \27[1;31maway\27[0m \\x1b[2J\n", 1, true), output)
    assert.falsy(run(dir, "search thanks"):find("\27", 1, true))
  end)

  it("says which session it could not read", function()
    local dir = command.history()
    helper.write(dir .. "/sessions/2026-01-05.jsonl", "[1,2]")
    local output, code, said = run(dir, "search disk --sessions")
    assert.equal(0, code)
    assert(output:find("^2026%-01%-02:2: "), output)
    assert(said:find("^aish%-history: [^\n]*2026%-01%-05.jsonl[^\n]*\n$"), said)
    assert.equal(3, select(2, run(dir, "search nowhere")))
  end)

  it("reads while another process holds the memory", function()
    local dir = command.history()
    local memory = assert(aish_history.open(dir .. "/memory.jsonl"))
    assert(memory:add("fact", "written beside it"))
    assert.equal(0, select(2, run(dir, "search beside")))
    memory:close()
  end)
end)
