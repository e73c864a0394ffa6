--- What several specs share: paths that cannot be used, values that JSON cannot hold, seeded
-- generators, and a reading of session files that has nothing in common with ours.
local cjson = require("cjson")
local lfs = require("lfs")
local luassert = require("luassert")
local errno = require("posix.errno")
local socket = require("posix.sys.socket")
local stat = require("posix.sys.stat")
local unistd = require("posix.unistd")
local helper = require("spec.support.helper")
local line_model = require("spec.support.line_model")

local cases = {}

--- The system's words for error `number`.
function cases.strerror(number)
  return (errno.errno(number))
end

-- Paths ----------------------------------------------------------------------------------------

--- Paths that are there and cannot be a file of records: what it is, the errno, its reason, and a
-- function that makes it in `dir`. Neither reading nor writing may block on one.
cases.not_regular = {
  { "a directory", errno.EISDIR, cases.strerror(errno.EISDIR), function(dir) return dir end },
  { "a character device", errno.EINVAL, "not a regular file", function() return "/dev/null" end },
  { "an endless device", errno.EINVAL, "not a regular file", function() return "/dev/zero" end },
  { "a FIFO", errno.EINVAL, "not a regular file", function(dir)
    luassert(stat.mkfifo(dir .. "/fifo", 384))
    return dir .. "/fifo"
  end },
  { "a symbolic link to a FIFO", errno.EINVAL, "not a regular file", function(dir)
    luassert(stat.mkfifo(dir .. "/fifo", 384))
    luassert(unistd.link(dir .. "/fifo", dir .. "/link", true))
    return dir .. "/link"
  end },
  { "a socket", errno.EINVAL, "not a regular file", function(dir)
    local fd = luassert(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0))
    luassert(socket.bind(fd, { family = socket.AF_UNIX, path = dir .. "/socket" }))
    unistd.close(fd)
    return dir .. "/socket"
  end },
}

--- Paths that lead nowhere, whoever asks, root included.
cases.unreachable = {
  { "an empty path", errno.ENOENT, cases.strerror(errno.ENOENT), function() return "" end },
  { "a path under a regular file", errno.ENOTDIR, cases.strerror(errno.ENOTDIR), function(dir)
    return helper.write(dir .. "/file", "kept\n") .. "/a.jsonl"
  end },
  { "a path two levels under a regular file", errno.ENOTDIR, cases.strerror(errno.ENOTDIR), function(dir)
    return helper.write(dir .. "/file", "kept\n") .. "/sub/a.jsonl"
  end },
  { "a name that is too long", errno.ENAMETOOLONG, cases.strerror(errno.ENAMETOOLONG), function(dir)
    return dir .. "/" .. ("n"):rep(300) .. ".jsonl"
  end },
  { "a path that is too long", errno.ENAMETOOLONG, cases.strerror(errno.ENAMETOOLONG), function(dir)
    return dir .. ("/" .. ("p"):rep(200)):rep(25) .. "/a.jsonl"
  end },
  { "a loop of symbolic links", errno.ELOOP, cases.strerror(errno.ELOOP), function(dir)
    luassert(unistd.link(dir .. "/two", dir .. "/one", true))
    luassert(unistd.link(dir .. "/one", dir .. "/two", true))
    return dir .. "/one"
  end },
  { "a loop of symbolic links as the directory", errno.ELOOP, cases.strerror(errno.ELOOP), function(dir)
    luassert(unistd.link(dir .. "/two", dir .. "/one", true))
    luassert(unistd.link(dir .. "/one", dir .. "/two", true))
    return dir .. "/one/a.jsonl"
  end },
}

--- The permission bits of `path`.
function cases.mode(path)
  return luassert(stat.stat(path)).st_mode % 512
end

--- Whether `path` leads to anything.
function cases.exists(path)
  return stat.lstat(path) ~= nil
end

