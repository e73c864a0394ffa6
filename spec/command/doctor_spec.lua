--- `aish-history doctor`: what it finds, that its advice helps, and that it changes nothing.
local lfs = require("lfs")
local unistd = require("posix.unistd")
local helper = require("spec.support.helper")
local command = require("spec.support.command")
local shell = require("spec.support.shell")
local aish_history = require("aish_history")

local quote = helper.quote

--- A history with a memory of two items, one forgotten, and two sessions.
local function history()
  local dir = helper.tmpdir() .. "/it's here"
  local memory = assert(aish_history.open(dir .. "/memory.jsonl"))
  memory:add("fact", "Backups go to /mnt/nas")
  memory:add("fact", "Something else")
  memory:forget(2)
  memory:close()
  for _, name in ipairs({ "a", "b" }) do
    local session = assert(aish_history.session(dir .. "/sessions/" .. name .. ".jsonl", { model = "m" }))
    session:append({ role = "user", content = "Hello" })
    session:close()
  end
  return dir
end

local function append(path, bytes) helper.write(path, helper.read(path) .. bytes) end

--- What the doctor says: its exit code, and a table from each subject to { status, found, advice }; of a subject
-- of which it says more than one thing, the last.
local function examine(dir, before)
  local printed, code, said = command.run("/", "doctor --json --dir " .. quote(dir), before)
  assert.equal("", said)
  local by = {}
  for _, object in ipairs(command.objects(printed)) do by[object.subject] = object end
  return code, by
end

