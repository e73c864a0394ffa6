--- Characters and their bytes, as decode, search and sessions show them.
local assert = require("luassert")
local generate = require("spec.support.generate")
local helper = require("spec.support.helper")
local native = require("aish_history")
local support = require("spec.support.recall")

-- How many records with this content a query finds.
local function found(content, query)
  local path = helper.write(helper.tmpdir() .. "/s.jsonl", '{"content":"' .. content .. '"}\n')
  return #assert(native.search(path, query))
end

describe("UTF-8", function()
  helper.guard(before_each, after_each)

  it("is written for each code point at the borders of its sizes", function()
    for _, code in ipairs({ 1, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF }) do
      local text = generate.utf8(code)
      assert.equal(text, native.decode(support.escaped(text)))
    end
  end)

  it("is read in sizes of two, three and four bytes", function()
    for small, capital in pairs({ ["é"] = "É", ["ḁ"] = "Ḁ", ["𐐨"] = "𐐀" }) do
      assert.same({ 1, 1 }, { found(small, capital), found(capital, small) })
    end
  end)

  it("is not an overlong form, a surrogate or a beginning", function()
    assert.equal(0, found("\224\131\137", "é")) -- U+00C9 in three bytes
    assert.equal(0, found("\240\144\144", "𐐨"))
    assert.equal(1, found("a\224\130\133b", "a\224\130\133b")) -- U+0085, white space, in three bytes
    assert.equal(0, found("b a", "a\224\130\133b"))
    assert.equal(1, found("b a", "a\194\133b"))
    assert.equal(1, found("x\237\160\128", "X\237\160\128"))
    assert.equal(1, found("x\195", "X\195"))
  end)

  it("is cut between characters, and anywhere where it is none", function()
    for _, case in ipairs({ { "€", 3 }, { "😀", 4 }, { "é", 2 }, { "\128", 1 } }) do
      local dir = helper.tmpdir()
      helper.write(dir .. "/s.jsonl", support.turn(support.plain(case[1]:rep(200))))
      assert.equal(200 - 200 % case[2], #native.sessions(dir)[1].first)
    end
  end)

  -- The first three bytes are a character, the fourth is none.
  it("is cut anywhere behind a character that is over", function()
    local dir = helper.tmpdir()
    helper.write(dir .. "/s.jsonl", support.turn(support.plain("x" .. ("\239\128\128\128"):rep(60))))
    assert.equal(200, #native.sessions(dir)[1].first)
  end)
end)
