-- What stands beside a file: that a link, a FIFO or a stranger's file has the name of the damaged lines was only
-- found when the file had been rewritten.
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
end)
