-- A line that is a bare JSON number or boolean made load, load_memory and open_memory raise.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local scalars = { "1", "0", "-1.5", "1e3", "true", "false", "null", '"text"', "[]", "[1,2]", '"{}"' }

describe("a line that is a bare scalar", function()
  helper.guard(before_each, after_each)

  it("is passed over by load_memory and open", function()
    for _, scalar in ipairs(scalars) do
      for _, bytes in ipairs({
        scalar .. "\n" .. support.item(1) .. support.item(2),
        support.item(1) .. scalar .. "\n" .. support.item(2),
        support.item(1) .. support.item(2) .. scalar .. "\n",
        support.item(1) .. support.item(2) .. scalar,
      }) do
        local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/memory.jsonl", bytes)
        assert.same({ 2, 1 }, support.pluck(aish.load_memory(path), "id"))
        local memory = assert(aish.open(path, { sync = "none" }))
        assert.equal(3, memory:add("fact", "x"))
        memory:close()
        assert.equal(bytes, helper.read(path):sub(1, #bytes))
        assert.same({ 3, 2, 1 }, support.pluck(aish.load_memory(path), "id"))
      end
    end
  end)

  it("is passed over by load", function()
    local turns = '{"meta":{"model":"m"}}\n{"role":"user","content":"one"}\n%s\n{"role":"user","content":"two"}\n'
    for _, scalar in ipairs(scalars) do
      local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/session.jsonl", turns:format(scalar))
      local loaded, meta = aish.load(path)
      assert.same({ "one", "two" }, support.pluck(loaded, "content"))
      assert.equal("m", meta.model)
    end
  end)

  it("is passed over by the shell's module", function()
    local history = require("history")
    for _, scalar in ipairs(scalars) do
      local path = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/memory.jsonl", support.item(1) .. scalar .. "\n" .. support.item(2))
      assert.same({ 2, 1 }, support.pluck(history.load_memory(path), "id"))
      local memory = assert(history.open_memory(path))
      assert.equal(3, memory:add("fact", "x"))
      memory:close()
      local session = helper.write((helper.dirs[1] or helper.tmpdir()) .. "/s.jsonl", scalar .. '\n{"role":"user","content":"one"}\n')
      assert.same({ "one" }, support.pluck((history.load(session)), "content"))
    end
  end)
end)
