--- aish-history compact.
local helper = require("spec.support.helper")
local command = require("spec.support.command")

local run = command.run

describe("aish-history compact", function()
  helper.guard(before_each, after_each)

  local function with_forgotten()
    local dir = command.history()
    run(dir, "memory forget 2")
    return dir, helper.read(dir .. "/memory.jsonl")
  end

  it("says what it saves, and with --dry-run does not do it", function()
    local dir, before = with_forgotten()
    local output, code = run(dir, "compact --dry-run")
    assert.equal(0, code)
    assert(output:find("^memory.jsonl: would go from 519B to 386B, 2 records kept, 1 dropped\n$"), output)
    assert.equal(before, helper.read(dir .. "/memory.jsonl"))
    output = run(dir, "compact")
    assert(output:find("^memory.jsonl: from 519B to 386B, 2 records kept, 1 dropped\n$"), output)
    assert(#helper.read(dir .. "/memory.jsonl") < #before)
    assert.same({ "3", "1" }, command.jq(run(dir, "memory list --json"), ".id"))
  end)

  it("takes files, and says which lines it moves", function()
    local dir = command.history()
    helper.write(dir .. "/other.jsonl", helper.read(dir .. "/memory.jsonl") .. "{torn\n")
    local output = run(dir, "compact other.jsonl")
    assert(output:find(", 1 damaged line moved to other.jsonl.damaged\n$"), output)
    assert.equal("{torn\n", helper.read(dir .. "/other.jsonl.damaged"))
    assert.same({ "other.jsonl 0" }, command.jq(run(dir, "compact --json other.jsonl"), '"\\(.path) \\(.damaged)"'))
  end)

  it("fails where there is no memory", function()
    local dir = command.history()
    local _, code, said = run(dir, "compact sessions/2026-01-02.jsonl")
    assert.equal(3, code)
    assert(said:find("sessions/2026-01-02.jsonl", 1, true), said)
  end)

  it("counts one record as one", function()
    local dir = helper.tmpdir()
    helper.write(dir .. "/memory.jsonl", '{"id":1,"kind":"fact","content":"x"}\n')
    local output = run(dir, "compact --dry-run")
    assert(output:find(", 1 record kept, 0 dropped\n", 1, true), output)
  end)
end)
