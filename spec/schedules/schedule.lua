--- Plays a schedule of a scenario: forks its processes, lets them go as the schedule says, and returns
-- what happened.
--
-- A schedule is a list of moves, each of one step: another process goes on there (`12:b`: the second
-- of the scenario's processes; `12:rotate`: a foreign program of that name), or the call that is made
-- there fails (`12!half`: see enum fault in gate.c). Without a move a process goes on until it sleeps
-- or ends.
local Actor = require("spec.schedules.actor")
local gate = require("aish_history.gate")
local tree = require("spec.faults.tree")

local schedule = {}

-- ---- processes by name ----

--- The number of the process, from 0; nil if the scenario has none of that name.
local function number_of(scenario, name)
  if #name == 1 and scenario.processes[name:byte() - 96] then return name:byte() - 97 end
  for index, foreign in ipairs(scenario.foreign) do
    if foreign.name == name then return #scenario.processes + index - 1 end
  end
end

--- "a" for 0, and so on; of foreign programs their names.
function schedule.name_of(scenario, number)
  local foreign = scenario.foreign[number + 1 - #scenario.processes]
  return foreign and foreign.name or string.char(97 + number)
end

-- ---- schedules as text ----

--- "scenario @ 12:b 15!half"
function schedule.format(scenario, moves)
  local words = { scenario.name, "@" }
  for _, move in ipairs(moves) do
    words[#words + 1] = move.process and move.at .. ":" .. schedule.name_of(scenario, move.process)
      or move.at .. "!" .. move.fault
  end
  return table.concat(words, " ")
end

--- The scenario, of a list of them, and the moves that such a line tells of.
function schedule.parse(scenarios, line)
  local name, rest = line:match("^(.-) ?@ ?(.*)$")
  local scenario
  for _, candidate in ipairs(scenarios) do
    if candidate.name == name then scenario = candidate end
  end
  if not scenario then error("no scenario called " .. tostring(name), 0) end
  local moves = {}
  for at, how, what in rest:gmatch("(%d+)([:!])([%w_]+)") do
    local process = how == ":" and (number_of(scenario, what) or error("no process called " .. what, 0))
    moves[#moves + 1] = { at = tonumber(at), process = process or nil, fault = how == "!" and what or nil }
  end
  return scenario, moves
end

-- ---- playing ----

local function fork_all(scenario, root, moves)
  local numbers, count = {}, #scenario.processes
  for index, body in ipairs(scenario.processes) do
    local pid = gate.fork(index - 1, function()
      collectgarbage("stop") -- when a finalizer closes a file is no matter of chance
      local run = body(Actor.new(root))
      gate.ready()
      run()
    end)
    numbers[pid] = index - 1
  end
  local standing_by = {}
  for _, move in ipairs(moves) do
    local foreign = move.process and scenario.foreign[move.process + 1 - count]
    if foreign and not standing_by[move.process] then
      local pid = gate.fork(move.process, function() foreign.run(root) end)
      numbers[pid], standing_by[move.process] = move.process, pid
    end
  end
  return numbers, standing_by
end

-- Returns how the processes ended that did not exit with 0: number to signal, or to the negative of the
-- exit status. Foreign programs that no move has reached are sent away.
local function wait_all(scenario, numbers, standing_by)
  local ends, left = {}, #scenario.processes
  while next(numbers) do
    if left == 0 then
      for number, pid in pairs(standing_by) do gate.dismiss(number, pid) end
    end
    local pid, status = gate.wait()
    local number = numbers[pid]
    numbers[pid] = nil
    if number < #scenario.processes then left = left - 1 end
    if status ~= 0 and not (standing_by[number] and left == 0) then ends[number] = status end
    gate.ended(number)
  end
  return ends
end

--- Returns {steps=, log=, ends=}: see steps and log in gate.c; ends is of wait_all.
function schedule.play(scenario, root, moves)
  tree.empty(root)
  tree.build(root, scenario.files)
  gate.begin(#scenario.processes, #scenario.foreign, moves)
  local numbers, standing_by = fork_all(scenario, root, moves)
  gate.start()
  local ends = wait_all(scenario, numbers, standing_by)
  return { steps = gate.steps(), log = gate.log(), ends = ends }
end

return schedule
