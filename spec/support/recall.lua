--- What the specs of filters, searches and lists share: calls that must raise, times that are some and
-- times that are none, Unicode's case mappings, and whether a tool is there.
local luassert = require("luassert")
local generate = require("spec.support.generate")
local helper = require("spec.support.helper")

local support = {}

--- Whether `tool` is there; a spec without it is shown as pending.
function support.has(tool)
  local status = os.execute("command -v " .. tool .. " >/dev/null 2>&1")
  return status == 0 or status == true
end

--- What the sh command `command` prints; it must succeed, unless it exits with `allowed`.
function support.output(command, allowed)
  local pipe = luassert(io.popen(command .. "; echo status $?"))
  local output, status = pipe:read("*a"):match("^(.*)status (%d+)\n$")
  pipe:close()
  luassert(status == "0" or tonumber(status) == allowed, command .. ": status " .. tostring(status))
  return output
end

--- `call` must raise an error that has every one of the texts in it.
function support.raises(call, ...)
  local results = { pcall(call) }
  luassert.is_false(results[1], "nothing was raised")
  local message = tostring(results[2])
  for _, text in ipairs({ ... }) do
    luassert(message:find(text, 1, true), "no " .. text .. " in: " .. message)
  end
  return message
end

-- Times ----------------------------------------------------------------------------------------

--- Times, and the points in time that they are: as RFC 3339 has them, or beyond all of those.
support.times = {
  { "2026-01-02", "2026-01-02T00:00:00Z" },
  { "2026-01-02T03:04", "2026-01-02T03:04:00Z" },
  { "2026-01-02T03:04Z", "2026-01-02T03:04:00Z" },
  { "2026-01-02T03:04:05", "2026-01-02T03:04:05Z" },
  { "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z" },
  { "2026-01-02t03:04:05.5z", "2026-01-02T03:04:05.5Z" },
  { "2026-01-02T03:04:05.25", "2026-01-02T03:04:05.25Z" },
  { "2026-01-02T03:04+02:00", "2026-01-02T01:04:00Z" },
  { "2026-01-02T03:04:05.5-02:00", "2026-01-02T05:04:05.5Z" },
  { "2026-06-30T23:59:60Z", "2026-07-01T00:00:00Z" },
  { "2024-02-29", "2024-02-29T00:00:00Z" },
  { "2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z" },
  { "0000-01-01", "0000-01-01T00:00:00Z" },
  { "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z" },
  { 0, "1970-01-01T00:00:00Z" },
  { -1, "1969-12-31T23:59:59Z" },
  { 1767323045, "2026-01-02T03:04:05Z" },
  { 1767323044.5, "2026-01-02T03:04:04.5Z" },
  { 1767323044.0001, "2026-01-02T03:04:04.0001Z" },
  { 951782400, "2000-02-29T00:00:00Z" },
  { 4107542400, "2100-03-01T00:00:00Z" },
  { -2203891200, "1900-03-01T00:00:00Z" },
  { 253402300799, "9999-12-31T23:59:59Z" },
  { 253402300800, "9999-12-31T23:59:60Z" },
  { -62167219200, "0000-01-01T00:00:00Z" },
  { 1e300, math.huge },
  { -1e300, -math.huge },
  { math.huge, math.huge },
  { -math.huge, -math.huge },
}

--- Values of `since` and `before` that are no times.
support.no_times = {
  "", "now", "yesterday", "2026", "2026-01", "2026-1-2", "20260102", "2026/01/02", "2026-01-02T", "2026-01-02T03",
  "2026-01-02T03:", "2026-01-02T03:04:", "2026-01-02T03:04:5", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.x",
  "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+00", "2026-01-02T03:04:05+0000", "2026-01-02+01:00", "2026-01-02 03:04:05",
  "2026-01-02T24:00:00Z", "2026-01-02T03:60:00Z", "2026-01-02T03:04:61Z", "2026-01-02Z", "2026-00-01", "2026-13-01", "2026-01-00",
  "2026-01-32", "2026-02-29", "2026-02-30", "2026-04-31", "2026-06-31", "2026-09-31", "2026-11-31", "1900-02-29",
  "2100-02-29T00:00:00Z", " 2026-01-02", "2026-01-02 ", "2026-01-02\n", "2026-01-02\0", "-026-01-02", "12026-01-02",
  "2026-01-02T03:04:05ZZ", "2026-01-02T0a:04:05Z", "2026-0a-02", "Z", "ZZZZZZZZZZZ", "1767323045",
  "\239\188\146026-01-02", ("2"):rep(100000), 0 / 0, true, {}, print,
}

