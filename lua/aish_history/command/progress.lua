--- How far a command is, on a line of standard error that it takes away again: only on a terminal, and only
-- of what takes longer than half a second.
local terminal = require("aish_history.command.terminal")
local aish_history = require("aish_history")

local progress = {}

local PATIENCE = 0.5 -- seconds, of the processor's time, as Lua has no finer clock of the other

--- @return function from a text, which tells that the command is there
-- @return function that takes the line away
function progress.new(context)
  if not terminal.is(2) then return function() end, function() end end
  local begun, shown = os.clock(), false
  local function tell(text)
    if os.clock() - begun < PATIENCE then return end
    shown = true
    context.err:write("\r", (aish_history.display(text, context.width - 1)), "\27[K")
  end
  local function done()
    if shown then context.err:write("\r\27[K") end
  end
  return tell, done
end

return progress
