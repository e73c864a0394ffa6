--- The figures in README.md, which are lines of RESULTS.md: brings them up to date.
--   luajit spec/bench/readme.lua      in the checkout; `make bench` does it after a full run
local readme = {}

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

local function cells(line)
  local found = {}
  for cell in line:gmatch("|%s*([^|]-)%s*%f[|]") do found[#found + 1] = cell end
  return found
end

-- What a comparison is found by: the job, and what it is compared with.
local function key(row) return row[1] .. " | " .. row[3] end

--- A row of RESULTS.md as README.md shows it: the ratio stands for the other's time, and is bold where it misses its target.
local function shown(row)
  local mark = row[7]:find("missed", 1, true) and "**" or ""
  return ("| %s | %s | %s | %s |"):format(row[1], row[2], row[3], mark .. row[5] .. mark)
end

--- README.md's text with the figures of RESULTS.md's; those that are not there any more are left as
-- they are, and returned.
function readme.renewed(text, results)
  local rows, machine, missing = {}, {}, {}
  for line in results:gmatch("[^\n]+") do
    local row = cells(line)
    if #row == 7 then rows[key(row)] = shown(row) end
    if #row == 2 then machine[row[1]] = row[2] end
  end
  local begin, stop = text:find("<!%-%- Copied from spec/bench/RESULTS%.md.-Measured on: [^\n]*")
  local section = text:sub(assert(begin, "README.md has no figures"), stop):gsub("|[^\n]*|", function(line)
    local row = cells(line)
    if #row ~= 4 or row[1] == "---" then return line end
    if not rows[key(row)] then missing[#missing + 1] = key(row) end
    return rows[key(row)] or line
  end)
  local reached = results:match("%d+ of %d+ targets are reached%.") or "No target was judged."
  local place = ("%s Bold ratios miss theirs. Measured on: %s; %s."):format(reached, machine.Processor or "?",
    (machine.Lua or "?"):match("^[^;]*"))
  section = section:gsub("[^\n]*Measured on: [^\n]*", (place:gsub("%%", "%%%%")))
  return text:sub(1, begin - 1) .. section .. text:sub(stop + 1), missing
end

--- Does it.
function readme.update(readme_path, results_path)
  local text, missing = readme.renewed(read(readme_path), read(results_path))
  for _, name in ipairs(missing) do print("README.md shows a figure that there is no more: " .. name) end
  local file = assert(io.open(readme_path, "w"))
  file:write(text)
  file:close()
end

if arg and arg[0] and arg[0]:find("readme%.lua$") then readme.update("README.md", "spec/bench/RESULTS.md") end

return readme
