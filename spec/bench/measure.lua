--- Runs of several ways to do a job, one behind the other in every round, so that whatever else the
-- machine does meanwhile falls on all of them. Compared are the medians of the rounds' ratios.
local limits = require("limits")

local measure = {}

--- Calls `work(n)` and gives seconds a piece. The clock is the process's own (user and kernel mode),
-- which other processes do not disturb; `wall` for what waits.
function measure.time(work, n, wall)
  local clock = wall and limits.clock or limits.cpu
  local start = clock()
  work(n)
  return (clock() - start) / (n or 1)
end

function measure.median(samples)
  local sorted = { unpack(samples) }
  table.sort(sorted)
  local middle = math.floor(#sorted / 2) + 1
  if #sorted % 2 == 1 then return sorted[middle] end
  return (sorted[middle - 1] + sorted[middle]) / 2
end

--- Runs each way once a round. `ways`: an array of { name, run }, run() giving seconds and, if it
-- likes, kilobytes. Returns a table by name, of the samples, their median and the highest kilobytes.
-- A way with `most` takes part in that many rounds.
function measure.interleave(ways, rounds)
  local results = {}
  for _, way in ipairs(ways) do results[way.name] = { samples = {} } end
  for round = 1, rounds do
    for i = 0, #ways - 1 do
      local way = ways[(round + i) % #ways + 1]
      if round <= (way.most or rounds) then
        collectgarbage()
        local result = results[way.name]
        local seconds, kilobytes = way.run()
        result.samples[#result.samples + 1] = seconds
        if kilobytes then result.kilobytes = math.max(result.kilobytes or 0, kilobytes) end
      end
    end
  end
  for _, result in pairs(results) do result.median = measure.median(result.samples) end
  return results
end

--- The median over the rounds of a's time in b's; where one took part in few of them, the medians'.
function measure.ratio(a, b)
  if #a.samples ~= #b.samples then return a.median / b.median end
  local ratios = {}
  for i = 1, #a.samples do ratios[i] = a.samples[i] / b.samples[i] end
  return measure.median(ratios)
end

--- `text` as one word for sh.
local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

--- Runs a task of tasks.lua in a process of its own. Returns what it says: seconds, kilobytes at the
-- most and at the end, the seconds of a full collection afterwards, and the bytes of malloc at the end.
function measure.child(interpreter, task, ...)
  local command = { "COLLECT=1", interpreter, quote(measure.here .. "child.lua"), task }
  for _, argument in ipairs({ ... }) do command[#command + 1] = quote(argument) end
  local pipe = assert(io.popen(table.concat(command, " ")))
  local seconds, highest, kept, collecting, given_out = pipe:read("*n", "*n", "*n", "*n", "*n")
  pipe:close()
  assert(given_out, "the task " .. task .. " failed")
  return seconds, highest, kept, collecting, given_out
end

--- What a command prints, without its last newline; nil if it prints nothing.
-- errors: what it says on standard error is wanted too
function measure.output(command, errors)
  local pipe = assert(io.popen(("{ %s; } %s"):format(command, errors and "2>&1" or "2>/dev/null")))
  local text = pipe:read("*a"):gsub("%s+$", "")
  pipe:close()
  return text ~= "" and text or nil
end

--- How many bytes a handle on the file holds more, once its first search or recall has made the index.
function measure.index_bytes(path, method, text)
  local found = select(5, measure.child("luajit", "find", path, method, text))
  local open = select(5, measure.child("luajit", "open", path))
  return found - open
end

measure.quote = quote
return measure