--- The descriptors of this process that are open on `path`.
function cases.descriptors_of(path)
  local found = {}
  for name in lfs.dir("/proc/self/fd") do
    if lfs.symlinkattributes("/proc/self/fd/" .. name, "target") == path then
      found[#found + 1] = tonumber(name)
    end
  end
  table.sort(found)
  return found
end

--- How many bytes this process has asked the system to read; nil where it does not count them.
function cases.read_so_far()
  local status = io.open("/proc/self/io")
  if not status then return nil end
  local text = status:read("*a")
  status:close()
  return tonumber(text:match("rchar: (%d+)"))
end

--- Collects all that is garbage by the language's rules. LuaJIT also marks what unused stack slots still
-- point to, so they are overwritten first.
function cases.collect()
  assert(select("#", unpack({}, 1, 250)) == 250)
  collectgarbage()
  collectgarbage()
end

--- As helper.run, but killed after five minutes, for what must not block and might.
function cases.run_limited(code, ...)
  return helper.output("cd " .. helper.quote(helper.root) .. "\ntimeout 300 " .. helper.command(code, ...))
end

-- Arguments ------------------------------------------------------------------------------------

--- One value of every type, named; nil is not among them.
cases.values = {
  boolean = true,
  number = 42,
  string = "text",
  table = {},
  ["function"] = print,
  thread = coroutine.create(function() end),
  userdata = newproxy(),
}

--- Every type of `cases.values` but the named ones, sorted.
function cases.types_but(...)
  local left, types = { ... }, {}
  for _, name in ipairs(left) do left[name] = true end
  for name in pairs(cases.values) do
    if not left[name] then types[#types + 1] = name end
  end
  table.sort(types)
  return types
end

--- `call` must raise luaL_argerror's message for this argument, naming the type it got. `call` is a
-- function that makes the call by its name, since that is where Lua takes the name from.
function cases.argument_error(call, number, name, got)
  local ok, message = pcall(call)
  luassert.is_false(ok)
  luassert.is_string(message)
  local expected = "bad argument #" .. number .. " to '" .. name .. "'"
  luassert(message:find(expected, 1, true), "no " .. expected .. " in: " .. message)
  luassert(message:find(got, 1, true), "no " .. got .. " in: " .. message)
end

--- `call` must raise because it passes more than the `most` arguments that `name` takes.
function cases.too_many_error(call, most, name)
  cases.argument_error(call, most + 1, name, "no more than " .. most .. " argument")
end

--- A call that failed for a reason of the world gave exactly these.
function cases.failed(expected_message, expected_errno, result, message, number)
  luassert.is_nil(result)
  luassert.equal(expected_message, message)
  luassert.equal(expected_errno, number)
end

--- As `failed`, for a writer, which may have met the error while making a parent directory: the
-- message ends with the reason and names a path of which `path` begins with.
function cases.failed_making(path, reason, expected_errno, result, message, number)
  luassert.is_nil(result)
  luassert.is_string(message)
  luassert.equal(": " .. reason, message:sub(-#reason - 2))
  local named = message:sub(1, -#reason - 3):match("^%l[%l ]* (.*)$")
  luassert(named and (named ~= "" or path == ""), "no path in: " .. message)
  luassert.equal(named, path:sub(1, #named))
  luassert.equal(expected_errno, number)
end

-- As `failed`, where the file itself could not be opened.
local function failed_opening(path, reason, ...)
  return cases.failed("open " .. path .. ": " .. reason, ...)
end

--- Makes a spec for each path of `not_regular` and of `unreachable`: `call`, the text of a call of the
-- native module with `path`, fails without blocking. `failed` is `failed_making` for a writer.
function cases.paths_are_refused(it, call, failed)
  local code, check = 'local path = ... return require("aish_history").' .. call, failed or failed_opening
  for _, case in ipairs(cases.not_regular) do
    local label, number, reason, make = unpack(case)
    it("is refused without blocking: " .. label, function()
      local path = make(helper.tmpdir())
      local output = cases.run_limited("print((function(...) " .. code .. " end)(...))", path)
      luassert.equal("nil\topen " .. path .. ": " .. reason .. "\t" .. number .. "\n", output)
    end)
  end
  for _, case in ipairs(cases.unreachable) do
    local label, number, reason, make = unpack(case)
    it("gives nil, a message and the errno: " .. label, function()
      local path = make(helper.tmpdir())
      check(path, reason, number, luassert(loadstring(code))(path))
    end)
  end
end

--- A regular file that fails to be read, even by root, with EIO; nil where there is none.
function cases.unreadable()
  local path = "/proc/self/mem" -- nobody can read its first page
  local file = io.open(path, "rb")
  local number = file and select(3, file:read(1))
  if file then file:close() end
  return number == errno.EIO and path or nil
end

--- Values that JSON cannot hold: what it is, a function that makes it, the path to the culprit below
-- the root, and a word that must be in the message.
cases.unstorable = {
  { "a function", function() return { fn = print } end, ".fn", "function" },
  { "a function far down", function() return { calls = { {}, { fn = print } } } end, ".calls[2].fn", "function" },
  { "a function in an array", function() return { list = { 1, 2, print } } end, ".list[3]", "function" },
  { "a thread", function() return { co = coroutine.create(function() end) } end, ".co", "thread" },
  { "a userdata", function() return { file = io.stdout } end, ".file", "userdata" },
  { "a cycle", function()
    local value = { deep = {} }
    value.deep.back = value
    return value
  end, ".deep.back", "cycle" },
  { "a table in itself", function()
    local value = {}
    value.self = value
    return value
  end, ".self", "cycle" },
  { "1,001 levels", function() return { list = cases.nested(1000) } end, ".list[1]", "level" },
  { "a boolean as key", function() return { map = { [true] = 1 } } end, ".map", "boolean" },
  { "a table as key", function() return { map = { [{}] = 1 } } end, ".map", "table" },
}

--- `levels` tables, each the only element of the one around it.
function cases.nested(levels)
  local value = {}
  for _ = 2, levels do value = { value } end
  return value
end

-- Generators -----------------------------------------------------------------------------------

--- random(low, high) from `seed`: the same numbers under every interpreter.
function cases.random(seed)
  local state = seed
  return function(low, high)
    state = state * 16807 % 2147483647
    return low + state % (high - low + 1)
  end
end

local WORDS = {
  "a", "ls -la", "\\n", "\\\"", "\\\\", "\\/", "\\b\\f\\r\\t", "\\u0000", "\\u00e9", "\\u20AC",
  "\\ud83d\\ude00", "na\195\175ve", "\226\130\172", "\240\159\152\128", "\127", " ", "{\\\"x\\\":[", "}]",
  "\\u005c", "\\u0022", "error: no such file", "0",
}

local NUMBERS = {
  "0", "-0", "-1", "7", "123456789012", "9007199254740991", "9007199254740992", "0.1", "1e5", "1E+2",
  "-2.5e-3", "1760000000.123456", "5e-324", "1.7976931348623157e308", "2.2250738585072014e-308",
  "3.141592653589793", "0.30000000000000004", "1e-3", "100000000000000000000",
}

local KEYS = {
  "name", "arguments", "id", "type", "result", "exit_code", "n", "1", "", "k\\u00e9y", "a b", "role",
}

local SPACES = { "", "", "", "", " ", "\t", "  ", " \r " }

local text_value

local function pick(random, list)
  return list[random(1, #list)]
end

local function text_string(random, words)
  local parts = {}
  for index = 1, random(0, words) do parts[index] = pick(random, WORDS) end
  return '"' .. table.concat(parts) .. '"'
end

local function text_object(random, depth, members)
  for _ = 1, random(0, 3) do
    members[#members + 1] = '"' .. pick(random, KEYS) .. '"' .. pick(random, SPACES) .. ":"
      .. pick(random, SPACES) .. text_value(random, depth - 1)
  end
  return "{" .. pick(random, SPACES) .. table.concat(members, pick(random, SPACES) .. ",") .. "}"
end

local function text_array(random, depth)
  local elements = {}
  for index = 1, random(0, 4) do elements[index] = text_value(random, depth - 1) end
  return "[" .. table.concat(elements, "," .. pick(random, SPACES)) .. pick(random, SPACES) .. "]"
end

function text_value(random, depth)
  local sort = random(1, depth > 0 and 10 or 6)
  if sort <= 3 then return text_string(random, 6) end
  if sort == 4 then return pick(random, NUMBERS) end
  if sort == 5 then return tostring(random(-100000, 100000) / 64) end
  if sort == 6 then return pick(random, { "true", "false", "null" }) end
  if sort <= 8 then return text_array(random, depth) end
  return text_object(random, depth, {})
end

--- The text of a turn with tool calls, as programs of every taste write it; some lack a role, some
-- have content that does not count.
function cases.turn_text(random)
  local members = {}
  if random(1, 12) > 1 then members[#members + 1] = '"role":"' .. pick(random, { "user", "assistant", "tool" }) .. '"' end
  local content = random(1, 12)
  if content > 2 then
    members[#members + 1] = '"content" :' .. text_string(random, 20)
  elseif content == 2 then
    members[#members + 1] = '"content":' .. pick(random, { "null", "false", "[]", "{}", "0" })
  end
  if random(1, 3) == 1 then members[#members + 1] = '"tool_calls":' .. text_array(random, 5) end
  if random(1, 2) == 1 then members[1], members[#members] = members[#members], members[1] end
  return text_object(random, 4, members)
end

--- A line that is no object: cut short, garbage, or something else that is JSON.
function cases.damaged_text(random)
  local sort = random(1, 6)
  if sort == 1 then return pick(random, NUMBERS) end
  if sort == 2 then return pick(random, { "true", "false", "null", '"text"', "[]", '[{"role":"user","content":"x"}]' }) end
  if sort == 3 then return ("\0"):rep(random(1, 40)) end
  if sort == 4 then return pick(random, { "}", "{", "{]", "{'role':'user','content':'x'}", "\\", "nul", "{\"a\":1,}" }) end
  if sort == 5 then return cases.turn_text(random) .. "x" end
  local text = cases.turn_text(random)
  return text:sub(1, random(1, #text - 1))
end

--- A Lua value of plain data, for writers.
function cases.value(random, depth)
  local sort = random(1, depth > 0 and 8 or 5)
  if sort <= 2 then
    local bytes = {}
    for index = 1, random(0, 20) do bytes[index] = string.char(random(0, 127)) end
    return table.concat(bytes) .. pick(random, { "", "\195\169", "\240\159\152\128" })
  end
  if sort == 3 then return random(-1000000, 1000000) end
  if sort == 4 then return random(1, 2147483646) / random(1, 2147483646) end
  if sort == 5 then return random(0, 1) == 1 end
  local value = {}
  if sort == 6 then
    for index = 1, random(1, 5) do value[index] = cases.value(random, depth - 1) end
  else
    for _ = 1, random(1, 5) do value["k" .. random(1, 50)] = cases.value(random, depth - 1) end
  end
  return value
end

-- The independent reading ----------------------------------------------------------------------

--- The value without the members and elements that are null.
function cases.without_null(value)
  if value == cjson.null then return nil end
  if type(value) ~= "table" then return value end
  local clean = {}
  for key, member in pairs(value) do clean[key] = cases.without_null(member) end
  return clean
end

--- What a line holds by lua-cjson's account: the object, or nil.
function cases.read_object(line)
  if not line:find("^[ \t\r]*{") then return nil end
  local ok, value = pcall(cjson.decode, line)
  return ok and cases.without_null(value) or nil
end

--- What a line holds, read with lua-cjson: an array of {offset, record}, with the offset and without
-- a record where it is damaged. The offset is from 0, and that of the line if it is one object.
function cases.read_line(line, memory)
  local one = cases.read_object(line)
  if one then return { { 0, one } } end
  local parts = {}
  local objects, damage = line_model.objects(line, memory)
  for _, object in ipairs(objects) do
    if damage and damage < object[1] then
      parts[#parts + 1] = { damage - 1 }
      damage = nil
    end
    parts[#parts + 1] = { object[1] - 1, cases.read_object(line:sub(object[1], object[2] - 1)) }
  end
  if damage then parts[#parts + 1] = { damage - 1 } end
  return parts
end

--- The turns, the meta and the number of damaged lines of a session file's `bytes`, read with
-- lua-cjson.
function cases.read_session(bytes)
  local turns, meta, first, damaged = {}, nil, true, 0
  for line in bytes:gsub("^\239\187\191", ""):gmatch("[^\n]+") do
    for _, part in ipairs(cases.read_line(line)) do
      local record = part[2]
      local is_turn = record and record.role and record.content
      if not record then
        damaged = damaged + 1
      elseif first and record.meta and not is_turn then
        meta = record.meta
      elseif is_turn then
        turns[#turns + 1] = record
      end
      first = first and not record
    end
  end
  return turns, meta, damaged
end

--- Where two values differ, as a path; nil if they do not.
function cases.difference(a, b, path)
  path = path or "value"
  if type(a) == "number" and type(b) == "number" then a, b = a + 0.0, b + 0.0 end -- lua-cjson reads doubles only
  if type(a) ~= "table" or type(b) ~= "table" then
    return a ~= b and path .. ": " .. tostring(a) .. " ~= " .. tostring(b) or nil
  end
  for key in pairs(a) do
    local found = cases.difference(a[key], b[key], path .. "." .. tostring(key))
    if found then return found end
  end
  for key in pairs(b) do
    if a[key] == nil then return path .. "." .. tostring(key) .. ": only in the second" end
  end
  return nil
end

-- Debian 12's LuaJIT now and then compiles a walk over a table wrongly: of the pointer that next
-- returns, 32 bits are kept. These walk all the tables there are, so they are left to the interpreter.
local jit = rawget(_G, "jit")
if jit then
  jit.off(cases.difference)
  jit.off(cases.without_null)
end

return cases
