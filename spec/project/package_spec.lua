--- The rockspecs, and what luarocks makes of them without a network.
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")

local DEVELOPMENT = "rockspec/aish_history-dev-1.rockspec"
local quote = helper.quote

-- The fields of a rockspec.
local function load_rockspec(path)
  local fields = {}
  setfenv(assert(loadfile(path)), fields)()
  return fields
end

local function version()
  return helper.read("csrc/version.h"):match('AISH_HISTORY_VERSION "([^"]+)"')
end

local RELEASE = "rockspec/aish_history-" .. version() .. "-1.rockspec"

-- luarocks for Lua 5.1 and the tree, run in a directory, with a home of its own and no network. The
-- rock's dependencies are the system's packages, of which luarocks knows nothing.
local function luarocks(directory, tree, arguments)
  return shell.run(("cd %s && HOME=%s http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 "
    .. "luarocks --lua-version=5.1 --tree=%s %s"):format(quote(directory), quote(directory), quote(tree), arguments))
end

-- A copy of what the package is made of: luarocks builds in its sources' directory.
local function sources()
  local directory = helper.tmpdir()
  shell.run("cp -R csrc lua rockspec LICENSE " .. quote(directory))
  return directory
end

local function assert_works_from(tree)
  for _, interpreter in ipairs({ "luajit", "lua5.1" }) do
    local found = shell.smoke(interpreter, tree .. "/share/lua/5.1", tree .. "/lib/lua/5.1")
    assert.truthy(found:find(version(), 1, true))
  end
  local history = helper.tmpdir()
  assert.equal("1\n", shell.run(("cd / && %s/bin/aish-history --dir %s memory add fact installed"):format(quote(tree), quote(history))))
end

describe("package #build", function()
  helper.guard(before_each, after_each)

  it("has rockspecs that luarocks lint accepts", function()
    for _, path in ipairs({ RELEASE, DEVELOPMENT }) do
      shell.run("HOME=" .. quote(helper.tmpdir()) .. " luarocks --lua-version=5.1 lint " .. path)
    end
  end)

  it("has two rockspecs that differ in the version only", function()
    local release, development = load_rockspec(RELEASE), load_rockspec(DEVELOPMENT)
    assert.equal("dev-1", development.version)
    assert.equal("v" .. version(), release.source.tag)
    release.version, development.version = nil, nil
    release.source.tag, development.source.branch = nil, nil
    assert.same(release, development)
  end)

  it("has the version of csrc/version.h in the release's rockspec and in the module", function()
    assert.equal(version() .. "-1", load_rockspec(RELEASE).version)
    assert.truthy(require("aish_history")._VERSION:find(version(), 1, true))
    assert.truthy(helper.read("CHANGELOG.md"):find("\n## " .. version():gsub("%.", "%%.") .. " %- 20%d%d%-%d%d%-%d%d\n"))
  end)

  it("lists every C file", function()
    local found = {}
    for _, name in ipairs(shell.files("csrc")) do
      if name:find("%.c$") then found[#found + 1] = "csrc/" .. name end
    end
    assert.truthy(#found > 30)
    local listed = load_rockspec(RELEASE).build.modules.aish_history.sources
    assert.same(found, listed)
  end)

  it("lists every Lua file, and the command", function()
    local build, found = load_rockspec(RELEASE).build, {}
    for _, name in ipairs(shell.files("lua")) do
      if name:find("%.lua$") then found[name:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")] = "lua/" .. name end
    end
    found.aish_history = build.modules.aish_history
    assert.same(found, build.modules)
    assert.same({ ["aish-history"] = "lua/aish_history/command/aish-history" }, build.install.bin)
  end)

  it("is made into an empty tree, and works from there under both interpreters", function()
    local tree = helper.tmpdir()
    local output = luarocks(sources(), tree, "make --deps-mode=none " .. DEVELOPMENT)
    assert.falsy(output:lower():find("warning:", 1, true), output)
    assert_works_from(tree)
  end)

  it("is packed as a binary rock, which installs into another tree", function()
    local directory, tree, other = sources(), helper.tmpdir(), helper.tmpdir()
    luarocks(directory, tree, "make --deps-mode=none " .. RELEASE .. " CFLAGS='-O0 -fPIC'")
    luarocks(directory, tree, "pack aish_history " .. version())
    local rock = shell.run("ls " .. quote(directory) .. "/*.rock"):gsub("\n$", "")
    assert.truthy(rock:find("aish_history-" .. version() .. "-1.", 1, true))
    luarocks(helper.tmpdir(), other, "install --deps-mode=none " .. quote(rock))
    assert_works_from(other)
  end)
end)
