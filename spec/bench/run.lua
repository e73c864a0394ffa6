--- The benchmark: run.lua DIRECTORY [quick] [JOB...]. Prints a row a comparison as it goes; a full run
-- also writes RESULTS.md and the pictures beside this file, and renews the figures in README.md. Nothing here fails for being slow.
local measure = require("measure")
measure.here = arg[0]:match("^(.*/)") or "./"
package.path = measure.here .. "jobs/?.lua;" .. package.path

local bench = require("bench")
local corpus = require("corpus")

local jobs = { "open", "load_memory", "load_session", "add", "session_append", "secrets", "list", "start", "recall", "search", "erase", "questions", "finding",
  "instructions", "growth" }

local dir, quick = arg[1], arg[2] == "quick"
local wanted = { unpack(arg, quick and 3 or 2) }
corpus.dir = dir
bench.setup(dir, quick)
for _, name in ipairs(bench.missing) do print("not here, so left out: " .. name) end
for _, name in ipairs(#wanted > 0 and wanted or jobs) do
  local chunk = loadfile(measure.here .. "jobs/" .. name .. ".lua")
  if chunk then
    print(name)
    local done, message = pcall(chunk(), bench)
    if not done then bench.skip(name, tostring(message)) end
  end
end

local report = require("report")
report.print(bench)
if not quick and #wanted == 0 then
  report.write(bench, measure.here .. "RESULTS.md")
  require("readme").update("README.md", measure.here .. "RESULTS.md")
end
