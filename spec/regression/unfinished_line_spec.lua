-- A reader that took no lock came to the end of the file in the middle of another process's write and
-- went on with what had arrived since: the rest of that line became a line of its own, its id was never
-- learnt, and was given a second time. And where that write failed and another line came to its place,
-- the reader joined the beginning of the one to the end of the other. Played on the fault build, see spec/faults/.
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")

describe("a line that is being written while it is read", function()
  helper.guard(before_each, after_each)

  it("is there as a whole or not yet, whichever call reads it", function()
    local output = faults.run("spec/faults/growing.lua", faults.tmpdir())
    assert.truthy(output:find(", 0 with problems\n$"), output)
    assert(tonumber(output:match("(%d+) cases")) > 200, output)
  end)
end)
