--- The files that a command goes over: those that are named, else those of the history.
local aish_history = require("aish_history")
local lines = require("aish_history.command.lines")

local files = {}

local ENOENT, ENOTDIR = 2, 20

--- Whether a file can be opened and is of the history: true; or nil, message, errno. The module opens it, as
-- io.open would wait for the writer of a FIFO.
function files.check(path)
  local scan, message, errno = aish_history.scan(path)
  if not scan then return nil, message, errno end
  scan:close()
  return true
end

--- Whether there is a file, be it one that cannot be read.
function files.exists(path)
  local good, _, errno = files.check(path)
  return good or errno ~= ENOENT and errno ~= ENOTDIR
end

--- The paths of all sessions, sorted by name.
function files.sessions(context)
  local all, message = aish_history.list(context.sessions)
  if not all then context.fail(message) end
  for index, name in ipairs(all) do all[index] = context.sessions .. "/" .. name end
  return all
end

-- Those of some sessions that could be read, and the errors of the others.
local function part(sessions)
  local found, errors = {}, {}
  for _, session in ipairs(sessions) do
    if session.error then errors[#errors + 1] = session.error else found[#found + 1] = session end
  end
  return found, errors
end

--- The sessions that can be read, as the module's `sessions` tells of them; of each other one standard error
-- says why not.
-- @param context
-- @tparam[opt] table opts those of the module's `sessions`; `limit` counts what can be read
-- @treturn table an array
-- @treturn number how many cannot be read
function files.readable(context, opts)
  local wanted, unread = opts.limit, 0
  while true do
    opts.limit = wanted and wanted + unread
    local all, message = aish_history.sessions(context.sessions, opts)
    if not all then context.fail(message) end
    local found, errors = part(all)
    if not wanted or #found >= wanted or #all < opts.limit then
      for _, unreadable in ipairs(errors) do context.warn(unreadable) end
      return found, #errors
    end
    unread = #errors
  end
end

--- Says how many damaged lines were passed over, if some were; `path`: of the only file, if it was one.
function files.warn_damaged(context, count, path)
  if count == 0 then return end
  context.warn(("%s passed over; aish-history verify%s says which"):format(lines.count(count, "damaged line"),
    path and " " .. path or ""))
end

--- What the module's `verify` says of the memory; of one that is not there, as of an empty one.
function files.verify_memory(context)
  local report, message, errno = aish_history.verify(context.memory)
  if report then return report end
  if errno == ENOENT then return { bytes = 0, damaged = 0 } end
  context.fail(message)
end

--- How many bytes all sessions hold.
function files.size(context)
  local size = 0
  for _, session in ipairs(aish_history.sessions(context.sessions, { count = false }) or {}) do
    size = size + (session.bytes or 0)
  end
  return size
end

--- The paths of the memory, if there is one, and of all sessions.
function files.all(context)
  local all = files.sessions(context)
  if files.exists(context.memory) then table.insert(all, 1, context.memory) end
  return all
end

--- A file's path to show: without the directory of the history before it.
function files.show(context, path)
  local inside = path:sub(1, #context.dir + 1) == context.dir .. "/" and path:sub(#context.dir + 2) or path
  return aish_history.display(inside)
end

return files
