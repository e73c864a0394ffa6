--- Runs one task of tasks.lua: child.lua TASK ARGUMENT... Prints its seconds; this process's memory in
-- kilobytes, the most it ever had and what of it is its own at the end; how many seconds a full
-- collection then takes, the result being kept, if COLLECT is set; and the bytes that malloc has given
-- out at the end, as glibc tells LuaJIT, which takes none of its own from there (0: it cannot be asked).
local seconds, result = require("tasks")[arg[1]](unpack(arg, 2))

local status = assert(io.open("/proc/self/status")):read("*a")
local clock = require("limits").cpu
local start = clock()
if result and os.getenv("COLLECT") then collectgarbage() end
local collecting = clock() - start

local function given_out()
  local ffi = require("ffi")
  ffi.cdef("struct info { size_t arena, a, b, c, mapped, d, e, used, f, g; }; struct info mallinfo2(void);")
  local info = ffi.C.mallinfo2()
  return tonumber(info.used + info.mapped)
end
local known, bytes = pcall(given_out)

print(("%.9f %s %s %.9f %.0f"):format(seconds, status:match("VmHWM:%s*(%d+)"), status:match("RssAnon:%s*(%d+)"),
  collecting, known and bytes or 0))
io.stdout:flush()
if result then os.exit(0) end -- without taking everything apart
