--- Instructions a record, by callgrind: the same on every run, so that a later change can be judged
-- where clocks are too noisy. Two sizes are run and subtracted, which leaves out the start. The
-- functions are those of the larger run.
local corpus = require("corpus")
local measure = require("measure")

-- Runs a task under callgrind: its instructions, and the functions where most of them are.
local function count(bench, task, ...)
  local out = bench.dir .. "/callgrind.out"
  local command = { "valgrind --tool=callgrind --smc-check=all-non-file --callgrind-out-file=" .. out, "luajit",
    measure.quote(measure.here .. "child.lua"), task }
  for _, argument in ipairs({ ... }) do command[#command + 1] = measure.quote(argument) end
  local text = measure.output(table.concat(command, " "), true)
  return tonumber((text or ""):match("Collected : (%d+)")), out
end

local function functions(out)
  local found = {}
  local text = measure.output("callgrind_annotate " .. out) or ""
  for share, place in text:gmatch("\n *[%d,]+ %( *([%d.]+)%%%)%s+([^\n]+)") do
    local name = place:match(":([%w_.@']+)") or place:match("^%S+")
    if place:find("PROGRAM TOTALS") == nil and #found < 8 then found[#found + 1] = ("%s %s %%"):format(name, share) end
  end
  return table.concat(found, ", ")
end

return function(bench)
  if not bench.has.valgrind then return bench.skip("instructions", "valgrind is not here") end
  local small, large = 2000, bench.quick and 6000 or 22000
  local tasks = {
    { "open", "open", corpus.memory }, { "open, keys in any order", "open", function(n) return corpus.memory(n, true) end },
    { "scan", "scan", corpus.memory }, { "load_memory", "load_memory", corpus.memory },
    { 'add, sync = "none"', "add", function(n) return bench.dir .. "/callgrind-" .. n .. ".jsonl", n end },
  }
  if bench.has.cjson and not bench.quick then
    tasks[#tasks + 1] = { "cjson idiom of load_memory", "cjson_load_memory", corpus.memory }
  end
  bench.instructions = {}
  for _, task in ipairs(tasks) do
    local few = count(bench, task[2], task[3](small))
    local many, out = count(bench, task[2], task[3](large))
    if few and many then
      local row = { job = task[1], each = (many - few) / (large - small), where = functions(out) }
      bench.instructions[#bench.instructions + 1] = row
      print(("  %-58s %9.0f instructions a record: %s"):format(row.job, row.each, row.where))
    else
      bench.skip("instructions of " .. task[1], "it did not run under valgrind")
    end
  end
end
