-- Numbers were written with 14 digits: 9007199254740991 came back as another number, and
-- 1760000000.123456 lost its microseconds.
local aish = require("aish_history")
local helper = require("spec.support.helper")

local texts = { "9007199254740991", "-9007199254740991", "9007199254740992", "1760000000.123456", "0.1", "1e-3", "0.05", "1e16",
  "5e-324", "17976931348623157e292", "-0", "3.141592653589793", "123456789012345" }

describe("numbers", function()
  helper.guard(before_each, after_each)

  local function exact(expected, actual, text)
    assert.equal(expected, actual, text)
    assert.equal(1 / expected, 1 / actual, text)
  end

  it("survive in a memory to the last digit", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path, { sync = "none" }))
    for index, text in ipairs(texts) do
      local value = text == "-0" and -1 / math.huge or tonumber(text)
      memory:add("fact", text, { value })
      exact(value, memory:get(index).tags[1], text)
      local line = helper.lines(path)[index + 1]
      assert.equal('"tags":[' .. text .. "]}", line:match('"tags".*$'))
    end
    memory:close()
    for _, item in ipairs(aish.load_memory(path)) do
      exact(item.content == "-0" and -1 / math.huge or tonumber(item.content), item.tags[1], item.content)
    end
  end)

  it("survive in unknown keys of a memory, where a pass through 14 digits would show", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl",
      '{"id":1,"kind":"fact","content":"c","at":1760000000.123456,"n":9007199254740991}\n')
    local item = aish.load_memory(path)[1]
    assert.equal(1760000000.123456, item.at)
    assert.equal(9007199254740991, item.n)
    assert.equal("1760000000.123456", (aish.encode(item.at)))
    assert.equal("9007199254740991", (aish.encode(item.n)))
  end)

  it("survive in a session", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path, { started = 1760000000.123456 }))
    session:append({ role = "user", content = "c", at = 1760000000.123456, n = 9007199254740991 })
    session:close()
    local turns, meta = aish.load(path)
    assert.equal(1760000000.123456, turns[1].at)
    assert.equal(9007199254740991, turns[1].n)
    assert.equal(1760000000.123456, meta.started)
    assert.truthy(helper.read(path):find('"at":1760000000.123456', 1, true))
    assert.truthy(helper.read(path):find('"n":9007199254740991', 1, true))
  end)

  it("survive through the shell's module", function()
    local history = require("history")
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(history.open(path, { n = 9007199254740991 }))
    session:append({ role = "user", content = "c", at = 1760000000.123456 })
    session:close()
    local turns, meta = history.load(path)
    assert.equal(1760000000.123456, turns[1].at)
    assert.equal(9007199254740991, meta.n)
  end)

  it("are whole as ids", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", '{"id":9007199254740989,"kind":"fact"}\n')
    local memory = assert(aish.open(path))
    assert.equal(9007199254740990, memory:add("fact", "x"))
    assert.matches('^{"id":9007199254740990,', helper.lines(path)[2])
    assert.is_true(memory:forget(9007199254740990))
    assert.matches('"target":9007199254740990,"of":"%w+"}$', helper.lines(path)[3])
    memory:close()
    assert.equal(9007199254740989, aish.load_memory(path)[1].id)
  end)
end)
