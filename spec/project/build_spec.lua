--- The Makefile: compilers, installation, and what the module looks like from outside.
local lfs = require("lfs")
local stdlib = require("posix.stdlib")
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")

local quote = helper.quote

-- Builds with the variables given, warnings being errors; returns the directory of the build.
local function build(variables)
  local directory = helper.tmpdir()
  shell.run(shell.make .. "BUILD=" .. quote(directory) .. " WERROR=1 " .. variables)
  return directory
end

-- A build that several specs look at, and how it was made.
local PLAIN, plain = "CFLAGS=-O0 WERROR=1 ", nil
setup(function()
  plain = assert(stdlib.mkdtemp("/tmp/aish_history.XXXXXX"))
  shell.run(shell.make .. PLAIN .. "BUILD=" .. quote(plain))
end)
teardown(function() shell.run("rm -rf " .. quote(plain)) end)

describe("build #build", function()
  helper.guard(before_each, after_each)

  for _, variables in ipairs({ "CC=gcc CFLAGS=-O3", "CC=clang", "CC=gcc CFLAGS=-O0 LUA_INCDIR=/usr/include/lua5.1" }) do
    it("gives no warning and works with " .. variables, function()
      local directory = build(variables)
      assert.truthy(shell.smoke("luajit", helper.root .. "/lua", directory))
      assert.truthy(shell.smoke("lua5.1", helper.root .. "/lua", directory))
    end)
  end

  -- What is said of a module in a directory where a Lua requires it.
  local function required(interpreter, directory)
    return shell.run(("LUA_CPATH=%s %s -e %s"):format(quote(directory .. "/?.so"), interpreter,
      quote([[local ok, said = pcall(require, "aish_history") print(ok and "works" or said:match("[^\n]*"))]])))
  end

  for _, version in ipairs({ "5.2", "5.3", "5.4", "5.5" }) do
    it("gives no warning and works for Lua " .. version .. ", and says where another is met", function()
      local lua = "lua" .. version
      if os.execute(("pkg-config %s && command -v %s >/dev/null"):format(lua, lua)) ~= 0 then
        return pending("there is no Lua " .. version .. " with headers")
      end
      local directory = build("CFLAGS=-O0 LUA_VERSION=" .. version)
      assert.truthy(shell.smoke(lua, helper.root .. "/lua", directory))
      for _, interpreter in ipairs({ "luajit", "lua5.1" }) do
        assert.equal(("aish_history was built for Lua %s, and this is Lua 5.1: build it with make LUA_VERSION=5.1\n")
          :format(version), required(interpreter, directory))
        assert.equal(("aish_history was built for Lua 5.1, and this is Lua %s: build it with make LUA_VERSION=%s\n")
          :format(version, version), required(lua, helper.root .. "/build"))
      end
    end)
  end

  local TESTED = "was tested with LuaJIT 2.1 and Lua 5.1 to 5.5"

  -- Lua 5.0 had no luaconf.h, and no number.
  for which, headers in pairs({
    old = { ["lua.h"] = "typedef struct lua_State lua_State;\n", ["lauxlib.h"] = "", ["lualib.h"] = "" },
    new = { ["lua.h"] = "#include_next <lua.h>\n#undef LUA_VERSION_NUM\n#define LUA_VERSION_NUM 506\n" },
  }) do
    it("refuses the headers of a Lua that is too " .. which, function()
      local directory = helper.tmpdir()
      for name, text in pairs(headers) do helper.write(directory .. "/" .. name, text) end
      local output = shell.run("! cc -fsyntax-only -Icsrc -I" .. quote(directory) ..
        (which == "new" and " $(pkg-config --cflags luajit)" or "") .. " csrc/aish_history.c")
      assert.truthy(output:match("error:[^\n]*"):find(TESTED, 1, true), output)
    end)
  end

  it("refuses a version that was not tested", function()
    for _, version in ipairs({ "5.0", "5.6" }) do
      local output = shell.run("! " .. shell.make .. "BUILD=" .. quote(helper.tmpdir()) .. " LUA_VERSION=" .. version)
      assert.truthy(output:find("LUA_VERSION=" .. version .. ": aish_history " .. TESTED, 1, true), output)
    end
  end)

  it("gives no warning with CC=musl-gcc", function()
    build("CC=musl-gcc CFLAGS=-O0")
  end)

  it("compiles again what includes a header that has changed, and nothing else", function()
    local again = shell.run(shell.make .. PLAIN .. "-n -W csrc/version.h BUILD=" .. quote(plain))
    local compiled = select(2, again:gsub(" %-c ", ""))
    assert.truthy(compiled >= 1 and compiled <= 2, again)
    shell.run(shell.make .. PLAIN .. "-q BUILD=" .. quote(plain))
  end)

  -- How often the process was forked is the process's, as its id is, and no Lua state's.
  it("keeps no state outside of the handles", function()
    local objects = "find " .. quote(plain) .. " -name '*.o' -exec "
    local sections = shell.run(objects .. "size -A {} +")
    for name, size in sections:gmatch("\n(%.%S+)%s+(%d+)") do
      if name:find("^%.t?data$") or name == ".tbss" then assert.equal("0", size, sections) end
    end
    local variables = {}
    for name in shell.run(objects .. "nm --defined-only {} +"):gmatch("%x+ [bBcC] ([%w_]+)") do
      variables[#variables + 1] = name
    end
    table.sort(variables)
    assert.same({ "counting", "forks" }, variables)
  end)

  it("installs its files, and uninstalls them", function()
    local root = helper.tmpdir()
    local variables = " BUILD=" .. quote(build("CFLAGS=-O0 LUA_VERSION=5.4")) .. " CFLAGS=-O0 WERROR=1 PREFIX=/opt/lua LUA_VERSION=5.4 DESTDIR=" .. quote(root)
    shell.run(shell.make .. "install" .. variables)
    local share = "opt/lua/share/lua/5.4/"
    assert.same(shell.installed("opt/lua", "5.4"), shell.files(root))
    for _, name in ipairs({ "history.lua", "aish_history/secrets.lua", "aish_history/command/init.lua" }) do
      assert.equal("rw-r--r--", lfs.attributes(root .. "/" .. share .. name, "permissions"))
    end
    for name, text in pairs({ ["man/man1/aish-history.1"] = ".TH AISH", ["bash-completion/completions/aish-history"] = "_aish-history()",
      ["zsh/site-functions/_aish-history"] = "#compdef", ["fish/vendor_completions.d/aish-history.fish"] = "function __fish" }) do
      assert(helper.read(root .. "/opt/lua/share/" .. name):find(text, 1, true), name)
    end
    assert.truthy(shell.smoke("lua5.4", root .. "/opt/lua/share/lua/5.4", root .. "/opt/lua/lib/lua/5.4"))
    shell.run(shell.make .. "uninstall" .. variables)
    assert.same({}, shell.files(root))
    assert.is_nil(lfs.attributes(root .. "/" .. share .. "aish_history"))
  end)

  it("refuses a directory that make cannot build in", function()
    for _, name in ipairs({ "a directory", "it's", "'quoted'" }) do
      local output = shell.run("! " .. shell.make .. "BUILD=" .. quote(helper.tmpdir() .. "/" .. name))
      assert.truthy(output:find("spaces or apostrophes", 1, true), output)
      assert.falsy(output:find(" -c ", 1, true), output)
    end
  end)

  it("says which package has Lua's headers, where they are not", function()
    local tools, directory = helper.tmpdir(), helper.tmpdir()
    helper.write(tools .. "/pkg-config", "#!/bin/sh\nexit 1\n")
    shell.run("chmod +x " .. quote(tools) .. "/*")
    local output = shell.run(("! PATH=%s:$PATH %sBUILD=%s"):format(quote(tools), shell.make, quote(directory)))
    assert.truthy(output:find("library luajit (Debian: libluajit-5.1-dev; Homebrew: luajit)", 1, true), output)
    assert.falsy(output:find(" -c ", 1, true), output)
    local given = "BUILD=" .. quote(directory) .. " LUA_INCDIR=/usr/include/lua5.1 CFLAGS=-O0 "
    shell.run(("PATH=%s:$PATH %s%s%s/aish_history.o"):format(quote(tools), shell.make, given, quote(directory)))
  end)

  it("finds Lua's headers that a target of the same make installs", function()
    local tools, directory = helper.tmpdir(), helper.tmpdir()
    helper.write(tools .. "/pkg-config", "#!/bin/sh\nexit 1\n")
    shell.run("chmod +x " .. quote(tools) .. "/*")
    local makefile = helper.write(directory .. "/makefile", "include Makefile\ninstall-it:\n\t@rm " .. tools
      .. "/pkg-config\nshow-it: install-it\n\t@echo 'found $(LUA_INCDIR)'\n")
    local output = shell.run(("PATH=%s:$PATH %s-s -f %s BUILD=%s show-it"):format(quote(tools), shell.make,
      quote(makefile), quote(directory)))
    assert.matches("found /", output)
  end)

  it("describes its targets", function()
    local help = shell.run(shell.make .. "help")
    for _, target in ipairs({ "all", "install", "clean", "deps", "demo", "test", "lint", "format-check" }) do
      assert.truthy(help:find("make " .. target .. " ", 1, true), target)
    end
  end)
end)

describe("a build in a checkout of any name #build", function()
  helper.guard(before_each, after_each)

  -- A copy of what is built from, its files, and a make there, quick and with a variable more. It is built once.
  local checkout, before, make
  setup(function()
    checkout = assert(stdlib.mkdtemp("/tmp/aish_history it's.XXXXXX"))
    shell.run("cp -R .ci Makefile csrc lua rockspec spec/run " .. quote(checkout))
    shell.run(("mkdir %s/spec && mv %s/run %s/spec"):format(quote(checkout), quote(checkout), quote(checkout)))
    before = shell.files(checkout)
    make = "cd " .. quote(checkout) .. " && " .. shell.make .. "CC=gcc CFLAGS=-O0 WERROR=1 "
    shell.run(make)
  end)
  teardown(function() shell.run("rm -rf " .. quote(checkout)) end)

  local function compiled(variables)
    return select(2, shell.run(make .. variables):gsub(" %-c ", ""))
  end

  it("is up to date until it is to be made with other commands", function()
    assert.equal(0, compiled(""))
    shell.run(make .. "-q")
    local sources = select(2, table.concat(shell.files(checkout .. "/csrc"), "\n"):gsub("%.c%f[%z\n]", ""))
    assert.truthy(sources > 30)
    for _, variables in ipairs({ "CC=clang", "CFLAGS='-O0 -g'", "CPPFLAGS=-DX=\\'x\\'", "-W Makefile" }) do
      assert.equal(sources, compiled("-n " .. variables), variables)
    end
    assert.equal(0, compiled("-n LDFLAGS=-Wl,-z,now"))
    assert.truthy(shell.run(make .. "-n LDFLAGS=-Wl,-z,now"):find("-shared", 1, true))
    assert.equal(sources, compiled("CPPFLAGS=-DX"))
    shell.run(make .. "-q CPPFLAGS=-DX")
    assert.equal(sources, compiled(""))
  end)

  it("has what a new source adds, and loses it with the source", function()
    local function has_it()
      return shell.run("nm " .. quote(checkout .. "/build/aish_history.so")):find("added_function", 1, true) ~= nil
    end
    local path = helper.write(checkout .. "/csrc/base/added.c", "int added_function(void);\nint added_function(void)\n{ return 1; }\n")
    finally(function() os.remove(path) end)
    assert.equal(1, compiled(""))
    assert.is_true(has_it())
    os.remove(path)
    assert.equal(0, compiled(""))
    assert.is_false(has_it())
  end)

  it("asks pkg-config once", function()
    local tools = helper.tmpdir()
    helper.write(tools .. "/pkg-config", "#!/bin/sh\necho asked >>" .. tools .. "/log\necho -I/usr/include/lua5.1\n")
    shell.run("chmod +x " .. quote(tools) .. "/pkg-config")
    local output = shell.run("PATH=" .. quote(tools) .. ":$PATH; " .. make .. "-n -B")
    assert.truthy(output:find("-I/usr/include/lua5.1 ", 1, true), output)
    assert.equal("asked\n", helper.read(tools .. "/log"))
  end)

  it("plays the demo, in plain text where nobody watches", function()
    local output = shell.run(make .. "demo")
    assert.truthy(output:find("held by another aish process", 1, true), output)
    assert.truthy(output:find("Nothing that was whole is lost", 1, true), output)
    assert.falsy(output:find("\27", 1, true))
    assert.truthy(output:find("README.md", -200, true), output)
    local lines = 0
    for line in output:gmatch("([^\n]*)\n") do
      lines = lines + 1
      assert(#line <= 100, line)
    end
    assert(lines <= 48, lines)
  end)

  it("is taken away by clean, and what luarocks leaves as well", function()
    shell.run(make .. "all")
    for _, name in ipairs({ "csrc/file/tail.o", "aish_history.so", "aish_history-1.1.0-1.linux-x86_64.rock",
      "lua_modules/lib/lua/5.1/aish_history.so", ".luarocks/config-5.1.lua" }) do
      shell.run(("mkdir -p \"$(dirname %s)\""):format(quote(checkout .. "/" .. name)))
      helper.write(checkout .. "/" .. name, "")
    end
    assert.truthy(#shell.files(checkout) > #before + 5)
    shell.run(make .. "clean")
    assert.same(before, shell.files(checkout))
  end)
end)

describe("an installation #build", function()
  helper.guard(before_each, after_each)

  local function install(prefix, variables)
    return shell.run(("%s %s%sinstall -s BUILD=%s PREFIX=%s"):format(variables or "unset LUA_PATH LUA_CPATH;",
      shell.make, PLAIN, plain, quote(prefix)))
  end

  it("says what to set where no interpreter finds it, which is then true", function()
    local prefix = helper.tmpdir() .. "/it's here"
    local output = install(prefix)
    for _, name in ipairs({ "luajit", "lua5.1" }) do
      assert.truthy(output:find(("\n%s does not look into %s/share/lua/5.1 and does not look into %s/lib/lua/5.1.\n"):format(
        name, prefix, prefix), 1, true) or output:find(name, 1, true) == 1, output)
    end
    local lines = output:match("\n(  export LUA_PATH=[^\n]*\n  export LUA_CPATH=[^\n]*)\n$")
    assert.truthy(lines, output)
    for _, before in ipairs({ "unset LUA_PATH LUA_CPATH", "export LUA_PATH='/nowhere/?.lua' LUA_CPATH='/nowhere/?.so'" }) do
      local again = install(prefix, before .. "\n" .. lines .. "\n")
      assert.equal("luajit finds history and aish_history.\n", again:match("^[^\n]*\n"))
      assert.falsy(again:find("export", 1, true), again)
    end
  end)

  it("names a file that is found first", function()
    local prefix, other = helper.tmpdir(), helper.tmpdir()
    helper.write(other .. "/history.lua", "")
    local output = install(prefix, ("LUA_PATH='%s/?.lua;%s/share/lua/5.1/?.lua' LUA_CPATH='%s/lib/lua/5.1/?.so'"):format(other, prefix, prefix))
    assert.truthy(output:find("luajit finds " .. other .. "/history.lua first.\n", 1, true), output)
    assert.truthy(output:find("export LUA_PATH=", 1, true), output)
    assert.falsy(output:find("LUA_CPATH", 1, true), output)
  end)

  it("has a command that finds its modules, under the interpreter that is there", function()
    local prefix, tools, dir = helper.tmpdir() .. "/it's here", helper.tmpdir(), helper.tmpdir()
    shell.run("ln -s $(command -v lua5.1) " .. tools .. "/lua-5.1")
    for _, interpreter in ipairs({ "luajit", "lua-5.1" }) do
      local path = shell.run(("PATH=%s:$PATH; command -v %s"):format(tools, interpreter))
      install(prefix, "unset LUA_PATH LUA_CPATH; INTERPRETER=" .. path:gsub("\n", " "))
      assert.equal("#!" .. path, helper.read(prefix .. "/bin/aish-history"):match("^[^\n]*\n"))
      shell.run(("cd %s && unset LUA_PATH LUA_CPATH && %s/bin/aish-history --dir . memory add fact installed"):format(dir, quote(prefix)))
    end
    assert.equal(2, #require("aish_history").load_memory(dir .. "/memory.jsonl"))
  end)

  it("is whole but for the command's pages without argparse, and says so", function()
    local prefix, tools = helper.tmpdir(), helper.tmpdir()
    helper.write(tools .. "/lua", "#!/bin/sh\nexit 1\n")
    shell.run("chmod +x " .. tools .. "/lua")
    local output = install(prefix, "INTERPRETER=" .. tools .. "/lua")
    assert(output:find("needs argparse (Debian: lua-argparse; luarocks install argparse)", 1, true), output)
    assert.truthy(shell.smoke("luajit", prefix .. "/share/lua/5.1", prefix .. "/lib/lua/5.1"))
  end)

  it("says nothing about files that only wait to be packaged", function()
    assert.equal("", install("/usr", "DESTDIR=" .. quote(helper.tmpdir())))
  end)
end)
