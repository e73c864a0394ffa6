--- What the fault, crash and memory specs share: the fault build in a process of its own, so that
-- it never meets the module that the other specs run against.
local helper = require("spec.support.helper")
local stdlib = require("posix.stdlib")
local unistd = require("posix.unistd")

local support = {}

local directory = (os.getenv("AISH_HISTORY_CPATH") or "build") .. "/faults"
if directory:sub(1, 1) ~= "/" then directory = helper.root .. "/" .. directory end

function support.module()
  return directory .. "/aish_history.so"
end

function support.scripts()
  return require("spec.faults.scripts")
end

--- A directory in memory, where there is one: thousands of small files are made in it.
function support.tmpdir()
  local base = os.getenv("TMPDIR") or unistd.access("/dev/shm", "w") and "/dev/shm" or "/tmp"
  local path = assert(stdlib.realpath(assert(stdlib.mkdtemp(base .. "/aish_history.XXXXXX"))))
  helper.dirs[#helper.dirs + 1] = path
  return path
end

--- Runs a Lua file on the fault build; returns what it printed.
function support.run(file, ...)
  return helper.run(([[
    package.cpath = %q .. package.cpath
    local arguments = { ... }
    assert(loadfile(%q))(unpack(arguments))
  ]]):format(directory .. "/?.so;", file), ...)
end

--- Runs Lua source on the fault build, where `aish`, `seam` and `at(name, number)` (which of the calls
-- since seam.arm was the number-th of that name) are at hand, and no finalizer makes a call among those
-- that are counted; returns what it printed.
function support.run_code(code, ...)
  return helper.run(([[
    package.cpath = %q .. package.cpath
    local aish, seam = require("aish_history"), require("aish_history.seam")
    local function at(name, number)
      for index, called in ipairs(seam.calls()) do
        if called == name then number = number - 1 end
        if number == 0 then return index end
      end
      error("too few calls of " .. name)
    end
    collectgarbage("stop")
  ]]):format(directory .. "/?.so;") .. code, ...)
end

--- The counts, which are the last line of what such a file prints.
function support.report(kind, name, output)
  print(("%s: %s: %s"):format(kind, name, output:match("([^\n]*)\n$")))
end

return support
