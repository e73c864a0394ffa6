--- How time and memory grow with the number of records, in processes of their own. A peer stops where
-- it would take minutes.
local corpus = require("corpus")
local measure = require("measure")
local plot = require("plot")

local function free_megabytes()
  local file = io.open("/proc/meminfo")
  if not file then return 0 end
  local text = file:read("*a")
  file:close()
  return tonumber(text:match("MemAvailable:%s*(%d+)") or 0) / 1024
end

local series = {
  { name = "open", task = "open", most = 3000000 },
  { name = "load_memory", task = "load_memory", most = 3000000 },
  { name = "cjson idiom", task = "cjson_load_memory", most = 3000000, needs = "cjson" },
  { name = "dkjson idiom", task = "dkjson_load_memory", most = 100000, needs = "dkjson" },
}

return function(bench)
  local sizes = bench.quick and { 1000, 10000, 100000 } or { 1000, 10000, 100000, 1000000, 3000000 }
  local points = {}
  for _, size in ipairs(sizes) do
    local enough = free_megabytes() > size / 1000 * 2
    if not enough then bench.skip(("growth to %d records"):format(size), "not enough free memory") end
    local path = enough and corpus.memory(size)
    for _, one in ipairs(series) do
      if enough and size <= one.most and (not one.needs or bench.has[one.needs]) then
        local rounds = size <= 100000 and 3 or 1
        local result = measure.interleave({ { name = "it", run = function()
          return measure.child("luajit", one.task, path)
        end } }, rounds).it
        points[#points + 1] = { name = one.name, records = size, seconds = result.median, megabytes = result.kilobytes / 1024 }
        print(("  %-58s %9s, %.0f MB"):format(("%s, %d records"):format(one.name, size), bench.seconds_text(result.median),
          result.kilobytes / 1024))
      end
    end
  end
  bench.growth = points
  if bench.quick then return end
  if not bench.has.gnuplot then return bench.skip("pictures", "gnuplot is not here") end
  plot.draw(points, "seconds", "seconds (processor time)", "Time by the number of records", measure.here .. "time.svg")
  plot.draw(points, "megabytes", "megabytes (peak of the process)", "Memory by the number of records",
    measure.here .. "memory.svg")
end
