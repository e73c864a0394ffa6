--- What every spec needs: a directory of its own, whole-file reads and writes, other processes, and
-- the check that a spec leaves no descriptor behind.
local lfs = require("lfs")
local stdlib = require("posix.stdlib")

local helper = {}

--- The interpreter that runs this spec ("luajit", "lua5.1" and so on); LUA names another.
helper.lua = os.getenv("LUA") or (rawget(_G, "jit") and "luajit" or _VERSION:lower():gsub(" ", "", 1))

--- Whether the module is not the plain one, but a sanitizer's or the like. A later Lua has a directory of
-- its own, too.
helper.instrumented = not (os.getenv("AISH_HISTORY_CPATH") or "/lua5.1"):find("/lua5%.%d$")

--- The checkout's directory, so that a child in another directory finds the modules.
helper.root = assert(lfs.currentdir())

--- `text` as one word for sh.
function helper.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- A new empty directory, removed when the enclosing spec ends (see `guard`).
function helper.tmpdir()
  local dir = assert(stdlib.mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/aish_history.XXXXXX"))
  helper.dirs[#helper.dirs + 1] = dir
  return dir
end

helper.dirs = {}

--- Writes `bytes` as the whole of `path`; returns `path`.
function helper.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  assert(file:close())
  return path
end

--- All that a call returned, and in `n` how much that is.
function helper.pack(...)
  return { n = select("#", ...), ... }
end

--- The whole of `path`.
function helper.read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = assert(file:read("*a"))
  file:close()
  return bytes
end

--- The lines of `path`, without their newlines.
function helper.lines(path)
  local lines = {}
  for line in helper.read(path):gsub("([^\n])$", "%1\n"):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

--- The open descriptors of this process, number to target; the targets are not known everywhere.
function helper.descriptors()
  local directory = lfs.attributes("/proc/self/fd") and "/proc/self/fd/" or "/dev/fd/"
  local open = {}
  for name in lfs.dir(directory) do
    local target = name:match("^%d+$") and (lfs.symlinkattributes(directory .. name, "target") or "?")
    if target and not target:match("^/proc/%d+/fd$") then open[tonumber(name)] = target end
  end
  return open
end

--- Installs the before_each and after_each that every describe block starts with:
-- no descriptor outlives a spec, no temporary directory does either.
function helper.guard(before_each, after_each)
  local before
  before_each(function()
    before = helper.descriptors()
  end)
  after_each(function()
    collectgarbage()
    collectgarbage()
    for number, target in pairs(helper.descriptors()) do
      assert(before[number], "descriptor " .. number .. " left open: " .. target)
    end
    for index, dir in ipairs(helper.dirs) do
      os.execute("chmod -R u+rwx " .. helper.quote(dir) .. " && rm -rf " .. helper.quote(dir))
      helper.dirs[index] = nil
    end
  end)
end

--- The sh command that runs Lua source `code` in a new process of the same interpreter, which finds
-- our modules; `...` are its arguments (`...` in the code). No file of the checkout is read before it
-- runs: it may be another user's process, and the checkout below a home that is closed to others.
function helper.command(code, ...)
  local words = { helper.lua, "-e", helper.quote(("package.path=%q;package.cpath=%q;%s"):format(package.path,
    package.cpath, helper.read(helper.root .. "/spec/support/lua51.lua"))), "-" }
  for _, argument in ipairs({ ... }) do
    words[#words + 1] = helper.quote(tostring(argument))
  end
  return table.concat(words, " ") .. " <<'END_OF_LUA'\n" .. code .. "\nEND_OF_LUA\n"
end

--- All that the sh command prints, errors included, however it ends.
function helper.output(command)
  local pipe = assert(io.popen("exec 2>&1\n" .. command))
  local output = pipe:read("*a")
  pipe:close()
  return output
end

--- Starts `code` in another process and does not wait: the result is a Lua file that reads what it
-- prints. Close it to wait for its end.
function helper.start(code, ...)
  return assert(io.popen("exec 2>&1\ncd " .. helper.quote(helper.root) .. "\n" .. helper.command(code, ...)))
end

--- Runs `code` in another process and waits; returns what it printed, errors included.
function helper.run(code, ...)
  return helper.output("cd " .. helper.quote(helper.root) .. "\n" .. helper.command(code, ...))
end

--- Lua source for such code: `peak()` is how many kilobytes its process has had at most.
helper.PEAK = [[
  local function peak()
    for line in io.lines("/proc/self/status") do
      local kilobytes = line:match("^VmHWM:%s*(%d+) kB")
      if kilobytes then return tonumber(kilobytes) end
    end
  end
]]

return helper
