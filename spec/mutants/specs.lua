--- The specs that planted faults are shown to: in which order, for how long, and what is known of each.
--   local specs = loadfile("spec/mutants/specs.lua")(WORK, CPU, DEADLINE)
-- WORK/base is a copy of the checkout in which the module is built; every spec runs in a directory that links
-- to it. A spec that fails is run on the code as it is, too, unless it has passed before: if it fails there or
-- is too slow, it is left out from then on. Once its time is known, a spec may take ten times as long, and is
-- then stopped, which counts as caught.
local cjson = require("cjson")
local shell = dofile("spec/mutants/shell.lua")

local WORK, CPU, DEADLINE = ...
local BASE = WORK .. "/base"
local specs = {}

-- By path: `seconds` of the processor and `clock` that a spec takes, once it has passed; `out`, in how many
-- seconds it has not passed on the code as it is; `faulty` for one on the build of spec/faults; `reached`,
-- the lines of csrc it reaches, as "csrc/base/buf.c:12", once they are known.
local known = {}
local caught = {} -- how many faults a spec has caught, by folder and spec
local coded = {} -- the lines that any of them reaches, as far as that is known; of others it cannot be told

for _, path in ipairs(shell.lines_of("cd '%s' && find spec -name '*_spec.lua' ! -path 'spec/project/*' "
    .. "-o -name shim_spec.lua", BASE)) do
  local text = shell.read(BASE .. "/" .. path)
  if not text:find("spec.schedules", 1, true) then known[path] = { faulty = text:find("spec.faults", 1, true) ~= nil } end
end

--- Builds the target in a checkout; returns whether that worked.
function specs.build(directory, target, variables)
  return shell.run("cd '%s' && env -u MAKEFLAGS -u MAKELEVEL make -s %s %s >output 2>&1", directory,
    variables or "BUILD=build CFLAGS=-O2", target)
end

--- What `job` returns of a directory of its own in which the checkout is, the names in `copied` as copies.
function specs.in_directory(name, copied, job)
  local directory = ("%s/%s"):format(WORK, name)
  assert(shell.run("mkdir '%s' && cd '%s' && for name in %s; do cp -a '%s'/$name .; done; ln -s '%s'/* '%s/.busted' . "
    .. "2>/dev/null; true", directory, directory, copied, BASE, BASE, BASE))
  local result = job(directory)
  shell.run("chmod -R u+rwx '%s'; rm -rf '%s'", directory, directory)
  return result
end

-- A process group of its own, so that nothing a spec has started is left when it has ended.
local RUN = [[cd '%s' && mkdir -p tmp && ulimit -v 16000000 && ulimit -t %d || exit
  export TMPDIR="$PWD/tmp" LUA=luajit MALLOC_PERTURB_=165 %s # memory that was freed, or never written, shows
  trap 'kill -KILL -- -$group' INT TERM
  timeout -k 1 %d luajit spec/run/busted.lua --no-keep-going --exclude-tags=build --output=spec/run/output.lua %s \
    >output 2>&1 </dev/null & group=$!
  { wait $group; } 2>/dev/null; status=$?; times >times
  kill -KILL -- -$group 2>/dev/null
  chmod -R u+rwx tmp; rm -rf tmp
  exit $status]]

--- Runs a spec there, for so many seconds of the processor and the clock at most, with such variables of the
-- environment. Returns whether it passes, and how long it took by both.
local function run(directory, path, seconds, clock, variables)
  local before, cpu = os.time(), 0
  local passed = shell.run(RUN, directory, math.ceil(seconds), variables or "", math.ceil(clock), path)
  for minutes, rest in shell.read(directory .. "/times"):gmatch("(%d+)m([%d.]+)s") do cpu = cpu + minutes * 60 + rest end
  return passed, cpu, os.time() - before + 1
end

function specs.own(file) return "spec/" .. file:match("^csrc/(.*)%.[ch]$") .. "_spec.lua" end

--- How many seconds of the processor a spec may take whose time is not known yet.
local function limit_of(path, own) return (path == own or known[path].faulty) and math.max(CPU, 60) or CPU end

--- Whether the spec can notice a fault there: whether it reaches the line, as far as that is known.
local function reaches(spec, line) return not spec.reached or spec.reached[line] or not coded[line] end

