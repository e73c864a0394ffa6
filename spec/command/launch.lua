--- Runs the command `aish-history` as a process of its own.
local helper = require("spec.support.helper")
local aish_history = require("aish_history")

local quote = helper.quote

local launch = {}

--- What stands before the command's words in a line of sh: its interpreter, its modules, its file.
local function prefix()
  return ("cd %s && LUA_PATH=%s LUA_CPATH=%s exec %s lua/aish_history/command/aish-history"):format(quote(helper.root),
    quote(package.path), quote(package.cpath), helper.lua)
end

--- A line of sh that runs the command with words over a directory.
function launch.line(dir, words)
  local parts = { prefix() }
  for _, word in ipairs(words) do parts[#parts + 1] = quote(word) end
  parts[#parts + 1] = "--dir " .. quote(dir)
  return table.concat(parts, " ")
end

--- Runs the command to its end. dir: string; words: array; input: string for its standard input; variables:
-- string, assignments for its environment. Returns what it printed, its exit code, and what it said on standard error.
function launch.run(dir, words, input, variables)
  local place = helper.tmpdir()
  helper.write(place .. "/in", input or "")
  local pipe = assert(io.popen(("(export LC_ALL=C.UTF-8 %s; %s) <%s/in 2>%s/err; echo \" $?\""):format(variables or "",
    launch.line(dir, words), place, place)))
  local printed, code = pipe:read("*a"):match("^(.*) (%d+)\n$")
  pipe:close()
  return printed, tonumber(code), helper.read(place .. "/err")
end

--- Runs the command on a terminal of so many columns; returns what it shows.
function launch.show(dir, words, columns)
  local line = ("COLUMNS=%d PAGER=cat python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' sh -c %s"):format(columns,
    quote(launch.line(dir, words)))
  local pipe = assert(io.popen(line .. " 2>&1 </dev/null"))
  local shown = pipe:read("*a"):gsub("\r\n", "\n")
  pipe:close()
  return shown
end

--- The objects that the command printed, an object a line.
function launch.objects(printed)
  local objects = {}
  for line in printed:gmatch("[^\n]+") do objects[#objects + 1] = assert(aish_history.decode(line)) end
  return objects
end

return launch
