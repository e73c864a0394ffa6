--- The Makefile: compilers, installation, and what the module looks like from outside.
local lfs = require("lfs")
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")

local quote = helper.quote

-- Builds with the variables given, warnings being errors; returns the directory of the build.
local function build(variables)
  local directory = helper.tmpdir()
  shell.run(shell.make .. "BUILD=" .. quote(directory) .. " WERROR=1 " .. variables)
  return directory
end

describe("build #build", function()
  helper.guard(before_each, after_each)

  for _, variables in ipairs({
    "CC=gcc CFLAGS='-O0 -g'", "CC=gcc CFLAGS=-O3", "CC=clang", "CC=gcc LUA_INCDIR=/usr/include/lua5.1",
  }) do
    it("gives no warning and works with " .. variables, function()
      local directory = build(variables)
      assert.truthy(shell.smoke("luajit", helper.root .. "/lua", directory))
      assert.truthy(shell.smoke("lua5.1", helper.root .. "/lua", directory))
    end)
  end

  it("gives no warning with CC=musl-gcc", function()
    build("CC=musl-gcc")
  end)

  it("compiles again what includes a header that has changed, and nothing else", function()
    local directory = build("")
    local again = shell.run(shell.make .. "-n -W csrc/version.h BUILD=" .. quote(directory))
    local compiled = select(2, again:gsub(" %-c ", ""))
    assert.truthy(compiled >= 1 and compiled <= 2, again)
    shell.run(shell.make .. "-q BUILD=" .. quote(directory))
  end)

  it("keeps no state outside of the handles", function()
    local sections = shell.run("find " .. quote(build("")) .. " -name '*.o' -exec size -A {} +")
    for name, size in sections:gmatch("\n(%.%S+)%s+(%d+)") do
      if name:find("^%.t?data$") or name:find("^%.t?bss$") then assert.equal("0", size, sections) end
    end
  end)

  it("installs two files, and uninstalls them", function()
    local root = helper.tmpdir()
    local variables = " BUILD=" .. quote(build("")) .. " PREFIX=/opt/lua LUA_VERSION=5.4 DESTDIR=" .. quote(root)
    shell.run(shell.make .. "install" .. variables)
    assert.same({ "opt/lua/lib/lua/5.4/aish_history.so", "opt/lua/share/lua/5.4/history.lua" }, shell.files(root))
    assert.equal("rw-r--r--", lfs.attributes(root .. "/opt/lua/share/lua/5.4/history.lua", "permissions"))
    assert.truthy(shell.smoke("lua5.1", root .. "/opt/lua/share/lua/5.4", root .. "/opt/lua/lib/lua/5.4"))
    shell.run(shell.make .. "uninstall" .. variables)
    assert.same({}, shell.files(root))
  end)

  it("describes its targets", function()
    local help = shell.run(shell.make .. "help")
    for _, target in ipairs({ "all", "install", "clean", "deps", "demo", "test", "lint", "format-check" }) do
      assert.truthy(help:find("make " .. target .. " ", 1, true), target)
    end
  end)

  it("plays the demo, in plain text where nobody watches", function()
    local output = shell.run(shell.make .. "demo BUILD=" .. quote(build("")))
    assert.truthy(output:find("held by another aish process", 1, true), output)
    assert.truthy(output:find("Nothing that was whole is lost", 1, true), output)
    assert.falsy(output:find("\27", 1, true))
  end)
end)
