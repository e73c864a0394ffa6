--- What the specs of memory files share: lines as text, an independent reading of a file, children
-- that hold a lock, and a trace of system calls.
local assert = require("luassert")
local cases = require("spec.support.cases")
local cjson = require("cjson").new()
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local line_model = require("spec.support.line_model")
local rules = require("spec.support.rules")
local posix_time = require("posix.time")
local signal = require("posix.signal")

-- NaN, Infinity and hexadecimal are lua-cjson's extensions, not JSON.
cjson.decode_invalid_numbers(false)
rules.null = cjson.null

local support = {}

support.max_id = rules.max_id
support.held = "memory.jsonl held by another aish process (Resource temporarily unavailable)"

--- What a call returns while the process `pid` holds the file, `first` being nil or false.
function support.held_by(pid, first)
  if support.names_holders() then return { first, support.held, errno.EAGAIN, pid, n = 4 } end
  return { first, support.held, errno.EAGAIN, n = 3 }
end

function support.sleep(seconds)
  posix_time.nanosleep({ tv_sec = math.floor(seconds), tv_nsec = math.floor(seconds % 1 * 1e9) })
end

function support.now()
  return os.date("!%Y-%m-%dT%H:%M:%SZ")
end

--- A generator of numbers from 1 to n, the same under every interpreter.
function support.random(seed)
  local random = cases.random(seed)
  return function(n) return random(1, n) end
end

--- Line `number` of the file at `path`, its times replaced by "T" after a check that they lie
-- between `since` and now, and its uid by "U".
function support.line(path, number, since)
  local line = assert(helper.lines(path)[number], "no line " .. number)
  line = line:gsub('("uid":")%w%w%w%w%w%w%w%w"', '%1U"'):gsub('("of":")%w%w%w%w%w%w%w%w"', '%1U"')
  return (line:gsub('("%l+":)"(%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ)"', function(key, ts)
    assert(ts >= since and ts <= support.now(), ts .. " is not the time of the call")
    return key .. '"T"'
  end))
end

support.meta = '{"meta":{"aish_version":"phase4","created":"2026-01-01T00:00:00Z"}}\n'

--- An item as the module writes it. The fields are JSON text where they are not plain words.
function support.item(id, content, ts, kind)
  return ('{"id":%s,"ts":"%s","kind":"%s","content":"%s"}\n'):format(
    type(id) == "number" and ("%.0f"):format(id) or id, ts or "2026-01-02T03:04:05Z", kind or "fact", content or "x")
end

function support.tombstone(id, target, ts)
  return ('{"id":%.0f,"ts":"%s","kind":"forget","target":%.0f}\n'):format(id, ts or "2026-01-02T03:04:05Z", target)
end

--- The value of `field` in each of `items`, as an array.
function support.pluck(items, field)
  local values = {}
  for index, item in ipairs(items) do
    values[index] = item[field] == nil and "nil" or item[field]
  end
  return values
end

--- The object that a line is, nulls as rules.null, or nil.
local function object_of(line)
  -- lua-cjson lets raw control characters pass, and cannot tell [] from {}.
  if line:find("[%z\1-\8\11\12\14-\31]") or not line:find("^[ \t\r]*{") then return nil end
  local ok, object = pcall(cjson.decode, line)
  return ok and object or nil
end

--- The objects of a file: {record, bytes from `{` to `}`}.
local function objects_of(bytes)
  local objects = {}
  local function take(object)
    local record = object_of(object)
    if record then objects[#objects + 1] = { record = record, bytes = object:match("{.*}") } end
    return record
  end
  for line in bytes:gsub("^\239\187\191", ""):gmatch("[^\n]+") do
    if not take(line) then
      for _, place in ipairs((line_model.objects(line, true))) do take(line:sub(place[1], place[2] - 1)) end
    end
  end
  return objects
end

--- What a memory file's bytes mean by the rules: see rules.judge.
function support.meaning(bytes)
  local meaning = rules.judge(objects_of(bytes))
  for index, record in ipairs(meaning.active) do meaning.active[index] = cases.without_null(record) end
  return meaning
end

--- The active items of a memory file's bytes, newest first, and the next id.
function support.reading(bytes)
  local meaning = support.meaning(bytes)
  return meaning.active, meaning.next_id
end

-- The alarm ends a child whose spec failed before it could.
local prelude = [[
local aish = require("aish_history")
local unistd = require("posix.unistd")
local function await(path)
  while unistd.access(path) ~= 0 do
    require("posix.time").nanosleep({ tv_sec = 0, tv_nsec = 5000000 })
  end
end
io.stdout:setvbuf("no")
unistd.alarm(300)
print(unistd.getpid())
]]

--- Starts `code` in another process, where `aish`, `unistd` and `await(path)` (until the file is there)
-- are at hand: returns its pid and the file that reads what it prints.
function support.start(code, ...)
  local file = helper.start(prelude .. code, ...)
  local first = file:read("*l") or "no output"
  local pid = tonumber(first)
  if not pid then error(first .. "\n" .. file:read("*a")) end
  return pid, file
end

--- Starts a process that holds the lock of `path` until `go` is there; returns its pid and output.
function support.holder(path, go)
  local pid, file = support.start([[
    local path, go = ...
    local memory = assert(aish.open(path))
    print("holding")
    await(go)
    memory:close()
    print("released")
  ]], path, go)
  assert.equal("holding", file:read("*l"))
  return pid, file
end

function support.kill(pid, name)
  assert(signal.kill(pid, signal[name or "SIGKILL"]))
end

--- Whether the system's lock table names the holders.
function support.names_holders()
  return lfs.attributes("/proc/locks") ~= nil
end

--- Runs `code` as a process of its own under strace; returns what it printed and the trace, one call
-- a line with the paths of descriptors; nil where strace is not at hand.
function support.trace(calls, code, ...)
  local status = os.execute("strace -o /dev/null true 2>/dev/null")
  if status ~= 0 and status ~= true then return nil end
  local log = helper.tmpdir() .. "/trace"
  local command = ("exec 2>&1; cd %s; strace -f -qq -y -s 65536 -e trace=%s -o %s %s"):format(
    helper.quote(helper.root), calls, helper.quote(log), helper.command(code, ...))
  local pipe = assert(io.popen(command))
  local output = pipe:read("*a")
  pipe:close()
  return output, helper.read(log)
end

return support
