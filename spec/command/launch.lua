--- Runs the command `aish-history` as a process of its own.
local helper = require("spec.support.helper")

local quote = helper.quote

local launch = {}

--- What stands before the command's words in a line of sh: its interpreter, its modules, its file.
function launch.prefix()
  return ("cd %s && LUA_PATH=%s LUA_CPATH=%s exec %s lua/aish_history/command/aish-history"):format(quote(helper.root),
    quote(package.path), quote(package.cpath), helper.lua)
end

--- A line of sh that runs the command with words over a directory.
function launch.line(dir, words)
  local parts = { launch.prefix() }
  for _, word in ipairs(words) do parts[#parts + 1] = quote(word) end
  parts[#parts + 1] = "--dir " .. quote(dir)
  return table.concat(parts, " ")
end

--- Runs the command to its end. dir: string; words: array; input: string for its standard input.
-- Returns what it printed, its exit code, and what it said on standard error.
function launch.run(dir, words, input)
  local place = helper.tmpdir()
  helper.write(place .. "/in", input or "")
  local pipe = assert(io.popen(("(%s) <%s/in 2>%s/err; echo \" $?\""):format(launch.line(dir, words), place, place)))
  local printed, code = pipe:read("*a"):match("^(.*) (%d+)\n$")
  pipe:close()
  return printed, tonumber(code), helper.read(place .. "/err")
end

return launch