--- The specs for a fault, those that are likely to catch it soon before the others: the file's own first, then
-- those of the files that include its header, of what it includes, of its folder, and those that caught
-- others of that folder, the quick ones before the slow ones.
function specs.order(fault)
  local file, list, value, near = fault.file, {}, {}, {}
  local folder, own, header = file:match("^csrc/(.-)[^/]*$"), specs.own(file), file:match("^csrc/(.*)%.[ch]$") .. ".h"
  for _, user in ipairs(shell.lines_of("cd '%s' && grep -rlF '\"%s\"' csrc", BASE, header)) do near[specs.own(user)] = 2 end
  for used in shell.read(BASE .. "/" .. file):gmatch('#include "(.-)"') do near[specs.own("csrc/" .. used)] = 2 end
  for path, spec in pairs(known) do
    local limit = limit_of(path, own)
    if (spec.seconds or 0) <= limit and (spec.out or 0) < limit and reaches(spec, file .. ":" .. fault.line) then
      local likely = (caught[folder .. path] or 0) + (near[path] or path:find("spec/" .. folder, 1, true) == 1 and 1 or 0.2)
      value[path] = path == own and math.huge or likely / ((spec.seconds or 1) + 0.2)
      list[#list + 1] = path
    end
  end
  table.sort(list, function(a, b)
    if value[a] ~= value[b] then return value[a] > value[b] end
    return a < b
  end)
  return list
end

--- Whether the spec catches the fault in `directory`; notes what it has shown of the spec.
local function catches(directory, path, own, index)
  local spec = known[path]
  local limit = spec.seconds and spec.seconds * 10 + 2 or limit_of(path, own)
  local clock = spec.clock and spec.clock * 10 + 60 or limit * 2 + 120
  local passed, seconds, elapsed = run(directory, path, limit, clock)
  if passed or spec.seconds then
    spec.seconds, spec.clock = spec.seconds or seconds, spec.clock or elapsed
    return not passed
  end
  specs.in_directory(index .. ".as-it-is", "", function(as_it_is)
    passed, seconds, elapsed = run(as_it_is, path, limit, clock)
  end)
  if passed then spec.seconds, spec.clock = seconds, elapsed else spec.out = limit end
  return passed and catches(directory, path, own, index) -- in time, this time
end

--- The spec that catches the fault that is planted and built in `directory`; of its own one and of others
-- that take `seconds` of the processor together. Else nil, and whether all have been run.
function specs.catch(fault, directory, index, seconds)
  local own, ready = specs.own(fault.file), false
  for _, path in ipairs(specs.order(fault)) do
    if seconds < 0 or os.time() > DEADLINE then return nil, false end
    if path ~= own then seconds = seconds - (known[path].seconds or 1) end
    ready = ready or known[path].faulty and specs.build(directory, "build/faults/aish_history.so")
    if catches(directory, path, own, index) then return path end
  end
  return nil, true
end

--- Counts a fault that the spec has caught, for the order.
function specs.count(fault, path)
  local key = fault.file:match("^csrc/(.-)[^/]*$") .. path
  caught[key] = (caught[key] or 0) + 1
end

--- What is known of the specs as lines of text, by which a process tells the one that started it.
function specs.text()
  local lines = {}
  for path, spec in pairs(known) do
    if spec.seconds or spec.out then
      lines[#lines + 1] = ("%s %f %f %d\n"):format(path, spec.seconds or -1, spec.clock or -1, spec.out or 0)
    end
  end
  return table.concat(lines)
end

function specs.learn(text)
  for path, seconds, clock, out in text:gmatch("(%S+) (%S+) (%S+) (%d+)\n") do
    local spec = known[path]
    if not spec.seconds and tonumber(seconds) >= 0 then spec.seconds, spec.clock = tonumber(seconds), tonumber(clock) end
    spec.out = math.max(spec.out or 0, tonumber(out))
  end
end

--- Runs the spec on a build with gcc's --coverage, whose counts go to a directory of this run. Returns the
-- lines of csrc that it reached, such as "csrc/base/buf.c:12", one a line; none if it does not pass.
local function reach(path, index)
  return specs.in_directory(index .. ".reach", "build", function(directory)
    local limit = 3 * limit_of(path) -- it is slow there
    local variables = "AISH_HISTORY_CPATH=build/coverage GCOV_ERROR_FILE=/dev/null GCOV_PREFIX='%s' GCOV_PREFIX_STRIP=%d"
    local depth, found = select(2, BASE:gsub("/[^/]+", "")), {}
    if not run(directory, path, limit, limit * 10, variables:format(directory, depth)) then return "" end
    for _, object in ipairs(shell.lines_of("cd '%s' && find build/coverage -name '*.gcda' "
        .. "-exec gcov --json-format --stdout {} + 2>/dev/null", directory)) do
      for _, file in ipairs(cjson.decode(object).files) do
        for _, line in ipairs(file.lines) do
          local reached = line.count > 0 and file.file:find("^csrc/")
          if reached then found[#found + 1] = ("%s:%d\n"):format(file.file, line.line_number) end
        end
      end
    end
    return table.concat(found)
  end)
end

local function take_reached(path, text)
  if not known[path] or text == "" then return end
  known[path].reached = {}
  for line in text:gmatch("[^\n]+") do coded[line], known[path].reached[line] = true, true end
end

--- Learns which lines each spec reaches; those that do not reach a fault's line are left out from then on.
-- What is learnt is kept in the file, if one is named, for as long as csrc stays as it is.
function specs.reach(cores, deadline, name)
  local paths, sum = {}, shell.lines_of("cd '%s' && cat $(find csrc -name '*.[ch]' | sort) | cksum", BASE)[1]
  local kept = name and shell.read(name) or ""
  if kept:sub(1, #sum + 1) ~= sum .. "\n" then kept = sum .. "\n" end
  for path, text in kept:gmatch("(spec/%S+)\n([^=]*)=\n") do take_reached(path, text) end
  for path, spec in pairs(known) do
    if not spec.reached then paths[#paths + 1] = path end
  end
  if #paths == 0 or not specs.build(BASE, "all build/coverage/faults/aish_history.so",
      "BUILD=build/coverage CC=gcc CFLAGS='-O0 --coverage -fprofile-update=atomic'") then return end
  local file = name and assert(io.open(name, "w"))
  if file then assert(file:write(kept) and file:flush()) end
  shell.in_parallel(#paths, cores, WORK, deadline, function(index) return reach(paths[index], index) end,
    function(index, text)
      take_reached(paths[index], text)
      if file then assert(file:write(paths[index], "\n", text, "=\n") and file:flush()) end
    end)
  if file then file:close() end
end

return specs
