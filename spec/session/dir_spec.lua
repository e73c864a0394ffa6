--- list(dir): the names of a directory's *.jsonl files.
local stat = require("posix.sys.stat")
local unistd = require("posix.unistd")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local user = require("spec.support.user")
local native = require("aish_history")

local EINVAL, EACCES, ENOTDIR, ELOOP, ENAMETOOLONG = 22, 13, 20, 40, 36

local function directory_with(names, dir)
  dir = dir or helper.tmpdir()
  for _, name in ipairs(names) do helper.write(dir .. "/" .. name, "") end
  return dir
end

describe("list", function()
  helper.guard(before_each, after_each)

  it("gives sorted names without the directory, and nothing else", function()
    local dir = directory_with({ "2026-03-01.jsonl", "2025-12-31.jsonl", "2026-01-01.jsonl" })
    assert.same({ { "2025-12-31.jsonl", "2026-01-01.jsonl", "2026-03-01.jsonl" } }, { native.list(dir) })
  end)

  it("gives an empty table for an empty directory", function()
    assert.same({ {} }, { native.list(helper.tmpdir()) })
  end)

  it("gives an empty table for a missing directory, and does not make it", function()
    local dir = helper.tmpdir() .. "/missing"
    assert.same({ {} }, { native.list(dir) })
    assert.same({ {} }, { native.list(dir .. "/below") })
    assert.is_false(cases.exists(dir))
  end)

  it("leaves out what does not end in .jsonl, and hidden names", function()
    local dir = directory_with({
      "a.jsonl", "a.jsonl.bak", "a.json", "ajsonl", "a.JSONL", "a.jsonl~", "a.jsonl ", "jsonl", ".jsonl", ".a.jsonl",
      "a.jsonl.damaged", "a.jsonl.compact", "..jsonl", "b.jsonl",
    })
    assert.same({ "a.jsonl", "b.jsonl" }, native.list(dir))
  end)

  it("sorts by bytes, in any locale", function()
    local names = { "-.jsonl", "0.jsonl", "10.jsonl", "9.jsonl", "A.jsonl", "B.jsonl", "_.jsonl", "a.jsonl",
      "aa.jsonl", "b.jsonl", "z.jsonl", "\195\132.jsonl", "\195\164.jsonl", "\255.jsonl" }
    local dir = directory_with(names)
    assert.same(names, native.list(dir))
  end)

  it("sorts a name before those that begin with it, as bytes do", function()
    local dir = directory_with({ "a.jsonl", "a b.jsonl", "a-b.jsonl", "a.b.jsonl", "ab.jsonl" })
    assert.same({ "a b.jsonl", "a-b.jsonl", "a.b.jsonl", "a.jsonl", "ab.jsonl" }, native.list(dir))
  end)

  it("gives names as they are, newlines and all", function()
    local names = { "\n.jsonl", " .jsonl", "$(touch x).jsonl", "'.jsonl", "*.jsonl", "a\nb.jsonl", "\\.jsonl" }
    table.sort(names)
    assert.same(names, native.list(directory_with(names)))
  end)

  it("reads a directory whose name a shell would mangle", function()
    local dir = helper.tmpdir() .. "/it's $(touch x) `y` \"*\" \n-a"
    assert(stat.mkdir(dir))
    directory_with({ "a.jsonl" }, dir)
    assert.same({ "a.jsonl" }, native.list(dir))
  end)

  it("takes a directory with a slash at its end, and a relative one", function()
    local dir = directory_with({ "a.jsonl" })
    assert.same({ "a.jsonl" }, native.list(dir .. "/"))
    local output = helper.run([[
      local native = require("aish_history")
      assert(require("posix.unistd").chdir(...))
      print(table.concat(native.list("."), ","))
    ]], dir)
    assert.equal("a.jsonl\n", output)
  end)

  it("does not look below", function()
    local dir = directory_with({ "a.jsonl" })
    assert(stat.mkdir(dir .. "/sub"))
    directory_with({ "b.jsonl" }, dir .. "/sub")
    assert.same({ "a.jsonl" }, native.list(dir))
  end)

  it("follows a symbolic link to a directory, and lists links to files", function()
    local dir = directory_with({ "a.jsonl" })
    assert(unistd.link("a.jsonl", dir .. "/b.jsonl", true))
    assert(unistd.link(dir, dir .. "/link", true))
    assert.same({ "a.jsonl", "b.jsonl" }, native.list(dir .. "/link"))
  end)

  it("gives thousands of names", function()
    local names = {}
    for index = 1, 3000 do names[index] = ("%05d.jsonl"):format(index) end
    local dir = directory_with(names)
    directory_with({ "x.txt" }, dir)
    assert.same(names, native.list(dir))
  end)

  it("gives the longest name there can be", function()
    local name = ("n"):rep(249) .. ".jsonl"
    assert.same({ name }, native.list(directory_with({ name })))
  end)

  it("opens no file", function()
    local dir = directory_with({ "a.jsonl" })
    assert(stat.mkfifo(dir .. "/fifo.txt", tonumber("600", 8)))
    local output = cases.run_limited([[print(#require("aish_history").list(...))]], dir)
    assert.equal("1\n", output)
  end)

  it("keeps no descriptor", function()
    local dir = directory_with({ "a.jsonl" })
    assert.same({ "a.jsonl" }, native.list(dir))
    assert.same({}, cases.descriptors_of(dir))
  end)
end)

describe("list: a directory that cannot be read", function()
  helper.guard(before_each, after_each)

  local function check(path, number, dir, message, result_number)
    assert.is_nil(dir)
    assert.is_string(message)
    assert.matches("^%l[%l ]*$", message:sub(1, (message:find(path, 1, true) or 1) - 1))
    assert.equal(path .. ": " .. cases.strerror(number), message:sub(-#(path .. ": " .. cases.strerror(number))))
    assert.equal(number, result_number)
  end

  it("is a regular file", function()
    local path = helper.write(helper.tmpdir() .. "/a.jsonl", "")
    check(path, ENOTDIR, native.list(path))
  end)

  it("is below a regular file", function()
    local path = helper.write(helper.tmpdir() .. "/a.jsonl", "") .. "/sub"
    check(path, ENOTDIR, native.list(path))
  end)

  it("is a FIFO or a device, and does not block", function()
    local path = helper.tmpdir() .. "/fifo"
    assert(stat.mkfifo(path, tonumber("600", 8)))
    for _, name in ipairs({ path, "/dev/zero" }) do
      local output = cases.run_limited([[print(select("#", ...), require("aish_history").list(...))]], name)
      assert.matches("^1\tnil\t%l[%l ]*" .. name:gsub("%p", "%%%0") .. ": " .. cases.strerror(ENOTDIR) .. "\t20\n$", output)
    end
  end)

  it("is a loop of symbolic links", function()
    local dir = helper.tmpdir()
    assert(unistd.link(dir .. "/two", dir .. "/one", true))
    assert(unistd.link(dir .. "/one", dir .. "/two", true))
    check(dir .. "/one", ELOOP, native.list(dir .. "/one"))
  end)

  it("has a name that is too long", function()
    local path = helper.tmpdir() .. "/" .. ("n"):rep(300)
    check(path, ENAMETOOLONG, native.list(path))
  end)

  it("has a NUL byte", function()
    local dir = directory_with({ "a.jsonl" })
    local names, message, number = native.list(dir .. "\0x")
    assert.is_nil(names)
    assert.matches("path has a NUL byte$", message)
    assert.equal(EINVAL, number)
  end)

  it("may not be read", function()
    local dir = helper.tmpdir()
    assert(stat.chmod(dir, 0))
    user.run(dir, function() check(dir, EACCES, native.list(dir)) end)
  end)
end)

describe("list: arguments", function()
  helper.guard(before_each, after_each)

  it("may not be more than it takes", function()
    cases.too_many_error(function() native.list(".", "more") end, 1, "list")
  end)

  it("are needed", function()
    cases.argument_error(function() native.list() end, 1, "list", "no value")
    cases.argument_error(function() native.list(nil) end, 1, "list", "nil")
  end)

  for _, name in ipairs(cases.types_but("string")) do
    it("take no " .. name .. " as directory", function()
      cases.argument_error(function() native.list(cases.values[name]) end, 1, "list", name)
    end)
  end
end)
