--- What the runner of planted faults does by other processes, and with whole files.
local unistd = require("posix.unistd")
local wait = require("posix.sys.wait")

local tree = dofile("spec/faults/tree.lua")

local shell = { read = tree.read, write = tree.write }

--- Whether the command, a format and what is put into it, ends well.
function shell.run(format, ...)
  local status = os.execute(format:format(...))
  return status == 0 or status == true
end

function shell.lines_of(format, ...)
  local found, pipe = {}, assert(io.popen(format:format(...)))
  for line in pipe:lines() do found[#found + 1] = line end
  pipe:close()
  return found
end

--- Runs `job(index)` for 1 to `count`, so many at a time and each in a process of its own, whose result,
-- a text that passes through a file in `directory`, comes to `done(index, result)` here. After `deadline`
-- no other one is begun.
function shell.in_parallel(count, cores, directory, deadline, job, done)
  local running, busy, started = {}, 0, 0
  while true do
    if os.time() > deadline then count = started end
    if started == count and busy == 0 then return end
    if started < count and busy < cores then
      started, busy = started + 1, busy + 1
      local process = assert(unistd.fork())
      if process == 0 then
        local fine, result = pcall(job, started)
        shell.write(("%s/%d.result"):format(directory, started), result)
        unistd._exit(fine and 0 or 1)
      end
      running[process] = started
    else
      local process, _, status = wait.wait(-1)
      local index = running[process]
      local result = shell.read(("%s/%d.result"):format(directory, index))
      assert(status == 0, result)
      done(index, result)
      busy = busy - 1
    end
  end
end

return shell
