--- The new file that is to take another's place: how much of it is held in memory.
local helper = require("spec.support.helper")
local lfs = require("lfs")

describe("a new file", function()
  helper.guard(before_each, after_each)

  it("is written while it is made, and not held", function()
    if not lfs.attributes("/proc/self/status") or helper.instrumented then return pending("the peak of memory is not known") end
    assert.equal("true\ttrue\n", helper.run(helper.PEAK .. [[
      local aish, path = require("aish_history"), ...
      local line = '{"id":%d,"ts":"2026-01-01T00:00:00Z","kind":"fact","content":"' .. ("x"):rep(16000) .. '"}\n'
      local out = assert(io.open(path, "w"))
      for id = 1, 2000 do out:write((line:format(id))) end
      out:close()
      collectgarbage()
      local before = peak()
      local report = assert(aish.compact(path))
      print(report.kept == 2000, peak() - before < 16 * 1024)
    ]], helper.tmpdir() .. "/memory.jsonl"))
  end)
end)
