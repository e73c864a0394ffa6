--- What the jobs share: how big things are, which peers are here, and the table of results.
local limits = require("limits")
local measure = require("measure")

local bench = { rows = {}, skipped = {}, missing = {}, charts = {} }

local function is_there(module)
  return (pcall(require, module))
end

--- Settles sizes and peers.
function bench.setup(dir, quick)
  bench.dir, bench.quick = dir, quick
  bench.records = quick and 100000 or 1000000 -- of the large memory file
  bench.interpreters = { "luajit" }
  if measure.output("lua5.1 -e 'print(1)'") then bench.interpreters[2] = "lua5.1" end
  bench.has = {}
  for _, module in ipairs({ "cjson", "dkjson", "lfs", "sqlite" }) do bench.has[module] = is_there(module) end
  for _, module in ipairs({ "simdjson" }) do bench.has[module] = is_there(module) end
  for _, command in ipairs({ "rg", "valgrind", "gnuplot" }) do
    bench.has[command] = measure.output("command -v " .. command) ~= nil
  end
  bench.has["lua5.1"] = bench.interpreters[2] ~= nil
  for name, here in pairs(bench.has) do
    if not here then bench.missing[#bench.missing + 1] = name end
  end
  table.sort(bench.missing)
end

--- `full` rounds, or `quick` ones.
function bench.rounds(full, quick)
  return bench.quick and quick or full
end

--- A job of some calls of the module that is not there yet is left out by name.
function bench.skip(job, why)
  bench.skipped[#bench.skipped + 1] = job .. ": " .. why
  print(("  %-58s left out: %s"):format(job, why))
end

local function seconds_text(seconds)
  if not seconds then return "" end
  if seconds < 0 then return "-" .. seconds_text(-seconds) end
  for _, unit in ipairs({ { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "µs" }, { 1e-9, "ns" } }) do
    if seconds >= unit[1] or unit[1] == 1e-9 then
      local value = seconds / unit[1]
      return ((value >= 100 and "%.0f %s" or value >= 10 and "%.1f %s" or "%.2f %s"):format(value, unit[2]))
    end
  end
end
bench.seconds_text = seconds_text

--- A line of the results.
-- job, reference: what was done and what it is compared with
-- ours, theirs: as texts
-- value: the number that the target is about, `text` how it is shown
-- at_most, at_least, below: the target (one of them, or none); `target` how it is shown
function bench.row(row)
  row.reached = (not row.at_most or row.value <= row.at_most) and (not row.at_least or row.value >= row.at_least)
    and (not row.below or row.value < row.below)
  row.judged = (row.at_most or row.at_least or row.below) ~= nil
  row.verdict = not row.judged and "" or row.reached and "reached" or "MISSED"
  bench.rows[#bench.rows + 1] = row
  print(("  %-58s %9s | %-34s %9s | %13s | %-14s %s"):format(row.job, row.ours, row.reference, row.theirs, row.text,
    row.target or "", row.verdict))
  io.stdout:flush()
end

--- A row of two times, with what share of the reference's ours is: below 1 is faster. `target`: that
-- share, { at_most = n }; or how many times as fast ours is to be, { at_least = n }.
function bench.compare(job, results, ours, reference, target)
  local a, b = results[ours], results[reference]
  if not b then return bench.skip(job, reference .. " is not here") end
  target = target or {}
  local ratio = measure.ratio(a, b)
  local row = { job = job, reference = reference, ours = seconds_text(a.median), theirs = seconds_text(b.median) }
  row.value, row.text = ratio, ("%.2f"):format(ratio)
  row.at_most = target.at_most or target.at_least and 1 / target.at_least
  row.target = row.at_most and ("at most %.3g"):format(row.at_most)
  bench.row(row)
end

--- The functions of the module that are there: "search" of it, "memory:search" of a memory handle.
function bench.offers(name)
  local aish = require("aish_history")
  local method = name:match("^memory:(.*)")
  if not method then return aish[name] ~= nil end
  local memory = assert(aish.open(bench.dir .. "/probe.jsonl"))
  local found = memory[method] ~= nil
  memory:close()
  return found
end

--- Whether a call takes a filter.
function bench.filters(call)
  return (pcall(call))
end

bench.limits, bench.measure = limits, measure
return bench
