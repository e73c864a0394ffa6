-- A search took the first line of the file for that of the meta, whereas all other readers take the first
-- one that is not blank: behind blank lines the meta was found as if it were a turn.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("the meta of a session after blank lines", function()
  helper.guard(before_each, after_each)

  local turns = '{"role":"user","content":"a turn"}\n{"role":"assistant","content":"another turn"}\n'

  for label, blank in pairs({
    ["none"] = "", ["one"] = "\n", ["of white space"] = " \t\n\r\n  \n", ["behind a byte order mark"] = "\239\187\191\n\n",
    ["of more than a block"] = ("\n"):rep(300000), ["of white space, of more than a block"] = (" \r\n"):rep(100000) .. "  ",
  }) do
    it("is not found by a search: " .. label, function()
      local dir = helper.tmpdir()
      local path = helper.write(dir .. "/s.jsonl", blank .. '{"meta":{"model":"findme"}}\n' .. turns)
      local _, lines = blank:gsub("\n", "")
      assert.equal("findme", select(2, aish.load(path)).model)
      assert.equal("findme", aish.sessions(dir)[1].meta.model)
      for _, place in ipairs({ path, dir }) do
        assert.same({}, aish.search(place, "findme"))
        assert.same({}, aish.search(place, "findme", { exact = true }))
        assert.same({ lines + 3, lines + 2 }, support.pluck(aish.search(place, "turn"), "line"))
      end
    end)
  end

  it("is not found after a damaged line either", function()
    for _, first in ipairs({ "garbage\n", "\n[]\n", ("x"):rep(300000) .. "\n", '{"me' }) do
      local dir = helper.tmpdir()
      local path = helper.write(dir .. "/s.jsonl", first .. '{"meta":{"model":"findme"}}\n' .. turns)
      assert.equal("findme", select(2, aish.load(path)).model)
      assert.equal("findme", aish.sessions(dir)[1].meta.model)
      assert.same({}, aish.search(path, "findme"))
    end
  end)

  it("is none after another record, and found as that is", function()
    for _, first in ipairs({ "{}\n", '\n{"note":1}\n', "garbage\n{}\n" }) do
      local path = helper.write(helper.tmpdir() .. "/s.jsonl", first .. '{"meta":{"model":"findme"}}\n' .. turns)
      assert.is_nil((select(2, aish.load(path))))
      local _, lines = first:gsub("\n", "")
      assert.same({ lines + 1 }, support.pluck(aish.search(path, "findme"), "line"))
    end
  end)
end)
