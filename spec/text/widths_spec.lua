--- csrc/text/widths.h: the table of widths in the repository is the one that its script writes, and says of
-- every character what Python's tables say.
local helper = require("spec.support.helper")
local support = require("spec.support.recall")

local script, header = "csrc/text/widths.lua", "csrc/text/widths.h"
local UNICODE = "/usr/share/unicode"

local function written(directory)
  return support.output(("exec 2>&1; %s %s %s"):format(helper.lua, script, helper.quote(directory)), 1)
end

local function version_of(text) return text:match("in Unicode ([%d.]+)%. Written") end

describe("widths.h", function()
  helper.guard(before_each, after_each)

  it("is what widths.lua writes from Unicode's tables", function()
    local file = io.open(UNICODE .. "/EastAsianWidth.txt")
    if not file then return pending("unicode-data is not installed") end
    local installed, own = file:read("*l"):match("%-([%d.]+)%.txt"), version_of(helper.read(header))
    file:close()
    if installed ~= own then return pending("the installed unicode-data is of " .. installed .. ", not " .. own) end
    local function packed(source) return (source:gsub("%s+", "")) end -- the formatter may have put it in columns
    assert(packed(written(UNICODE)) == packed(helper.read(header)),
      "it is not: see the top of " .. script .. " for how to write it, then make format")
  end)

  it("is written by the rules at the top of the script", function()
    local text = written(support.directory({
      ["EastAsianWidth.txt"] = "# EastAsianWidth-1.2.3.txt\n0041;Na # x\n4E00..4E02;W # x\n4E10;F # x\n302E;W # x\n",
      ["UnicodeData.txt"] = "0000;<control>;Cc;0;x\n0041;A;Lu;0;x\n0300;MARK;Mn;0;x\n0301;MARK;Me;0;x\n0903;SIGN;Mc;0;x\n"
        .. "302E;TONE;Mc;0;x\n4E00;<Han, First>;Lo;0;x\n4E02;<Han, Last>;Lo;0;x\n4E05;Y;Lo;0;x\n",
      ["HangulSyllableType.txt"] = "1161..1162   ; V # x\n11A8   ; T # x\n11B0 ; L # x\n",
      ["DerivedCoreProperties.txt"] = "200B..200D    ; Default_Ignorable_Code_Point # x\n0041 ; Alphabetic # x\n0300 ; Default_Ignorable_Code_Point # x\n",
      ["PropList.txt"] = "FFFE..FFFF ; Noncharacter_Code_Point # x\n",
    }))
    assert.equal("1.2.3", version_of(text))
    assert.same({
      { 0, 3 }, { 1, 1 }, { 0x300, 3 }, { 0x301, 4 }, { 0x302, 1 }, { 0x903, 5 }, { 0x904, 1 }, { 0x1161, 4 }, { 0x1163, 1 },
      { 0x11A8, 4 }, { 0x11A9, 1 }, { 0x200B, 3 }, { 0x200E, 1 }, { 0x302E, 6 }, { 0x302F, 1 }, { 0x4E00, 2 }, { 0x4E05, 1 },
      { 0x4E10, 2 }, { 0xFFF9, 3 }, { 0xFFFC, 1 }, { 0xFFFE, 3 }, { 0x10000, 1 },
    }, support.widths(text))
  end)

  it("begins at 0, in order, each class another one than the class before", function()
    local last = { -1 }
    local list = support.widths(helper.read(header))
    for _, entry in ipairs(list) do
      assert(entry[1] > last[1] and entry[2] ~= last[2] and entry[2] >= 1 and entry[2] <= 6, ("0x%x"):format(entry[1]))
      last = entry
    end
    assert.equal(0, list[1][1])
    assert.is_true(#list > 900)
  end)

  it("says of every character what Python's unicodedata says", function()
    if not support.has("python3") then return pending("python3 is not installed") end
    local own = version_of(helper.read(header))
    -- what is invisible is no property that Python has: here it is written out
    local program = helper.write(helper.tmpdir() .. "/compare.py", [[
import re, sys, unicodedata
def numbers(version): return [int(part) for part in version.split('.')]
if numbers(unicodedata.unidata_version) > numbers(sys.argv[1]):
    print('later', unicodedata.unidata_version)
    sys.exit()
digits = ''.join(re.findall('"(.*)"', open(sys.argv[2]).read().split('WIDTHS[]')[1]))
digits = [ord(digit) - 35 for digit in re.sub(r'\\(.)', r'\1', digits)]
table = [sum(digits[at + place] << 6 * place for place in range(4)) for at in range(0, len(digits), 4)]
table.append(0x110000 << 3)
classes = {}
for here, there in zip(table, table[1:]):
    for code in range(here >> 3, there >> 3): classes[code] = here & 7
shown = {*range(0x600, 0x606), 0x6dd, 0x70f, 0x890, 0x891, 0x8e2, 0x110bd, 0x110cd, *range(0x13430, 0x13440)}
hidden = {0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, *range(0x180b, 0x1810), 0x3164, 0xffa0,
          *range(0xfe00, 0xfe10), *range(0xe0100, 0xe01f0)}
compared = 0
for code in range(0x110000):
    category, wide = unicodedata.category(chr(code)), unicodedata.east_asian_width(chr(code)) in 'WF'
    if category == 'Cn': continue
    compared += 1
    if category in ('Cc', 'Cs', 'Zl', 'Zp') or code in hidden or category == 'Cf' and code not in shown: want = 3
    elif category in ('Mn', 'Me') or 0x1160 <= code < 0x1200 or 0xd7b0 <= code < 0xd800: want = 4
    elif category == 'Mc': want = 5 + wide
    else: want = 1 + wide
    if classes[code] != want: print('%04x: %d, not %d' % (code, classes[code], want))
print(compared, 'compared')
]])
    local output = support.output(("python3 %s %s %s"):format(helper.quote(program), own, header))
    if output:find("later", 1, true) then return pending("Python's tables are " .. output .. "than " .. own) end
    local count = output:match("^(%d+) compared\n$")
    assert(count and tonumber(count) > 280000, output)
  end)

  it("is not written without tables to write it from", function()
    assert.truthy(written("/nowhere"):find("/nowhere/UnicodeData.txt", 1, true))
  end)
end)