--- Values of `limit`, `last` and `from` that are none.
support.no_counts = { -1, -0.5, -math.huge, 0 / 0, 0.5, 19.999, "20", "many", true, {}, print }

-- Case -----------------------------------------------------------------------------------------

--- Why Python cannot tell how characters fold; nil where it can.
function support.no_folding()
  if not support.has("python3") then return "python3 is not installed" end
  local file = io.open("/usr/share/unicode/DerivedAge.txt")
  if not file then return "unicode-data is not installed" end
  file:close()
end

--- The Unicode version of casefold.h.
function support.unicode_version()
  return (helper.read("csrc/text/casefold.h"):match("Unicode ([%d.]+)%. Written"))
end

--- What spec/support/fold.py prints.
function support.fold_py(arguments)
  return support.output(("python3 %s/spec/support/fold.py %s %s"):format(helper.quote(helper.root), support.unicode_version(), arguments))
end

--- The characters that are the same to a search, each class an array of UTF-8 strings. nil and the reason
-- where Python cannot tell.
function support.same_characters()
  local missing = support.no_folding()
  if missing then return nil, missing end
  local classes = {}
  for line in support.fold_py("classes"):gmatch("[^\n]+") do
    local class = {}
    for character in line:gmatch("[^ ]+") do class[#class + 1] = character end
    classes[#classes + 1] = class
  end
  return classes
end

-- Strings of records ---------------------------------------------------------------------------

--- `text` as a JSON string in which every UTF-16 unit is a \u escape.
function support.escaped(text)
  local parts = {}
  for index, point in ipairs(generate.points(text)) do
    if point < 0x10000 then
      parts[index] = ("\\u%04x"):format(point)
    else
      parts[index] = ("\\u%04X\\u%04x"):format(0xD800 + math.floor((point - 0x10000) / 1024),
        0xDC00 + (point - 0x10000) % 1024)
    end
  end
  return '"' .. table.concat(parts) .. '"'
end

--- `text` as a JSON string with only what must be escaped.
function support.plain(text)
  return '"' .. text:gsub('[%z\1-\31"\\]', function(character)
    return ("\\u%04x"):format(character:byte())
  end) .. '"'
end

--- A turn as a line, its content given as JSON.
function support.turn(content, role, ts)
  return ('{"role":"%s","content":%s%s}\n'):format(role or "user", content, ts and ',"ts":"' .. ts .. '"' or "")
end

--- The field `name` of each element.
function support.pluck(list, name)
  local values = {}
  for index, element in ipairs(list) do values[index] = element[name] end
  return values
end

--- A new directory with the files of the table: name to bytes.
function support.directory(files)
  local dir = helper.tmpdir()
  for name, bytes in pairs(files) do helper.write(dir .. "/" .. name, bytes) end
  return dir
end

--- The rows of a text like widths.h: arrays of the first code point of a class, and the class.
function support.widths(text)
  local found, digits = {}, {}
  for line in text:match("WIDTHS%[%] =(.*)"):gmatch("[^\n]+") do digits[#digits + 1] = line:match('"(.*)"') end
  digits = table.concat(digits):gsub("\\(.)", "%1")
  for row in digits:gmatch("....") do
    local number = 0
    for place = 4, 1, -1 do number = number * 64 + row:byte(place) - 35 end
    found[#found + 1] = { math.floor(number / 8), number % 8 }
  end
  return found
end

return support
