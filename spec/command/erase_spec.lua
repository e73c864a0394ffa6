--- aish-history erase.
local lfs = require("lfs")
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local command = require("spec.support.command")
local aish_history = require("aish_history")

local run = command.run

local TOKEN = "ghp_" .. ("aB3"):rep(12)

if not aish_history.erase then
  describe("aish-history erase, of a module that cannot", function()
    helper.guard(before_each, after_each)

    it("says so", function()
      assert.same({ "", 3, "aish-history: this version of aish_history cannot erase; install a newer one\n" },
        { run(command.history(), "erase x") })
    end)
  end)
  return
end

describe("aish-history erase", function()
  helper.guard(before_each, after_each)

  -- A history in which hunter2 and a token were said and noted.
  local function history()
    local dir = command.history()
    helper.write(dir .. "/sessions/2026-02-01.jsonl", ('{"role":"user","content":"it is hunter2, hunter2"}\n{"role":"user","content":"and %s"}\n'
      .. '{"role":"user","content":"x","hunter2":1}\n'):format(TOKEN))
    assert.equal(0, select(2, run(dir, "memory add fact The password is hunter2")))
    return dir
  end

  local function bytes(dir)
    local all = {}
    for _, name in ipairs(shell.files(dir)) do all[name] = helper.read(dir .. "/" .. name) end
    return all
  end

  it("shows what it would change", function()
    local dir = history()
    local before = bytes(dir)
    local output, code, said = run(dir, "erase hunter2")
    assert.equal("memory.jsonl: 1 occurrence in 1 record\n"
      .. "sessions/2026-02-01.jsonl: 2 occurrences in 1 record, left in keys or numbers of 1 record\n", output)
    assert.same({ 0, "aish-history: nothing was changed; --yes does it\n" }, { code, said })
    assert.same(before, bytes(dir))
  end)

  it("does it with --yes", function()
    local dir = history()
    local output, code, said = run(dir, "erase hunter2 --yes")
    assert.equal("memory.jsonl: 1 occurrence in 1 record\nsessions/2026-02-01.jsonl: 2 occurrences in 1 record, left in keys or numbers of 1 record\n", output)
    assert.same({ 0, "" }, { code, said })
    assert.equal("it is [erased], [erased]", aish_history.load(dir .. "/sessions/2026-02-01.jsonl")[1].content)
    assert.equal("The password is [erased]", aish_history.load_memory(dir .. "/memory.jsonl")[1].content)
    assert.same({ "0" }, command.jq(run(dir, "erase hunter2 --json"):match("^[^\n]*\n"), ".occurrences"))
  end)

  it("takes the text from standard input, and what to put in its place", function()
    local dir = history()
    assert.equal(0, select(2, run(dir, "erase --yes --replacement '***'", "echo hunter2 |")))
    assert.equal("it is ***, ***", aish_history.load(dir .. "/sessions/2026-02-01.jsonl")[1].content)
  end)

  it("erases secrets of all kinds", function()
    local dir = history()
    local output, code = run(dir, "erase --secrets")
    assert.same({ "sessions/2026-02-01.jsonl: 1 occurrence in 1 record\nkinds: github-token\n", 0 }, { output, code })
    assert.falsy(output:find(TOKEN, 1, true))
    assert.equal(0, select(2, run(dir, "erase --secrets --yes")))
    assert.equal("and [redacted:github-token]", aish_history.load(dir .. "/sessions/2026-02-01.jsonl")[2].content)
    assert.equal(1, select(2, run(dir, "erase --secrets --yes")))
  end)

  it("exits with 1 where nothing holds it", function()
    local output, code, said = run(history(), "erase nowhere --yes")
    assert.same({ "", 1, "aish-history: nothing of the history holds it\n" }, { output, code, said })
  end)

  for arguments, message in pairs({
    ["erase"] = "there is no text to erase",
    ["erase a --secrets"] = "--secrets takes neither a text nor a replacement",
    ["erase a --replacement bab"] = "the replacement holds the text",
  }) do
    it("refuses " .. arguments, function()
      local dir = history()
      local before = bytes(dir)
      local output, code, said = run(dir, arguments .. " --yes")
      assert.same({ "", 2, "aish-history: " .. message .. " (see aish-history erase --help)\n" }, { output, code, said })
      assert.same(before, bytes(dir))
    end)
  end

  it("says who holds the memory, and then leaves the sessions too", function()
    local dir = history()
    local before = bytes(dir)
    local memory = assert(aish_history.open(dir .. "/memory.jsonl"))
    local _, code, said = run(dir, "erase hunter2 --yes --wait 0.05")
    memory:close()
    assert.equal(3, code)
    assert(said:find("waiting for process %d+ %("), said)
    assert(said:find("memory.jsonl is held by process %d+ %(.*; leave that shell, or try again later\n$"), said)
    assert.same(before, bytes(dir))
  end)

  it("goes on where a file cannot be read, and says which", function()
    local dir = history()
    helper.write(dir .. "/sessions/2026-01-01.jsonl", "[1]\n")
    assert(lfs.mkdir(dir .. "/sessions/2026-03-01.jsonl"))
    local expected = run(dir, "erase hunter2")
    assert.equal(2, select(2, expected:gsub("\n", "")))
    for _, option in ipairs({ "", " --yes" }) do
      local output, code, said = run(dir, "erase hunter2" .. option)
      assert.same({ expected, 3 }, { output, code })
      assert.equal(option == "", said:find("nothing was changed; --yes does it", 1, true) ~= nil)
      assert(said:find("2026-01-01.jsonl: a JSON array", 1, true) and said:find("2026-03-01.jsonl: Is a directory", 1, true), said)
    end
  end)

  it("takes away what interrupted writing left, also of a session that is gone", function()
    local dir = history()
    os.remove(dir .. "/memory.jsonl")
    local left = helper.write(dir .. "/sessions/gone.jsonl.compact-000000009e3779b1", "hunter2")
    assert.equal(0, select(2, run(dir, "erase hunter2 --yes")))
    assert.is_nil(lfs.attributes(left) and helper.read(left))
  end)

  it("goes on where the memory cannot be read", function()
    local dir = history()
    helper.write(dir .. "/memory.jsonl", "[1]\n")
    local expected = run(dir, "erase hunter2")
    assert.equal(1, select(2, expected:gsub("\n", "")))
    local output, code, said = run(dir, "erase hunter2 --yes")
    assert.same({ expected, 3 }, { output, code })
    assert(said:find("memory.jsonl: a JSON array", 1, true), said)
  end)

  it("says which session it could not erase from", function()
    local dir = history()
    local session = assert(aish_history.session(dir .. "/sessions/2026-02-01.jsonl", nil, { exclusive = true }))
    local output, code, said = run(dir, "erase hunter2 --yes --wait 0.05")
    session:close()
    assert.equal(3, code)
    assert.equal("memory.jsonl: 1 occurrence in 1 record\n", output)
    assert(said:find("2026-02-01.jsonl held by another aish process", 1, true), said)
  end)

  -- While it waits for a lock, its text is looked for in what all processes were called with.
  it("has the text of standard input in no list of processes", function()
    local dir = history()
    local memory = assert(aish_history.open(dir .. "/memory.jsonl"))
    local number = require("posix.unistd").getpid() -- other specs have their own
    memory:add("fact", "hunter" .. number)
    helper.write(dir .. "/text", ("hunter%d\n"):format(number))
    local output = command.shell(dir, "mine=" .. number .. [[; aish-history erase --yes --wait 0.5 <text & sleep 0.2
      cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' | grep -c "hunte[r]$mine"; ps ax | grep -c 'aish-history [e]rase'; wait]])
    memory:close()
    assert(output:find("^0\n") or output:find("\n0\n", 1, true), output)
    assert(output:find("\n[1-9]%d*\n"), output)
  end)
end)
