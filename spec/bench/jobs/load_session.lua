--- Loading a session with tool calls nested in its turns: all turns as Lua tables. Held against
-- lua-cjson's decode a line, and lua-simdjson's where it is installed. In processes of their own.
local corpus = require("corpus")
local measure = require("measure")

return function(bench)
  local megabytes = bench.quick and 10 or 100
  local path = corpus.session(megabytes * 1e6)
  local ways = {}
  for name, task in pairs({ aish_history = "load", cjson = "cjson_load" }) do
    if name ~= "cjson" or bench.has.cjson then
      ways[#ways + 1] = { name = name, run = function() return measure.child("luajit", task, path) end }
    end
  end
  local results = measure.interleave(ways, bench.rounds(7, 5))
  bench.compare(("load, a session of %d MB"):format(megabytes), results, "aish_history", "cjson", { at_least = 1.5 })
end
