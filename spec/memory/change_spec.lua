-- What update writes: the old item's members byte for byte, the changes, and its tombstone, in one write.
local aish = require("aish_history")
local errno = require("posix.errno")
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local uid = "AbCd0123"

-- A memory file of these lines, opened.
local function open(lines, opts)
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. lines)
  return assert(aish.open(path, opts)), path
end

local function item(id, members)
  return ('{"id":%.0f,"uid":"%s","ts":"2026-01-02T03:04:05Z","kind":"fact"%s}\n'):format(id, uid, members)
end

-- Updates item 1 of a file of one line, which has these members besides its head; returns what the new
-- item has besides its own.
local function updated(members, changes)
  local memory, path = open(item(1, members))
  local before, since = helper.read(path), support.now()
  assert.equal(2, memory:update(1, changes))
  assert.equal(before, helper.read(path):sub(1, #before))
  assert.equal('{"id":3,"ts":"T","kind":"forget","target":1,"of":"U"}', support.line(path, 4, since))
  assert.equal(4, #helper.lines(path))
  assert.same({ 2 }, support.pluck(memory:items(), "id"))
  memory:close()
  assert.same({ 2 }, support.pluck(aish.load_memory(path), "id"))
  local kind = changes.kind or "fact"
  local rest = support.line(path, 3, since):match('^{"id":2,"uid":"U","ts":"T","kind":"' .. kind .. '"(.*)}$')
  return rest:match('^(.*),"replaces":1,"replaces_uid":"' .. uid .. '"$')
end

describe("update", function()
  helper.guard(before_each, after_each)

  it("give each item the time at which it was added", function()
    local memory = assert(aish.open(helper.tmpdir() .. "/memory.jsonl", { sync = "none" }))
    for index = 1, 2 do
      local times, before = {}, os.time()
      local ts = memory:get((memory:add("fact", "at " .. index))).ts
      for time = before, os.time() do times[os.date("!%Y-%m-%dT%H:%M:%SZ", time)] = true end
      assert.is_true(times[ts], ts)
      support.sleep(1.1)
    end
    memory:close()
  end)

  it("changes what it is told to, and copies the rest byte for byte", function()
    local raw = [["content":"a\u0041\/\ud800 ","tags":["x" , 1.0],"source" : "s","n":1.50e+1,"o":{ "k":[ ] },"null":null]]
    assert.equal("," .. raw, updated("," .. raw, {}))
    assert.equal((("," .. raw):gsub('"a.- "', '"new"', 1)), updated("," .. raw, { content = "new" }))
    assert.equal("," .. raw, updated("," .. raw, { kind = "pref" }))
    assert.equal("," .. raw .. ',"more":[true]', updated("," .. raw, { more = { true } }))
  end)

  it("takes away what is changed to null", function()
    local members = ',"content":"c","tags":["t"],"source":"s","x":1,"y":2'
    assert.equal(',"content":"c","source":"s","x":1,"y":2', updated(members, { tags = aish.null }))
    assert.equal(',"content":"c","tags":["t"],"x":1,"y":2', updated(members, { source = aish.null }))
    assert.equal(',"content":"c","tags":["t"],"source":"s","y":2', updated(members, { x = aish.null }))
    assert.equal(members, updated(members, { other = aish.null }))
  end)

  it("keeps the order of the format's members", function()
    assert.equal(',"content":"c","tags":["t"],"source":"s","x":1', updated(',"x":1,"source":"s","content":"c"', { tags = { "t" } }))
    assert.equal(',"content":"c","source":"s","x":1,"y":[2]', updated(',"y":0,"x":1,"content":"c"', { source = "s", y = { 2 } }))
  end)

  it("knows members however their names are escaped and repeated", function()
    assert.equal(',"content":"new","z":1', updated([[,"\u0063ontent":"old","x":1,"\u0078":2,"content":"older","z":1]],
      { content = "new", x = aish.null }))
    assert.equal(',"content":"b","\\"":3', updated([[,"content":"a","content":"b","\u0022":1]], { ['"'] = 3 }))
    assert.equal(',"content":"c","x":1,"x":2', updated(',"content":"c","x":1,"x":2', {}))
  end)

  it("leaves out what belonged to the old record alone", function()
    assert.equal(',"content":"c","of":1,"meta":{}', updated(
      ',"content":"c","rev":3,"of":1,"replaces":7,"replaces_uid":"x","\\u0074s":"2026-01-02T03:04:05Z","meta":{}', {}))
  end)

  it("names the uid of what it replaces, if it has one, and its tombstone what tells it apart", function()
    local memory, path = open(support.item(1, "old") .. '{"id":2,"kind":"fact","content":"older"}\n')
    local since = support.now()
    assert.equal(3, memory:update(1, { content = "new" }))
    assert.equal(5, memory:update(2, { content = "newer" }))
    assert.equal(7, memory:update(3, { content = "newest" }))
    assert.same({ "newest", "newer" }, support.pluck(memory:items(), "content"))
    local first = memory:get(5)
    assert.equal(2, first.replaces)
    assert.is_nil(first.replaces_uid)
    memory:close()
    assert.equal('{"id":3,"uid":"U","ts":"T","kind":"fact","content":"new","replaces":1}', support.line(path, 4, since))
    assert.truthy(helper.lines(path)[5]:find('"target":1,"of":"2026-01-02T03:04:05Z"}', 1, true))
    assert.equal('{"id":6,"ts":"T","kind":"forget","target":2,"of":null}', support.line(path, 7, since))
    assert.equal(helper.lines(path)[4]:match('"uid":"(%w+)"'), helper.lines(path)[8]:match('"replaces":3,"replaces_uid":"(%w+)"}$'))
  end)

  it("of an id takes the first of twins, of an item that one", function()
    local lines = support.item(1, "older", "2026-01-02T00:00:00Z") .. support.item(1, "newer", "2026-01-03T00:00:00Z")
    local memory = open(lines)
    assert.equal(2, memory:update(1, { x = 1 }))
    assert.same({ "newer", "older" }, support.pluck(memory:items(), "content"))
    assert.same({ 2, 1 }, support.pluck(memory:items(), "id"))
    memory:close()
    memory = open(lines)
    local older = memory:items()[2]
    assert.equal(2, memory:update(older, { x = 1 }))
    assert.same({ 2, 1 }, support.pluck(memory:items(), "id"))
    assert.same({ "older", "newer" }, support.pluck(memory:items(), "content"))
    assert.same({ false, "no active item 1", n = 2 }, helper.pack(memory:update(older, { x = 2 })))
    memory:close()
  end)

  it("says when there is nothing to update, and writes nothing", function()
    local memory, path = open(item(1, ',"content":"c"') .. support.item(2, "forgotten") .. support.tombstone(3, 2))
    local before = helper.read(path)
    local stranger = memory:get(1)
    stranger.uid = "Another0"
    for _, case in ipairs({ { 2, "2" }, { 4, "4" }, { 0, "0" }, { 1.5, "1.5" }, { -1, "-1" }, { stranger, "1" } }) do
      assert.same({ false, "no active item " .. case[2], n = 2 }, helper.pack(memory:update(case[1], { content = "x" })))
      assert.equal(before, helper.read(path))
    end
    assert.equal(4, memory.next_id)
    os.remove(path)
    assert.same({ false, "no active item 1", n = 2 }, helper.pack(memory:update(1, { content = "x" })))
    assert.is_nil(io.open(path))
    memory:close()
  end)

  it("refuses changes that an item could not have, and writes nothing", function()
    local memory, path = open(item(1, ',"content":"c"'))
    local before = helper.read(path)
    local function check(message, changes)
      local ok, got = pcall(memory.update, memory, 1, changes)
      assert.is_false(ok)
      assert.truthy(got:find(message, 1, true), got)
      assert.equal(before, helper.read(path))
    end
    check("memory:update: content must be a string, got userdata", { content = aish.null })
    check("memory:update: content required", { content = "" })
    check("memory:update: content required", { content = false })
    check("memory:update: kind must be fact|pref|context (got ", { kind = aish.null })
    check("memory:update: kind must be fact|pref|context (got forget)", { kind = "forget" })
    check("memory:update: tags must be a table, got boolean", { tags = false })
    check("memory:update: source must be a string, got number", { source = 5 })
    check("memory:update: x.y: a function cannot be stored", { x = { y = print } })
    check("memory:update: the name of a member must be a string, got number", { "x" })
    check("bad argument #", "x")
    check("bad argument #", nil)
    for _, name in ipairs({ "id", "uid", "ts", "target", "of", "rev", "replaces", "replaces_uid", "meta", "score" }) do
      check('memory:update: no member may be named "' .. name .. '"', { [name] = 1 })
    end
    assert.equal(2, memory:update(1, { x = 1 }))
    memory:close()
  end)

  it("needs an id that is left; its tombstone does not", function()
    local last = support.max_id
    local memory, path = open(item(last - 1, ',"content":"c"'))
    assert.equal(last, memory:update(last - 1, { content = "d" }))
    assert.same({ "d" }, support.pluck(memory:items(), "content"))
    local before = helper.read(path)
    local id, message, number = memory:update(last, { content = "e" })
    assert.same({ nil, "add to " .. path .. ": no ids are left", errno.EOVERFLOW }, { id, message, number })
    assert.equal(before, helper.read(path))
    assert.same({ "d" }, support.pluck(memory:items(), "content"))
    memory:close()
  end)

  it("finds items that share a line, and leaves the line as it is", function()
    local memory, path = open('{"id":1,"kind":"fact","content":"a"}{"id":2,"kind":"fact","content":"b"}garbage\n')
    local before = helper.read(path)
    assert.equal(3, memory:update(2, { content = "c" }))
    assert.equal(5, memory:update(1, { x = 1 }))
    assert.same({ "a", "c" }, support.pluck(memory:items(), "content"))
    assert.equal(before, helper.read(path):sub(1, #before))
    memory:close()
  end)

  it("copies members of any length and number", function()
    local members = { ',"content":"' .. ("c"):rep(300000) .. '"' }
    for number = 1, 3000 do members[#members + 1] = (',"member %d":"%s"'):format(number, ("v"):rep(number % 40)) end
    members = table.concat(members)
    assert.equal(members:gsub(',"member 17":"v+"', "") .. ',"member 17":0', updated(members, { ["member 17"] = 0 }))
  end)

  it("goes on in the index: found, counted, forgotten", function()
    local memory, path = open(item(1, ',"content":"old words"'))
    assert.equal(1, #memory:search("old"))
    local id = memory:update(1, { content = "new words", tags = { "t" } })
    assert.equal(1, #memory)
    assert.equal(4, memory.next_id)
    assert.same({}, memory:search("old"))
    assert.same({ id }, support.pluck(memory:search("new"), "id"))
    assert.same({ id }, support.pluck(memory:items({ tag = "t" }), "id"))
    assert.is_nil(memory:get(1))
    assert.is_true(memory:forget(id))
    assert.equal(0, #memory)
    memory:close()
    assert.same({}, aish.load_memory(path))
  end)

  it("of a shared handle sees what others have done", function()
    local one, path = open(item(1, ',"content":"a"'), { shared = true })
    local other = assert(aish.open(path, { shared = true }))
    assert.equal(2, one:update(1, { content = "b" }))
    assert.same({ false, "no active item 1", n = 2 }, helper.pack(other:update(1, { content = "c" })))
    assert.equal(4, other:update(2, { content = "c" }))
    assert.equal("c", one:get(4).content)
    assert.equal(1, #one)
    one:close()
    other:close()
  end)

  it("cut at any byte leaves the old item or the new one, and the next call repairs the file", function()
    for _, ended in ipairs({ true, false }) do
      local lines = item(1, ',"content":"old","x":"kept"')
      local memory, path = open(ended and lines or lines:sub(1, -2))
      local from = #helper.read(path)
      assert.equal(2, memory:update(1, { content = "new" }))
      memory:close()
      local bytes = helper.read(path)
      local seen = {}
      for size = from, #bytes do
        helper.write(path, bytes:sub(1, size))
        local contents = table.concat(support.pluck(aish.load_memory(path), "content"), " ")
        seen[#seen + 1] = contents ~= seen[#seen] and contents or nil
        memory = assert(aish.open(path))
        local id = memory:add("fact", "after")
        assert.equal("after", memory:get(id).content)
        assert.equal("after" .. (contents ~= "" and " " .. contents or ""),
          table.concat(support.pluck(memory:items(), "content"), " "))
        memory:close()
      end
      assert.same({ "old", "new old", "new" }, seen)
    end
  end)
end)

-- By the build of spec/faults/: each pread in turn fails.
describe("an item of a unique memory", function()
  helper.guard(before_each, after_each)

  it("is not added where what is there cannot be read", function()
    assert.equal("true\t1\ttrue\t1\n", faults.run_code([[
      local memory = assert(aish.open(..., { unique = true }))
      local id = assert(memory:add("fact", "one"))
      seam.arm({ at = 0 })
      assert(memory:add("fact", "one"))
      local cases = 0
      for at, name in ipairs(seam.calls()) do
        if name == "pread" then
          seam.arm({ at = at, number = seam.EIO })
          local added, message = memory:add("fact", "one")
          assert(seam.disarm() == "pread")
          assert(not added and message:find("Input/output error", 1, true), at .. ": " .. tostring(message))
          cases = cases + 1
        end
      end
      local again, present = memory:add("fact", "one")
      print(cases > 0, again, present, #memory)
    ]], helper.tmpdir() .. "/memory.jsonl"))
  end)
end)
