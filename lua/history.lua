--- The history API of the aish shell, name for name, over the native module.
--
--     local history = require("history")
--     local session = history.open(path, { model = "m" })       -- session:append(turn), :close()
--     local memory = history.open_memory(path)                  -- memory:add(...), :forget(id), :close()
--
-- Every other function and constant of aish_history is here too, under its own name.
--
-- It takes the place of aish's history.lua, with aish_history.so on package.cpath. Existing files need no
-- conversion; names, arguments and messages stay. What differs:
--
-- * Handles are userdata with read-only fields; a session has `fd` and no `fh`.
-- * Surplus arguments, unknown options and wrong types, once ignored, raise an error that names them.
-- * `forget(id)`, which wrote a tombstone for any id, gives `true`, or `false, "no active item N"`.
-- * A failure gives `open PATH: reason` and the errno, of writes too, which failed without a word; of a lock
--   that is held, also the holder's process id.
-- * Background jobs do not inherit the lock.
-- * `add` is synced, unless `sync = "none"`; `session:append` is locked, waiting up to 5 seconds.
-- * New files are 0600 and directories 0700, whatever the umask allows.
-- * Numbers have as many digits as read back the same, not 14.
-- * Of two items of one id neither is hidden.
-- * A string that is not UTF-8, written raw before, is escaped and reads back the same.
-- * A file of the other kind, or of no JSON lines, is refused, not appended to.
-- * An array as a turn, which was never read back, raises; `{}` is written as an empty object.

local native = require("aish_history")

---@class history: aish_history
local history = setmetatable({}, { __index = native })

---Opens a session's file for appending, as aish_history.session; its directories are made.
history.open = native.session

---The turns of a session's file, as aish_history.load.
history.load = native.load

---The sorted names of a directory's session files.
---@param dir? string
---@return string[] names empty where there is no directory, or none that can be read
function history.list_sessions(dir)
  if not dir or dir == "" then return {} end
  return native.list(dir) or {}
end

---Opens the memory file and takes its lock, as aish_history.open.
history.open_memory = native.open

---The active items, newest first.
---@param path string
---@param opts? aish_history.Filter
---@return aish_history.Item[] items where the file cannot be read, none
---@return string? message
---@return integer? errno
function history.load_memory(path, opts)
  local items, message, errno = native.load_memory(path, opts)
  if items then return items end
  return {}, message, errno
end

return history
