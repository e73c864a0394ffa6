--- display: what is shown of any text, where it is cut, and how wide it is.
local generate = require("spec.support.generate")
local helper = require("spec.support.helper")
local support = require("spec.support.recall")
local native = require("aish_history")

local display = native.display
local utf8 = generate.utf8
local MOST_MARKS, LAST = 30, 0x10FFFF

local function text_of(...)
  local parts = {}
  for index, point in ipairs({ ... }) do parts[index] = utf8(point) end
  return table.concat(parts)
end

-- The plain reading --------------------------------------------------------------------------------

-- The class of each code point that widths.h gives, expanded when it is first asked for.
local classes
local function class_of(point)
  if not classes then
    classes = {}
    local from, class
    local function fill(to)
      for code = from or 0, to do classes[code] = class end
    end
    for _, row in ipairs(support.widths(helper.read("csrc/text/widths.h"))) do
      fill(row[1] - 1)
      from, class = row[1], row[2]
    end
    fill(LAST)
  end
  return classes[point]
end

-- The ranges in a text, as an array of numbers.
local function ranges(text)
  local numbers = {}
  for number in text:gmatch("%x+") do numbers[#numbers + 1] = tonumber(number, 16) end
  return numbers
end

local function within(point, list)
  for index = 1, #list, 2 do
    if point >= list[index] and point <= list[index + 1] then return true end
  end
  return false
end

-- Invisible characters, and those after which they stay as they are.
local MEANINGS = {
  { ranges "180B-180F", ranges "1820-18AA" },
  { ranges "200C-200D", ranges "0600-1CFF A800-ABFF 10A00-11FFF 1E900-1E95F" },
  { ranges "200D-200D", ranges "2190-2BFF FE0F-FE0F 1F000-1FAFF" },
  { ranges "FE00-FE0F", ranges "1000-109F 203C-9FFF A840-A877 1F000-1FAFF" },
  { ranges "FE0E-FE0F", ranges "23-23 2A-2A 30-39 A9-A9 AE-AE" },
  { ranges "E0100-E01EF", ranges "3400-9FFF F900-FAFF 20000-3FFFF" },
}

local function has_meaning(point, before)
  for _, meaning in ipairs(MEANINGS) do
    if within(point, meaning[1]) and within(before, meaning[2]) then return true end
  end
  return false
end

local NAMED = { [9] = "\\t", [10] = "\\n", [13] = "\\r" }

local function escape(point)
  if NAMED[point] then return NAMED[point] end
  if point >= 0xDC80 and point <= 0xDCFF then return ("\\x%02x"):format(point - 0xDC00) end -- a byte
  return (point < 0x80 and "\\x%02x" or point < 0x10000 and "\\u%04x" or "\\U%08x"):format(point)
end

--- What display must return.
local function plain(text, width)
  local parts, columns, before, marks = {}, 0, nil, 0
  local cut = { 0, 0 } -- how many parts and columns there are where it was last allowed to cut
  for _, point in ipairs(generate.points(text)) do
    local class = class_of(point)
    if class == 3 and before and marks < MOST_MARKS and has_meaning(point, before) then
      class = point == 0xFE0F and class_of(before) == 1 and 5 or 4
    elseif class >= 4 and not (before and marks < MOST_MARKS) then
      class = 3
    end
    local part = class == 3 and escape(point) or utf8(point)
    local wide = class == 3 and #part or class % 4
    if class < 4 then cut = { before == 0x200D and #parts - 1 or #parts, columns } end
    if width and columns + wide > width then return table.concat(parts, "", 1, cut[1]), cut[2] end
    parts[#parts + 1], columns = part, columns + wide
    before, marks = class ~= 3 and point or nil, class >= 4 and marks + 1 or 0
  end
  return table.concat(parts), columns
end

-- What holds of every text -------------------------------------------------------------------------

local FORBIDDEN = ranges "0-1F 7F-9F 61C-61C 200E-200F 2028-202E 2066-2069 FEFF-FEFF DC80-DCFF E0000-E007F"

local function check(text, shown, columns, width)
  local function fail(what) error(("%s: %q, %s wide, shown as %q"):format(what, text, tostring(width), shown), 2) end
  for _, point in ipairs(generate.points(shown)) do
    if within(point, FORBIDDEN) then fail(("U+%04X in it"):format(point)) end
  end
  if width and columns > width then fail("wider than asked for") end
  if #shown > 124 * columns then fail("too many bytes") end
  local again, wide = display(shown)
  if again ~= shown or wide ~= columns then fail("shown once more, it is another text") end
  if width and display(text):sub(1, #shown) ~= shown then fail("cut, it is not the beginning of the whole") end
end

describe("display", function()
  helper.guard(before_each, after_each)

  for _, case in ipairs({
    { "plain text", "ls -l ~/x", "ls -l ~/x", 9 },
    { "nothing", "", "", 0 },
    { "newline, return and tab by their names", "a\r\n\tb", "a\\r\\n\\tb", 8 },
    { "an escape sequence", "\27[31mred\27]0;title\7", "\\x1b[31mred\\x1b]0;title\\x07", 27 },
    { "NUL and DEL", "\0\127", "\\x00\\x7f", 8 },
    { "controls of 8 bits", text_of(0x85, 0x9B), "\\u0085\\u009b", 12 },
    { "marks and overrides of direction", text_of(0x202E, 0x61C, 0x200F, 0x2067, 0x2069), "\\u202e\\u061c\\u200f\\u2067\\u2069", 30 },
    { "separators of lines", text_of(0x2028, 0x2029), "\\u2028\\u2029", 12 },
    { "spaces without width", text_of(0x200B, 0x2060, 0xFEFF, 0xAD), "\\u200b\\u2060\\ufeff\\u00ad", 24 },
    { "fillers", text_of(0x3164, 0xFFA0, 0x115F), "\\u3164\\uffa0\\u115f", 18 },
    { "tags", text_of(0x1F3F4, 0xE0067), text_of(0x1F3F4) .. "\\U000e0067", 12 },
    { "noncharacters", text_of(0xFFFE, 0x10FFFF), "\\ufffe\\U0010ffff", 16 },
    { "bytes that are no text", "\255a\192\128", "\\xffa\\xc0\\x80", 13 },
    { "a surrogate", "\237\160\189", "\\xed\\xa0\\xbd", 12 },
    { "a character that is cut off", "\226\130", "\\xe2\\x82", 8 },
    { "a backslash as it is", "C:\\new\\x1b", "C:\\new\\x1b", 10 },
    { "wide characters", "日本語 ｗ", "日本語 ｗ", 9 },
    { "half-width ones", "ｶﾞ", "ｶﾞ", 2 },
    { "combining marks", "e\204\129a\204\136\204\164", "e\204\129a\204\136\204\164", 2 },
    { "Hangul letters", text_of(0x1112, 0x1161, 0x11AB), text_of(0x1112, 0x1161, 0x11AB), 2 },
    { "marks with a place of their own", "हिन्दी", "हिन्दी", 5 },
    { "emoji", "👍", "👍", 2 },
    { "emoji by style", text_of(0x2764, 0xFE0F), text_of(0x2764, 0xFE0F), 2 },
    { "text by style", text_of(0x2764, 0xFE0E), text_of(0x2764, 0xFE0E), 1 },
    { "a wide character with emoji style", text_of(0x2B50, 0xFE0F), text_of(0x2B50, 0xFE0F), 2 },
    { "a key", text_of(0x31, 0xFE0F, 0x20E3), text_of(0x31, 0xFE0F, 0x20E3), 2 },
    { "a family", text_of(0x1F468, 0x200D, 0x1F467), text_of(0x1F468, 0x200D, 0x1F467), 4 },
    { "a flag", text_of(0x1F1E9, 0x1F1EA), text_of(0x1F1E9, 0x1F1EA), 2 },
    { "Persian", "می" .. utf8(0x200C) .. "خواهم", "می" .. utf8(0x200C) .. "خواهم", 7 },
    { "a joiner between Latin letters", text_of(0x61, 0x200D, 0x62, 0x200C), "a\\u200db\\u200c", 14 },
    { "joiners in a row", text_of(0x1F468, 0x200D, 0x200D), text_of(0x1F468, 0x200D) .. "\\u200d", 8 },
    { "variation selectors in a row", text_of(0x1F468, 0xFE0F, 0xFE0F), text_of(0x1F468, 0xFE0F) .. "\\ufe0f", 8 },
    { "a variation selector after a letter", text_of(0x61, 0xFE01, 0x62, 0xE0101), "a\\ufe01b\\U000e0101", 18 },
    { "a form of a Han character", text_of(0x8FBB, 0xE0101), text_of(0x8FBB, 0xE0101), 2 },
    { "a mark at the start", text_of(0x301, 0x61), "\\u0301a", 7 },
    { "a mark after an escape", text_of(0x0A, 0x301, 0x20DD), "\\n\\u0301\\u20dd", 14 },
    { "a joiner at the start", text_of(0x200D), "\\u200d", 6 },
  }) do
    it("shows " .. case[1], function()
      assert.same({ case[3], case[4] }, { display(case[2]) })
      check(case[2], case[3], case[4])
    end)
  end

  for _, case in ipairs({
    { "between characters", "abc", { "", "a", "ab", "abc", "abc" } },
    { "not within a wide one", "a日本", { "", "a", "a", "a日", "a日", "a日本" } },
    { "not within an escape", "a\27b", { "", "a", "a", "a", "a", "a\\x1b", "a\\x1bb" } },
    { "not before a mark", "e\204\129\204\136x", { "", "e\204\129\204\136", "e\204\129\204\136x" } },
    { "not before a mark that has a column", "हिक", { "", "", "हि", "हिक" } },
    { "not before a style", text_of(0x61, 0x2764, 0xFE0F), { "", "a", "a", text_of(0x61, 0x2764, 0xFE0F) } },
    { "not after a joiner", text_of(0x1F468, 0x200D, 0x1F467), { "", "", utf8(0x1F468), utf8(0x1F468), text_of(0x1F468, 0x200D, 0x1F467) } },
    { "where a text ends with a joiner, not at all", text_of(0x1F468, 0x200D), { "", "", text_of(0x1F468, 0x200D) } },
  }) do
    it("is cut " .. case[1], function()
      for index, shown in ipairs(case[3]) do
        local wide = select(2, display(shown))
        assert.same({ shown, wide }, { display(case[2], index - 1) })
        check(case[2], shown, wide, index - 1)
      end
    end)
  end

  it("takes a width of any size, and none", function()
    for _, width in ipairs({ 3, 1e15, 2 ^ 53, 1e300, math.huge, false }) do
      assert.same({ "abc", 3 }, { display("abc", width or nil) })
    end
  end)

  it("raises what is no text and no width", function()
    for _, text in ipairs({ 12, true, {}, print }) do support.raises(function() display(text) end, "text must be a string") end
    support.raises(function() display() end, "text must be a string")
    support.raises(function() display(nil, 3) end, "text must be a string")
    for _, width in ipairs({ "3", true, {}, print }) do
      support.raises(function() display("a", width) end, "#2", "width must be a number, got " .. type(width))
    end
    for _, width in ipairs({ -1, 0.5, -math.huge, 0 / 0 }) do
      support.raises(function() display("a", width) end, "#2", "width must be a whole number from 0")
    end
    support.raises(function() display("a", 1, 2) end, "no more than 2 arguments expected")
  end)

  it("shows each code point as its class says", function()
    local base = utf8(0x915) -- a joiner has a meaning after it
    for first = 0, LAST, 64 do
      local parts = {}
      for point = first, first + 63 do
        -- of the planes that are all alike the beginnings and ends
        if first < 0x40000 or first % 0x10000 < 0x1000 or first % 0x10000 >= 0xFFC0 then parts[#parts + 1] = base .. utf8(point) end
      end
      local text = table.concat(parts)
      local shown, columns = display(text)
      local expected, wide = plain(text)
      if shown ~= expected or columns ~= wide then
        for _, part in ipairs(parts) do assert.same({ plain(part) }, { display(part) }) end
        assert.same({ expected, wide }, { shown, columns })
      end
    end
  end)

  it("keeps an invisible character after those with which it has a meaning, to the last", function()
    local function around(list)
      local points = {}
      for index = 1, #list, 2 do
        for _, point in ipairs({ list[index] - 1, list[index], list[index + 1], list[index + 1] + 1 }) do points[#points + 1] = point end
      end
      return points
    end
    for _, meaning in ipairs(MEANINGS) do
      for _, point in ipairs(around(meaning[1])) do
        for _, before in ipairs(around(meaning[2])) do
          local text = text_of(before, point)
          assert.same({ plain(text) }, { display(text) })
        end
      end
    end
  end)

  it("leaves the sequences that Unicode has for emoji as they are", function()
    local count = 0
    for _, name in ipairs({ "emoji-zwj-sequences", "emoji-sequences", "emoji-variation-sequences" }) do
      local file = io.open("/usr/share/unicode/emoji/" .. name .. ".txt")
      if not file then return pending("unicode-data is not installed") end
      for line in file:lines() do
        local points = {}
        for point in (line:match("^(%x+ [%x ]+);") or ""):gmatch("%x+") do points[#points + 1] = tonumber(point, 16) end
        if #points > 1 and not (points[2] >= 0xE0000 and points[2] <= 0xE007F) then -- flags of tags are escaped
          local text = text_of(unpack(points))
          assert.equal(text, (display(text)))
          count = count + 1
        end
      end
      file:close()
    end
    assert.is_true(count > 3000)
  end)

  it("shows no more than 30 marks in a row, and what is cut is bounded", function()
    local flood = ("\204\129"):rep(100000)
    local shown, columns = display("e" .. flood)
    assert.equal("e" .. ("\204\129"):rep(MOST_MARKS) .. ("\\u0301"):rep(100000 - MOST_MARKS), shown)
    assert.equal(1 + 6 * (100000 - MOST_MARKS), columns)
    assert.same({ "e" .. ("\204\129"):rep(MOST_MARKS), 1 }, { display("e" .. flood, 6) })
    local styles = text_of(0x1F468, 0x200D, 0xFE0F)
    for _, text in ipairs({ flood, "日" .. flood, styles:rep(50000), text_of(0x915, 0x93F):rep(2) .. utf8(0x93F):rep(50000),
      (utf8(0x915) .. utf8(0x94D) .. utf8(0x200D)):rep(50000) }) do
      for _, width in ipairs({ 1, 2, 7, 80 }) do
        local cut, wide = display(text, width)
        check(text, cut, wide, width)
      end
    end
  end)

  it("does with any bytes what the plain reading does, and keeps its promises", function()
    local source = generate.new(20260102)
    local pieces = { "a", "1", "\\", "\n", "\27[", "\204\129", "\204\136", "日", utf8(0x200D), utf8(0x200C), utf8(0xFE0F), utf8(0xFE0E),
      utf8(0x1F468), utf8(0x2764), utf8(0x1F3FD), utf8(0x915), utf8(0x93F), utf8(0x94D), utf8(0x645), utf8(0x1820), utf8(0x180B),
      utf8(0x202E), utf8(0xE0101), utf8(0xE0041), utf8(0x1112), utf8(0x1161), utf8(0x302E), "\255", "\237\160\189" }
    for _ = 1, 3000 do
      local parts = {}
      for index = 1, source:below(12) do
        parts[index] = source:below(4) == 0 and source:bytes() or source:pick(pieces)
        if source:below(40) == 0 then parts[index] = parts[index]:rep(source:below(40)) end
      end
      local text = table.concat(parts)
      for _, width in ipairs({ false, 0, 1, 2, source:below(20), source:below(80) }) do
        local shown, columns = display(text, width or nil)
        local expected, wide = plain(text, width)
        if shown ~= expected or columns ~= wide then
          error(("%q, %s wide: %q, %d, not %q, %d"):format(text, tostring(width), shown, columns, expected, wide))
        end
        check(text, shown, columns, width)
      end
    end
  end)
end)
