-- A table with 1 and "1" as keys was written as an object with one key twice, of which a reader sees
-- only the last.
local helper = require("spec.support.helper")
local aish = require("aish_history")

describe("a key that is there as a number and as a string", function()
  helper.guard(before_each, after_each)

  it("is refused by its name, and nothing is written", function()
    local value, message = aish.encode({ [1] = "a", ["1"] = "b", x = 1 })
    assert.is_nil(value)
    assert.equal("value[1]: the number and the string are the same key", message)
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path, nil, { sync = "none" }))
    assert.has_error(function() session:append({ role = "user", calls = { [2] = "a", ["2"] = "b" } }) end)
    session:close()
    assert.equal("", helper.read(path))
  end)
end)
