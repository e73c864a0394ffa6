-- A search of memories found a word in a content that another content of the same line takes the
-- place of. Found by spec/fuzz/read.c.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local bytes = '{"id":1,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"old","tags":["early"],'
  .. '"cont\\u0065nt":"new","tags":["late"]}\n{"id":2,"kind":"fact","content":"old","content":3,"tags":["x"],"tags":null}\n'

describe("of contents and tags that are repeated in a line", function()
  helper.guard(before_each, after_each)

  it("a search of memories knows the last, as items does", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
    local memory = assert(aish.open(path, { sync = "none" }))
    assert.equal("new", memory:get(1).content)
    for query, ids in pairs({ new = { 1 }, late = { 1 }, ["late new"] = { 1 }, old = {}, early = {}, x = {} }) do
      assert.same(ids, support.pluck(memory:search(query), "id"), query)
    end
    memory:close()
  end)
end)
