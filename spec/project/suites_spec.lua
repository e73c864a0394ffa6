--- spec/run/suites: what it says of files of specs that pass, fail, are skipped and end before they should.
local lfs = require("lfs")
local stdlib = require("posix.stdlib")
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")

local quote = helper.quote

local FILES = {
  passing = 'describe("a thing", function() it("is", function() end) it("is too", function() end) end)',
  failing = 'describe("another", function() it("is not", function() assert.equal(1, 2) end) it("is", function() end) end)',
  skipping = 'describe("a third", function() it("may be", function() pending("nobody knows") end) end)',
  raising = 'it("raises", function() error("on purpose") end)',
  broken = 'it("is no Lua" function() end)',
  ending = 'it("ends all", function() os.exit(0) end)',
  killed = 'it("is killed later", function() io.popen("sleep 1; kill -9 " .. require("posix.unistd").getpid()) end)',
}

describe("the runner of the specs #build", function()
  helper.guard(before_each, after_each)

  -- Runs the named files in these suites; returns what was printed, the status, and build/total. Paths
  -- are shown without the directory.
  local function run(suites, ...)
    local directory, paths = helper.tmpdir(), {}
    for index, name in ipairs({ ... }) do
      paths[index] = helper.write(directory .. "/" .. name .. "_spec.lua", FILES[name])
    end
    shell.run("mkdir " .. directory .. "/build")
    local output, status = shell.run(("{ BUILD=%s/build TESTS=%s spec/run/suites %s; echo status $?; }"):format(directory,
      quote(table.concat(paths, " ")), suites)):match("^(.*)status (%d+)\n$")
    return output:gsub(directory:gsub("%p", "%%%0") .. "/", ""), status, helper.read(directory .. "/build/total")
  end

  local function has(output, text)
    assert(output:find(text, 1, true), ("no %q in:\n%s"):format(text, output))
  end

  it("counts the files of each suite, and ends with the sum", function()
    local output, status, total = run("luajit lua5.1", "passing", "skipping")
    for _, suite in ipairs({ "luajit  ", "lua5.1  " }) do
      for index = 1, 2 do has(output, ("%s   %d of 2  "):format(suite, index)) end
    end
    assert.truthy(output:find("of 2  passing_spec.lua +2 passed, %d+ s\n"), output)
    assert.truthy(output:find("of 2  skipping_spec.lua +0 passed, 1 skipped, %d+ s\n"), output)
    assert.truthy(output:find("\nluajit   2 passed, 0 failed, 1 skipped, in %d+ s\n"), output)
    assert.truthy(output:find("\nlua5.1   2 passed, 0 failed, 1 skipped, in %d+ s\n"), output)
    has(output, "\nSkipped:\n  skipping_spec.lua:1 a third may be: nobody knows (lua")
    assert.falsy(output:find("Failed:", 1, true), output)
    assert.equal("4 passed, 0 failed, 2 skipped\n", output:match("[^\n]*\n$"))
    assert.same({ "0", "4 passed, 0 failed, 2 skipped\n" }, { status, total })
  end)

  it("names what failed at the end, after it has shown it", function()
    local output, status, total = run("luajit", "passing", "failing", "raising", "broken")
    local shown, named = output:match("^(.*)\nFailed:\n(.-)\n\n")
    has(shown, "Expected objects to be equal")
    has(shown, "on purpose")
    assert.falsy(shown:find("2 successes", 1, true), shown)
    has(named, "  failing_spec.lua:1 another is not (luajit)")
    has(named, "  raising_spec.lua:1 raises (luajit)")
    has(named, "broken_spec.lua (luajit)")
    assert.same({ "1", "3 passed, 3 failed\n" }, { status, total })
  end)

  it("runs under plain Lua 5.1 only what Luas differ in, with QUICK and beside asan, which runs all under it", function()
    local checkout, base, other = helper.tmpdir(), "spec/json/number_spec.lua", "spec/file/lines_spec.lua"
    shell.run(("cd %s && mkdir -p spec/json spec/file spec/run && cp %s/spec/run/suites spec/run"):format(checkout,
      quote(helper.root)))
    for _, path in ipairs({ base, other }) do helper.write(checkout .. "/" .. path, "") end
    helper.write(checkout .. "/spec/run/job", '#!/bin/sh\necho "$1 $2" >>jobs\necho "1 0 0 1 $2" >>"$RESULTS/$1.done"\n')
    shell.run("cd " .. checkout .. " && chmod +x spec/run/job && mkdir build")
    local function jobs(variables, suites)
      shell.run(("cd %s && rm -f jobs && %s CORES=1 TESTS= spec/run/suites %s"):format(checkout, variables, suites))
      local lines = {}
      for line in helper.read(checkout .. "/jobs"):gmatch("[^\n]+") do lines[#lines + 1] = line end
      table.sort(lines)
      return lines
    end
    local whole = { "lua5.1 " .. other, "lua5.1 " .. base }
    assert.same(whole, jobs("QUICK=", "lua5.1"))
    assert.same(whole, jobs("QUICK=1", "lua5.1"))
    assert.same({ "asan " .. other, "asan " .. base, "lua5.1 " .. other, "lua5.1 " .. base }, jobs("QUICK=", "lua5.1 asan"))
    assert.same({ "asan " .. other, "asan " .. base, "lua5.1 " .. base }, jobs("QUICK=1", "lua5.1 asan"))
  end)

  it("counts a file that ends before its specs do as failed", function()
    local output, status, total = run("luajit", "ending", "passing")
    has(output, "\n  ending_spec.lua, which ended with status 0 before it was through (luajit)\n")
    assert.same({ "1", "2 passed, 1 failed\n" }, { status, total })
  end)

  it("counts a file whose end fails after its specs have passed", function()
    local output, status, total = run("luajit", "killed")
    has(output, "\n  killed_spec.lua, which ended with status 137 after all its specs had passed (luajit)\n")
    assert.same({ "1", "1 passed, 1 failed\n" }, { status, total })
  end)

  it("says that it skips Lua 5.5 where there is none", function()
    local before = os.getenv("PATH")
    local path = before:gsub("[^:]+", function(entry) return lfs.attributes(entry .. "/lua5.5") and "" end)
    if not path:find("/usr/bin", 1, true) then return pending("Lua 5.5 is where all commands are") end
    stdlib.setenv("PATH", path)
    local output, status, total = run("lua5.5 luajit", "passing")
    stdlib.setenv("PATH", before)
    has(output, "\nSkipped:\n  everything: there is no lua5.5 here (lua5.5)\n")
    assert.same({ "0", "2 passed, 0 failed, 1 skipped\n" }, { status, total })
  end)
end)
