--- aish-history memory, and its list, add, update and forget.
local unistd = require("posix.unistd")
local helper = require("spec.support.helper")
local command = require("spec.support.command")
local aish_history = require("aish_history")

local run = command.run

describe("aish-history memory", function()
  helper.guard(before_each, after_each)

  it("lists the items, newest first", function()
    local output, code = run(command.history(), "memory list")
    assert.equal(0, code)
    assert.equal([[
ID  KIND     WHEN              TAGS      CONTENT
 3  context  2026-01-02 11:17            Jürgen is away \x1b[2J
 2  pref     2026-01-02 11:16            Answer in German
 1  fact     2026-01-02 11:15  disk nas  Backups go to /mnt/nas
]], output)
  end)

  for options, ids in pairs({
    [""] = { "3", "2", "1" }, ["--kind fact"] = { "1" }, ["--kind fact --kind pref"] = { "2", "1" }, ["--tag nas"] = { "1" },
    ["--source user"] = { "2" }, ["--where host=lap1"] = { "2" }, ["--where n=3"] = { "2" }, ["--where 'n=\"3\"'"] = {},
    ["--where host=lap1 --where n=4"] = {}, ["--since '2026-01-02 11:16'"] = { "3", "2" },
    ["--before 2026-01-02T10:16:00Z"] = { "1" }, ["--limit 1"] = { "3" }, ["--limit 0"] = {},
  }) do
    it("lists by filters: " .. options, function()
      local output, code = run(command.history(), "memory list --json " .. options)
      assert.same({ ids, #ids == 0 and 1 or 0 }, { command.jq(output, ".id"), code })
    end)
  end

  it("prints the items as JSON", function()
    local dir = command.history()
    for index, item in ipairs(aish_history.load_memory(dir .. "/memory.jsonl")) do
      assert.same(item, aish_history.decode(command.jq(run(dir, "memory list --json"), ".")[index]))
    end
  end)

  it("says that there is damage", function()
    local dir = command.history()
    helper.write(dir .. "/memory.jsonl", helper.read(dir .. "/memory.jsonl") .. "damage\n")
    local output, code, said = run(dir, "memory list --json")
    assert.same({ { "3", "2", "1" }, 0 }, { command.jq(output, ".id"), code })
    assert.equal("aish-history: 1 damaged line passed over; aish-history verify " .. dir .. "/memory.jsonl says which\n", said)
  end)

  it("adds, and prints the id", function()
    local dir = command.history()
    assert.same({ "4\n", 0, "" }, { run(dir, "memory add fact The disk is full --tag disk --tag 'a b' --source me") })
    local item = aish_history.load_memory(dir .. "/memory.jsonl")[1]
    assert.same({ 4, "fact", "The disk is full", { "disk", "a b" }, "me" }, { item.id, item.kind, item.content, item.tags, item.source })
    assert.equal("5\n", (run(dir, "memory add pref -", "printf 'two\\nlines\\n' |")))
    assert.equal("two\nlines", aish_history.load_memory(dir .. "/memory.jsonl")[1].content)
    assert.same({ "6 context -x" }, command.jq(run(dir, "memory add --json context -- -x"), '"\\(.id) \\(.kind) \\(.content)"'))
    local _, code, said = run(dir, "memory add fact -")
    assert.same({ 2, "aish-history: a memory has a text (see aish-history memory add --help)\n" }, { code, said })
  end)

  it("makes the memory where there is none", function()
    local dir = helper.tmpdir()
    assert.same({ "1\n", 0, "" }, { run(dir, "--dir new/aish memory add fact x") })
    assert.equal(1, #aish_history.load_memory(dir .. "/new/aish/memory.jsonl"))
  end)

  it("updates, and keeps what is not changed", function()
    local dir = command.history()
    assert.same({ "4\n", 0, "" }, { run(dir, "memory update 2 Answer in English") })
    local item = aish_history.load_memory(dir .. "/memory.jsonl", { where = { host = "lap1" } })[1]
    assert.same({ 4, "Answer in English", 2 }, { item.id, item.content, item.replaces })
    local _, code, said = run(dir, "memory update 2 again")
    assert.same({ 1, "aish-history: no active item 2; aish-history memory list shows them\n" }, { code, said })
  end)

  it("forgets", function()
    local dir = command.history()
    assert.same({ "", 0, "" }, { run(dir, "memory forget 1 3") })
    assert.same({ "2" }, command.jq(run(dir, "memory list --json"), ".id"))
    local _, code, said = run(dir, "memory forget 3 2")
    assert.same({ 1, "aish-history: no active item 3; aish-history memory list shows them\n" }, { code, said })
    assert.equal(1, select(2, run(dir, "memory list")))
  end)

  it("says that an item of the same id is left", function()
    local dir = command.history()
    local text = helper.read(dir .. "/memory.jsonl")
    helper.write(dir .. "/memory.jsonl", text .. '{"id":1,"uid":"twin0000","ts":"2026-01-01T00:00:00Z","kind":"fact","content":"twin"}\n')
    local _, code, said = run(dir, "memory forget 1")
    assert.same({ 0, "aish-history: 1 more with id 1; forget it again to forget them too\n" }, { code, said })
  end)

  it("says who holds the memory that it cannot write to", function()
    local dir = command.history()
    local before = helper.read(dir .. "/memory.jsonl")
    local memory = assert(aish_history.open(dir .. "/memory.jsonl"))
    local holder = ("process %d ("):format(unistd.getpid())
    for _, arguments in ipairs({ "memory add fact x", "memory update 1 x", "memory forget 1", "compact" }) do
      local output, code, said = run(dir, arguments .. " --wait 0.05")
      assert.same({ "", 3 }, { output, code })
      local first, second = said:match("^aish%-history: waiting for (.-), which holds the file\naish%-history: ([^\n]*)\n$")
      assert.equal(holder, first:sub(1, #holder))
      assert.equal("memory.jsonl is held by " .. first .. "; leave that shell, or try again later", second)
      assert.equal(1, select(2, run(dir, arguments .. " --wait 0"):gsub("^$", "")))
    end
    memory:close()
    assert.equal(before, helper.read(dir .. "/memory.jsonl"))
  end)

  it("waits for the lock, and then writes", function()
    local dir = command.history()
    local holder = helper.start([[
      local memory = assert(require("aish_history").open(...))
      print("held")
      io.stdout:flush()
      require("posix.time").nanosleep({ tv_sec = 0, tv_nsec = 300000000 })
      memory:close()]], dir .. "/memory.jsonl")
    assert.equal("held", holder:read("*l"))
    local output, code, said = run(dir, "memory add fact x --wait 20")
    holder:close()
    assert.same({ "4\n", 0 }, { output, code }, said)
  end)

  it("adds beside other shared writers", function()
    local dir = command.history()
    local memory = assert(aish_history.open(dir .. "/memory.jsonl", { shared = true }))
    assert.equal("4\n", (run(dir, "memory add fact x")))
    assert.equal(5, memory:add("fact", "y"))
    memory:close()
  end)
end)
