--- Writes widths.h from the tables of Unicode's character database in a directory:
--     lua widths.lua /usr/share/unicode > widths.h
-- From the code point of each row on, they have its class: the columns, 1 or 2, of a character that
-- stands by itself; 3, it is controlling or invisible; 4 and the columns, 0 to 2, of a mark that goes
-- with the character before it. Code points that no character has yet are 1 column wide, those after a
-- wide character 2.

local directory = assert(arg[1], "usage: lua widths.lua DIRECTORY")
local rows = dofile((arg[0]:match(".*/") or "") .. "rows.lua")
local LAST = 0x10FFFF
local general, width, hidden = {}, {}, {}
local version

-- Calls `take` with each code point in a file whose property is one of those.
local function each(name, properties, take)
  for line in io.lines(directory .. "/" .. name) do
    version = version or line:match("^# EastAsianWidth%-([%d.]+)%.txt")
    local first, last, property = line:match("^(%x+)%.*(%x*)%s*;%s*([%w_]+)")
    if property and properties[property] then
      for code = tonumber(first, 16), tonumber(last ~= "" and last or first, 16) do take(code) end
    end
  end
end

local first
for line in io.lines(directory .. "/UnicodeData.txt") do
  local code, name, category = line:match("^(%x+);([^;]*);(%a%a);")
  code = tonumber(code, 16)
  for point = name:find(", Last>$") and first or code, code do general[point] = category end
  first = code
end

local function hide(code) hidden[code] = true end
each("EastAsianWidth.txt", { W = true, F = true }, function(code) width[code] = 2 end)
each("HangulSyllableType.txt", { V = true, T = true }, function(code) general[code] = "Mn" end)
each("DerivedCoreProperties.txt", { Default_Ignorable_Code_Point = true }, hide)
each("PropList.txt", { Noncharacter_Code_Point = true }, hide)
for code, category in pairs(general) do
  if category == "Cc" or category == "Cs" or category == "Zl" or category == "Zp" then hide(code) end
end
for code = 0xFFF9, 0xFFFB do hide(code) end -- they annotate text between lines, which one line has not

local function class_of(code, before)
  local category = general[code]
  if hidden[code] then return 3 end
  if category == "Mn" or category == "Me" then return 4 end
  if category == "Mc" then return 4 + (width[code] or 1) end
  return width[code] or (not category and before == 2 and 2) or 1
end

print("/* widths.h: how wide characters are in Unicode " .. version .. ". Written by widths.lua. */")
print("#pragma once\n\n/* clang-format off */")
print("#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n")
print("/* From a code point on, its class: 8 * code point + class, as rows.h reads it. For the classes see")
print(" * widths.lua. */")
local list, before = {}, nil
for code = 0, LAST do
  local class = class_of(code, before)
  if class ~= before then list[#list + 1] = rows.digits(code * 8 + class) end
  before = class
end
rows.print("WIDTHS", list)
