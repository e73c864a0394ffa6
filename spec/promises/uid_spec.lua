--- The uids of new items: random, of 62 characters each as likely, and none without randomness.
local aish = require("aish_history")
local assert = require("luassert")
local helper = require("spec.support.helper")

-- The uids in a file, in its order.
local function uids_of(path)
  local uids = {}
  for uid in helper.read(path):gmatch('"uid":"([^"]*)"') do uids[#uids + 1] = uid end
  return uids
end

describe("a uid", function()
  helper.guard(before_each, after_each)

  it("is no other item's, in this handle, the next or a child's", function()
    local path, seen = helper.tmpdir() .. "/memory.jsonl", {}
    for _ = 1, 20 do
      local memory = assert(aish.open(path, { sync = "none" }))
      for _ = 1, 60 do assert(memory:add("fact", "x")) end
      memory:close()
    end
    helper.run([[
      local memory = assert(require("aish_history").open((...), { sync = "none" }))
      for _ = 1, 60 do assert(memory:add("fact", "x")) end
    ]], path)
    local uids = uids_of(path)
    assert.equal(1260, #uids)
    for _, uid in ipairs(uids) do
      assert.matches("^%w%w%w%w%w%w%w%w$", uid)
      assert.is_nil(seen[uid])
      seen[uid] = true
    end
  end)

  -- 62 characters of 80,000: each is expected 1,290 times, with a deviation of 36.
  it("has each character as often as any other", function()
    local path, counts = helper.tmpdir() .. "/memory.jsonl", {}
    local memory, items = assert(aish.open(path, { sync = "none" })), {}
    for index = 1, 10000 do items[index] = { kind = "fact", content = "x" } end
    assert(memory:add_many(items))
    memory:close()
    for character in table.concat(uids_of(path)):gmatch(".") do counts[character] = (counts[character] or 0) + 1 end
    local different = 0
    for character, count in pairs(counts) do
      different = different + 1
      assert(count > 1290 - 8 * 36 and count < 1290 + 8 * 36, character .. ": " .. count)
    end
    assert.equal(62, different)
  end)
end)
