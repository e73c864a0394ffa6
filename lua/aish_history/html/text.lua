--- Text of a session as text of a page: nothing in it is markup, and what cannot be seen is shown.
local aish_history = require("aish_history")

local text = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(line) return (line:gsub("[&<>\"']", ENTITIES)) end

--- How many bytes the character at a byte has that `display` has written as this kind of escape.
local function bytes_of(kind, lead)
  if kind == "U" then return 4 end
  if kind == "u" then return lead < 0xe0 and 2 or 3 end
  return 1
end

local SIZES = { x = 4, u = 6, U = 10 }

--- A line with each escape of `display` marked, as which it stands for something else than itself: where
-- the line and what is shown of it differ, there is one.
local function mark(line, shown)
  local parts, at, place, from = {}, 1, 1, 1
  while place <= #shown do
    if line:byte(at) == shown:byte(place) then
      at, place = at + 1, place + 1
    else
      local kind = shown:sub(place + 1, place + 1)
      local past = place + (SIZES[kind] or 2)
      parts[#parts + 1] = escape(shown:sub(from, place - 1))
      parts[#parts + 1] = '<span class="raw">' .. shown:sub(place, past - 1) .. "</span>"
      at, place, from = at + bytes_of(kind, line:byte(at)), past, past
    end
  end
  parts[#parts + 1] = escape(shown:sub(from))
  return table.concat(parts)
end

local function show(line)
  local shown = aish_history.display(line)
  return shown == line and escape(line) or mark(line, shown)
end

--- A text of one line as HTML, cut at so many columns where `width` is given.
function text.line(line, width)
  if width then return escape((aish_history.display(line, width))) end
  return show(line)
end

--- A text as HTML, to be shown with its white space: lines and tabs stay. Of anything else, control
-- characters, marks of direction and bytes that are no text are shown as escapes in elements of class `raw`.
function text.lines(value)
  return (value:gsub("\r\n", "\n"):gsub("[^\n\t]+", show))
end

-- ---- values ----

local function sorted_names(value)
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

--- What follows the label of a value without members: on the same line, or on lines of its own.
local function scalar(value, indent)
  if type(value) ~= "string" then return " " .. aish_history.encode(value) end
  if not value:find("\n") then return " " .. value end
  return (("\n" .. value):gsub("\n", "\n" .. indent))
end

local add_members

local function add(parts, label, value, indent)
  local has_members = type(value) == "table" and next(value) ~= nil
  parts[#parts + 1] = indent .. label .. (has_members and "" or scalar(value, indent .. "  "))
  if has_members then add_members(parts, value, indent .. "  ") end
end

--- Adds the members of a table to an array of lines.
function add_members(parts, value, indent)
  if #value > 0 then
    for _, element in ipairs(value) do add(parts, "-", element, indent) end
    return
  end
  for _, name in ipairs(sorted_names(value)) do add(parts, tostring(name) .. ":", value[name], indent) end
end

--- A decoded value as text that is easy to read: a member or an element a line, strings as they are.
function text.of_value(value)
  if type(value) == "string" then return value end
  if type(value) ~= "table" then return aish_history.encode(value) end
  local parts = {}
  add_members(parts, value, "")
  return table.concat(parts, "\n")
end

return text
