--- Plays schedules of spec/schedules/scenarios.lua and prints each that breaks a promise, as a line that
-- plays it again.
--
--   luajit spec/schedules/run.lua                    all of two preemptions and one fault
--   luajit spec/schedules/run.lua --seconds 600      any, by chance, for so long; --seed 1
--   luajit spec/schedules/run.lua --schedules 1000   any, by chance, so many
--   luajit spec/schedules/run.lua --replay 'NAME @ 12:b 15!half'    one, with all of its steps
--
-- With --only 'NAME' of the scenarios whose names begin so; with --share 1 --of 2 of every second one.
--
-- scenarios.lua says what the processes do, with the calls of actor.lua; schedule.lua plays one schedule,
-- for which gate.c lets each system call wait for its turn; oracle.lua judges it; explore.lua chooses the
-- next; found.md lists what was found.
--
-- The module is that of build/schedules (AISH_HISTORY_CPATH names another directory than build).
local build = os.getenv("AISH_HISTORY_CPATH") or "build"
package.cpath = build .. "/schedules/?.so;" .. package.cpath
package.path = "./?.lua;" .. package.path

local explore = require("spec.schedules.explore")
local gate = require("aish_history.gate")
local Player = require("spec.schedules.player")
local schedule = require("spec.schedules.schedule")
local scenarios = require("spec.schedules.scenarios")
local tree = require("spec.faults.tree")
local lfs = require("lfs")
local signal = require("posix.signal")
local stdlib = require("posix.stdlib")
local time = require("posix.time")
local unistd = require("posix.unistd")

local options = { seed = 1, share = 1, of = 1, preemptions = 2, faults = 1 }
for index = 1, #arg, 2 do
  local name = arg[index]:match("^%-%-(%w+)$")
  if not name or not arg[index + 1] then error("usage: see the head of " .. arg[0], 0) end
  options[name] = tonumber(arg[index + 1]) or arg[index + 1]
end

-- In memory, where that is: thousands of small files are made.
local base = os.getenv("TMPDIR") or (unistd.access("/dev/shm", "w") and "/dev/shm" or "/tmp")
local root = assert(stdlib.mkdtemp(base .. "/aish_history.schedules.XXXXXX"))
local player
local interrupted = false
for _, number in ipairs({ signal.SIGINT, signal.SIGTERM, signal.SIGHUP }) do
  signal.signal(number, function() interrupted = true end)
end

local function now()
  local at = time.clock_gettime(time.CLOCK_MONOTONIC)
  return at.tv_sec + at.tv_nsec / 1e9
end

-- ---- what is found ----

local found, failures = {}, 0

-- A problem without what differs between schedules that show the same fault.
local function kind_of(scenario, problem)
  return scenario.name .. ": " .. problem:gsub("{.*", ""):gsub("%d+", "N")
end

local function report(scenario, moves, problems)
  local is_new = false
  for _, problem in ipairs(problems) do
    local kind = kind_of(scenario, problem)
    is_new = is_new or not found[kind]
    found[kind] = true
  end
  if #problems > 0 then failures = failures + 1 end
  if not is_new then return end
  print(schedule.format(scenario, moves))
  for _, problem in ipairs(problems) do print("    " .. problem) end
  io.flush()
end

-- ---- the ways to go through schedules ----

local total = 0

local function all(scenario)
  local began, before = now(), failures
  local count = explore.all(scenario, scenario.bounds or options, function(moves)
    report(scenario, moves, (player:play(scenario, moves)))
    return interrupted
  end)
  total = total + count
  print(("%s: %d schedules, %d with problems, %.1f s"):format(scenario.name, count, failures - before, now() - began))
  io.flush()
end

-- Which are played follows from the seed alone; for how long, from the clock.
local function by_chance(chosen)
  local random, count, lengths = explore.generator(options.seed), 0, {}
  local ends = now() + (options.seconds or math.huge)
  while count < (options.schedules or math.huge) and now() < ends and not interrupted do
    local scenario = chosen[random(#chosen)]
    local moves = explore.random(scenario, lengths[scenario] or 50, random)
    local problems = player:play(scenario, moves)
    lengths[scenario], count = #gate.steps(), count + 1
    if #problems > 0 then
      moves = explore.reduce(moves, function(fewer) return #player:play(scenario, fewer) > 0 end)
      report(scenario, moves, (player:play(scenario, moves)))
    end
  end
  total = total + count
  print(("by chance, seed %d: %d schedules, %d with problems"):format(options.seed, count, failures))
end

local function replay(line)
  local scenario, moves = schedule.parse(scenarios, line)
  local problems, log = player:play(scenario, moves)
  local steps, at = gate.steps(), 0
  local function show_steps(last)
    while at < last do
      at = at + 1
      local step, name = steps[at], schedule.name_of(scenario, steps[at].process)
      print(("%4d %s %s%s"):format(at - 1, name, step.call, step.fault ~= "none" and " !" .. step.fault or ""))
    end
  end
  for _, entry in ipairs(log) do
    show_steps(entry.step)
    local name = schedule.name_of(scenario, entry.process)
    print(("        %s %s"):format(name, entry.said or ("writes %q"):format(entry.write)))
  end
  show_steps(#steps)
  report(scenario, moves, problems)
end

local function main()
  gate.settle(options.seed + options.share)
  player = Player.new(scenarios, root)
  if options.replay then return replay(options.replay) end
  local chosen = {}
  for index, scenario in ipairs(scenarios) do
    local only = options.only or ""
    local wanted = scenario.name:sub(1, #only) == only and not scenario.apart
    wanted = wanted and (index - options.share) % options.of == 0
    if wanted or scenario.name == only then chosen[#chosen + 1] = scenario end
  end
  if options.seconds or options.schedules then by_chance(chosen)
  else
    for _, scenario in ipairs(chosen) do
      if not interrupted then all(scenario) end
    end
  end
  print(("%d schedules, %d with problems"):format(total, failures))
end

local ok, message = xpcall(main, debug.traceback)
if player then player:close() end
tree.empty(root)
lfs.rmdir(root)
if interrupted or not ok then io.stderr:write(interrupted and "interrupted" or message, "\n") end
os.exit(ok and failures == 0 and not interrupted and 0 or 1)
