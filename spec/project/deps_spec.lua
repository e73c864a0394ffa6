--- .ci/deps, on a machine that has nothing of what is asked for. What it would install with is made up.
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")

local quote = helper.quote

-- The commands that .ci/deps itself is made of.
local OWN = "cat chmod cut grep id sed sort tr"

-- Homebrew, which makes a command of each formula's name; luarocks, of each rock's.
local BREW = [[#!/bin/sh
[ "$1" != --prefix ] || { echo /prefix; exit; }
echo "brew $*" >>log
case $2 in pkgconf) name=pkg-config ;; ripgrep) name=rg ;; sqlite) name=sqlite3 ;; python) name=python3 ;; neovim) name=nvim ;; *) name=$2 ;; esac
cat >"$name" <<'END'
#!/bin/sh
[ "$1" = --lua-version=5.1 ] || exit 0
echo "luarocks $*" >>log
for name; do :; done
echo "#!/bin/sh" >"$name"
chmod +x "$name"
END
chmod +x "$name"
]]

describe(".ci/deps #build", function()
  helper.guard(before_each, after_each)

  -- Runs it with these arguments on such a machine; returns what it printed, and what it called.
  local function run(arguments, files)
    local machine = helper.tmpdir()
    -- Scripts and no links, which what is written to their names would go through.
    for name in OWN:gmatch("%S+") do
      helper.write(machine .. "/" .. name, "#!/bin/sh\nexec " .. shell.run("command -v " .. name):gsub("\n", "") .. ' "$@"\n')
    end
    for name, text in pairs(files) do helper.write(machine .. "/" .. name, text) end
    shell.run("chmod +x " .. machine .. "/*")
    helper.write(machine .. "/log", "")
    local output = shell.run(("cd %s && { PATH=%s /bin/sh %s/.ci/deps %s || true; }"):format(machine, machine,
      quote(helper.root), arguments))
    return output, helper.read(machine .. "/log")
  end

  local MAC = { uname = "#!/bin/sh\necho Darwin\n", brew = BREW, cc = "#!/bin/sh\n", clang = "#!/bin/sh\n" }

  it("needs no luarocks on macOS for building", function()
    local output, calls = run("build", MAC)
    assert.equal("", output)
    assert.equal("brew install luajit\nbrew install pkgconf\n", calls)
  end)

  for groups, rocks in pairs({
    ["build demo test"] = { "argparse", "busted", "lua-cjson", "luafilesystem", "luaposix" },
    bench = { "lua-cjson", "dkjson", "luafilesystem" },
  }) do
    it("has luarocks on macOS before it asks it for rocks: " .. groups, function()
      local output, calls = run(groups, MAC)
      assert.falsy(output:find("not found", 1, true), output)
      local before, after = calls:match("^(.-)(luarocks %S+ %-%-lua%-dir.*)$")
      assert.truthy(before and before:find("brew install luarocks\n", 1, true), calls)
      assert.falsy(after:find("brew install", 1, true), calls)
      for _, rock in ipairs(rocks) do
        assert.truthy(after:find("luarocks --lua-version=5.1 --lua-dir=/prefix install " .. rock .. "\n", 1, true), calls)
      end
    end)
  end

  it("says with --check what is missing, and installs nothing", function()
    local output, calls = run("--check build", MAC)
    assert.truthy(output:find("library luajit (Debian: libluajit-5.1-dev; Homebrew: luajit)\n", 1, true), output)
    assert.equal("", calls)
  end)

  it("says how to install it on Debian, to those who are not root and cannot become it", function()
    local output = run("build", { uname = "#!/bin/sh\necho Linux\n", ["apt-get"] = "#!/bin/sh\necho wrong\n", id = "#!/bin/sh\necho 1000\n" })
    assert.truthy(output:find("as root: apt-get update && apt-get install --no-install-recommends gcc libc6-dev "
      .. "libluajit-5.1-dev pkg-config", 1, true), output)
    assert.falsy(output:find("wrong", 1, true), output)
  end)

  it("says what it cannot install where it knows no way", function()
    local output = run("build", { uname = "#!/bin/sh\necho Linux\n" })
    assert.truthy(output:find("Please install them", 1, true), output)
  end)
end)
