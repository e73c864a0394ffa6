--- Tables of characters as rows.h reads them, for casefold.lua and widths.lua.
local rows = {}

-- A number in digits of six bits, the lowest first. A backslash is escaped, and what could be a trigraph.
function rows.digits(number, count)
  local text = {}
  for place = 1, count or 4 do
    text[place] = string.char(35 + number % 64):gsub("[\\?]", "\\%0")
    number = math.floor(number / 64)
  end
  return table.concat(text)
end

-- Prints a table, as many rows to a line as fit.
function rows.print(name, list)
  local line = ""
  print("static const char " .. name .. "[] =")
  for _, row in ipairs(list) do
    if #line + #row > 94 then
      print('    "' .. line .. '"')
      line = ""
    end
    line = line .. row
  end
  print('    "' .. line .. '";')
end

return rows
