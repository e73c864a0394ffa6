--- Runs one task of tasks.lua: child.lua TASK ARGUMENT... Prints its seconds; this process's memory in
-- kilobytes, the most it ever had and what of it is its own at the end; and how many seconds a full
-- collection then takes, the result being kept, if COLLECT is set.
local seconds, result = require("tasks")[arg[1]](unpack(arg, 2))

local status = assert(io.open("/proc/self/status")):read("*a")
local clock = require("limits").cpu
local start = clock()
if result and os.getenv("COLLECT") then collectgarbage() end
print(("%.9f %s %s %.9f"):format(seconds, status:match("VmHWM:%s*(%d+)"), status:match("RssAnon:%s*(%d+)"), clock() - start))
io.stdout:flush()
if result then os.exit(0) end -- without taking everything apart
