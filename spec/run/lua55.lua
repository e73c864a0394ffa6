--- What a busted that is older than Lua 5.5 needs there: what it uses of two libraries of C; and a variable
-- of its own for each loop that assigns to the one it counts by, in files that do, as is an error now.
-- luacheck: std lua54
local time = require("posix.time")

local function clock(id)
  return function()
    local now = time.clock_gettime(id)
    return now.tv_sec + now.tv_nsec / 1e9
  end
end

package.preload["system.core"] = function()
  local function sleep(seconds) time.nanosleep({ tv_sec = seconds // 1, tv_nsec = seconds % 1 * 1e9 // 1 }) end
  return { gettime = clock(time.CLOCK_REALTIME), monotime = clock(time.CLOCK_MONOTONIC), sleep = sleep }
end

package.preload["term.core"] = function()
  return { isatty = function() return false end }
end

local function of_its_own(names, list)
  local counted = names:gsub("[%w_]+", "%0_")
  return ("for %s in %s do local %s = %s"):format(counted, list, names, counted)
end

table.insert(package.searchers, 2, function(name)
  local path = package.searchpath(name, package.path)
  if not path or loadfile(path) then return end
  local file <close> = assert(io.open(path))
  return load(file:read("a"):gsub("%f[%w]for ([%w_, ]+) in ([^\n]-) do%f[%s]", of_its_own), "@" .. path), path
end)
