--- Plants faults in csrc/, one at a time, and says which of them no spec notices.
--
-- Which faults: COUNT of them, picked by SEED, at most one a line; of FILES all, where no COUNT is given.
-- A fault's place in the draw depends on its own text alone, so that a change elsewhere leaves the rest
-- of a sample as it was. Those that spec/mutants/equivalent lists change nothing that anyone could see,
-- and are passed over. What does not compile, or compiles to the same module, is not counted.
--
-- Which specs: first the fault's own one, and others that are likely to notice it for QUICK seconds of the
-- processor. Then those faults that none of these noticed are shown to all specs, but for those that take more
-- than CPU seconds. Where there are many faults, it is first found which lines each spec reaches: those that
-- do not reach a fault's are left out. After SECONDS nothing more is begun. It fails where less than LEAST
-- (100) of a hundred faults are caught.
--
-- What has become of each fault is kept in the file RESULTS until the end, a line each, so that a run that was
-- interrupted is continued by the next. A line that is taken out has its fault played again.
--
--   luajit spec/mutants/run.lua WORK    in a checkout; WORK, an empty directory, is left to the caller
local shell = dofile("spec/mutants/shell.lua")
local faults = dofile("spec/mutants/faults.lua")

local WORK = arg[1]
local SEED = os.getenv("SEED") or "1"
local FILES = os.getenv("FILES") or ""
local COUNT = tonumber(os.getenv("COUNT")) or (FILES == "" and 40 or math.huge)
local CORES, CPU = tonumber(os.getenv("CORES")) or 1, tonumber(os.getenv("CPU")) or 10
local QUICK = tonumber(os.getenv("QUICK")) or 5
local LEAST = tonumber(os.getenv("LEAST")) or 100
local DEADLINE = os.time() + (tonumber(os.getenv("SECONDS")) or math.huge)
local RESULTS = os.getenv("RESULTS")
local BASE = WORK .. "/base"

assert(shell.run("mkdir '%s' && cp -a .busted .ci Makefile csrc lua spec '%s'", BASE, BASE))
local specs = assert(loadfile("spec/mutants/specs.lua"))(WORK, CPU, DEADLINE)

-- ---- the draw ----

local function place(text)
  local hash = 0
  for index = 1, #text do hash = (hash * 257 + text:byte(index)) % 4294967291 end
  for _ = 1, 3 do hash = (hash * 1103515 + 12345) % 4294967291 end
  return hash
end

--- The faults that are listed as changing nothing: a line each, with the reason below it, indented. Of a change
-- that the file has in several places, " #2" at its end means the second, and without that it is all of them.
local function read_equivalent()
  local listed = {}
  for line in shell.read("spec/mutants/equivalent"):gmatch("[^\n]+") do
    if line:find("^csrc/") then listed[line] = true end
  end
  return listed
end

local function name(fault, line) return ("%s%s: %s -> %s"):format(fault.file, line or "", fault.before, fault.after) end

--- The faults that are picked, each with a `key` that is its own, and how many others are listed.
local function draw(files)
  local drawn, passed_over, listed = {}, 0, read_equivalent()
  for _, file in ipairs(files) do
    local seen, best = {}, {}
    for _, fault in ipairs(faults.of(shell.read(BASE .. "/" .. file))) do
      fault.file = file
      local key = name(fault)
      seen[key] = (seen[key] or 0) + 1
      fault.key, fault.place = key .. " #" .. seen[key], place(SEED .. key .. seen[key])
      if listed[key] or listed[fault.key] then passed_over = passed_over + 1
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

-- What has become of the faults, by key: "broken", "same", "missed" by the likely specs, "survived", or
-- the spec that caught it.
local results = {}

--- The result of a fault that is planted in `directory`, and shown to specs for so many seconds.
local function play(fault, directory, index, seconds)
  shell.write(directory .. "/" .. fault.file, faults.plant(shell.read(BASE .. "/" .. fault.file), fault))
  if not specs.build(directory, "all") then return "broken" end
  if shell.run("cmp -s '%s/build/aish_history.so' '%s/build/aish_history.so'", BASE, directory) then return "same" end
  local path, all = specs.catch(fault, directory, index, seconds)
  return path or (all and "survived" or "missed")
end

--- Plays those of the faults whose result is `before` up to now, and keeps what becomes of them.
local function play_all(drawn, before, seconds)
  local left, kept = {}, RESULTS and assert(io.open(RESULTS, "a"))
  for _, fault in ipairs(drawn) do
    if results[fault.key] == before then left[#left + 1] = fault end
  end
  if #left > (before and 5 or 200) then specs.reach(CORES, DEADLINE, RESULTS and RESULTS .. ".reached") end
  shell.in_parallel(#left, CORES, WORK, DEADLINE, function(index)
    return specs.in_directory(index, "csrc build", function(directory)
      return play(left[index], directory, index, seconds) .. "\n" .. specs.text()
    end)
  end, function(index, text)
    local fault, result = left[index], text:match("^[^\n]*")
    results[fault.key] = result
    specs.learn(text:match("\n(.*)"))
    specs.count(fault, result)
    if kept then assert(kept:write(result, " ", fault.key, "\n") and kept:flush()) end
    print(("%d of %d  %s:%d  %s"):format(index, #left, fault.file, fault.line, result))
  end)
  if kept then kept:close() end
end

local function report(drawn, passed_over)
  local counts, survivors = { broken = 0, same = 0, survived = 0, caught = 0 }, {}
  for _, fault in ipairs(drawn) do
    local result = results[fault.key]
    local kind = result == "missed" and "survived" or counts[result] and result or "caught"
    if result then counts[kind] = counts[kind] + 1 end
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
local files = shell.lines_of("cd '%s' && ls -d %s", BASE, FILES ~= "" and FILES or "csrc/*.[ch] csrc/*/*.[ch]")
assert(#files > 0, "no file of that name")
local drawn, passed_over = draw(files)
for result, key in (RESULTS and shell.read(RESULTS) or ""):gmatch("(%S+) ([^\n]*)\n") do results[key] = result end
print(("Building for %d faults in %d files"):format(#drawn, #files))
assert(specs.build(BASE, ("-j%d all build/faults/aish_history.so"):format(CORES)), "the code as it is does not build")

play_all(drawn, nil, QUICK)
play_all(drawn, "missed", math.huge)
if RESULTS then os.remove(RESULTS) os.remove(RESULTS .. ".reached") end
os.exit(report(drawn, passed_over) and 0 or 1)
