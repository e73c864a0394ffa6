--- Plants faults in csrc/, one at a time, and says which of them no spec notices.
--
-- Which faults: COUNT of them, picked by SEED, at most one a line; of FILES all, where no COUNT is given.
-- A fault's place in the draw depends on its own text alone, so that a change elsewhere leaves the rest
-- of a sample as it was. Those that spec/mutants/equivalent lists change nothing that anyone could see,
-- and are passed over. What does not compile, or compiles to the same module, is not counted.
--
-- Which specs: the fault's own one first, then those of the files that include its header, those of what it
-- includes, those of its folder and those that caught others of that folder, the quick ones before the slow
-- ones; but for its own one, and those on the build of spec/faults, only those that take at most CPU
-- seconds. A spec that fails is run on the code as it is, too, unless it has passed before: if it fails
-- there or is too slow, it is left out from then on. Once its time is known, a spec may take ten times as
-- long, and is then stopped, which counts as caught. No spec is begun for a fault that has taken MOST
-- seconds: it has survived then. After SECONDS no other fault is begun. It fails where less than LEAST
-- (100) of a hundred faults are caught.
--
--   luajit spec/mutants/run.lua WORK    in a checkout; WORK, an empty directory, is left to the caller
local times = require("posix.sys.times")
local unistd = require("posix.unistd")
local wait = require("posix.sys.wait")
local faults = dofile("spec/mutants/faults.lua")

local WORK = arg[1]
local SEED = os.getenv("SEED") or "1"
local FILES = os.getenv("FILES") or ""
local COUNT = tonumber(os.getenv("COUNT")) or (FILES == "" and 40 or math.huge)
local CORES, CPU = tonumber(os.getenv("CORES")) or 1, tonumber(os.getenv("CPU")) or 10
local MOST = tonumber(os.getenv("MOST")) or math.huge
local LEAST = tonumber(os.getenv("LEAST")) or 100
local DEADLINE = os.time() + (tonumber(os.getenv("SECONDS")) or math.huge)
local BASE = WORK .. "/base"

-- ---- the shell ----

local function shell(format, ...)
  local status = os.execute(format:format(...))
  return status == 0 or status == true
end

