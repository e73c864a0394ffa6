-- One byte of a tool's output that was no UTF-8 was written as it was, and with it the whole file was
-- no UTF-8 any more: Python's text mode refused every line of it.
local helper = require("spec.support.helper")
local generate = require("spec.support.generate")
local aish = require("aish_history")

describe("a text that is not UTF-8", function()
  helper.guard(before_each, after_each)

  local texts = { "\255", "cut in the middle of \208", "\226\130", "\237\160\189", "\237\178\128", "\237\160\189\128",
    "\237\160\189\237\184\128", "long enough to be copied in steps, " .. ("я"):rep(50) .. "\240\159\152" }

  --- Checks that the file is UTF-8: no point of it stands for a byte that is no text.
  local function check(path)
    for _, point in ipairs(generate.points(helper.read(path))) do assert(point < 0xDC80 or point > 0xDCFF, path) end
  end

  it("leaves a session valid, and comes back", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path, { started = texts[1] }, { sync = "none" }))
    for _, text in ipairs(texts) do assert.is_true(session:append({ role = "tool", content = text, [text] = { text } })) end
    session:close()
    check(path)
    local turns, meta = aish.load(path)
    assert.equal(texts[1], meta.started)
    for index, text in ipairs(texts) do
      assert.equal(text, turns[index].content)
      assert.equal(text, turns[index][text][1])
      assert.equal(1, #aish.search(path, text, { exact = true, limit = 1 }))
    end
  end)

  it("leaves a memory valid, and comes back", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(aish.open(path, { sync = "none" }))
    for _, text in ipairs(texts) do
      local id = memory:add("fact", text, { text }, text)
      assert.same({ text, { text }, text }, { memory:get(id).content, memory:get(id).tags, memory:get(id).source })
      assert.equal(id, memory:items({ tag = text, source = text })[1].id)
      assert.equal(id, memory:search(text, { exact = true })[1].id)
    end
    memory:close()
    check(path)
    assert.equal(#texts, #aish.load_memory(path))
  end)

  it("that a file has as raw bytes is read as it is", function()
    local path = helper.write(helper.tmpdir() .. "/session.jsonl", '{"role":"user","content":"\255 \237\160\189\\udcff\226"}\n')
    assert.equal("\255 \237\160\189\255\226", aish.load(path)[1].content)
  end)
end)

describe("half of a surrogate pair", function()
  helper.guard(before_each, after_each)

  it("is written so that it is valid, and comes back", function()
    local encode, decode = aish.encode, aish.decode
    assert.equal([["\udced\udca0\udcbd"]], encode(decode([["\ud83d"]])))
    assert.equal("\237\160\189", decode([["\udced\udca0\udcbd"]]))
    for _, text in ipairs({ "\237\178\128", "\237\160\189\128", "\237\160\189\237\184\128" }) do
      assert.equal(text, decode(encode(text)))
      assert.equal(generate.json(text), encode(text))
    end
  end)
end)
