--- Which schedules of a scenario are played.
--
-- All with up to so many preemptions and faults: an interleaving that breaks something nearly always
-- does so with two (Musuvathi and Qadeer, "Iterative Context Bounding for Systematic Testing of
-- Multithreaded Programs", PLDI 2007). That another process goes on where one sleeps or ends is no
-- preemption. A foreign program that begins counts as a fault. A state that another schedule has led
-- to already, with no more used up, is not gone on from again; gate.c says when states are the same.
local gate = require("aish_history.gate")

local explore = {}

--- How each call can fail, unless a scenario says otherwise.
local FAULTS = {
  write = { "half", "short", "stuck" },
  pread = { "short" },
  fdatasync = { "fail" },
  fsync = { "fail" },
  rename = { "fail" },
}

local function with(moves, move)
  local longer = {}
  for index, each in ipairs(moves) do longer[index] = each end
  longer[#longer + 1] = move
  return longer
end

-- ---- states ----

local Visited = {}
Visited.__index = Visited

-- Whether a state was there before, `process` going on from it, with no more used up than now.
function Visited:seen(past, process, used)
  for preemptions = 0, used.preemptions do
    for faults = 0, used.faults do
      local states = self[(process * 4 + preemptions) * 4 + faults]
      if states and states[past] then return true end
    end
  end
  return false
end

function Visited:add(past, process, used)
  local key = (process * 4 + used.preemptions) * 4 + used.faults
  self[key] = self[key] or {}
  self[key][past] = true
end

-- ---- what may come after a schedule ----

local function is_in(mask, process)
  return math.floor(mask / 2 ^ process) % 2 == 1
end

-- Calls add(move, preemptions, faults) for each move that is possible at a step.
local function moves_at(scenario, step, at, add)
  for process = 0, #scenario.processes - 1 do
    if process ~= step.process and is_in(step.ready, process) then
      add({ at = at, process = process }, step.free and 0 or 1, 0)
    end
  end
  for index = 1, #scenario.foreign do
    local process = #scenario.processes + index - 1
    if not is_in(step.ready, process) then add({ at = at, process = process }, 0, 1) end
  end
end

local function faults_at(scenario, step, at, add)
  for _, fault in ipairs((scenario.faults or FAULTS)[step.call] or {}) do
    add({ at = at, fault = fault }, 0, 1)
  end
  if scenario.kills and scenario.kills[step.process + 1] then add({ at = at, fault = "kill" }, 0, 1) end
end

--- Calls play(moves) for every schedule within the bounds {preemptions=, faults=}; returns how many
-- there were. Stops where play returns true.
function explore.all(scenario, bounds, play)
  local visited = setmetatable({}, Visited)
  local waiting, first, count = { { moves = {}, preemptions = 0, faults = 0, from = 0 } }, 1, 0
  local function wait(from, past, move, preemptions, faults)
    local used = { preemptions = from.preemptions + preemptions, faults = from.faults + faults }
    if used.preemptions > bounds.preemptions or used.faults > bounds.faults then return end
    if move.process then
      if visited:seen(past, move.process, used) then return end
      visited:add(past, move.process, used)
    end
    used.moves, used.from = with(from.moves, move), move.at
    waiting[#waiting + 1] = used
  end
  while waiting[first] do
    local used = waiting[first]
    waiting[first], first, count = nil, first + 1, count + 1
    if play(used.moves) then break end
    local steps, last = gate.steps(), used.moves[#used.moves]
    for at = used.from, #steps - 1 do
      local step = steps[at + 1]
      local function add(move, preemptions, faults) wait(used, step.past, move, preemptions, faults) end
      local moved = last and last.at == at
      if not moved then
        if visited:seen(step.past, step.process, used) then break end
        visited:add(step.past, step.process, used)
        moves_at(scenario, step, at, add)
      end
      if not (moved and last.fault) then faults_at(scenario, step, at, add) end
    end
  end
  return count
end

-- ---- by chance ----

--- A generator of numbers from 1 to n, the same under every interpreter.
function explore.generator(seed)
  return function(n)
    seed = seed * 16807 % 2147483647
    return seed % n + 1
  end
end

local KINDS = { "half", "fail", "short", "stuck" }

--- Up to eight moves anywhere in a schedule of about `length` steps, with one foreign program. A move
-- that is not possible does nothing.
function explore.random(scenario, length, random)
  local moves, processes = {}, #scenario.processes
  local foreign = #scenario.foreign > 0 and random(#scenario.foreign)
  for index = 1, random(8) do
    local move = { at = random(length + 4) - 1 }
    local kind = random(8)
    if kind <= 5 then move.process = random(processes) - 1
    elseif kind == 6 and foreign then move.process = processes + foreign - 1
    elseif kind == 7 and scenario.kills then move.fault = "kill"
    else move.fault = KINDS[random(#KINDS)] end
    moves[index] = move
  end
  table.sort(moves, function(one, other) return one.at < other.at end)
  return moves
end

--- Leaves out moves as long as fails(moves) holds.
function explore.reduce(moves, fails)
  for index = #moves, 1, -1 do
    local fewer = {}
    for each, move in ipairs(moves) do
      if each ~= index then fewer[#fewer + 1] = move end
    end
    if fails(fewer) then moves = fewer end
  end
  return moves
end

return explore
