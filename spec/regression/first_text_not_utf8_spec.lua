-- The first text of a session that is no UTF-8 was cut back over every byte from 0x80 to 0xbf, to
-- nothing in the end. Found by spec/fuzz/read.c.
local aish = require("aish_history")
local helper = require("spec.support.helper")

local function first_of(text)
  local dir = helper.tmpdir()
  helper.write(dir .. "/a.jsonl", '{"role":"user","content":"' .. text .. '"}\n')
  return aish.sessions(dir)[1].first
end

describe("the first text of a session", function()
  helper.guard(before_each, after_each)

  it("is cut anywhere where it is not UTF-8", function()
    assert.equal(("\179"):rep(200), first_of(("\179"):rep(500)))
    assert.equal(("a"):rep(190) .. ("\179"):rep(10), first_of(("a"):rep(190) .. ("\179"):rep(50)))
  end)

  it("is cut between characters where it is", function()
    for _, character in ipairs({ "a", "\195\175", "\226\130\172", "\240\159\152\128" }) do
      for lead = 0, 5 do
        local text = ("x"):rep(lead) .. character:rep(250)
        local whole = lead + math.floor((200 - lead) / #character) * #character
        assert.equal(text:sub(1, whole), first_of(text))
      end
    end
  end)
end)
