--- make dist and .ci/release, on a copy of the checkout that is a repository of its own.
local stdlib = require("posix.stdlib")
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")

local quote = helper.quote
local VERSION = helper.read("csrc/version.h"):match('_VERSION "([^"]+)"')
local TARBALL = "aish_history-" .. VERSION .. ".tar.gz"
local NEVER_FETCHED = "http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 "

-- Made once: a repository whose one commit is what stands here.
local repository
setup(function()
  if not pcall(shell.run, "command -v git") then return end
  repository = assert(stdlib.mkdtemp("/tmp/aish_history.XXXXXX"))
  shell.run(("tar -cf - --exclude=./build --exclude=./.git . | tar -xf - --no-same-owner -C %s"):format(quote(repository)))
  shell.run(("cd %s && git init -q && git config user.name spec && git config user.email spec@example "
    .. "&& git add -A && git commit -qm release"):format(quote(repository)))
end)
teardown(function() shell.run("rm -rf " .. quote(repository or "")) end)

-- A clone of it, with the author's name.
local function clone()
  if not repository then return nil end
  local directory = helper.tmpdir() .. "/clone"
  shell.run(("git clone -q file://%s %s && cd %s && git config user.name spec && git config user.email spec@example"):format(
    repository, directory, directory))
  return directory
end

local function it_with_git(name, fn)
  it(name, function()
    local directory = clone()
    return directory and fn(directory) or not directory and pending("git is missing")
  end)
end

