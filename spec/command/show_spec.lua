--- aish-history show.
local helper = require("spec.support.helper")
local command = require("spec.support.command")
local aish_history = require("aish_history")

local run = command.run

describe("aish-history show", function()
  helper.guard(before_each, after_each)

  it("shows the turns, role by role", function()
    local output, code, said = run(command.history(), "show 2026-01-03")
    assert.same({ 0, "" }, { code, said })
    assert.equal([[
session 2026-01-03  qwen3

user  2026-01-04 00:30
Where do Jürgen's backups go?

assistant  2026-01-04 00:30
To /mnt/nas.

```
ls /mnt/nas
```
calls: [{"cmd":"ls"}]

user  2026-01-04 00:31
Thanks \x1b[31m\u202e!

]], output)
  end)

  it("takes a name, its beginning, the number of one from the newest, and a path", function()
    local dir = command.history()
    local expected = run(dir, "show 2026-01-02")
    for _, name in ipairs({ "2026-01-02.jsonl", "2026-01-02.", "-2", "sessions/2026-01-02.jsonl", "-- -2" }) do
      local output, code = run(dir, "show " .. name)
      assert.same({ expected, 0 }, { output, code }, name)
    end
    helper.write(dir .. "/elsewhere.jsonl", helper.read(dir .. "/sessions/2026-01-02.jsonl"))
    assert.equal((expected:gsub("2026%-01%-02  qwen", "elsewhere  qwen")), (run(dir, "show elsewhere.jsonl")))
    helper.write(dir .. "/sessions/2026-01-02b.jsonl", '{"role":"user","content":"b"}\n')
    assert.equal(expected, (run(dir, "show 2026-01-02")))
  end)

  for name, expected in pairs({
    ["2026-01-0"] = { 2, "3 sessions begin with 2026-01-0, the last of them is 2026-01-04.jsonl" },
    ["2025"] = { 1, "there is no session 2025; aish-history sessions lists them" },
    ["-3"] = { 1, "there is no session -3;" },
    ["-0"] = { 1, "there is no session -0;" },
    ["x/y.jsonl"] = { 3, "open x/y.jsonl: No such file or directory" },
    ["memory.jsonl"] = { 3, "memory.jsonl: it is a memory; aish-history memory list shows it" },
    ["memory.jsonl --html"] = { 3, "memory.jsonl: it is a memory; aish-history memory list shows it" },
    ["sessions/"] = { 3, "open sessions/: Is a directory" },
  }) do
    it("says that it is no session: " .. name, function()
      local dir = command.history()
      local output, code, said = run(dir, "show " .. name)
      assert.same({ "", expected[1] }, { output, code })
      assert(said:find("aish-history: " .. expected[2], 1, true) == 1, said)
    end)
  end

  it("passes over what cannot be read when it counts from the newest", function()
    local dir = command.history()
    local expected = { run(dir, "show -1"), run(dir, "show -2") }
    for number = 1, 5 do helper.write(("%s/sessions/2026-02-0%d.jsonl"):format(dir, number), "[1]\n") end
    local first, code, said = run(dir, "show -1")
    assert.same({ expected[1], 0 }, { first, code })
    assert.equal(5, select(2, said:gsub("[^\n]*a JSON array, not JSON Lines\n", "")))
    assert.equal(expected[2], (run(dir, "show -2")))
    for name in pairs({ ["2026-01-02"] = 1, ["2026-01-03"] = 1, ["2026-01-04"] = 1 }) do os.remove(dir .. "/sessions/" .. name .. ".jsonl") end
    assert.equal(3, select(2, run(dir, "show -1")))
  end)

  it("takes --last", function()
    local output = run(command.history(), "show 2026-01-03 --last 1")
    assert.equal("session 2026-01-03  qwen3\n\nuser  2026-01-04 00:31\nThanks \\x1b[31m\\u202e!\n\n", output)
  end)

  it("prints the turns as JSON", function()
    local dir = command.history()
    local expected = aish_history.load(dir .. "/sessions/2026-01-03.jsonl")
    local output = run(dir, "show -1 --json")
    local lines = command.jq(output, ".")
    assert.equal(3, #lines)
    for index, line in ipairs(lines) do assert.same(expected[index], aish_history.decode(line)) end
  end)

  it("prints Markdown, whose blocks hold what they should", function()
    local dir = command.history()
    assert.equal([[
# 2026-01-03, qwen3

## user, 2026-01-04 00:30

Where do Jürgen's backups go?

## assistant, 2026-01-04 00:30

To /mnt/nas.

```
ls /mnt/nas
```

calls:

```json
[{"cmd":"ls"}]
```

## user, 2026-01-04 00:31

Thanks \x1b[31m\u202e!

]], (run(dir, "show -1 --markdown")))
    helper.write(dir .. "/sessions/2026-02-01.jsonl", '{"role":"tool","content":"x","call":"a ```` b"}\n')
    assert(run(dir, "show -1 --markdown"):find('\n`````json\n"a ```` b"\n`````\n', 1, true))
  end)

  it("shows the texts of a content of parts, and the content that has none as JSON", function()
    local dir = command.history()
    helper.write(dir .. "/sessions/2026-02-01.jsonl", '{"role":"user","content":[{"type":"text","text":"a"},"b\\tc\\r\\nd"]}\n'
      .. '{"role":"user","content":[{"image":1}]}\n{"role":"user","content":12}\n')
    assert.equal('session 2026-02-01\n\nuser\na\nb\tc\nd\n\nuser\ncontent: [{"image":1}]\n\nuser\n12\n\n', (run(dir, "show -1")))
  end)

  it("says that there is damage", function()
    local dir = command.history()
    helper.write(dir .. "/sessions/2026-02-01.jsonl", '{"role":"user","content":"a"}\n{"ro\n')
    local output, code, said = run(dir, "show -1")
    assert.equal("session 2026-02-01\n\nuser\na\n\n", output)
    assert.equal(0, code)
    assert.equal("aish-history: 1 damaged line passed over; aish-history verify " .. dir .. "/sessions/2026-02-01.jsonl says which\n", said)
  end)
end)
