-- The list of sessions read 16 KiB for the first user turn unless it counted the turns: behind a long
-- system turn it was not found.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.recall")

describe("the first user turn after a long system turn", function()
  helper.guard(before_each, after_each)

  it("is found without counting", function()
    for _, size in ipairs({ 16384, 262144, 1000000 }) do
      local dir = support.directory({ ["s.jsonl"] = '{"meta":{}}\n' .. support.turn('"' .. ("x"):rep(size) .. '"', "system") .. support.turn('"found"') })
      assert.equal("found", aish.sessions(dir, { count = false })[1].first)
    end
  end)
end)
