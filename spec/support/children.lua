--- Processes that a spec forks from itself and may kill: what they report through a pipe, and their end.
local unistd = require("posix.unistd")
local signal = require("posix.signal")
local wait = require("posix.sys.wait")

local children = {}

-- Ends a child whose spec failed before it could.
local LIFE = 300

local function say(descriptor, text)
  local from = 1
  while from <= #text do
    from = from + assert(unistd.write(descriptor, text:sub(from)))
  end
end

--- Runs `fn(say)` in a forked process, where `say(text)` has written all of the text to the pipe when
-- it returns; what `fn` raises is said too. `fn` also gets the descriptor of the pipe. The process ends
-- without closing or collecting anything.
function children.fork(fn)
  local out, into = assert(unistd.pipe())
  io.stdout:flush()
  local pid = assert(unistd.fork())
  if pid == 0 then
    unistd.close(out)
    unistd.alarm(LIFE)
    local ok, message = pcall(fn, function(text) say(into, text) end, into)
    if not ok then pcall(say, into, "error: " .. tostring(message) .. "\n") end
    unistd._exit(ok and 0 or 1)
  end
  unistd.close(into)
  return { pid = pid, out = out, said = {} }
end

--- Runs a command, an array of words that is looked for on the PATH, as such a child; it says what it
-- prints, errors included.
function children.exec(command)
  return children.fork(function(_, into)
    assert(unistd.dup2(into, unistd.STDOUT_FILENO))
    assert(unistd.dup2(into, unistd.STDERR_FILENO))
    assert(unistd.execp(command[1], { select(2, unpack(command)) }))
  end)
end

--- Waits until the child has said something; returns it, nil at the end.
function children.hear(child)
  local text = assert(unistd.read(child.out, 65536))
  if text == "" then return nil end
  child.said[#child.said + 1] = text
  return text
end

--- Waits for the child's end; returns all it has said, how it ended ("exited" or "killed"), and with
-- which status or signal.
function children.join(child)
  while children.hear(child) do end
  unistd.close(child.out)
  local _, how, status = assert(wait.wait(child.pid))
  child.ended = true
  return table.concat(child.said), how, status
end

--- Kills the child; returns all it had said.
function children.kill(child)
  assert(signal.kill(child.pid, signal.SIGKILL))
  return (children.join(child))
end

--- Kills those of `list` that are still there.
function children.clear(list)
  for _, child in pairs(list) do
    if not child.ended then children.kill(child) end
  end
end

--- Runs `fn(say)` in a forked process to its end; returns what it said. Raises what it raised.
function children.run(fn)
  local said, how, status = children.join(children.fork(fn))
  if how ~= "exited" or status ~= 0 then error(("a forked process %s with %s: %s"):format(how, status, said)) end
  return said
end

return children
