-- Tags nested exactly 1,000 levels were written, into a record that had 1,001 with its own: no reader
-- took the line, the item was gone and its id was given again.
local helper = require("spec.support.helper")
local aish = require("aish_history")

describe("tags of many levels", function()
  helper.guard(before_each, after_each)

  local function nested(levels)
    local value = {}
    for _ = 2, levels do value = { value } end
    return value
  end

  it("are written only if the record can be read", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path, { sync = "none" }))
    local ok, message = pcall(memory.add, memory, "fact", "too deep", nested(1000))
    assert.is_false(ok)
    assert(message:find("^memory:add: tags%[1%].*: more than 1000 levels cannot be stored$"), message)
    local id = memory:add("fact", "as deep as can be", nested(999))
    assert.equal(1, id)
    assert.equal(2, memory:add("fact", "another"))
    assert.equal(2, #memory)
    local level, tags = 0, memory:get(id).tags
    while tags do level, tags = level + 1, tags[1] end
    assert.equal(999, level)
    memory:close()
    assert.equal(2, #aish.load_memory(path))
    assert.equal(0, #aish.verify(path).problems)
  end)

  it("of a session's meta and turns too", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    assert.is_false(pcall(aish.session, path, { x = nested(999) }))
    local session = assert(aish.session(path, { x = nested(998) }, { sync = "none" }))
    assert.is_false(pcall(session.append, session, { role = "user", content = "a", x = nested(1000) }))
    assert.is_true(session:append({ role = "user", content = "b", x = nested(999) }))
    session:close()
    local turns, meta = aish.load(path)
    assert.equal("b", turns[1].content)
    assert.is_table(meta.x)
  end)
end)
