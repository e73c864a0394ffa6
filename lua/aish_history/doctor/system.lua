--- What the system tells about files, by its commands and /proc. None of this changes anything.
local aish_history = require("aish_history")

local system = {}

--- A text as one word for sh.
function system.quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

--- Runs a command.
-- @tparam table words an array of strings
-- @treturn string what it printed, without the newline at its end
-- @treturn number its exit status
function system.run(words)
  local quoted = {}
  for index, word in ipairs(words) do quoted[index] = system.quote(word) end
  local pipe = assert(io.popen(table.concat(quoted, " ") .. ' 2>/dev/null </dev/null; echo " $?"'))
  local printed, status = pipe:read("*a"):match("^(.-)\n? (%d+)\n$")
  pipe:close()
  return printed, tonumber(status)
end

--- The path of a directory from the root, with symbolic links resolved; nil where it cannot be entered.
function system.resolve(dir)
  local path, status = system.run({ "sh", "-c", 'CDPATH= cd -- "$1" && pwd -P', "sh", dir })
  return status == 0 and path or nil
end

-- ---- locks ----

--- Whether a lock on an open file can be had at once, which is given back.
-- @treturn boolean true; or false, the system's reason, errno
local function try(file, op)
  local done, reason, errno = aish_history.flock(file, op + aish_history.LOCK_NB)
  if done then aish_history.flock(file, aish_history.LOCK_UN) end
  return done, reason, errno
end

--- Whether another process holds a file's lock. A shared one is asked for, as that keeps only writers out for
-- the moment.
-- @treturn boolean true; or false, the system's reason, errno. Nil where the file cannot be opened
function system.is_free(path)
  local file, reason, errno = io.open(path, "rb")
  if not file then return nil, reason, errno end
  local free, why, number = try(file, aish_history.LOCK_SH)
  file:close()
  return free, why, number
end

--- Whether a second lock on a directory is refused while there is a first, as it must be.
-- @treturn boolean true, or false; nil, the system's reason, errno where there is not even a first
function system.locks(dir)
  local first, reason, errno = io.open(dir, "rb")
  if not first then return nil, reason, errno end
  local locked, works
  locked, reason, errno = aish_history.flock(first, aish_history.LOCK_EX + aish_history.LOCK_NB)
  local second = locked and io.open(dir, "rb")
  if second then
    works = not try(second, aish_history.LOCK_EX)
    second:close()
  end
  first:close()
  return works, reason, errno
end

--- Numbers of a file as /proc/locks has them: the device's two, and the inode; nil where they are not known.
local function identify(path)
  local device, inode = system.run({ "stat", "-Lc", "%d %i", path }):match("^(%d+) (%d+)$")
  if not device then return nil end
  device = tonumber(device)
  local high, middle, low = math.floor(device / 2 ^ 20), math.floor(device / 2 ^ 8) % 2 ^ 12, device % 2 ^ 8
  return ("%02x:%02x:%s"):format(middle, high * 2 ^ 8 + low, inode)
end

--- The process that holds a file's lock, and its name; nil where the system does not tell.
function system.holder(path)
  local table_of_locks, place = io.open("/proc/locks"), identify(path)
  if not table_of_locks or not place then return nil end
  for line in table_of_locks:lines() do
    local process, where = line:match("^%d+: FLOCK +%S+ +%S+ +(%d+) (%S+)")
    if where == place and process ~= "0" then
      table_of_locks:close()
      local name = io.open("/proc/" .. process .. "/comm")
      local text = name and name:read("*l")
      if name then name:close() end
      return process, text
    end
  end
  table_of_locks:close()
end

-- ---- file systems and files ----

local function unescape(text)
  return (text:gsub("\\(%d%d%d)", function(digits) return string.char(tonumber(digits, 8)) end))
end

--- The kind of the file system that a resolved path is on, and where it is mounted; nil where the system does
-- not tell.
function system.mount(path)
  local mounts = io.open("/proc/self/mountinfo")
  if not mounts then return nil end
  local kind, place = nil, ""
  for line in mounts:lines() do
    local at, name = line:match("^%S+ %S+ %S+ %S+ (%S+) .- %- (%S+)")
    at = at and unescape(at)
    local inside = at and (at == "/" or (path .. "/"):sub(1, #at + 1) == at .. "/")
    if inside and #at >= #place then kind, place = name, at end
  end
  mounts:close()
  return kind, place
end

--- The paths that find prints for an expression, below the directories of the history and links in them.
local function find(context, expression)
  local words, found = { "find", "-L", context.dir, context.sessions }, {}
  for word in expression:gmatch("%S+") do words[#words + 1] = word end
  for path in system.run(words):gmatch("[^\n]+") do found[#found + 1] = path end
  return found
end

--- The files of the history whose names are like a pattern of find.
-- @treturn table an array of paths
function system.find(context, pattern)
  return find(context, "-maxdepth 1 -type f -name " .. pattern)
end

-- What others than the owner may do something with.
local SHARED = " ( -perm -040 -o -perm -020 -o -perm -010 -o -perm -004 -o -perm -002 -o -perm -001 )"

--- The files and directories of the history that others than their owner may do something with.
-- @treturn table an array of paths
function system.find_shared(context)
  local found = find(context, "-maxdepth 0 -type d" .. SHARED)
  for _, path in ipairs(find(context, "-maxdepth 1 -type f -name *.jsonl*" .. SHARED)) do found[#found + 1] = path end
  return found
end

-- ---- git ----

--- How git merges a file of a directory: "outside" of a work tree, "ignored", or the value of its attribute.
function system.merge(dir, name)
  local inside, status = system.run({ "git", "-C", dir, "rev-parse", "--is-inside-work-tree" })
  if status ~= 0 or inside ~= "true" then return "outside" end
  if select(2, system.run({ "git", "-C", dir, "check-ignore", "-q", name })) == 0 then return "ignored" end
  return system.run({ "git", "-C", dir, "check-attr", "merge", "--", name }):match("[^ ]*$")
end

return system
