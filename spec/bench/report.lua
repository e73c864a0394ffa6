--- RESULTS.md: the machine, the rows with their verdicts, instructions, growth, and what was tried.
local measure = require("measure")

local report = {}

local function first_line(path, pattern)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text:match(pattern)
end

-- What the numbers depend on, and nothing that names this machine.
local function machine(bench)
  local output = measure.output
  local memory = tonumber(first_line("/proc/meminfo", "MemTotal:%s*(%d+)") or 0) / 1024 / 1024
  local lines = {
    { "Processor", ("%s, %s processors"):format(first_line("/proc/cpuinfo", "model name%s*:%s*([^\n]+)") or output("uname -m"),
      output("getconf _NPROCESSORS_ONLN") or "?") },
    { "Memory", ("%.0f GB"):format(memory) },
    { "System", ("%s, %s"):format(output(". /etc/os-release && echo $PRETTY_NAME") or "?", output("uname -srm") or "?") },
    { "File system", output("stat -f -c %T " .. measure.quote(bench.dir)) or "?" },
    { "Compiler", ("%s, %s"):format(output("cc --version | head -n 1") or "?", os.getenv("BENCH_CFLAGS") or "") },
    { "Lua", ("%s; %s"):format((output("luajit -v", true) or "?"):match("^%S+ %S+"),
      (output("lua5.1 -v", true) or ""):match("^Lua [%d.]+") or "no Lua 5.1") },
  }
  local peers = {}
  if bench.has.cjson then peers[#peers + 1] = "lua-cjson " .. (require("cjson")._VERSION or "") end
  if bench.has.dkjson then peers[#peers + 1] = require("dkjson").version end
  if bench.has.lfs then peers[#peers + 1] = require("lfs")._VERSION end
  if bench.has.sqlite then peers[#peers + 1] = "SQLite " .. require("sqlite").version end
  if bench.has.simdjson then peers[#peers + 1] = "simdjson " .. require("simdjson").version end
  if bench.has.rg then peers[#peers + 1] = output("rg --version | head -n 1") end
  lines[#lines + 1] = { "Peers", table.concat(peers, ", ") }
  if #bench.missing > 0 then lines[#lines + 1] = { "Not there, left out", table.concat(bench.missing, ", ") } end
  return lines
end

local function table_of(file, head, rows)
  file:write("| ", table.concat(head, " | "), " |\n|", (" --- |"):rep(#head), "\n")
  for _, row in ipairs(rows) do file:write("| ", table.concat(row, " | "), " |\n") end
  file:write("\n")
end

local function count_verdicts(rows)
  local judged, reached = 0, 0
  for _, row in ipairs(rows) do
    if row.judged then
      judged = judged + 1
      if row.reached then reached = reached + 1 end
    end
  end
  return reached, judged
end

local function comparisons(file, bench)
  local rows = {}
  for i, row in ipairs(bench.rows) do
    rows[i] = { row.job, row.ours, row.reference, row.theirs, row.text, row.target or "",
      row.verdict == "MISSED" and "**missed**" or row.verdict }
  end
  local reached, judged = count_verdicts(bench.rows)
  file:write(("## Against the limits and the peers\n\n%d of %d targets are reached.\n\n"):format(reached, judged))
  table_of(file, { "job", "ours", "compared with", "its time", "ours to its", "to reach", "verdict" }, rows)
  for _, skipped in ipairs(bench.skipped) do file:write("- Left out: ", skipped, "\n") end
  if #bench.skipped > 0 then file:write("\n") end
end

local function instructions(file, bench)
  if not bench.instructions then return end
  local rows = {}
  for i, row in ipairs(bench.instructions) do rows[i] = { row.job, ("%.0f"):format(row.each), row.where } end
  file:write("## Instructions a record\n\nCounted by callgrind in user mode, the start of the process taken off. ",
    "They are the same on every run.\n\n")
  table_of(file, { "job", "instructions", "where most of them are" }, rows)
end

local function growth(file, bench)
  if not bench.growth then return end
  local rows = {}
  for i, point in ipairs(bench.growth) do
    rows[i] = { point.name, ("%d"):format(point.records), bench.seconds_text(point.seconds),
      ("%.2f µs"):format(point.seconds / point.records * 1e6), ("%.0f MB"):format(point.megabytes) }
  end
  file:write("## Growth\n\n![Time by the number of records](time.svg)\n\n![Memory by the number of records](memory.svg)\n\n")
  table_of(file, { "job", "records", "time", "a record", "peak memory of the process" }, rows)
end

-- How each peer is set up, and why that is what one who knows it would do.
local SETUPS = {
  { "simdjson", "simdjson on-demand", "a parser that is kept, over blocks of 256 KiB that are read into memory that is kept, as we read; compiled for this processor",
    "its documentation advises one parser for all documents; memory that is new to each call costs page faults. On-demand "
      .. "does not validate what it passes over, as we do: only the members asked for" },
  { "cjson", "cjson idiom, cjson", "one pass of `decode` over the lines, the collector stopped while the tables are made, as ours is; rows "
      .. "that say so, and those of 1000 lines, count a full collection afterwards, for both",
    "all tables are kept, so that a collector which runs meanwhile only walks them again and again" },
  { "cjson", "cjson + lfs idiom", "a file that is open for appending, and one such pass for the items and the next id",
    "to decode the file twice would be for nothing" },
  { "dkjson", "dkjson idiom", "as cjson, without LPeg", "it is taken where there is nothing that must be compiled" },
  { "sqlite", "SQLite, WAL", "`locking_mode=EXCLUSIVE`, `journal_mode=WAL`, `INTEGER PRIMARY KEY` without AUTOINCREMENT, statements prepared once",
    "one process writes, as with our default handle; AUTOINCREMENT writes to a second table; WAL syncs once an insert" },
  { "sqlite", "SQLite, indexed; LIKE", "no journal and no sync, an index on time and id, statements prepared once",
    "only reading is measured" },
  { "sqlite", "SQLite FTS5", "rows put in by rising rowid in one transaction; for `search`, then `optimize`, which merges its index into one",
    "out of order, each row begins a new leaf of the index; filling is in one of the rows, and is then the least it can be" },
  { "rg", "ripgrep", "`-F`, a fixed string, and `-c`, which prints nothing a line; `-j1` where it is the processor's time",
    "the least that it can do" },
}

local function setups(file, bench)
  local rows = {}
  for _, setup in ipairs(SETUPS) do
    if bench.has[setup[1]] then rows[#rows + 1] = { unpack(setup, 2) } end
  end
  if #rows == 0 then return end
  file:write("## How the peers are set up\n\n")
  table_of(file, { "compared with", "how it is set up", "why" }, rows)
end

local engines = { { "recall", "recall" }, { "porter", "FTS5, porter" }, { "trigram", "FTS5, trigram" } }

-- The share of questions whose right text comes first, that have it among ten, and the mean reciprocal rank.
local function finding(file, bench)
  if not bench.finding or #bench.finding == 0 then return end
  local head, rows = { "collection", "texts", "questions" }, {}
  for i, engine in ipairs(engines) do head[i + 3] = engine[2] end
  for i, point in ipairs(bench.finding) do
    local row = { point.name, tostring(point.texts), tostring(point.questions) }
    for _, engine in ipairs(engines) do
      local found = point[engine[1]]
      row[#row + 1] = found and ("%.1f, %.1f, %.3f"):format(found.first, found.ten, found.mean) or ""
    end
    rows[i] = row
  end
  file:write("## Finding\n\nOf the questions that the ranking was not tuned on: how many of 100 have the right text first, ",
    "how many among ten, and the mean reciprocal rank.\n\n")
  table_of(file, head, rows)
end

local head = [[
# Results

Written by `make bench`; every number is of one run on one machine, and only ratios carry over to
another. Each line's ways to do the job were run in turns, round by round; shown are the medians, and the
median of the rounds' ratios. Times are the process's own, in user and kernel mode, which other
processes on the machine do not disturb; synced writes and searches of files are by the clock on the
wall. Files are in the page cache. The jobs, and what each side of a comparison does, are described at
the top of the files in `jobs/`; the corpora in `corpus.lua`.

]]

--- Writes the page. tried.md, which is written by hand, is taken over at its end.
function report.write(bench, path)
  local file = assert(io.open(path, "w"))
  file:write(head, "## Machine\n\n")
  table_of(file, { "", "" }, machine(bench))
  comparisons(file, bench)
  setups(file, bench)
  finding(file, bench)
  instructions(file, bench)
  growth(file, bench)
  local tried = io.open(measure.here .. "tried.md")
  if tried then
    file:write(tried:read("*a"))
    tried:close()
  end
  file:close()
end

--- The machine and the sum, on standard output.
function report.print(bench)
  print()
  for _, line in ipairs(machine(bench)) do print(("%-20s %s"):format(line[1], line[2])) end
  local reached, judged = count_verdicts(bench.rows)
  finding(io.stdout, bench)
  print(("%d of %d targets are reached%s."):format(reached, judged,
    bench.quick and ", of those for larger files, on smaller ones" or ""))
end

return report
