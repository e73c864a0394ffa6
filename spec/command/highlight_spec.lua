--- What of a text is shown as what was searched for.
local helper = require("spec.support.helper")
local highlight = require("aish_history.command.highlight")

local function marked(query, text, exact)
  local shown, any = highlight(query, exact, function(part) return "<" .. part .. ">" end)(text)
  assert.equal(shown:gsub("[<>]", "") ~= shown, any)
  return shown
end

describe("a highlight", function()
  helper.guard(before_each, after_each)

  for _, case in ipairs({
    { "disk", "The disk, DISKS", "The <disk>, <DISK>S" },
    { "disk? full,", "full disk", "<full> <disk>" },
    { "cafe", "Un café, Cafe\204\129.", "Un <café>, <Cafe\204\129>." },
    { "CAFÉ", "cafe", "<cafe>" },
    { "привет", "ПРИВЕТ, мир", "<ПРИВЕТ>, мир" },
    { "ελλάδα", "Ελλαδα", "<Ελλαδα>" },
    { "c++", "C++ or c", "<C++> or c" },
    { "日本", "東京 日本語", "東京 <日本>語" },
    { "aa ab", "aaab", "<aaab>" },
    { "%d", "100%d", "100<%d>" },
    { "...", "wait ...", "wait <...>" },
    { "nowhere", "\\x1b[2J", "\\x1b[2J" },
    { "x", "", "" },
  }) do
    it("of " .. case[1] .. " in " .. case[2], function()
      assert.equal(case[3], marked(case[1], case[2]))
    end)
  end

  it("of a literal text is of the whole", function()
    assert.equal("go <a b> a", marked("A B", "go a b a", true))
  end)

  it("takes nothing away and adds nothing, whatever the bytes", function()
    for _, text in ipairs({ "\255\254a\204", "\204\129", ("é\204\129"):rep(40), "a\0b" }) do
      assert.equal(text, (marked("a e", text):gsub("[<>]", "")))
    end
  end)
end)
