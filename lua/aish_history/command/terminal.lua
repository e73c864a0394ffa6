--- What is known of the terminal: through LuaJIT's FFI, and where there is none, through commands.
local terminal = {}

local has_ffi, ffi = pcall(require, "ffi")
if has_ffi then
  ffi.cdef("int isatty(int); int ioctl(int, unsigned long, ...); int clock_gettime(int, long *);")
end

--- Whether a standard stream (0, 1 or 2) is a terminal.
function terminal.is(stream)
  if has_ffi then return ffi.C.isatty(stream) == 1 end
  local status = os.execute("test -t " .. stream)
  return status == 0 or status == true
end

-- The columns of the terminal that standard output is; 0 where it does not tell.
local function columns()
  if has_ffi then
    local size = ffi.new("unsigned short[4]")
    local request = ffi.os == "Linux" and 0x5413 or 0x40087468
    return ffi.C.ioctl(1, ffi.cast("unsigned long", request), size) == 0 and size[1] or 0
  end
  local pipe = io.popen("stty size 2>/dev/null </dev/tty")
  local said = pipe and pipe:read("*a") or ""
  if pipe then pipe:close() end
  return tonumber(said:match("^%d+ (%d+)")) or 0
end

--- How many columns there are: those of $COLUMNS, else the terminal's, else 80.
function terminal.width(is_terminal)
  local width = tonumber(os.getenv("COLUMNS")) or is_terminal and columns() or 0
  return width >= 1 and math.floor(width) or 80
end

--- Seconds since some time, with a fraction; where there is no FFI, without one.
function terminal.now()
  if not has_ffi then return os.time() end
  local time = ffi.new("long[2]")
  ffi.C.clock_gettime(0, time)
  return tonumber(time[0]) + tonumber(time[1]) / 1e9
end

return terminal
