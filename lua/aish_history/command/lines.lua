--- Text of several lines as a terminal may show it.
local aish_history = require("aish_history")

local display = aish_history.display
local lines = {}

--- The lines of a text, each safe to show, but with its tabs.
-- @treturn table an array of strings
function lines.split(text)
  local found = {}
  for line in (text:gsub("\n$", "") .. "\n"):gmatch("([^\n]*)\n") do
    found[#found + 1] = line:gsub("\r$", ""):gsub("[^\t]+", display)
  end
  return found
end

-- The characters of a text that display has given, one at a time: with the marks that follow each.
local function characters(text)
  return text:gmatch("[%z\1-\127\194-\244][\128-\191]*")
end

-- Breaks a word that is too long for a line; returns what is left of it.
local function break_word(word, width, put)
  local part, taken = "", 0
  for character in characters(word) do
    local columns = select(2, display(character))
    if taken + columns > width and part ~= "" then
      put(part)
      part, taken = "", 0
    end
    part, taken = part .. character, taken + columns
  end
  return part, taken
end

--- Breaks a line that is safe to show between words, into lines of at most `width` columns.
-- @treturn table an array of strings
function lines.wrap(line, width)
  line = line:gsub("\t", "    ")
  if select(2, display(line)) <= width then return { line } end
  local found, current, taken = {}, "", 0
  local function put(text) found[#found + 1] = text end
  for spaces, word in line:gmatch("( *)([^ ]*)") do
    local columns = select(2, display(word))
    if taken > 0 and taken + #spaces + columns > width then
      put(current)
      current, taken, spaces = "", 0, ""
    end
    if columns > width then word, columns = break_word(word, width, put) end
    current, taken = current .. spaces .. word, taken + #spaces + columns
  end
  if current:find("[^ ]") then put(current) end
  return found
end

--- A count with its noun: `1 file`, `2 files`.
function lines.count(count, noun)
  return ("%.0f %s%s"):format(count, noun, count == 1 and "" or "s")
end

return lines
