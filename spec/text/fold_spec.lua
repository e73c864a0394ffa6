--- csrc/text/fold.c against Python's tables of Unicode: every character alone and beside marks, and random
-- texts in several spellings.
local assert = require("luassert")
local helper = require("spec.support.helper")
local support = require("spec.support.recall")

local function built(dir)
  local program = dir .. "/fold"
  support.output(("cd %s && ${CC:-cc} -std=c11 -O1 -Icsrc -o %s spec/support/fold.c csrc/text/fold.c csrc/base/*.c -lm -lpthread")
    :format(helper.quote(helper.root), helper.quote(program)))
  return program
end

describe("fold", function()
  helper.guard(before_each, after_each)

  it("makes of each character and of random texts what Python's tables say", function()
    local missing = support.no_folding()
    if missing then return pending(missing) end
    local dir = helper.tmpdir()
    support.fold_py(("lines %s %s"):format(helper.quote(dir .. "/texts"), helper.quote(dir .. "/expected")))
    support.output(("%s <%s >%s"):format(helper.quote(built(dir)), helper.quote(dir .. "/texts"), helper.quote(dir .. "/folded")))
    local texts, expected, folded = helper.lines(dir .. "/texts"), helper.lines(dir .. "/expected"), helper.lines(dir .. "/folded")
    assert.is_true(#texts > 100000 and #texts == #expected and #texts == #folded)
    for index, text in ipairs(texts) do
      if folded[index] ~= expected[index] then
        error(("%q folds to %q, not %q"):format(text:sub(1, 100), folded[index]:sub(1, 100), expected[index]:sub(1, 100)))
      end
    end
  end)
end)
