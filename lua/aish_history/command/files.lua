--- The files that a command goes over: those that are named, else those of the history.
local aish_history = require("aish_history")

local files = {}

local ENOENT, ENOTDIR = 2, 20

--- Whether there is a file, be it one that cannot be read.
function files.exists(path)
  local file, _, errno = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil or errno ~= ENOENT and errno ~= ENOTDIR
end

--- The paths of all sessions, sorted by name.
function files.sessions(context)
  local all, message = aish_history.list(context.sessions)
  if not all then context.fail(message) end
  for index, name in ipairs(all) do all[index] = context.sessions .. "/" .. name end
  return all
end

--- How many bytes all sessions hold.
function files.size(context)
  local size = 0
  for _, path in ipairs(files.sessions(context)) do
    local file = io.open(path, "rb")
    if file then
      size = size + (file:seek("end") or 0)
      file:close()
    end
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
