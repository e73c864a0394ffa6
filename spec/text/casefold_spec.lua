--- csrc/text/casefold.h: the table of case mappings in the repository is the one that its script writes.
local helper = require("spec.support.helper")
local support = require("spec.support.recall")

local script, header = "csrc/text/casefold.lua", "csrc/text/casefold.h"

local function written(path)
  return support.output(("exec 2>&1; cd %s && %s %s %s"):format(
    helper.quote(helper.root), helper.lua, script, helper.quote(path)), 1)
end

describe("casefold.h", function()
  helper.guard(before_each, after_each)

  it("is what casefold.lua writes from Unicode's CaseFolding.txt", function()
    local lines, reason = support.case_folding()
    if not lines then return pending(reason) end
    local path = helper.write(helper.tmpdir() .. "/CaseFolding.txt", table.concat(lines, "\n"))
    local function packed(source) return (source:gsub("%s+", "")) end -- the formatter may have put it in columns
    assert(packed(written(path)) == packed(helper.read(header)),
      "it is not: see the top of " .. script .. " for how to write it, then make format")
  end)

  it("takes the mappings of status C and S beyond ASCII, and joins neighbours to ranges", function()
    local text = written(helper.write(helper.tmpdir() .. "/CaseFolding.txt", table.concat({
      "# CaseFolding-1.2.3.txt", "",
      "0041; C; 0061; # ASCII", "00C0; C; 00E0; # a range of step 1", "00C1; C; 00E1; #", "00C2; C; 00E2; #",
      "00DF; F; 0073 0073; # full", "0100; C; 0101; # a range of step 2", "0102; C; 0103; #", "0104; C; 0105; #",
      "0130; T; 0069; # Turkic", "017F; C; 0073; # alone", "1E9E; F; 0073 0073; #", "1E9E; S; 00DF; # simple",
      "10400; C; 10428; # beyond the BMP", "",
    }, "\n")))
    local rows = {}
    for row in text:gmatch("\n    ({.-}),") do rows[#rows + 1] = row end
    assert.same({
      "{0x00c0, 0x00c2, 32, 1}", "{0x0100, 0x0104, 1, 2}", "{0x017f, 0x017f, -268, 1}",
      "{0x1e9e, 0x1e9e, -7615, 1}", "{0x10400, 0x10400, 40, 1}",
    }, rows)
    assert.truthy(text:find("simple case folding of Unicode 1.2.3,", 1, true))
  end)

  it("has its ranges in order, none touching another", function()
    local last, count = 0x7F, 0
    for first, final, _, step in helper.read(header):gmatch("{0x(%x+), 0x(%x+), (%-?%d+), (%d+)}") do
      first, final, count = tonumber(first, 16), tonumber(final, 16), count + 1
      assert(first > last and final >= first and (final - first) % step == 0, ("0x%x"):format(first))
      last = final
    end
    assert.is_true(count > 150)
  end)

  it("makes no letter of a symbol, and no symbol of a letter", function()
    local blocks = {}
    for first, last in helper.read("csrc/text/fold.c"):match("blocks%[%]%[2%] = (%b{})"):gmatch("{0x(%x+), 0x(%x+)}") do
      blocks[#blocks + 1] = { tonumber(first, 16), tonumber(last, 16) }
    end
    assert.is_true(#blocks > 20)
    for first, final, distance, step in helper.read(header):gmatch("{0x(%x+), 0x(%x+), (%-?%d+), (%d+)}") do
      for code = tonumber(first, 16), tonumber(final, 16), tonumber(step) do
        for _, letter in ipairs({ code, code + tonumber(distance) }) do
          for _, block in ipairs(blocks) do assert(letter < block[1] or letter > block[2], ("0x%x"):format(letter)) end
          assert(letter > 0x7F or string.char(letter):find("%w"), ("0x%x"):format(letter))
        end
      end
    end
  end)

  it("is not written without a table to write it from", function()
    assert.truthy(written("/nowhere/CaseFolding.txt"):find("/nowhere/CaseFolding.txt", 1, true))
  end)
end)