--- Which subjects have a status, sorted.
local function having(status, by)
  local subjects = {}
  for subject, object in pairs(by) do
    if object.status == status then subjects[#subjects + 1] = subject end
  end
  table.sort(subjects)
  return subjects
end

--- All about a file, and the files below it where it is a directory, that a change would change.
local function state(path, found)
  found = found or {}
  local of = assert(lfs.symlinkattributes(path))
  found[path] = { of.mode, of.permissions, of.ino, of.size, of.modification, of.mode == "file" and helper.read(path) or "" }
  if of.mode == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then state(path .. "/" .. name, found) end
    end
  end
  return found
end

describe("doctor", function()
  helper.guard(before_each, after_each)

  it("says what is there", function()
    local dir = history()
    local code, by = examine(dir)
    assert.same({ 0, {}, {} }, { code, having("fix", by), having("note", by) })
    assert.truthy(by.versions.found:find("aish_history " .. aish_history._VERSION:gsub("%p", "%%%0") .. ", Lua"))
    assert.equal(dir, by.directory.found)
    assert.truthy(by["memory.jsonl"].found:find("B, 2 items, 1 of them active$"))
    assert.truthy(by.sessions.found:find("^2 sessions, %d"))
    assert.truthy(by.flock.found:find("^works on "))
    for _, object in pairs(by) do assert.is_nil(object.advice) end
  end)

  it("says how many sessions are empty, and of one thing whether it is", function()
    local dir = history()
    helper.write(dir .. "/sessions/c.jsonl", '{"meta":{"model":"m"}}\n')
    helper.write(dir .. "/memory.jsonl", '{"id":1,"kind":"fact","content":"x"}\n')
    local _, by = examine(dir)
    assert.truthy(by.sessions.found:find("^3 sessions, 1 of them empty, %d"))
    assert.truthy(by["memory.jsonl"].found:find("B, 1 item, active$"))
    os.remove(dir .. "/sessions/a.jsonl")
    os.remove(dir .. "/sessions/b.jsonl")
    assert.truthy(select(2, examine(dir)).sessions.found:find("^1 session, empty, %d"))
  end)

  it("changes nothing, whatever it finds", function()
    local dir = history()
    append(dir .. "/memory.jsonl", "damage\n{\"id\":7,")
    append(dir .. "/sessions/a.jsonl", "{\"role\":")
    helper.write(dir .. "/sessions/b.jsonl.compact-0123456789abcdef", "x")
    shell.run("cd " .. quote(dir) .. " && git init -q . && chmod 644 memory.jsonl")
    local before = state(dir)
    assert.equal(1, (examine(dir)))
    assert.same(before, state(dir))
  end)

  it("makes nothing where there is nothing", function()
    local dir = helper.tmpdir() .. "/none"
    local code, by = examine(dir)
    assert.same({ 0, { "directory" } }, { code, having("note", by) })
    assert.is_nil(lfs.attributes(dir))
  end)

  it("finds damage in a memory, and its advice helps", function()
    local dir = history()
    append(dir .. "/memory.jsonl", "damage\n")
    local code, by = examine(dir)
    assert.same({ 1, { "memory.jsonl" } }, { code, having("fix", by) })
    assert.truthy(by["memory.jsonl"].found:find("1 problem, the first in line 5: ", 1, true))
    local compact = by["memory.jsonl"].advice:match("; aish%-history (compact .-) takes")
    shell.run(command.call(dir, compact))
    code, by = examine(dir)
    assert.same({ 0, {}, { "memory.jsonl.damaged" } }, { code, having("fix", by), having("note", by) })
  end)

  it("passes over a session's torn line, and not over damage", function()
    local dir = history()
    append(dir .. "/sessions/a.jsonl", '{"role":"user","con')
    local code, by = examine(dir)
    assert.same({ 0, { "sessions/a.jsonl" } }, { code, having("note", by) })
    append(dir .. "/sessions/a.jsonl", "\ngarbage\n")
    helper.write(dir .. "/sessions/b.jsonl", "[1]\n")
    code, by = examine(dir)
    assert.same({ 1, { "sessions/a.jsonl", "sessions/b.jsonl" } }, { code, having("fix", by) })
  end)

  it("finds files that are none without waiting for them", function()
    local dir = history()
    shell.run(("cd %s && rm memory.jsonl && mkfifo memory.jsonl sessions/c.jsonl"):format(quote(dir)))
    local code, by = examine(dir)
    assert.same({ 1, { "memory.jsonl", "sessions/c.jsonl" } }, { code, having("fix", by) })
  end)

  it("says who holds a lock", function()
    local dir = history()
    local memory = assert(aish_history.open(dir .. "/memory.jsonl"))
    local session = assert(aish_history.session(dir .. "/sessions/b.jsonl", nil, { exclusive = true }))
    local code, by = examine(dir)
    memory:close()
    session:close()
    assert.same({ 0, { "memory.jsonl", "sessions/b.jsonl" } }, { code, having("note", by) })
    for _, subject in ipairs(having("note", by)) do
      assert.truthy(by[subject].found:find("^is locked by "))
      assert.truthy(by[subject].advice:find(", but nothing can be added until it ends.", 1, true))
      if lfs.attributes("/proc/locks") then
        assert.truthy(by[subject].found:find("process " .. unistd.getpid() .. " (", 1, true), by[subject].found)
      end
    end
    assert.equal("none is held", select(2, examine(dir)).locks.found)
  end)

  it("finds what others can read, and its advice helps", function()
    local dir = history()
    shell.run(("cd %s && chmod 640 sessions/a.jsonl"):format(quote(dir)))
    local code, by = examine(dir)
    assert.same({ 1, "others than you can use sessions/a.jsonl" }, { code, by.modes.found })
    shell.run(by.modes.advice)
    assert.equal(0, (examine(dir)))
    shell.run(("cd %s && chmod 755 . sessions"):format(quote(dir)))
    code, by = examine(dir)
    assert.same({ 1, "others than you can use " .. dir .. " and 1 more" }, { code, by.modes.found })
    shell.run(by.modes.advice)
    assert.equal(0, (examine(dir)))
  end)

  it("finds a memory that git would not merge, and its advice helps", function()
    local dir = history()
    shell.run("cd " .. quote(dir) .. " && git init -q .")
    local code, by = examine(dir)
    assert.same({ 1, { "git" } }, { code, having("fix", by) })
    shell.run(by.git.advice)
    code, by = examine(dir)
    assert.same({ 0, "memory.jsonl is merged by union" }, { code, by.git.found })
    shell.run("cd " .. quote(dir) .. " && rm .gitattributes && echo '*.jsonl' >.gitignore")
    code, by = examine(dir)
    assert.same({ 0, "memory.jsonl is ignored" }, { code, by.git.found })
  end)

  it("notes what two machines and compactions left", function()
    local dir = history()
    append(dir .. "/memory.jsonl", '{"id":1,"uid":"AAAAAAAA","ts":"2026-01-02T10:15:03Z","kind":"fact","content":"twin"}\n')
    helper.write(dir .. "/memory.jsonl.compact-0123456789abcdef", "x")
    shell.run("chmod 600 " .. quote(dir) .. "/*.compact-*")
    local code, by = examine(dir)
    assert.same({ 0, { "memory.jsonl", "memory.jsonl.compact-0123456789abcdef" } }, { code, having("note", by) })
    assert.truthy(by["memory.jsonl"].found:find("^2 items with the id of another"))
  end)

  it("finds a file system without locks", function()
    if shell.run("strace -o /dev/null true 2>/dev/null && echo yes || true") == "" then return pending("strace is not at hand") end
    local dir = history()
    local function under(fault)
      local printed = shell.run(("{ strace -f -qq -o /dev/null -e trace=flock -e inject=flock:%s sh -c %s || true; }"):format(fault,
        quote(command.call(dir, "doctor --json"))))
      local by = {}
      for _, object in ipairs(command.objects(printed)) do by[object.subject] = object end
      return by.flock.status, by.flock.found
    end
    local status, found = under("error=EOPNOTSUPP")
    assert.equal("fix", status)
    assert.truthy(found:find("^does not work on .*: Operation not supported$"))
    status, found = under("retval=0")
    assert.equal("fix", status)
    assert.truthy(found:find("^gives one lock to two on "))
    assert.equal("note", (under("error=EBADF")))
  end)

  it("is read on a terminal, a line of which is as wide", function()
    local dir = history()
    shell.run("chmod 755 " .. quote(dir))
    local shown = command.show(dir, "doctor", 40)
    assert.truthy(shown:find("\n\27%[32mok\27%[0m    sessions: 2 sessions, "))
    assert.truthy(shown:find("\n\27%[31mfix\27%[0m   modes: others than you can use\n"))
    for line in shown:gsub("\27%[%d*m", ""):gmatch("[^\n]+") do assert(#line <= 40 or not line:find(" ", 7, true), line) end
    local printed, code = command.run(dir, "doctor")
    assert.equal(1, code)
    assert.truthy(printed:find("\n      -> chmod go= '", 1, true))
  end)
end)
