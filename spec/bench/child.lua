--- Runs one task of tasks.lua: child.lua TASK ARGUMENT... Prints its seconds, and this process's
-- memory in kilobytes: the most it ever had, and what of it is its own at the end.
local seconds, result = require("tasks")[arg[1]](unpack(arg, 2))

local status = assert(io.open("/proc/self/status")):read("*a")
print(("%.9f %s %s"):format(seconds, status:match("VmHWM:%s*(%d+)"), status:match("RssAnon:%s*(%d+)")))
io.stdout:flush()
if result then os.exit(0) end -- without taking everything apart