local function lines_of(command)
  local found, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do found[#found + 1] = line end
  pipe:close()
  return found
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- Runs `job(index)` for 1 to `count`, CORES at a time and each in a process of its own, whose result,
-- a text, comes to `done(index, result)` here.
local function in_parallel(count, job, done)
  local running, busy, started = {}, 0, 0
  while true do
    if os.time() > DEADLINE then count = started end
    if started == count and busy == 0 then return end
    if started < count and busy < CORES then
      started, busy = started + 1, busy + 1
      local process = assert(unistd.fork())
      if process == 0 then
        local fine, result = pcall(job, started)
        write(("%s/%d.result"):format(WORK, started), result)
        unistd._exit(fine and 0 or 1)
      end
      running[process] = started
    else
      local process, _, status = wait.wait(-1)
      local index = running[process]
      local result = read(("%s/%d.result"):format(WORK, index))
      assert(status == 0, result)
      done(index, result)
      busy = busy - 1
    end
  end
end

-- ---- the specs ----

-- A process group of its own, so that nothing a spec has started is left when it has ended.
local RUN_SPEC = [[cd '%s' && mkdir -p tmp && ulimit -v 16000000 && ulimit -t %d || exit
  export TMPDIR="$PWD/tmp" LUA=luajit MALLOC_PERTURB_=165 # memory that was freed, or never written, shows
  trap 'kill -KILL -- -$group' INT TERM
  timeout -k 1 %d luajit spec/run/busted.lua --no-keep-going --exclude-tags=build --output=spec/run/output.lua %s \
    >output 2>&1 </dev/null & group=$!
  { wait $group; } 2>/dev/null; status=$?
  kill -KILL -- -$group 2>/dev/null
  chmod -R u+rwx tmp; rm -rf tmp
  exit $status]]

--- Runs a spec there, for so many seconds of the processor and the clock at most. Returns whether it
-- passes, and how long it took by both.
local function run_spec(directory, path, seconds, clock)
  local before = times.times()
  local passed = shell(RUN_SPEC, directory, math.ceil(seconds), math.ceil(clock), path)
  local after = times.times()
  local cpu = after.tms_cutime + after.tms_cstime - before.tms_cutime - before.tms_cstime
  return passed, cpu + 1, after.elapsed - before.elapsed + 1 -- as times() gives whole seconds
end

--- What `job` returns of a directory of its own in which the checkout is, the names in `copied` as copies.
local function in_directory(index, copied, job)
  local directory = ("%s/%s"):format(WORK, index)
  assert(shell("mkdir '%s' && cd '%s' && for name in %s; do cp -a '%s'/$name .; done; ln -s '%s'/* '%s/.busted' . "
    .. "2>/dev/null; true", directory, directory, copied, BASE, BASE, BASE))
  local result = job(directory)
  shell("chmod -R u+rwx '%s'; rm -rf '%s'", directory, directory)
  return result
end

local function build(directory, target)
  return shell("cd '%s' && env -u MAKEFLAGS -u MAKELEVEL make -s BUILD=build CFLAGS=-O2 %s >output 2>&1", directory, target)
end

local function own_spec(file) return "spec/" .. file:match("^csrc/(.*)%.[ch]$") .. "_spec.lua" end

-- ---- the draw ----

local function place(text)
  local hash = 0
  for index = 1, #text do hash = (hash * 257 + text:byte(index)) % 4294967291 end
  for _ = 1, 3 do hash = (hash * 1103515 + 12345) % 4294967291 end
  return hash
end

--- The faults that are listed as changing nothing: a line each, with the reason below it, indented.
local function read_equivalent()
  local listed = {}
  for line in read("spec/mutants/equivalent"):gmatch("[^\n]+") do
    if line:find("^csrc/") then listed[line] = true end
  end
  return listed
end

local function name(fault, line) return ("%s%s: %s -> %s"):format(fault.file, line or "", fault.before, fault.after) end

local function draw(files)
  local drawn, passed_over, listed = {}, 0, read_equivalent()
  for _, file in ipairs(files) do
    local seen, best = {}, {}
    for _, fault in ipairs(faults.of(read(BASE .. "/" .. file))) do
      fault.file = file
      local key = name(fault)
      seen[key] = (seen[key] or 0) + 1
      fault.place = place(SEED .. key .. seen[key])
      if listed[key] then passed_over = passed_over + 1
      elseif COUNT == math.huge then drawn[#drawn + 1] = fault
      elseif not best[fault.line] or fault.place < best[fault.line].place then best[fault.line] = fault end
    end
    for _, fault in pairs(best) do drawn[#drawn + 1] = fault end
  end
  if COUNT < math.huge then table.sort(drawn, function(a, b) return a.place < b.place end) end
  for index = #drawn, COUNT + 1, -1 do drawn[index] = nil end
  return drawn, passed_over
end

-- ---- the faults ----

-- What is known of the specs, by path: `seconds` and `clock` that one takes, once it has passed; `out`, in how
-- many seconds it has not passed on the code as it is; `faulty` for one on the build of spec/faults.
local specs = {}
local caught = {} -- how many faults a spec has caught, by folder and spec

--- How many seconds of the processor a spec may take whose time is not known yet.
local function limit_of(path, own) return (path == own or specs[path].faulty) and math.max(CPU, 60) or CPU end

--- The specs for a fault of `file`, those that are likely to catch it soon before the others.
local function order(file)
  local folder, own, list, value, near = file:match("^csrc/(.-)[^/]*$"), own_spec(file), {}, {}, {}
  local header = file:match("^csrc/(.*)%.[ch]$") .. ".h"
  for _, user in ipairs(lines_of(("cd '%s' && grep -rlF '\"%s\"' csrc"):format(BASE, header))) do near[own_spec(user)] = 2 end
  for used in read(BASE .. "/" .. file):gmatch('#include "(.-)"') do near[own_spec("csrc/" .. used)] = 2 end
  for path, spec in pairs(specs) do
    local limit = limit_of(path, own)
    if (spec.seconds or 0) <= limit and (spec.out or 0) < limit then
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
  local spec = specs[path]
  local limit = spec.seconds and spec.seconds * 10 or limit_of(path, own)
  local clock = spec.clock and spec.clock * 10 + 30 or limit * 2 + 60
  local passed, seconds, elapsed = run_spec(directory, path, limit, clock)
  if passed or spec.seconds then
    spec.seconds, spec.clock = spec.seconds or seconds, spec.clock or elapsed
    return not passed
  end
  in_directory(index .. ".as-it-is", "", function(as_it_is)
    passed, seconds, elapsed = run_spec(as_it_is, path, limit, clock)
  end)
  if passed then spec.seconds, spec.clock = seconds, elapsed else spec.out = limit end
  return passed and catches(directory, path, own, index) -- in time, this time
end

--- What becomes of a fault: "broken", "same", "survived", or the spec that catches it.
local function play(fault, directory, index)
  write(directory .. "/" .. fault.file, faults.plant(read(BASE .. "/" .. fault.file), fault))
  if not build(directory, "all") then return "broken" end
  if shell("cmp -s '%s/build/aish_history.so' '%s/build/aish_history.so'", BASE, directory) then return "same" end
  local own, ready, last = own_spec(fault.file), false, os.time() + MOST
  for _, path in ipairs(order(fault.file)) do
    if os.time() > last then break end
    if specs[path].faulty and not ready then ready = build(directory, "build/faults/aish_history.so") end
    if catches(directory, path, own, index) then return path end
  end
  return "survived"
end

-- What is known of the specs as a text, by which a process tells the one that started it.
local function specs_text()
  local lines = {}
  for path, spec in pairs(specs) do
    if spec.seconds or spec.out then
      lines[#lines + 1] = ("%s %f %f %d"):format(path, spec.seconds or -1, spec.clock or -1, spec.out or 0)
    end
  end
  return table.concat(lines, "\n")
end

local function learn(text)
  for path, seconds, clock, out in text:gmatch("\n(%S+) (%S+) (%S+) (%S+)") do
    local spec = specs[path]
    if not spec.seconds and tonumber(seconds) >= 0 then spec.seconds, spec.clock = tonumber(seconds), tonumber(clock) end
    spec.out = math.max(spec.out or 0, tonumber(out))
  end
end

local function report(drawn, results, passed_over)
  local counts, survivors = { broken = 0, same = 0, survived = 0, caught = 0 }, {}
  for index, result in pairs(results) do
    local kind, fault = counts[result] and result or "caught", drawn[index]
    counts[kind] = counts[kind] + 1
    if kind == "survived" then survivors[#survivors + 1] = name(fault, ":" .. fault.line) end
  end
  table.sort(survivors)
  if #survivors > 0 then print("\nSurvived:") end
  for _, line in ipairs(survivors) do print(line) end
  print(("\n%d faults, %d of them caught; besides, %d listed as equivalent, %d that made the same module, %d that did not "
    .. "compile"):format(counts.caught + counts.survived, counts.caught, passed_over, counts.same, counts.broken))
  return counts.caught * 100 >= LEAST * (counts.caught + counts.survived)
end

io.stdout:setvbuf("line")
assert(shell("mkdir '%s' && cp -a .busted .ci Makefile csrc lua spec '%s'", BASE, BASE))
local files = lines_of("cd '" .. BASE .. "' && ls -d " .. (FILES ~= "" and FILES or "csrc/*.[ch] csrc/*/*.[ch]"))
assert(#files > 0, "no file of that name")
local drawn, passed_over = draw(files)
print(("Building for %d faults in %d files"):format(#drawn, #files))
assert(build(BASE, ("-j%d all build/faults/aish_history.so"):format(CORES)), "the code as it is does not build")
for _, path in ipairs(lines_of("cd '" .. BASE .. "' && find spec -name '*_spec.lua' ! -path 'spec/project/*' -o -name shim_spec.lua")) do
  local text = read(BASE .. "/" .. path)
  if not text:find("spec.schedules", 1, true) then specs[path] = { faulty = text:find("spec.faults", 1, true) } end
end

local results, finished = {}, 0
in_parallel(#drawn, function(index)
  return in_directory(index, "csrc build", function(directory) return play(drawn[index], directory, index) end) .. "\n" .. specs_text()
end, function(index, text)
  local fault, result = drawn[index], text:match("^[^\n]*")
  local key = fault.file:match("^csrc/(.-)[^/]*$") .. result
  learn(text)
  finished, results[index], caught[key] = finished + 1, result, (caught[key] or 0) + 1
  print(("%d of %d  %s:%d  %s"):format(finished, #drawn, fault.file, fault.line, result))
end)
os.exit(report(drawn, results, passed_over) and 0 or 1)
