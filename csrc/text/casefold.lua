--- Writes casefold.h from Unicode's UnicodeData.txt, CaseFolding.txt and Scripts.txt:
--     lua casefold.lua /usr/share/unicode > casefold.h
-- How each character beyond ASCII folds: it is decomposed (canonically), its letters are folded (simple
-- case folding, the mappings of status C and S, and the dotless i, which stands beside I), and the marks
-- of Latin, Greek and Cyrillic letters are left out. Hangul syllables are left to a rule.

local directory = assert(arg[1], "usage: lua casefold.lua directory")
local rows = dofile((arg[0]:match(".*/") or "") .. "rows.lua")
local MARKED = { Latin = true, Greek = true, Cyrillic = true }
local GAP = 48 -- of characters that stay as they are, in a block

local version
local decomposition, class, marked, small = {}, {}, {}, { [0x131] = 0x69 }

local function each_line(name, pattern, take)
  for line in assert(io.open(directory .. "/" .. name)):lines() do
    version = version or line:match("^# CaseFolding%-([%d.]+)%.txt")
    local first, second, third = line:match(pattern)
    if first then take(tonumber(first, 16), second, third) end
  end
end

each_line("CaseFolding.txt", "^(%x+); [CS]; (%x+);", function(code, folded)
  small[code] = tonumber(folded, 16)
end)
small[0x345] = nil -- a mark, which fold.c turns into a letter

-- A mark is what has a combining class, and what is nonspacing.
each_line("UnicodeData.txt", "^(%x+);[^;]*;(%u%l;%d+);[^;]*;([^;]*);", function(code, kind, parts)
  local category, combining = kind:match("(%a+);(%d+)")
  if category == "Mn" or combining ~= "0" then class[code] = tonumber(combining) end
  local first, second = parts:match("^(%x+) ?(%x*)$")
  if first then decomposition[code] = { tonumber(first, 16), tonumber(second, 16) or 0 } end
end)

each_line("Scripts.txt", "^(%x+)(%S*)%s*; (%a+) #", function(first, rest, script)
  local last = tonumber(rest:match("%x+") or "", 16) or first
  for code = first, MARKED[script] and last or first - 1 do marked[code] = true end
end)

-- The character that is left of one, its marks left out; nil: there are several, or a mark.
local function folds_to(code)
  local parts = decomposition[code]
  if not parts then return not class[code] and (small[code] or code) or nil end
  local letter = folds_to(parts[1])
  if parts[2] == 0 or class[parts[2]] and marked[letter] then return letter end
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function utf8(code)
  local tail = ""
  for _, lead in ipairs({ 0, 0xC0, 0xE0, 0xF0 }) do
    local room = lead == 0 and 0x80 or (0x100 - lead) / 2
    if code < room then return string.char(lead + code) .. tail end
    tail, code = string.char(0x80 + code % 64) .. tail, math.floor(code / 64)
  end
end

-- What a source may show, and its columns. Letters of scripts that run to the left would turn lines round.
local function shown(code)
  local leftward = code >= 0x10C80 and code < 0x10D00 or code >= 0x1E900 and code < 0x1EA00
  if leftward then return ("\\x%x"):format(code), 7 end
  local wide = code >= 0x3000 and code < 0xA000 or code >= 0xF900 and code < 0xFB00 or code >= 0x20000
  return utf8(code), wide and 2 or 1
end

-- The lines of a string literal, which begins in a column.
local function literal(codes, column)
  local lines, line, width = {}, {}, column
  for _, code in ipairs(codes) do
    local text, size = shown(code)
    if width + size > 95 then
      lines[#lines + 1], line, width = table.concat(line), {}, 5
    end
    line[#line + 1], width = text, width + size
  end
  lines[#lines + 1] = table.concat(line)
  return 'U"' .. table.concat(lines, '"\n     U"') .. '"'
end

local letters, pairs_of = {}, {}
for code in pairs(decomposition) do
  if folds_to(code) then letters[code] = folds_to(code) else pairs_of[code] = decomposition[code] end
end
for code, folded in pairs(small) do
  if code >= 0x80 then letters[code] = folds_to(folded) end
end

local function print_letters()
  local codes, last = {}, nil
  local function finish()
    if not last then return end
    local place = ("    {0x%x, %d, "):format(last - #codes + 1, #codes)
    print(place .. literal(codes, #place) .. "},")
  end
  for _, code in ipairs(sorted_keys(letters)) do
    if not last or code - last > GAP then
      finish()
      codes = {}
    else
      for between = last + 1, code - 1 do
        codes[#codes + 1] = ((class[between] or pairs_of[between]) and "+" or "-"):byte()
      end
    end
    codes[#codes + 1], last = letters[code], code
  end
  finish()
  print("};\n")
end

-- Runs of codes with the same value.
local function runs(map, same)
  local list = {}
  for _, code in ipairs(sorted_keys(map)) do
    local run = list[#list]
    if run and same(run, code) then run.last = code else list[#list + 1] = { first = code, last = code } end
  end
  return list
end

-- The most characters in a row about which the tables say nothing.
local function widest_gap()
  local keys, first, last = {}, 0, 0
  for _, map in ipairs({ letters, pairs_of, class }) do
    for code in pairs(map) do keys[code] = true end
  end
  keys = sorted_keys(keys)
  for index = 2, #keys do
    if keys[index] < 0xAC00 and keys[index] - keys[index - 1] > last - first then
      first, last = keys[index - 1], keys[index]
    end
  end
  return first + 1, last - 1
end

print("/* casefold.h: how characters beyond ASCII fold, by Unicode " .. version .. ". Written by casefold.lua. */")
print("#pragma once\n\n#include <stdint.h>\n\n/* All tables but the first are rows of digits: see rows.h. */")
print("/* clang-format off */\n")
print(("/* None of these is in a table. */\nenum { CALM_FIRST = 0x%x, CALM_LAST = 0x%x };\n"):format(widest_gap()))

print("/* What characters fold to, from `first` on. `-`: to themselves; `+`: see the other tables. */")
print("static const struct letters {\n  uint32_t first, count;\n  const uint32_t *folded;\n} LETTERS[] = {")
print_letters()

print("/* Characters that consist of two: that one, the two, the second perhaps 0. */")
local list = {}
for index, code in ipairs(sorted_keys(pairs_of)) do
  list[index] = rows.digits(code) .. rows.digits(pairs_of[code][1]) .. rows.digits(pairs_of[code][2])
end
rows.print("PAIRS", list)

-- Combining classes are numbered in their order, class 0 being 0.
local ranks, used = {}, {}
for _, number in pairs(class) do used[number] = true end
used = sorted_keys(used)
assert(used[1] == 0 and #used <= 64)
for index, number in ipairs(used) do ranks[number] = index - 1 end

print("\n/* Marks: the first; in a digit each, how many follow it and the number of their class. */")
list = runs(class, function(run, code)
  return code == run.last + 1 and class[code] == class[run.first] and code - run.first < 64
end)
for index, run in ipairs(list) do
  local more, rank = run.last - run.first, ranks[class[run.first]]
  list[index] = rows.digits(run.first) .. rows.digits(more, 1) .. rows.digits(rank, 1)
end
rows.print("MARKS", list)

print("\n/* Folded Latin, Greek and Cyrillic, and what folds to it: first and last. */")
list = runs(marked, function(run, code)
  for between = run.last + 1, code - 1 do
    if not letters[between] then return false end
  end
  return true
end)
for index, run in ipairs(list) do list[index] = rows.digits(run.first) .. rows.digits(run.last) end
rows.print("MARKED", list)
