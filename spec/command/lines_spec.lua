--- Text of several lines as a terminal may show it.
local helper = require("spec.support.helper")
local lines = require("aish_history.command.lines")
local display = require("aish_history").display

describe("lines", function()
  helper.guard(before_each, after_each)

  it("are those of a text, safe to show, with their tabs", function()
    assert.same({ "a\tb\\x1b", "", "c" }, lines.split("a\tb\27\r\n\nc\n"))
    assert.same({ "" }, lines.split(""))
    assert.same({ "a\\rb" }, lines.split("a\rb"))
  end)

  for _, case in ipairs({
    { "one two three", 8, "one two|three" }, { "one two", 7, "one two" }, { "", 5, "" }, { "   ", 2, "" },
    { "abcdefghij k", 4, "abcd|efgh|ij k" }, { "a abcdefgh", 4, "a|abcd|efgh" }, { "    abcdefgh", 6, "abcdef|gh" },
    { "  ab cd", 5, "  ab|cd" }, { "a\tb", 5, "a|b" }, { "日本語日本語", 5, "日本|語日|本語" }, { "日", 1, "日" }, { "one two   ", 7, "one two" }, { "one two   ", 4, "one|two" },
    { "e\204\129e\204\129e\204\129", 2, "e\204\129e\204\129|e\204\129" }, { "a  b   c", 80, "a  b   c" },
  }) do
    it(("of at most %d columns: %s"):format(case[2], case[1]), function()
      assert.equal(case[3], table.concat(lines.wrap(case[1], case[2]), "|"))
    end)
  end

  it("fit, and hold all but spaces, whatever the text", function()
    local text = display(("Wörter 日本語 \27[31m e\204\129 👩\226\128\141💻 "):rep(20) .. ("x"):rep(500) .. ("語"):rep(200))
    for width = 2, 60 do
      local wrapped = lines.wrap(text, width)
      for _, line in ipairs(wrapped) do assert(select(2, display(line)) <= width, line) end
      assert.equal((text:gsub(" ", "")), (table.concat(wrapped):gsub(" ", "")))
    end
  end)

  it("of a long word are made in time in line with it", function()
    assert.equal(25000, #lines.wrap(("x"):rep(2000000), 80))
  end)

  it("are counted with their noun", function()
    assert.same({ "0 files", "1 file", "2 files" }, { lines.count(0, "file"), lines.count(1, "file"), lines.count(2, "file") })
  end)
end)
