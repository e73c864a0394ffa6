--- Erasing removes a damaged line that holds the text. Where the lines around it then read as an array, the file
-- was one that everything refuses from then on, with the records in it.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")

describe("erase of a damaged line", function()
  helper.guard(before_each, after_each)

  it("fails and changes nothing where what is left would be read as an array", function()
    local item = '{"id":1,"ts":"2026-01-02T00:00:00Z","kind":"fact","content":"outer"}\n'
    local bytes = '{"x":"secret\n[1,\n' .. item .. "1]\n"
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
    local done, message, number, report = aish.erase(path, "secret")
    assert.is_nil(done)
    assert.equal("erase " .. path .. ": what is left would be read as no JSON lines", message)
    assert.same({ errno.EINVAL, { [path] = message } }, { number, report.failed })
    assert.equal(bytes, helper.read(path))
    assert.equal(1, #aish.load_memory(path))
    helper.write(path, '{"x":"secret\n' .. item .. "1]\n")
    assert.equal(1, assert(aish.erase(path, "secret")).occurrences)
    assert.equal(item .. "1]\n", helper.read(path))
  end)
end)
