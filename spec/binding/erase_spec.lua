-- erase: arguments, directories, functions of the caller's, results and failures.
local aish = require("aish_history")
local cases = require("spec.support.cases")
local errno = require("posix.errno")
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")
local unistd = require("posix.unistd")

local function turn(text, role)
  return ('{"role":"%s","content":"%s"}\n'):format(role or "user", text)
end

-- A directory of three sessions and a memory.
local function directory()
  local dir = helper.tmpdir()
  helper.write(dir .. "/a.jsonl", turn("a secret") .. turn("b"))
  helper.write(dir .. "/b.jsonl", turn("nothing"))
  helper.write(dir .. "/c.jsonl", turn("secret, secret"))
  helper.write(dir .. "/memory.jsonl", support.meta .. support.item(1, "secret"))
  helper.write(dir .. "/other.txt", turn("secret"))
  return dir
end

local function bytes_of(dir)
  local found = {}
  for name in lfs.dir(dir) do
    if not name:find("^%.") then found[name] = helper.read(dir .. "/" .. name) end
  end
  return found
end

describe("erase", function()
  helper.guard(before_each, after_each)

  it("cleans all sessions of a directory, each by its kind", function()
    local dir = directory()
    local before = bytes_of(dir)
    assert.same({ files = 3, records = 3, occurrences = 4, left = 0, failed = {} },
      assert(aish.erase(dir, "secret", { dry_run = true })))
    assert.same(before, bytes_of(dir))
    assert.same({ files = 3, records = 3, occurrences = 4, left = 0, failed = {} }, assert(aish.erase(dir .. "/", "secret")))
    assert.same({
      ["a.jsonl"] = turn("a [erased]") .. turn("b"), ["b.jsonl"] = turn("nothing"), ["c.jsonl"] = turn("[erased], [erased]"),
      ["memory.jsonl"] = support.meta .. support.item(1, "[erased]"):gsub("}\n$", ',"rev":1}\n'), ["other.txt"] = turn("secret"),
    }, bytes_of(dir))
  end)

  it("puts the replacement in its place", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", turn("a secret"))
    for _, case in ipairs({ { "secret", "", "a " }, { "a", "\n\255\"", "\\n\\udcff\\\" " }, { "\255", "\240\159\152\128", "\\n\240\159\152\128\\\" " } }) do
      assert(aish.erase(path, case[1], { replacement = case[2] }))
      assert.equal(turn(case[3]), helper.read(path))
    end
  end)

  it("runs a function over everything before any file is written", function()
    local dir = directory()
    local before = bytes_of(dir)
    local count = 0
    local function what(text)
      count = count + 1
      assert.same(before, bytes_of(dir))
      return (text:gsub("secret", "-"))
    end
    local report = assert(aish.erase(dir, what))
    assert.same({ files = 3, records = 3, occurrences = 3, left = 0, failed = {} }, report)
    assert.equal(7, count) -- two of the memory's meta
    assert.equal(turn("-, -"), helper.read(dir .. "/c.jsonl"))
  end)

  it("raises what a function raises, and writes nothing", function()
    local dir = directory()
    local before = bytes_of(dir)
    for at = 1, 7 do
      local count = 0
      local ok, message = pcall(aish.erase, dir, function(text)
        count = count + 1
        if count == at then error({ at }) end
        return text .. "!"
      end)
      assert.same({ false, { at } }, { ok, message })
      assert.same(before, bytes_of(dir))
    end
    for _, case in ipairs({
      { function() return 5 end, "erase: what must return a string, got number" },
      { function() end, "erase: what must return a string, got nil" },
      { function(text) return text .. ("x"):rep(2 ^ 26) end, "erase: what makes text longer by more than 64 MiB" },
      { function(text) return text .. ("x"):rep(2 ^ 24) end, "erase: what makes text longer by more than 64 MiB" },
    }) do
      local ok, message = pcall(aish.erase, dir, case[1])
      assert.is_false(ok)
      assert(message:find(case[2], 1, true), message)
      assert.same(before, bytes_of(dir))
    end
    cases.collect()
  end)

  it("fails where a text would grow without end", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", turn(("ab"):rep(100)))
    local result, message, number, report = aish.erase(path, "ab", { replacement = ("x"):rep(2 ^ 20) })
    assert.same({ nil, ("erase: read %s: a text would become longer by over 64 MiB"):format(path), errno.EFBIG }, { result, message, number })
    assert.same({ files = 0, records = 0, occurrences = 0, left = 0, failed = { [path] = message } }, report)
    assert.equal(turn(("ab"):rep(100)), helper.read(path))
    assert.equal("s.jsonl", table.concat(support.pluck({ { n = next(bytes_of(path:match("^(.*)/"))) } }, "n")))
  end)

  it("names what is wrong with its arguments", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", turn("secret"))
    for _, case in ipairs({
      { { path, "" }, "what must not be empty" },
      { { path }, "what must be a string or a function, got " },
      { { path, 5 }, "what must be a string or a function, got number" },
      { { path, {} }, "what must be a string or a function, got table" },
      { { 5, "x" }, "path must be a string, got number" },
      { { path, "secret", { replacement = "my secret" } }, "the replacement holds what is to be erased" },
      { { path, "era" }, "the replacement holds what is to be erased" },
      { { path, "secret", { replacement = 5 } }, 'option "replacement" must be a string, got number' },
      { { path, print, { replacement = "x" } }, 'option "replacement" is for a text, not for a function' },
      { { path, "secret", { dry_run = 1 } }, 'option "dry_run" must be a boolean, got number' },
      { { path, "secret", { wait = "x" } }, 'option "wait" must be a number of seconds, got string' },
      { { path, "secret", { exact = true } }, 'unknown option "exact"' },
      { { path, "secret", {}, 1 }, "no more than 3 arguments expected" },
    }) do
      local ok, message = pcall(aish.erase, unpack(case[1], 1, 4 - (case[1][4] and 0 or 1)))
      assert.is_false(ok)
      assert(message:find(case[2], 1, true), message)
    end
    assert.equal(turn("secret"), helper.read(path))
    cases.collect()
  end)

  it("says what could not be done, and does the rest", function()
    local dir = directory()
    assert(lfs.link("nowhere", dir .. "/aa.jsonl", true))
    helper.write(dir .. "/ab.jsonl", "[1,\n2]\n")
    assert(lfs.mkdir(dir .. "/b2.jsonl"))
    local result, message, number, report = aish.erase(dir, "secret")
    local expected = {
      [dir .. "/aa.jsonl"] = ("open %s/aa.jsonl: No such file or directory"):format(dir),
      [dir .. "/ab.jsonl"] = ("open %s/ab.jsonl: a JSON array, not JSON Lines"):format(dir),
      [dir .. "/b2.jsonl"] = ("open %s/b2.jsonl: Is a directory"):format(dir),
    }
    assert.same({ nil, expected[dir .. "/aa.jsonl"], errno.ENOENT }, { result, message, number })
    assert.same({ files = 3, records = 3, occurrences = 4, left = 0, failed = expected }, report)
    assert.equal(turn("[erased], [erased]"), helper.read(dir .. "/c.jsonl"))
    local none = dir .. "/none"
    assert.same({ nil, ("open %s: No such file or directory"):format(none), errno.ENOENT,
      { files = 0, records = 0, occurrences = 0, left = 0, failed = { [none] = ("open %s: No such file or directory"):format(none) } } },
      { aish.erase(none, "secret") })
    assert.equal("open a\0b: path has a NUL byte", select(2, aish.erase("a\0b", "x")):gsub("open a:", "open a\0b:") .. "")
  end)

  it("does not show a file to a function and then leave it out", function()
    local dir = directory()
    assert(lfs.link("nowhere", dir .. "/0.jsonl", true))
    local _, _, _, report = aish.erase(dir, function(text)
      os.remove(dir .. "/0.jsonl")
      helper.write(dir .. "/0.jsonl", turn("secret"))
      return (text:gsub("secret", "-"))
    end)
    assert.is_string(report.failed[dir .. "/0.jsonl"])
    assert.equal(3, report.files)
  end)

  it("leaves a directory without leave to write, and does the rest", function()
    local dir, other = helper.tmpdir(), helper.tmpdir()
    helper.write(other .. "/closed.jsonl", turn("secret"))
    helper.write(dir .. "/b.jsonl", turn("secret"))
    assert(lfs.link(other .. "/closed.jsonl", dir .. "/a.jsonl", true))
    assert(require("posix.sys.stat").chmod(other, 320)) -- 0500
    if unistd.geteuid() == 0 then
      local output = helper.run([[
        local dir = ...
        local aish = require("aish_history")
        local unistd = require("posix.unistd")
        os.execute("chown -R 41111 " .. dir)
        print(aish ~= nil)
      ]], dir)
      assert.equal("true\n", output)
      assert(unistd.chown(other, 41111, -1) and unistd.chown(other .. "/closed.jsonl", 41111, -1))
    end
    local output = helper.run([[
      local dir = ...
      local aish = require("aish_history")
      local unistd = require("posix.unistd")
      if unistd.geteuid() == 0 then assert(require("posix.unistd").setpid("u", 41111)) end
      local result, message, number, report = aish.erase(dir, "secret")
      print(result, number, report.files, report.failed[dir .. "/a.jsonl"] == message, message)
      io.stdout:flush()
      unistd._exit(0) -- as this user could not write what a build for coverage counts, and would say so
    ]], dir)
    local real = lfs.symlinkattributes(dir .. "/a.jsonl", "target")
    assert.matches(("^nil\t%d\t1\ttrue\terase: make %s%%.compact%%-%%x+: Permission denied\n$"):format(errno.EACCES, real:gsub("%p", "%%%0")), output)
    assert.equal(turn("[erased]"), helper.read(dir .. "/b.jsonl"))
    assert.equal(turn("secret"), helper.read(other .. "/closed.jsonl"))
  end)

  it("is in the shim", function()
    assert.is_function(require("history").erase)
  end)
end)

