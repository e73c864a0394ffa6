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

local JOINER = "\226\128\141" -- of two emoji, of which the second may come on the next line

-- Puts the pieces of a word that is too long for a line; returns the last one and its columns. A piece is
-- looked for in so much of the word that it is surely in it.
local function break_word(word, width, put)
  local at = 1
  while true do
    local part, columns = display(word:sub(at, at + 8 * width + 256), width)
    if part == "" or word:sub(at, at + #part - 1) ~= part or at + #part > #word then
      return word:sub(at), columns
    end
    if word:sub(at + #part, at + #part + #JOINER - 1) == JOINER then part = part .. JOINER end
    put(part)
    at = at + #part
  end
end

--- Breaks a line that is safe to show between words, into lines of at most `width` columns.
-- @treturn table an array of strings
function lines.wrap(line, width)
  line = line:gsub("\t", "    "):gsub(" +$", "")
  if select(2, display(line)) <= width then return { line } end
  local found, current, taken = {}, "", 0
  local function put(text) found[#found + 1] = text end
  for before, next_word in line:gmatch("( *)([^ ]*)") do
    local spaces, word, columns = before, next_word, select(2, display(next_word))
    if taken > 0 and taken + #spaces + columns > width then
      put(current)
      current, taken, spaces = "", 0, ""
    end
    if columns > width then
      word, columns = break_word(word, width, put)
      spaces = ""
    end
    current, taken = current .. spaces .. word, taken + #spaces + columns
  end
  put(current)
  return found
end

--- A text that is safe to show, in at most so many columns: where it is cut it ends with an ellipsis.
-- @treturn string
-- @treturn number its columns
function lines.cut(text, width)
  local shown, columns = display(text)
  if columns <= width then return shown, columns end
  shown, columns = display(text, width - 1)
  return shown .. "…", columns + 1
end

--- A count with its noun: `1 file`, `2 files`.
function lines.count(count, noun)
  return ("%.0f %s%s"):format(count, noun, count == 1 and "" or "s")
end

--- The same, and how many of them are something: `3 items, 1 of them active`, `1 item, not active`.
function lines.among(count, noun, some, what)
  local part = ("%.0f of them %s"):format(some, what)
  if count == 1 then part = some == 1 and what or "not " .. what end
  return lines.count(count, noun) .. ", " .. part
end

return lines
