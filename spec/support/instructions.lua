--- Counts what a new process does, for what must not grow with the square of a file's size.
local helper = require("spec.support.helper")

--- How many instructions the Lua code runs in a process of its own, counted by callgrind. Returns nil,
-- and what it printed, where it fails or callgrind cannot run it, as under AddressSanitizer.
return function(code, ...)
  local command = ("exec 2>&1; cd %s; valgrind --tool=callgrind --smc-check=all-non-file --callgrind-out-file=/dev/null %secho ended $?"):format(
    helper.quote(helper.root), helper.command(code, ...))
  local pipe = assert(io.popen(command))
  local output = pipe:read("*a")
  pipe:close()
  return tonumber(output:match("Collected : (%d+).*ended 0\n$")), output
end
