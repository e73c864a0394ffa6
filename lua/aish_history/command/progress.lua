--- What is being done, on a line of standard error that is taken away again: only on a terminal, and only
-- for what takes longer than half a second.
local aish_history = require("aish_history")
local files = require("aish_history.command.files")
local sizes = require("aish_history.command.sizes")
local terminal = require("aish_history.command.terminal")

local progress = {}

local PATIENCE = 0.5 -- seconds

local function show(context, text)
  context.err:write("\r", (aish_history.display(text, context.width - 1)), "\27[K")
end

local function hide(context) context.err:write("\r\27[K") end

--- For a command of many steps.
-- @treturn function from a text, which tells that the command is there
-- @treturn function that takes the line away
function progress.new(context)
  if not terminal.is(2) then return function() end, function() end end
  local begun, shown = terminal.now(), false
  local function tell(text)
    if terminal.now() - begun < PATIENCE then return end
    shown = true
    show(context, text)
  end
  local function done()
    if shown then hide(context) end
  end
  return tell, done
end

--- For one step over all sessions: what `call()` returns, while the line says that it goes on, if they hold
-- more than `most` bytes.
function progress.during(context, most, call)
  local size = terminal.is(2) and files.size(context) or 0
  if size <= most then return call() end
  show(context, ("searching %s of sessions"):format(sizes.show(size)))
  local results, message, errno = call()
  hide(context)
  return results, message, errno
end

return progress
