--- A file that somebody cuts short while it is read: readers take no lock. Wherever it ends all of a
-- sudden, each call gives a part of what was there, without holes and nothing else, or says that it
-- failed; and all of it when the file is whole again. Played on the fault build, see spec/faults/.
local helper = require("spec.support.helper")
local support = require("spec.faults.support")

describe("a file that is cut short while it is read", function()
  helper.guard(before_each, after_each)

  it("gives a part of what was there, and nothing else", function()
    local output = support.run("spec/faults/cut_short.lua", support.tmpdir())
    assert.truthy(output:find(", 0 with problems\n$"), output)
    assert(tonumber(output:match("(%d+) of them with less")) > 100, output)
  end)
end)
