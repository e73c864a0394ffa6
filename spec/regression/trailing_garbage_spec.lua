-- Documents with trailing garbage, and other text that is no JSON, were taken for good.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local tails = { " x", "x", "}", "]", ",", '"', "{}", " {}", "[]", " 1", "null", "\0", "\0\0", "//", "/* c */", "#", ";", "\\",
  "\239\187\191", "\194\160", "\226\128\168" }

describe("trailing garbage", function()
  helper.guard(before_each, after_each)

  it("makes a document none", function()
    for _, text in ipairs({ "{}", "[]", '{"a":1}', "[1,2]", "1", "true", "null", '"s"' }) do
      for _, tail in ipairs(tails) do
        if not (tonumber(text) and tail:find("^%d")) then
          local value, message = aish.decode(text .. tail)
          assert.is_nil(value, text .. tail)
          assert.equal("string", type(message))
          assert.matches("at byte %d+", message)
        end
      end
    end
  end)

  -- An object that stands whole on a line counts, whatever comes after it.
  it("makes a memory's line no other", function()
    for _, tail in ipairs(tails) do
      local bytes = support.item(1) .. support.item(2):sub(1, -2) .. tail .. "\n" .. support.item(3)
      local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/memory.jsonl", bytes)
      assert.same({ 3, 2, 1 }, support.pluck(aish.load_memory(path), "id"))
      local stone = support.tombstone(2, 1):sub(1, -2) .. tail .. "\n"
      helper.write(path, support.item(1) .. stone)
      local memory = assert(aish.open(path))
      assert.equal(0, #memory)
      assert.equal(3, memory.next_id)
      memory:close()
      local harmless = tail:find("^[%z ]+$") or tail:find("{}", 1, true) or tail == "\239\187\191"
      assert.equal(harmless and 0 or 1, aish.verify(path).damaged, tail)
    end
  end)

  it("makes a session's line no other", function()
    for _, tail in ipairs(tails) do
      local turn = '{"role":"user","content":"c"}'
      local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/session.jsonl", turn .. tail .. "\n" .. turn .. "\n")
      assert.equal(2, #aish.load(path))
      helper.write(path, '{"meta":{"m":1}}' .. tail .. "\n" .. turn .. "\n")
      local turns, meta = aish.load(path)
      assert.equal(1, #turns)
      assert.same({ m = 1 }, meta)
    end
  end)

  it("is none if it is white space", function()
    for _, tail in ipairs({ " ", "\t", "\r", " \t\r", "" }) do
      assert.same({ a = 1 }, aish.decode('{"a":1}' .. tail))
      local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/memory.jsonl", support.item(1):sub(1, -2) .. tail .. "\n")
      assert.equal(1, #aish.load_memory(path))
    end
  end)
end)
