--- aish-history verify.
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local command = require("spec.support.command")

local run = command.run

describe("aish-history verify", function()
  helper.guard(before_each, after_each)

  it("has nothing to say of a whole history", function()
    assert.same({ "4 files, 12 records, 0 problems\n", 0, "" }, { run(command.history(), "verify") })
  end)

  it("names every problem, with file, line and reason", function()
    local dir = command.history()
    helper.write(dir .. "/sessions/2026-01-05.jsonl", '{"role":"user","content":"a"}\n{"ro\n\27]0;x\n{"role":"us')
    helper.write(dir .. "/memory.jsonl", helper.read(dir .. "/memory.jsonl") .. '{"id":0,"kind":"fact","content":"x"}\n')
    local output, code = run(dir, "verify")
    assert.equal(1, code)
    local lines = {}
    for line in output:gmatch("[^\n]+") do lines[#lines + 1] = line end
    assert(lines[1]:find("^memory.jsonl:5: %l"), output)
    for index = 2, 4 do assert(lines[index]:find(("^sessions/2026%%-01%%-05.jsonl:%d: %%l"):format(index)), output) end
    assert.equal("5 files, 14 records, 4 problems", lines[5])
    assert.falsy(output:find("\27", 1, true))
    assert.same({ "2", "3", "4" }, command.jq(run(dir, "verify --json sessions/2026-01-05.jsonl"), ".problems[].line"))
  end)

  it("checks the files that are named", function()
    local dir = command.history()
    assert.same({ "1 file, 3 records, 0 problems\n", 0, "" }, { run(dir, "verify sessions/2026-01-02.jsonl") })
    assert.same({ "0" }, command.jq(run(dir, "verify --json memory.jsonl"), ".problems | length"))
    local output, code, said = run(dir, "verify nowhere.jsonl memory.jsonl")
    assert.equal(3, code)
    assert(said:find("open nowhere.jsonl: No such file or directory", 1, true), said)
    assert.equal("1 file, 4 records, 0 problems, 1 file could not be read\n", output)
  end)

  it("takes sessions by name, as show does", function()
    local dir = command.history()
    for _, name in ipairs({ "2026-01-02", "2026-01-02.jsonl", "-2" }) do
      assert.same({ dir .. "/sessions/2026-01-02.jsonl" }, command.jq(run(dir, "verify --json " .. name), ".path"))
    end
    assert.equal(2, select(2, run(dir, "verify 2026")))
  end)

  -- timeout ends with 124 what waits for the writer of a FIFO.
  it("waits for no FIFO", function()
    local dir = command.history()
    shell.run(("cd %s && rm memory.jsonl && mkfifo memory.jsonl sessions/2026-02-01.jsonl"):format(helper.quote(dir)))
    local output, code = run(dir, "verify", "timeout 20 env")
    assert.equal(1, code)
    assert.equal(2, select(2, output:gsub("not a regular file", "")))
    assert.equal(3, select(2, run(dir, "memory add fact x", "timeout 20 env")))
    assert.equal(3, select(2, run(dir, "search disk", "timeout 20 env")))
  end)

  it("reports a file of another format as a problem", function()
    local dir = command.history()
    helper.write(dir .. "/sessions/2026-01-05.jsonl", '[{"role":"user","content":"a"}]')
    local output, code = run(dir, "verify")
    assert.equal(1, code)
    assert(output:find("^sessions/2026%-01%-05.jsonl:1: "), output)
  end)
end)