describe("make dist #build", function()
  helper.guard(before_each, after_each)

  local function dist(directory, before)
    shell.run(("cd %s && %s %s -s BUILD=out dist"):format(quote(directory), before or "", shell.make))
    return helper.read(directory .. "/out/" .. TARBALL)
  end

  it_with_git("gives the same bytes in two clones, under other umasks, configurations and times", function(directory)
    local other = clone()
    helper.write(directory .. "/not-committed", "x")
    shell.run(("cd %s && git config tar.umask 0000 && touch csrc/version.h"):format(quote(other)))
    local first = dist(directory)
    assert(#first > 100000)
    assert(first == dist(other, "umask 077; sleep 1; TZ=Asia/Tokyo LC_ALL=C"), "they differ")
    assert(first == dist(directory), "they differ")
  end)

  it_with_git("gives a tarball that builds, installs and passes a spec outside of git", function(directory)
    dist(directory)
    local into = helper.tmpdir()
    shell.run(("cd %s && tar -xzf %s/out/%s && cd aish_history-%s && %s -s CFLAGS=-O0 && %s -s CFLAGS=-O0 install PREFIX=/usr DESTDIR=%s"):format(
      quote(into), quote(directory), TARBALL, VERSION, shell.make, shell.make, quote(into .. "/root")))
    assert.equal(VERSION, shell.smoke(helper.lua, into .. "/root/usr/share/lua/5.1", into .. "/root/usr/lib/lua/5.1"))
    local output = shell.run(("cd %s/aish_history-%s && env -u LUA_PATH -u LUA_CPATH LUA=%s %s spec/run/busted.lua -o plainTerminal spec/binding/class_spec.lua"):format(
      quote(into), VERSION, helper.lua, helper.lua))
    assert(output:find("[1-9]%d* successes / 0 failures / 0 errors"), output)
  end)

  it_with_git("has every file of the specs and of .ci", function(directory)
    dist(directory)
    local listed = shell.run(("tar -tzf %s/out/%s | grep -v '/$' | sed 's|^[^/]*/||' | LC_ALL=C sort"):format(quote(directory), TARBALL))
    assert.equal(shell.run(("cd %s && git ls-files | LC_ALL=C sort"):format(quote(directory))), listed)
  end)
end)

describe(".ci/release #build", function()
  helper.guard(before_each, after_each)

  local ARGUMENTS = "https://git.example/who/aish_history.git 'Who <who@mail.example>'"

  local function release(directory, arguments)
    return shell.run(("cd %s && %s MAKEFLAGS= MAKELEVEL= CFLAGS='-O0 -fPIC' .ci/release %s || echo status $?"):format(
      quote(directory), NEVER_FETCHED, arguments))
  end

  it_with_git("fills in, tags, packs, and tries what it has packed, without a network", function(directory)
    local output = release(directory, ARGUMENTS)
    assert.equal(3, select(2, output:gsub(" works%.\n", "")), output)
    local built = shell.files(directory .. "/build/release")
    assert.equal(3, #built)
    for _, name in ipairs(built) do assert(output:find(name .. " works", 1, true), output) end
    assert.equal("", shell.run("cd " .. quote(directory) .. " && git status --porcelain"))
    assert.equal("v" .. VERSION .. "\n", shell.run("cd " .. quote(directory) .. " && git describe"))
    for _, name in ipairs({ VERSION .. "-1", "dev-1" }) do
      local text = helper.read(("%s/rockspec/aish_history-%s.rockspec"):format(directory, name))
      assert(text:find('url = "git+https://git.example/who/aish_history.git"', 1, true))
      assert(text:find('homepage = "https://git.example/who/aish_history"', 1, true))
      assert(text:find('issues_url = "https://git.example/who/aish_history/issues"', 1, true))
      assert(text:find('maintainer = "Who <who@mail.example>"', 1, true))
      assert.falsy(text:find("example.org", 1, true))
    end
    local packed = helper.tmpdir()
    shell.run(("cd %s && luarocks --lua-version=5.1 unpack %s/build/release/aish_history-%s-1.src.rock"):format(quote(packed), quote(directory), VERSION))
    assert(shell.run("grep -r --include='*.rockspec' git.example " .. quote(packed)):find("git+https://git.example/who", 1, true))
    assert.matches("There is a tag v[%d.]+ already%.\nstatus 1", release(directory, ARGUMENTS))
  end)

  it_with_git("stops before it changes anything", function(directory)
    local function unchanged()
      assert.equal("1\n", shell.run(("cd %s && git rev-list --count HEAD && git tag"):format(quote(directory))))
    end
    assert.matches("usage:", release(directory, "https://git.example/x.git"))
    assert.matches("must begin with https://", release(directory, "git@git.example:x.git Who"))
    assert.matches("maintainer may not hold", release(directory, "https://git.example/x.git 'Who \"x\"'"))
    shell.run(("cd %s && git checkout -q ."):format(quote(directory)))
    unchanged()
    helper.write(directory .. "/new", "x")
    assert.matches("not committed", release(directory, ARGUMENTS))
    shell.run(("cd %s && rm new && sed -i.old 's/^## %s - .*/## %s/' CHANGELOG.md && rm CHANGELOG.md.old && git commit -qam undated --amend"):format(
      quote(directory), VERSION, VERSION))
    assert.matches("no part for " .. VERSION:gsub("%.", "%%."), release(directory, ARGUMENTS))
    unchanged()
  end)
end)

describe("luarocks test #build", function()
  helper.guard(before_each, after_each)

  it_with_git("builds first, and runs the specs", function(directory)
    -- The system's packages, which luarocks does not know.
    local config = helper.write(helper.tmpdir() .. "/config.lua",
      'rocks_provided = { busted = "2.0-1", luafilesystem = "1.8-1", luaposix = "35-1", argparse = "0.7-1", ["lua-cjson"] = "2.1-1" }\n')
    local output = shell.run(("cd %s && env -u LUA_PATH -u LUA_CPATH -u AISH_HISTORY_CPATH CFLAGS=-O0 MAKEFLAGS= MAKELEVEL= LUAROCKS_CONFIG=%s %s luarocks --lua-version=5.1 test rockspec/aish_history-dev-1.rockspec -- -o plainTerminal spec/binding/class_spec.lua"):format(
      quote(directory), quote(config), NEVER_FETCHED))
    assert(output:find("[1-9]%d* successes / 0 failures / 0 errors"), output)
  end)
end)
