--- aish-history sessions.
local lfs = require("lfs")
local helper = require("spec.support.helper")
local command = require("spec.support.command")

local run = command.run

describe("aish-history sessions", function()
  helper.guard(before_each, after_each)

  it("shows a table in local time, newest first, without those in which nothing was said", function()
    local output, code = run(command.history(), "sessions")
    assert.equal(0, code)
    assert.equal([[
SESSION     WHEN              TURNS  SIZE  MODEL  FIRST WORDS
2026-01-03  2026-01-04 00:31      3  321B  qwen3  Where do Jürgen's backups go?
2026-01-02  2026-01-02 11:15      2  192B  qwen3  Is there room on the disk?
]], output)
  end)

  it("takes --limit, --all and --since", function()
    local dir = command.history()
    local function names(options) return command.jq(run(dir, "sessions --json " .. options), ".name") end
    assert.same({ "2026-01-03.jsonl" }, names("--limit 1"))
    assert.same({ "2026-01-04.jsonl", "2026-01-03.jsonl", "2026-01-02.jsonl" }, names("--all"))
    assert.same({ "2026-01-03.jsonl" }, names("--since 2026-01-03"))
    assert.same({ "2026-01-03.jsonl" }, names("--since '2026-01-04 00:31'"))
    assert.same({ "2026-01-03.jsonl" }, names("--since 2026-01-01 --limit 1"))
    assert.same({}, names("--since '2026-01-04 00:32'"))
    assert.same({}, names("--since 1d"))
    assert.equal(1, select(2, run(dir, "sessions --since 1d")))
  end)

  it("goes by the file's time where no turn has one", function()
    local dir = command.history()
    local path = helper.write(dir .. "/sessions/2026-01-05.jsonl", '{"role":"user","content":"now"}\n')
    assert(lfs.touch(path, os.time() - 90000))
    assert.same({ "1" }, command.jq(run(dir, "sessions --json --since 2d"), ".turns"))
    assert.equal(1, select(2, run(dir, "sessions --since 1d")))
  end)

  it("passes over what cannot be read, and says why", function()
    local dir = command.history()
    local expected, bad = run(dir, "sessions"), dir .. "/sessions/2026-02-0"
    helper.write(bad .. "1.jsonl", "[1]\n")
    helper.write(bad .. "2.jsonl", "\255\254{\0\"\0")
    assert(lfs.mkdir(bad .. "3.jsonl"))
    assert(lfs.link("nowhere", bad .. "4.jsonl", true))
    for _, options in ipairs({ "", "--limit 2", "--since 2026-01-01", "--since 2026-01-01 --limit 2" }) do
      local output, code, said = run(dir, "sessions " .. options)
      assert.same({ expected, 0 }, { output, code }, options)
      local said_of = {}
      for number in said:gmatch("aish%-history: open [^\n]*/2026%-02%-0(%d).jsonl: [^\n]+\n") do said_of[#said_of + 1] = number end
      assert.equal("4321", table.concat(said_of), said)
    end
    assert.same({ "2026-01-03.jsonl" }, command.jq(run(dir, "sessions --json --limit 1"), ".name"))
    for _, name in ipairs({ "02", "03", "04" }) do os.remove(dir .. "/sessions/2026-01-" .. name .. ".jsonl") end
    local output, code = run(dir, "sessions")
    assert.same({ "", 3 }, { output, code })
  end)

  it("prints all that the module tells, as JSON", function()
    local dir = command.history()
    local expected = require("aish_history").sessions(dir .. "/sessions", { empty = false })
    for index, line in ipairs(command.jq(run(dir, "sessions --json"), ".")) do
      assert.same(expected[index], require("aish_history").decode(line))
    end
  end)

  it("cuts nothing where it is no terminal", function()
    local dir, name = command.history(), "2026-02-01-" .. ("x"):rep(60)
    helper.write(dir .. "/sessions/" .. name .. ".jsonl", '{"role":"user","content":"' .. ("y"):rep(150) .. '"}\n')
    local output = run(dir, "sessions --limit 1")
    assert(output:find(name .. " ", 1, true) and output:find(("y"):rep(150) .. "\n", 1, true), output)
  end)

  it("makes controls visible", function()
    local dir = command.history()
    helper.write(dir .. "/sessions/2026-01-06\27[2J.jsonl", '{"meta":{"model":"m\\u001b[2J"}}\n{"role":"user","content":"a\\n\\u009bb"}\n')
    local output = run(dir, "sessions --limit 1")
    assert(output:find("\n2026-01-06\\x1b[2J ", 1, true), output)
    assert(output:find("m\\x1b[2J  a\\n\\u009bb\n", 1, true), output)
  end)
end)
