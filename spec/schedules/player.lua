--- A process that plays the schedules that it is told, and judges them.
--
-- It is apart from the one that explores them, since it forks for each: the more memory a process has,
-- the longer that takes. What it is told and says goes through pipes; the steps are in the memory that
-- all share.
local cjson = require("cjson").new()
local judge = require("spec.schedules.oracle")
local schedule = require("spec.schedules.schedule")
local unistd = require("posix.unistd")
local wait = require("posix.sys.wait")

local Player = {}
Player.__index = Player

local function say(descriptor, value)
  local text, from = cjson.encode(value) .. "\n", 1
  while from <= #text do from = from + assert(unistd.write(descriptor, text:sub(from))) end
end

-- Returns nil at the end.
local function hear(descriptor)
  local parts = {}
  repeat
    local part = unistd.read(descriptor, 65536)
    if not part or part == "" then return nil end
    parts[#parts + 1] = part
  until part:sub(-1) == "\n"
  return cjson.decode(table.concat(parts))
end

local function serve(scenarios, root, input, output)
  for count = 1, math.huge do
    local line = hear(input)
    if not line then unistd._exit(0) end
    local ok, result = pcall(function()
      local scenario, moves = schedule.parse(scenarios, line)
      local run = schedule.play(scenario, root, moves)
      return { problems = judge(scenario, root, run), log = run.log }
    end)
    if count % 20 == 0 then collectgarbage() end -- see above; what the module loads keeps it waiting
    say(output, ok and result or { failed = tostring(result) })
  end
end

function Player.new(scenarios, root)
  local input, told = assert(unistd.pipe())
  local said, output = assert(unistd.pipe())
  local pid = assert(unistd.fork())
  if pid == 0 then
    unistd.close(told)
    unistd.close(said)
    serve(scenarios, root, input, output)
  end
  unistd.close(input)
  unistd.close(output)
  return setmetatable({ pid = pid, told = told, said = said }, Player)
end

--- Plays a schedule; returns an array of problems, and the log.
function Player:play(scenario, moves)
  say(self.told, schedule.format(scenario, moves))
  local answer = hear(self.said) or { failed = "the player has ended" }
  if answer.failed then error(answer.failed, 0) end
  return answer.problems, answer.log
end

function Player:close()
  unistd.close(self.told)
  unistd.close(self.said)
  wait.wait(self.pid)
end

return Player
