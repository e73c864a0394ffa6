-- A session without a meta whose first turn had a member `meta` lost that turn: load, search and the list
-- of sessions took it for the session's meta.
local aish = require("aish_history")
local helper = require("spec.support.helper")

describe("a first turn with a member meta", function()
  helper.guard(before_each, after_each)

  for label, blank in pairs({ ["first"] = "", ["behind blank lines"] = "\n \r\n" }) do
    it("is a turn: " .. label, function()
      local dir = helper.tmpdir()
      local path = helper.write(dir .. "/s.jsonl", blank .. '{"role":"user","content":"x","meta":{"cwd":"/srv"}}\n')
      local turn = { role = "user", content = "x", meta = { cwd = "/srv" } }
      for _, options in ipairs({ {}, { last = 5 }, { all = true } }) do
        local turns, meta = aish.load(path, options)
        assert.same({ turn }, turns)
        assert.is_nil(meta)
      end
      assert.same(turn, aish.search(path, "x")[1].record)
      for _, count in ipairs({ true, false }) do
        local entry = aish.sessions(dir, { count = count, empty = false })[1]
        assert.equal("x", entry.first)
        assert.is_nil(entry.meta)
      end
    end)
  end
end)
