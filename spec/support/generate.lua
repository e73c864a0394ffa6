--- Seeded random values and JSON texts for the codec's specs, and `canon`, the form in which Lua,
-- python3, jq and sqlite3 are compared: it leaves no number or string to anyone's formatting.
local null = require("cjson").null

local generate = {}
local Source = {}
Source.__index = Source

--- A source of random values that gives the same ones on every machine: math.random does not.
function generate.new(seed)
  return setmetatable({ state = seed % 2147483646 + 1 }, Source)
end

--- An integer from 0 to n - 1, n at most 2^30.
function Source:below(n)
  self.state = self.state * 16807 % 2147483647
  return math.floor((self.state - 1) / 2147483646 * n)
end

function Source:pick(list)
  return list[self:below(#list) + 1]
end

--- A finite double of any sign, exponent and mantissa, as random bits would give.
function Source:bits()
  local mantissa = self:below(2 ^ 26) * 2 ^ 26 + self:below(2 ^ 26)
  local exponent = self:below(2047)
  if exponent > 0 then
    mantissa, exponent = mantissa + 2 ^ 52, exponent - 1
  end
  local number = math.ldexp(mantissa, exponent - 1074)
  return self:below(2) == 0 and number or -number
end

--- A finite double of the kinds that records hold.
function Source:number()
  local kind = self:below(8)
  if kind == 0 then return self:below(10) end
  if kind == 1 then return self:below(2 ^ 30) * 2 ^ 20 + self:below(2 ^ 20) end
  if kind == 2 then return -self:below(100000) end
  if kind == 3 then return self:below(100000) / 100 end
  if kind == 4 then return self:below(2 ^ 30) * 10 ^ (self:below(60) - 30) end
  if kind == 5 then return 1760000000 + self:below(1000000) / 1000000 end
  if kind == 6 then return self:pick({ 0, -1, 0.1, 1e15, 1e16, 1e21, 2 ^ 53, -2 ^ 53, 0.5, 1e-7 }) end
  return self:bits()
end

--- The UTF-8 of a code point, surrogates included.
function generate.utf8(point)
  local function tail(shift)
    return 0x80 + math.floor(point / shift) % 64
  end
  if point < 0x80 then return string.char(point) end
  if point < 0x800 then return string.char(0xC0 + math.floor(point / 64), tail(1)) end
  if point < 0x10000 then return string.char(0xE0 + math.floor(point / 4096), tail(64), tail(1)) end
  return string.char(0xF0 + math.floor(point / 262144), tail(4096), tail(64), tail(1))
end

function Source:point()
  local kind = self:below(12)
  if kind == 0 then return self:below(32) end
  if kind == 1 then return self:pick({ 34, 92, 47, 127, 8, 9, 10, 12, 13 }) end
  if kind == 2 then return 0x80 + self:below(0x780) end
  if kind == 3 then return 0x800 + self:below(0xD000) end
  if kind == 4 then return 0xE000 + self:below(0x2000) end
  if kind == 5 then return 0x10000 + self:below(0x100000) end
  return 32 + self:below(95)
end

--- A string of up to `longest` characters; `plain` leaves NUL out.
function Source:string(longest, plain)
  local characters = {}
  for index = 1, self:below(longest + 1) do
    local point = self:point()
    characters[index] = (plain and point == 0) and "0" or generate.utf8(point)
  end
  return table.concat(characters)
end

local object = { __jsontype = "object" }

--- A value to `depth` levels, null and marked empty objects among them.
function Source:value(depth, plain)
  local kind = self:below(depth > 0 and 10 or 6)
  if kind == 0 then return self:pick({ true, false, null }) end
  if kind <= 2 then return self:number() end
  if kind <= 5 then return self:string(self:pick({ 3, 8, 40, 150 }), plain) end
  local value = {}
  if kind <= 7 then
    for index = 1, self:below(6) do
      value[index] = self:value(depth - 1, plain)
    end
    return value
  end
  for _ = 1, self:below(6) do
    value[self:string(8, plain)] = self:value(depth - 1, plain)
  end
  return next(value) == nil and setmetatable(value, object) or value
end

local short = {
  [8] = "\\b", [9] = "\\t", [10] = "\\n", [12] = "\\f", [13] = "\\r", [34] = '\\"', [47] = "\\/", [92] = "\\\\",
}

function Source:space()
  if self:below(4) > 0 then return "" end
  return (self:pick({ " ", "\t", "\r\n", "\n" })):rep(self:pick({ 1, 2, 3, 20, 70 }))
end

function Source:quoted(text)
  local escape = self:pick({ "%04x", "%04X" })
  local often = self:pick({ 1, 3, 20 })
  return '"' .. text:gsub("[%z\1-\127\194-\244][\128-\191]*", function(character)
    local point = generate.points(character)[1]
    if point >= 32 and point ~= 34 and point ~= 92 and self:below(often) > 0 then return nil end
    if short[point] and self:below(2) == 0 then return short[point] end
    if point < 0x10000 then return "\\u" .. escape:format(point) end
    point = point - 0x10000
    return "\\u" .. escape:format(0xD800 + math.floor(point / 1024)) .. "\\u" .. escape:format(0xDC00 + point % 1024)
  end) .. '"'
end

function Source:digits(number)
  local text = ("%.17g"):format(number)
  local kind = self:below(5)
  if kind == 0 then return (text:gsub("e", "E")) end
  if kind == 1 and not text:find("[e.]") then return text .. "." .. ("0"):rep(1 + self:below(30)) end
  if kind == 2 and not text:find("e") then return text .. self:pick({ "e0", "E+00", "e-0" }) end
  if kind == 3 then return ("%.25e"):format(number) end
  return text
end

--- A JSON text of `value`, with whatever spaces, escapes and spellings of numbers the grammar allows.
function Source:text(value)
  local kind = type(value)
  if value == null then return "null" end
  if kind == "string" then return self:quoted(value) end
  if kind == "number" then return self:digits(value) end
  if kind ~= "table" then return tostring(value) end
  local parts = {}
  if next(value) ~= nil and type(next(value)) == "string" then
    -- in an order that is the same for every interpreter
    local names = {}
    for key in pairs(value) do names[#names + 1] = key end
    table.sort(names)
    for index, key in ipairs(names) do
      local name = self:space() .. self:quoted(key) .. self:space()
      parts[index] = name .. ":" .. self:space() .. self:text(value[key]) .. self:space()
    end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  for index, item in ipairs(value) do
    parts[index] = self:space() .. self:text(item) .. self:space()
  end
  if getmetatable(value) == object then return "{" .. self:space() .. "}" end
  return "[" .. (#parts > 0 and table.concat(parts, ",") or self:space()) .. "]"
end

--- The code points of a string; a byte that is not part of UTF-8, which has no surrogates, is 0xDC00
-- more than itself, as python3's surrogateescape has it.
function generate.points(text)
  local points, at = {}, 1
  while at <= #text do
    local a, b, c, d = text:byte(at, at + 3)
    b, c, d = b or 0, c or 0, d or 0
    local function continues(byte) return byte >= 0x80 and byte < 0xC0 end
    local point, size = 0xDC00 + a, 1
    if a < 0x80 then
      point = a
    elseif a >= 0xC2 and a < 0xE0 and continues(b) then
      point, size = (a - 0xC0) * 64 + b - 0x80, 2
    elseif a >= 0xE0 and a < 0xF0 and continues(b) and continues(c) and (a > 0xE0 or b >= 0xA0)
      and (a ~= 0xED or b < 0xA0) then
      point, size = (a - 0xE0) * 4096 + (b - 0x80) * 64 + c - 0x80, 3
    elseif a >= 0xF0 and a < 0xF5 and continues(b) and continues(c) and continues(d)
      and (a > 0xF0 or b >= 0x90) and (a < 0xF4 or b < 0x90) then
      point, size = (a - 0xF0) * 262144 + (b - 0x80) * 4096 + (c - 0x80) * 64 + d - 0x80, 4
    end
    points[#points + 1] = point
    at = at + size
  end
  return points
end

--- What encode must write for a string.
function generate.json(text)
  local parts = generate.points(text)
  for index, point in ipairs(parts) do
    if point ~= 47 and short[point] then
      parts[index] = short[point]
    elseif point < 32 or (point >= 0xDC80 and point <= 0xDCFF) then
      parts[index] = ("\\u%04x"):format(point)
    else
      parts[index] = generate.utf8(point)
    end
  end
  return '"' .. table.concat(parts) .. '"'
end

-- What meets badly: halves of surrogates, beginnings and ends of characters, bytes that begin none,
-- and what looks like escapes, among text that is copied in steps.
local pieces = { "\237\160\189", "\237\184\128", "\237\178\128", "\237\160", "\237", "\160", "\128", "\191", "\192", "\193\128", "\224\159\128",
  "\224\160\128", "\226\130", "\226\130\172", "\240\159\152\128", "\240\159\152", "\240\159", "\240", "\240\143\191\191", "\244\143\191\191",
  "\244\144\128\128", "\245\128\128\128", "\248", "\255", "a", " ", '"', "\\", "\n", "\0", "\31", "\127", "\\udc80", "\\ud83d", "\\ude00", "é", "\209",
  "the quick brown fox jumps", "съешь же ещё этих булок", "天地玄黄宇宙洪荒日月盈昃", "सभी मनुष्यों" }

--- Bytes of any kind, mostly such as meet badly.
function Source:bytes()
  local kind, parts = self:below(5), {}
  for index = 1, self:below(self:pick({ 4, 12, 40 })) + 1 do
    parts[index] = kind > 1 and self:pick(pieces) or string.char(kind * 128 + self:below(256 - kind * 128))
  end
  return table.concat(parts)
end

local function spell(text)
  return '"' .. table.concat(generate.points(text), ".") .. '"'
end

--- A double as sign, integer and power of two, or as 0, -0, inf, -inf.
function generate.exact(number)
  if number == 0 then return 1 / number < 0 and "-0" or "0" end
  if number == math.huge or number == -math.huge then return number > 0 and "inf" or "-inf" end
  local mantissa, exponent = math.frexp(number)
  return ("%.0f:%d"):format(mantissa * 2 ^ 53, exponent)
end

local canon

--- The items of an array, holes as null, as long as its highest index.
local function items(value, options)
  local last, parts = 0, {}
  for index, item in pairs(value) do
    if index > last and not (options.nils and item == null) then last = index end
  end
  for index = 1, last do
    parts[index] = canon(value[index], options)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function members(value, options)
  local parts = {}
  for key, item in pairs(value) do
    if not (options.nils and item == null) then
      parts[#parts + 1] = spell(key) .. "=" .. canon(item, options)
    end
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A value as one line of text that two programs can compare. options.nils: a null member is no
-- member, as in what decode returns; options.loose: an empty object is an empty array, as in what
-- lua-cjson returns.
function canon(value, options)
  options = options or {}
  if value == nil or value == null then return "null" end
  if type(value) == "boolean" then return tostring(value) end
  if type(value) == "number" then return generate.exact(value) end
  if type(value) == "string" then return spell(value) end
  local key = next(value)
  if type(key) == "string" then
    local text = members(value, options)
    return options.loose and text == "{}" and "[]" or text
  end
  local mark = getmetatable(value)
  if key == nil and not options.loose and mark and mark.__jsontype == "object" then return "{}" end
  return items(value, options)
end
generate.canon = canon

-- pairs compiled by Debian 12's LuaJIT skips members now and then
local jit = rawget(_G, "jit")
if jit then
  jit.off(Source.text)
  jit.off(items)
  jit.off(members)
end

--- canon in Python; `exact` too, and `load`, the strict reader.
generate.python = [[
import json, math, sys
sys.setrecursionlimit(10000)
def exact(x):
    if x == 0: return '-0' if math.copysign(1, x) < 0 else '0'
    if math.isinf(x): return 'inf' if x > 0 else '-inf'
    m, e = math.frexp(x)
    return '%d:%d' % (m * 2**53, e)
def raw(c): # the bytes that a character stands for in Lua
    return bytes([ord(c) - 0xdc00]) if '\udc80' <= c <= '\udcff' else c.encode('utf-8', 'surrogatepass')
def spell(s):
    return '"' + '.'.join(str(ord(c)) for c in text(b''.join(map(raw, s)))) + '"'
def canon(v, nils=False):
    if v is None: return 'null'
    if v is True: return 'true'
    if v is False: return 'false'
    if isinstance(v, str): return spell(v)
    if isinstance(v, list):
        while nils and v and v[-1] is None: v.pop()
        return '[' + ','.join(canon(x, nils) for x in v) + ']'
    if isinstance(v, dict):
        members = [spell(k) + '=' + canon(x, nils) for k, x in v.items() if not (nils and x is None)]
        return '{' + ','.join(sorted(members)) + '}'
    return exact(v)
def text(b):
    return b.decode('utf-8', 'surrogateescape')
def refuse(name):
    raise ValueError(name)
def load(b):
    return json.loads(text(b), parse_int=float, parse_constant=refuse)
]]

--- canon in JavaScript.
generate.node = [[
function exact(x) {
  if (x === 0) return Object.is(x, -0) ? '-0' : '0'
  let m = Math.abs(x), e = 53
  while (m < 2 ** 52) { m *= 2; e-- }
  while (m >= 2 ** 53) { m /= 2; e++ }
  return (x < 0 ? '-' : '') + m + ':' + e
}
function spell(s) { return '"' + Array.from(s, c => c.codePointAt(0)).join('.') + '"' }
function canon(v) {
  if (v === null || v === true || v === false) return String(v)
  if (typeof v === 'string') return spell(v)
  if (typeof v === 'number') return exact(v)
  if (Array.isArray(v)) return '[' + v.map(canon).join(',') + ']'
  return '{' + Object.keys(v).map(k => spell(k) + '=' + canon(v[k])).sort().join(',') + '}'
}
]]

--- canon in jq 1.6 and later; `nils` takes the nulls away that decode does.
generate.jq = [[
def spell: "\"" + (explode | map(tostring) | join(".")) + "\"";
def exact: . * 1 # a double: jq 1.7 goes on comparing what was written
  | if . == 0 then (if tostring == "-0" then "-0" else "0" end)
  else frexp | "\(.[0] * 9007199254740992):\(.[1])" end;
def canon: if . == null then "null" elif type == "boolean" then tostring
  elif type == "string" then spell elif type == "number" then exact
  elif type == "array" then "[" + (map(canon) | join(",")) + "]"
  else . as $o | "{" + ([keys[] | spell + "=" + ($o[.] | canon)] | sort | join(",")) + "}" end;
def nils: if type == "array" then map(nils) | until(length == 0 or .[-1] != null; .[:-1])
  elif type == "object" then . as $o | reduce (keys[] | select($o[.] != null)) as $k ({}; .[$k] = ($o[$k] | nils))
  else . end;
]]

local hex, bytes_of = {}, {}
for byte = 0, 255 do
  local text = ("%02x"):format(byte)
  hex[string.char(byte)] = text
  bytes_of[text], bytes_of[text:upper()] = string.char(byte), string.char(byte)
end

--- `bytes` as hexadecimal, for what goes to a process a line at a time.
function generate.hex(bytes)
  return (bytes:gsub(".", hex))
end

--- The bytes that are `text` as hexadecimal.
function generate.unhex(text)
  return (text:gsub("%x%x", bytes_of))
end

return generate
