--- The history API of the aish shell, name for name, over the native module.
--
--     local history = require("history")
--     local session = history.open(path, { model = "m" })       -- session:append(turn), :close()
--     local memory = history.open_memory(path)                  -- memory:add(...), :forget(id), :close()
--
-- Every other function and constant of aish_history is here too, under its own name.

local native = require("aish_history")

local history = setmetatable({}, { __index = native })

--- Opens a session's file for appending; its directories are made.
-- @tparam string path
-- @tparam[opt] table meta written as the first line if the file is new or empty
-- @tparam[opt] table opts see aish_history.session
-- @treturn userdata a session handle; or nil, message, errno and the lock holder's process id
history.open = native.session

--- The turns of a session's file.
-- @function load
-- @tparam string path
-- @treturn table turns; then the meta or nil; or nil, message, errno
history.load = native.load

--- The sorted names of a directory's session files.
-- @tparam[opt] string dir
-- @treturn table names; empty where there is no directory, or none that can be read
function history.list_sessions(dir)
  if not dir or dir == "" then return {} end
  return native.list(dir) or {}
end

--- Opens the memory file and takes its lock.
-- @tparam string path
-- @tparam[opt] table opts see aish_history.open
-- @treturn userdata a memory handle; or nil, message, errno and the lock holder's process id
history.open_memory = native.open

--- The active items, newest first.
-- @tparam string path
-- @tparam[opt] table opts a filter, see aish_history.load_memory
-- @treturn table items; where the file cannot be read, an empty table and a message
function history.load_memory(path, opts)
  local items, message, errno = native.load_memory(path, opts)
  if items then return items end
  return {}, message, errno
end

return history
