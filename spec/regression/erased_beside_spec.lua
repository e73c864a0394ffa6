-- What stands beside a file: that a link, a FIFO or a stranger's file has the name of the damaged lines was only
-- found when the file had been rewritten; what a crash had left beside the file that a link of a directory leads to
-- stayed; and a file was counted for each link to it.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")

describe("what stands beside a file that text is erased from", function()
  helper.guard(before_each, after_each)

  it("is looked at before anything is written", function()
    for _, make in ipairs({ "ln -s other %s", "mkfifo %s", "mkdir %s", "ln other %s" }) do
      for _, what in ipairs({ "secret", function(text) return (text:gsub("secret", "-")) end }) do
        local dir = helper.tmpdir()
        local bytes = support.meta .. support.item(1, "secret")
        local path = helper.write(dir .. "/memory.jsonl", bytes)
        helper.write(dir .. "/other", "")
        os.execute(("cd %s && " .. make):format(dir, "memory.jsonl.damaged"))
        local result, message, _, report = aish.erase(path, what)
        assert.is_nil(result)
        assert.same({ files = 0, records = 0, occurrences = 0, left = 0, failed = { [path] = message } }, report)
        assert.equal(bytes, helper.read(path))
      end
    end
  end)

  it("goes also where a link in the directory leads to", function()
    for _, options in ipairs({ { dry_run = true }, {} }) do
      local dir, real = helper.tmpdir(), helper.tmpdir()
      helper.write(real .. "/memory.jsonl", support.item(1, "x"))
      assert(lfs.link(real .. "/memory.jsonl", dir .. "/a.jsonl", true))
      local left = helper.write(real .. "/memory.jsonl.compact-12345678950dfaa9", "secret") -- such a name as only this module gives
      assert(aish.erase(dir, "secret", options))
      assert.equal(options.dry_run and "file" or nil, (lfs.attributes(left, "mode")))
    end
  end)

  it("is counted once, however many links lead to it", function()
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/b.jsonl", support.item(1, "secret"):gsub('"id"', '"secret":1,"id"') .. "")
    assert(lfs.link("b.jsonl", dir .. "/a.jsonl", true))
    assert(lfs.link(path, dir .. "/c.jsonl", true))
    for _, what in ipairs({ "secret", function(text) return (text:gsub("secret", "-")) end }) do
      local left = type(what) == "string" and 1 or 0
      local expected = { files = 1, records = 1, occurrences = 1, left = left, failed = {} }
      assert.same(expected, assert(aish.erase(dir, what, { dry_run = true })))
      helper.write(path, helper.read(path):gsub("%[erased%]", "secret") .. "")
      assert.same(expected, assert(aish.erase(dir, what)))
      helper.write(path, helper.read(path):gsub("%[erased%]", "secret") .. "")
    end
  end)
end)
