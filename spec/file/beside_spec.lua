--- What is cleaned up of the files that were made beside others, when nothing else is left of these.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local lfs = require("lfs")

local OURS, OTHER = ".compact-000000009e3779b1", ".compact-000000009e3779b2" -- the last digits follow from the others

describe("what a crash left beside a file", function()
  helper.guard(before_each, after_each)

  it("goes from a whole directory with erase, also where the file is gone", function()
    local dir = helper.tmpdir()
    for _, name in ipairs({ "here.jsonl", "here.jsonl" .. OURS, "gone.jsonl" .. OURS, "gone.jsonl" .. OTHER }) do
      helper.write(dir .. "/" .. name, '{"a":"secret"}\n')
    end
    assert.same({}, assert(aish.erase(dir, "none", { dry_run = true })).failed)
    assert.is_not_nil(lfs.attributes(dir .. "/gone.jsonl" .. OURS))
    assert.same({}, assert(aish.erase(dir, "none")).failed)
    local left = {}
    for name in lfs.dir(dir) do left[#left + 1] = name:find("^%w") and name or nil end
    table.sort(left)
    assert.same({ "gone.jsonl" .. OTHER, "here.jsonl" }, left)
  end)

  it("goes with its own file, and no other's", function()
    local dir = helper.tmpdir()
    for _, name in ipairs({ "a.jsonl", "a.jsonl" .. OURS, "a.jsonl.damaged" .. OURS, "b.jsonl" .. OURS }) do
      helper.write(dir .. "/" .. name, '{"a":"secret"}\n')
    end
    assert(aish.erase(dir .. "/a.jsonl", "none"))
    local left = {}
    for name in lfs.dir(dir) do left[#left + 1] = name:find("^%w") and name or nil end
    table.sort(left)
    assert.same({ "a.jsonl", "b.jsonl" .. OURS }, left)
  end)
end)
