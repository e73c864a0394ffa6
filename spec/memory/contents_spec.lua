-- Unique memories: what has the kind and content of an active item is not added again.
local aish = require("aish_history")
local children = require("spec.support.children")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local function open(lines, opts)
  opts = opts or {}
  opts.unique = true
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. (lines or ""))
  return assert(aish.open(path, opts)), path
end

-- The call gives these results and leaves the file as it is.
local function writes_nothing(path, expected, fn, ...)
  local before = helper.read(path)
  expected.n = #expected
  assert.same(expected, helper.pack(fn(...)))
  assert.equal(before, helper.read(path))
end

describe("a unique memory", function()
  helper.guard(before_each, after_each)

  it("gives the id of the active item that has the kind and content", function()
    local memory, path = open()
    assert.same({ 1, n = 1 }, helper.pack(memory:add("fact", "one", { "a" }, "me")))
    writes_nothing(path, { 1, true }, memory.add, memory, "fact", "one")
    writes_nothing(path, { 1, true }, memory.add, memory, "fact", "one", { "other" }, "you")
    writes_nothing(path, { 1, true }, memory.add, memory, { kind = "fact", content = "one", further = 1 })
    assert.same({ 2, n = 1 }, helper.pack(memory:add("pref", "one")))
    for id, content in ipairs({ "One", "one ", " one", "on", "one\0" }) do
      assert.same({ id + 2, n = 1 }, helper.pack(memory:add("fact", content)))
    end
    assert.equal(8, memory.next_id)
    assert.same({ "a" }, memory:get(1).tags)
    memory:close()
  end)

  it("does so within a batch, too", function()
    local memory, path = open()
    local function item(kind, content) return { kind = kind, content = content } end
    assert.equal(1, memory:add("fact", "a"))
    assert.same({ 1, 2, 2, 3, 1, 4, 2 }, memory:add_many({ item("fact", "a"), item("fact", "b"), item("fact", "b"),
      item("pref", "b"), item("fact", "a"), item("fact", "c"), item("fact", "b") }))
    assert.equal(4, #memory)
    assert.equal(5, memory.next_id)
    writes_nothing(path, { { 4, 3, 4 } }, memory.add_many, memory, { item("fact", "c"), item("pref", "b"), item("fact", "c") })
    assert.same({ 5 }, memory:add_many({ item("context", "c") }))
    memory:close()
    assert.equal(5, #aish.load_memory(path))
  end)

  it("compares what contents stand for, in whatever way they are written", function()
    local memory, path = open([[{"id":1,"kind":"fact","content":"na\u00efve \/ \ud83d\ude00"}]] .. "\n"
      .. [[{"id":2,"\u006bind":"\u0066act","content":"first","con\u0074ent":"last \udcff"}]] .. "\n"
      .. [[{"id":3,"kind":"fact","content":["no text"]}]] .. "\n" .. [[{"id":4,"kind":"fact"}]] .. "\n"
      .. [[{"id":5,"kind":"fact","content":"shares"}{"id":6,"kind":"pref","content":"a line"}garbage]] .. "\n")
    writes_nothing(path, { 1, true }, memory.add, memory, "fact", "na\195\175ve / \240\159\152\128")
    writes_nothing(path, { 2, true }, memory.add, memory, "fact", "last \255")
    writes_nothing(path, { 5, true }, memory.add, memory, "fact", "shares")
    writes_nothing(path, { 6, true }, memory.add, memory, "pref", "a line")
    assert.equal(7, memory:add("fact", "first"))
    assert.equal(8, memory:add("fact", "no text"))
    local quoted = '"quoted" \\ \n\1 \255'
    assert.equal(9, memory:add("fact", quoted))
    writes_nothing(path, { 9, true }, memory.add, memory, "fact", quoted)
    memory:close()
  end)

  it("adds again what was forgotten, and only that", function()
    local memory, path = open(support.item(1, "a") .. support.item(2, "b") .. support.tombstone(3, 1))
    assert.equal(4, memory:add("fact", "a"))
    writes_nothing(path, { 4, true }, memory.add, memory, "fact", "a")
    memory:forget(4)
    assert.equal(6, memory:add("fact", "a"))
    memory:forget(2)
    assert.equal(8, memory:add("fact", "b"))
    writes_nothing(path, { 6, true }, memory.add, memory, "fact", "a")
    memory:close()
  end)

  it("knows what update has written, which it lets be the same", function()
    local memory, path = open(support.item(1, "a") .. support.item(2, "b"))
    assert.equal(3, memory:update(1, { content = "c" }))
    writes_nothing(path, { 3, true }, memory.add, memory, "fact", "c")
    assert.equal(5, memory:add("fact", "a"))
    assert.equal(6, memory:update(5, { content = "b" }))
    assert.same({ "b", "c", "b" }, support.pluck(memory:items(), "content"))
    memory:close()
  end)

  it("is as the handle is opened, whatever the file holds", function()
    local memory, path = open(support.item(1, "a") .. support.item(2, "a"))
    assert.is_true(select(2, memory:add("fact", "a")))
    memory:close()
    memory = assert(aish.open(path, { unique = false }))
    assert.same({ 3, n = 1 }, helper.pack(memory:add("fact", "a")))
    memory:close()
  end)

  it("goes on after a compaction, and when the file is another", function()
    local memory, path = open()
    for index = 1, 50 do memory:add("fact", "item " .. index) end
    for index = 1, 50, 2 do memory:forget(index) end
    assert.truthy(memory:compact())
    writes_nothing(path, { 2, true }, memory.add, memory, "fact", "item 2")
    local id, present = memory:add("fact", "item 1")
    assert.is_nil(present)
    assert.truthy(id > 50)
    os.rename(helper.write(path .. ".new", support.meta .. support.item(7, "item 1")), path)
    writes_nothing(path, { 7, true }, memory.add, memory, "fact", "item 1")
    assert.is_nil(select(2, memory:add("fact", "item 2")))
    memory:close()
  end)

  it("follows items that come in no order of ids", function()
    local memory, path = open(support.item(9, "nine") .. support.item(3, "three"), { shared = true })
    writes_nothing(path, { 3, true }, memory.add, memory, "fact", "three")
    helper.write(path, helper.read(path) .. support.item(5, "five") .. support.item(4, "four"))
    for id, content in pairs({ [3] = "three", [4] = "four", [5] = "five", [9] = "nine" }) do
      writes_nothing(path, { id, true }, memory.add, memory, "fact", content)
    end
    memory:close()
  end)

  it("agrees with a table of kinds and contents, whatever is done", function()
    for seed = 1, 6 do
      local random = support.random(seed)
      local memory, path = open(nil, { sync = "none" })
      local known, ids = {}, {} -- kind and content to id, and back
      local function take(key, id, present)
        if known[key] then
          assert.equal(known[key], id)
        else
          assert.is_nil(ids[id])
          known[key], ids[id] = id, key
        end
        return present
      end
      local function some()
        return { kind = random(2) == 1 and "fact" or "pref", content = ("x"):rep(random(3)) .. random(60 * seed) }
      end
      for step = 1, 400 do
        local what = random(10)
        if what <= 5 then
          local item = some()
          local key = item.kind .. item.content
          local was = known[key] ~= nil
          local id, present = memory:add(item)
          assert.equal(was, present == true)
          take(key, id)
        elseif what <= 7 then
          local batch = {}
          for index = 1, random(8) do batch[index] = some() end
          for index, id in ipairs(memory:add_many(batch)) do take(batch[index].kind .. batch[index].content, id) end
        elseif next(ids) then
          local list = support.pluck(memory:items(), "id")
          local id = list[random(#list)]
          assert.is_true(memory:forget(id))
          known[ids[id]], ids[id] = nil, nil
        end
        if step % 50 == 0 then
          memory:close()
          memory = assert(aish.open(path, { sync = "none", unique = true, shared = step % 100 == 0 }))
        end
      end
      local count = 0
      for _, item in ipairs(memory:items()) do
        assert.equal(item.id, known[item.kind .. item.content])
        count = count + 1
      end
      for _ in pairs(known) do count = count - 1 end
      assert.equal(0, count)
      memory:close()
    end
  end)

  it("takes what is there for added only once it is on the disk", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. support.item(1, "a"))
    for sync, expected in pairs({ full = "fdatasync", none = "" }) do
      local output, log = support.trace("write,fdatasync", [[
        local path, sync = ...
        local memory = assert(require("aish_history").open(path, { unique = true, sync = sync }))
        memory:sync()
        io.stderr:write("mark\n")
        assert(memory:add("fact", "a") == 1)
        io.stderr:write("mark\n")
        memory:close()
      ]], path, sync)
      if not output then return pending("strace is not at hand") end
      local between = log:match('"mark\\n".-\n(.*)\n[^\n]*"mark\\n"') or ""
      assert.equal(expected, between:match("(%w+)%(%d+<" .. path:gsub("%p", "%%%0")) or "")
    end
  end)

  it("gives one item where shared writers add the same at once", function()
    local writers, contents = 4, 60
    local path = helper.tmpdir() .. "/memory.jsonl"
    assert(aish.open(path)):close()
    local list = {}
    for number = 1, writers do
      list[number] = children.fork(function(say)
        local memory = assert(aish.open(path, { shared = true, unique = true, sync = "none", wait = 60 }))
        for content = 1, contents do
          local id, present = assert(memory:add("fact", "content " .. content))
          say(("%d %d %s\n"):format(content, id, tostring(present)))
        end
      end)
    end
    local ids, written = {}, 0
    for _, child in ipairs(list) do
      local said, how, status = children.join(child)
      assert.same({ "exited", 0 }, { how, status }, said)
      for content, id, present in said:gmatch("(%d+) (%d+) (%w+)\n") do
        assert.equal(ids[content] or id, id)
        ids[content] = id
        if present == "nil" then written = written + 1 end
      end
    end
    assert.equal(contents, written)
    assert.equal(contents, #aish.load_memory(path))
  end)
end)
