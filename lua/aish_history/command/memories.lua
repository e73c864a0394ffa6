--- The history's memory: read while a shell holds it, and changed when its lock is free.
local aish_history = require("aish_history")
local files = require("aish_history.command.files")

local memories = {}

local EAGAIN = { [11] = true, [35] = true }

--- What `read(handle)` returns for a handle that is only read through, which needs no lock; nil where
-- there is no memory yet, as opening one would make it.
function memories.read(context, read)
  if not files.exists(context.memory) then return nil end
  local handle, message = aish_history.open(context.memory, { shared = true, wait = 0 })
  if not handle then context.fail(message) end
  local result, why = read(handle)
  if not result then context.fail(why) end
  handle:close()
  return result
end

-- The name of a running program, where the system tells.
local function program(process)
  local file = io.open("/proc/" .. process .. "/comm", "r")
  local name = file and file:read("*l")
  if file then file:close() end
  return name and (" (%s)"):format(aish_history.display(name)) or ""
end

--- Whether this errno says that another process holds a lock.
function memories.is_held(errno) return EAGAIN[errno] or false end

--- Calls `change(wait)`, which returns what functions of the module do; if the lock is held it says by
-- whom, and waits for it.
-- @param context
-- @tparam number seconds the longest wait
-- @tparam function change called with 0, and if the lock is held again with `seconds`
-- @return what change returned; where it failed it does not return
function memories.locked(context, seconds, change)
  local result, message, errno, process = change(0)
  local holder = process and "process " .. process .. program(process) or "another process"
  if not result and EAGAIN[errno] and seconds > 0 then
    context.warn(("waiting for %s, which holds the file"):format(holder))
    result, message, errno = change(seconds)
  end
  if result then return result, message end
  if EAGAIN[errno] then
    local name = message:match("^(.*) held by another aish process") or "the file"
    message = ("%s is held by %s; leave that shell, or try again later"):format(name, holder)
  end
  context.fail(message)
end

return memories