describe("erase of a handle", function()
  helper.guard(before_each, after_each)

  it("is told that it is closed", function()
    local dir = directory()
    local memory = assert(aish.open(dir .. "/memory.jsonl"))
    local session = assert(aish.session(dir .. "/a.jsonl"))
    memory:close()
    session:close()
    assert.has_error(function() memory:erase("secret") end, "memory:erase on closed handle")
    assert.same({ false, "session closed" }, { session:erase("secret") })
  end)

  it("may be closed by the function, or used", function()
    local dir = directory()
    local before = bytes_of(dir)
    local memory = assert(aish.open(dir .. "/memory.jsonl"))
    assert.has_error(function()
      memory:erase(function() memory:close() return "x" end)
    end, "memory:erase on closed handle")
    local session = assert(aish.session(dir .. "/a.jsonl"))
    assert.same({ false, "session closed" }, { session:erase(function() session:close() return "x" end) })
    assert.same(before, bytes_of(dir))
    session = assert(aish.session(dir .. "/a.jsonl"))
    local report = assert(session:erase(function(text)
      assert(session:append({ role = "user", content = "within" }))
      return (text:gsub("secret", "-"))
    end))
    assert.equal(1, report.records)
    assert.equal(turn("a -") .. turn("b"), (helper.read(dir .. "/a.jsonl"):gsub('{[^\n]*within[^\n]*\n', "")))
    session:close()
    cases.collect()
  end)

  it("keeps its lock, and goes on", function()
    local path = directory() .. "/a.jsonl"
    local session = assert(aish.session(path, nil, { exclusive = true }))
    assert.same({ files = 1, records = 1, occurrences = 1, left = 0, failed = {} }, assert(session:erase("secret")))
    assert.is_nil((aish.session(path, nil, { exclusive = true })))
    assert(session:append({ role = "user", content = "after" }))
    local result, _, number = aish.erase(path, "after", { wait = 0 })
    assert.same({ nil, errno.EAGAIN }, { result, number })
    assert.equal(1, assert(session:erase("after", { wait = 0 })).files)
    session:close()
    assert.equal(3, #aish.load(path))
  end)

  it("reports that the system has no random numbers", function()
    local dir = directory()
    assert.equal(("nil\terase %s: Input/output error\t%d\t0\n"):format(dir, errno.EIO), faults.run_code([[
      local dir = ...
      local function same(text) return text end
      seam.arm({ at = 0 })
      assert(aish.erase(dir, same))
      seam.arm({ at = at("getrandom", 1), number = seam.EIO })
      local erased, message, number, partial = aish.erase(dir, same)
      print(erased, message, number, partial.files)
    ]], dir))
  end)

  it("finds its file when the process is elsewhere", function()
    local dir = directory()
    local here = assert(lfs.currentdir())
    assert(lfs.chdir(dir))
    local session = assert(aish.session("a.jsonl"))
    assert(lfs.chdir(here))
    assert.equal(1, assert(session:erase("secret")).files)
    session:close()
  end)

  it("fails in a child that was forked from its holder", function()
    local dir = directory()
    local memory = assert(aish.open(dir .. "/memory.jsonl"))
    local children = require("spec.support.children")
    assert.equal("nil nil", children.run(function(say)
      say(tostring((memory:erase("secret"))) .. " " .. tostring((memory:erase("none"))))
    end))
    assert.equal(1, assert(memory:erase("secret")).files)
    memory:close()
  end)
end)
