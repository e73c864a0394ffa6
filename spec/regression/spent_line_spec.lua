-- A line that is one object and ends in NUL bytes or byte order marks was looked at once more after its memory
-- held another part of the file: scan and follow crashed, or gave records that nobody wrote.
local aish = require("aish_history")
local helper = require("spec.support.helper")

describe("a line with separators after its object", function()
  helper.guard(before_each, after_each)

  for label, separators in pairs({ marks = "\239\187\191", zeros = "\0\0", both = "\0\239\187\191\0" }) do
    it("is not looked at again once it is given: " .. label, function()
      local nested = ('{"role":"user","x":[%s0]}\n'):format(('{"role":"user","content":"inner"},'):rep(20))
      for lead = 0, 20 do
        local first = ('{"n":%d}%s\n'):format(lead, separators)
        local bytes = ("\n"):rep(lead) .. first .. nested:rep(100)
        local path = helper.write(helper.tmpdir() .. "/log.jsonl", bytes)
        local count = 0
        for number, record in assert(aish.scan(path, { malformed = true })) do
          count = count + 1
          assert(record and (number == lead + 1 and record.n == lead or #record.x == 21), number)
        end
        assert.equal(101, count)
      end
    end)
  end
end)
