--- Standard output, or the pager: what is written arrives, or it raises.
local writer = {}
writer.__index = writer

local EPIPE = 32

-- On a closed pipe the command has done what was wanted of it.
local function raise(message, errno)
  if errno == EPIPE then error({ code = 0 }, 0) end
  error({ code = 3, message = "write to standard output: " .. tostring(message) }, 0)
end

--- A writer on standard output, which is written to in large pieces.
function writer.new()
  io.stdout:setvbuf("full", 65536)
  return setmetatable({ file = io.stdout }, writer)
end

--- Writes strings and numbers.
function writer:write(...)
  local done, message, errno = self.file:write(...)
  if not done then raise(message, errno) end
  return self
end

--- Sends what was written on its way.
function writer:flush()
  local done, message, errno = self.file:flush()
  if not done then raise(message, errno) end
end

--- From here on writes to a pager, as git does: $PAGER, else less, which ends by itself if all fits.
function writer:page()
  local pager = os.getenv("PAGER") or "less"
  if pager == "" or pager == "cat" then return end
  local command = 'LESS="${LESS-FRX}"; export LESS; '
  if pager == "less" then command = command .. "command -v less >/dev/null || exec cat; " end
  self.file = io.popen(command .. pager, "w") or self.file
  self.paged = self.file ~= io.stdout
end

--- Sends all that was written; waits until the user has left the pager.
function writer:close()
  if self.paged then return self.file:close() end
  self:flush()
end

return writer
