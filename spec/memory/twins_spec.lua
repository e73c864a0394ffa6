--- Items that share an id, when memory runs out while they are compared.
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")

describe("items that share an id", function()
  helper.guard(before_each, after_each)

  -- By the build of spec/faults/: each allocation in turn is refused.
  it("are all told apart, or the call fails for want of memory", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", table.concat({
      '{"id":1,"uid":"aaaaaaaa","ts":"2026-01-01T00:00:00Z","kind":"fact","content":"old"}',
      '{"id":1,"uid":"bbbbbbbb","ts":"2026-01-01T00:00:01Z","kind":"fact","content":"other"}',
      '{"id":1,"uid":"aaaaaaaa","ts":"2026-01-01T00:00:00Z","kind":"fact","content":"new","rev":1}',
      '{"id":1,"uid":"bbbbbbbb","ts":"2026-01-01T00:00:01Z","kind":"fact","content":"other"}\n',
    }, "\n"))
    assert.equal("true\n", faults.run_code([[
      local failed, at, items, message = 0, 0
      repeat
        at = at + 1
        seam.refuse(at)
        items, message = aish.load_memory(...)
        local count = seam.refuse(0)
        if items then
          local contents = {}
          for index, item in ipairs(items) do contents[index] = item.content end
          table.sort(contents)
          assert(table.concat(contents, " ") == "new other", table.concat(contents, " ") .. " at " .. at)
        else
          assert(message:find("memory", 1, true), message)
          failed = failed + 1
        end
      until count < at
      print(failed > 5)
    ]], path))
  end)
end)
