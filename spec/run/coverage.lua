--- What the specs have reached of csrc/, in a build with gcc's --coverage: lines and branches a file,
-- and the places that were not reached. spec/run/COVERAGE.md gives the reasons of those.
--   luajit spec/run/coverage.lua build/coverage
-- Ends with status 1 where less is reached than should be.
local cjson = require("cjson")
local directory = ...

local LEAST_LINES, LEAST_BRANCHES = 95, 90 -- percent, of all together

--- files[name][line] = { count =, branches = { count, ... } }; what several builds and several
-- objects have of a line is added up.
local files = {}

local function add_line(file, line)
  local sum = file[line.line_number] or { count = 0, branches = {} }
  file[line.line_number] = sum
  sum.count = sum.count + line.count
  for index, branch in ipairs(line.branches) do
    sum.branches[index] = (sum.branches[index] or 0) + branch.count
  end
end

local command = "find %s -name '*.gcda' -exec gcov --json-format --stdout --branch-probabilities {} +"
local pipe = assert(io.popen(command:format(directory)))
for object in pipe:lines() do
  for _, file in ipairs(cjson.decode(object).files) do
    local name = file.file:match("^csrc/(.*)$") or file.file:match("/csrc/(.*)$")
    if name then
      files[name] = files[name] or {}
      for _, line in ipairs(file.lines) do add_line(files[name], line) end
    end
  end
end
pipe:close()

--- The numbers of a sorted array in short: "3, 7-9".
local function ranges(numbers)
  local parts, first = {}, nil
  for index, number in ipairs(numbers) do
    first = first or number
    if numbers[index + 1] ~= number + 1 then
      parts[#parts + 1] = first == number and tostring(number) or first .. "-" .. number
      first = nil
    end
  end
  return table.concat(parts, ", ")
end

local function measure(file)
  local result = { lines = 0, reached = 0, branches = 0, taken = 0, unreached = {}, untaken = {} }
  for number, line in pairs(file) do
    result.lines = result.lines + 1
    result.branches = result.branches + #line.branches
    local missed = 0
    for _, count in ipairs(line.branches) do missed = missed + (count == 0 and 1 or 0) end
    result.taken = result.taken + #line.branches - missed
    if line.count == 0 then
      table.insert(result.unreached, number)
    else
      result.reached = result.reached + 1
      if missed > 0 then table.insert(result.untaken, number) end
    end
  end
  table.sort(result.unreached)
  table.sort(result.untaken)
  return result
end

local function share(part, whole) return whole > 0 and 100 * part / whole or 100 end

local function row(name, result)
  print(("%-26s %5d of %5d %6.2f %% %6d of %5d %6.2f %%"):format(name,
    result.reached, result.lines, share(result.reached, result.lines),
    result.taken, result.branches, share(result.taken, result.branches)))
end

local names, all = {}, { lines = 0, reached = 0, branches = 0, taken = 0 }
for name in pairs(files) do names[#names + 1] = name end
table.sort(names)

print("\nNot reached:")
for _, name in ipairs(names) do
  local result = measure(files[name])
  if #result.unreached > 0 then print(("  %s: lines %s"):format(name, ranges(result.unreached))) end
  if #result.untaken > 0 then print(("  %s: branches in lines %s"):format(name, ranges(result.untaken))) end
  for key, value in pairs(all) do all[key] = value + result[key] end
end

print(("\n%-26s %22s %25s"):format("file", "lines", "branches"))
for _, name in ipairs(names) do row(name, measure(files[name])) end
row("all", all)

local enough = share(all.reached, all.lines) >= LEAST_LINES and share(all.taken, all.branches) >= LEAST_BRANCHES
if not enough then print(("To be reached: %d %% of lines, %d %% of branches."):format(LEAST_LINES, LEAST_BRANCHES)) end
os.exit(enough and 0 or 1)
