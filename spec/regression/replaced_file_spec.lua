-- After an editor's save by rename, or rm, every later add went to the unlinked file and was lost.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local stat = require("posix.sys.stat")
local support = require("spec.support.memories")

describe("a file that is replaced while it is open", function()
  helper.guard(before_each, after_each)

  local dir, path, memory

  -- Each spec begins with a memory of two items, open.
  local function case(name, fn)
    it(name, function()
      dir = helper.tmpdir()
      path = dir .. "/memory.jsonl"
      memory = assert(aish.open(path))
      finally(function() memory:close() end)
      memory:add("fact", "one")
      memory:add("fact", "two")
      fn()
    end)
  end

  local function save(bytes)
    helper.write(path .. "~", bytes)
    assert(os.rename(path .. "~", path))
  end

  local function edited()
    return (helper.read(path):gsub('"one"', '"edited"'))
  end

  for _, pair in ipairs({
    { "add", function() return memory:add("fact", "three") end },
    { "add_many", function() return memory:add_many({ { kind = "fact", content = "three" } }) end },
    { "forget", function() return memory:forget(2) end },
    { "get", function() return memory:get(1) end },
    { "items", function() return memory:items() end },
    { "sync", function() return memory:sync() end },
    { "#", function() return #memory end },
  }) do
    local name, call = pair[1], pair[2]

    case("by an editor is found there by " .. name, function()
      local before = helper.descriptors()
      save(edited())
      assert.truthy((call()))
      assert.equal("edited", memory:get(1).content)
      local id = memory:add("fact", "later")
      assert.matches('^{"id":' .. id .. ',.*"content":"later"}\n$', helper.read(path):match("[^\n]*\n$"))
      assert.equal("later", aish.load_memory(path)[1].content)
      assert.equal("edited", (function(items) return items[#items].content end)(aish.load_memory(path)))
      -- The file of before is not held on to.
      local count, count_before = 0, 0
      for _ in pairs(before) do count_before = count_before + 1 end
      for _ in pairs(helper.descriptors()) do count = count + 1 end
      assert.equal(count_before, count)
      assert.equal(path, helper.descriptors()[memory.fd])
    end)

    case("after rm is made anew by " .. name, function()
      assert(os.remove(path))
      call()
      local id = memory:add("fact", "later")
      assert.truthy(id >= 3)
      assert.matches('^{"meta":{"aish_version":"phase4","created":"[^"]*"}}\n', helper.read(path))
      local contents = support.pluck(aish.load_memory(path), "content")
      assert.equal("later", contents[1])
      assert.is_nil(helper.read(path):find('"one"', 1, true))
      assert.equal("600", ("%o"):format(stat.stat(path).st_mode % 4096))
    end)
  end

  case("is locked as the first one was", function()
    save(edited())
    assert.equal(2, #memory)
    local other, message, number = aish.open(path)
    assert.is_nil(other)
    assert.equal(support.held, message)
    assert.equal(errno.EAGAIN, number)
  end)

  case("shows what the editor changed, added and took away", function()
    save(support.item(2, "kept") .. support.item(9, "added"))
    assert.equal(2, #memory)
    assert.is_nil(memory:get(1))
    assert.same({ "added", "kept" }, support.pluck(memory:items(), "content"))
    assert.equal(10, memory:add("fact", "next"))
    assert.equal(11, memory.next_id)
  end)

  case("gets no id again that was given before", function()
    save(support.item(1, "only"))
    assert.equal(3, memory:add("fact", "three"))
    assert(os.remove(path))
    assert.equal(4, memory:add("fact", "four"))
    assert.same({ 4 }, support.pluck(aish.load_memory(path), "id"))
    save("")
    assert.equal(5, memory:add("fact", "five"))
    assert.matches('^{"meta":', helper.read(path))
  end)

  case("is refused while another process holds the new file, and taken when it lets go", function()
    save(edited())
    local other = assert(aish.open(path))
    local before = helper.read(path)
    local id, message, number = memory:add("fact", "three")
    assert.is_nil(id)
    assert.equal(support.held, message)
    assert.equal(errno.EAGAIN, number)
    local forgotten, reason = memory:forget(1)
    assert.falsy(forgotten)
    assert.equal(support.held, reason)
    assert.equal(before, helper.read(path))
    assert.equal(3, other:add("fact", "of the other"))
    other:close()
    assert.equal(4, memory:add("fact", "four"))
    assert.same({ "four", "of the other", "two", "edited" }, support.pluck(memory:items(), "content"))
  end)

  case("by what is no file is an error until it is one again", function()
    assert(os.remove(path))
    assert(lfs.mkdir(path))
    local id, message, number = memory:add("fact", "three")
    assert.is_nil(id)
    assert.truthy(message:find(path, 1, true), message)
    assert.equal(errno.EISDIR, number)
    assert(lfs.rmdir(path))
    assert(stat.mkfifo(path))
    id, message, number = memory:add("fact", "three")
    assert.is_nil(id)
    assert.equal("open " .. path .. ": not a regular file", message)
    assert.equal(errno.EINVAL, number)
    assert(os.remove(path))
    assert.equal(3, memory:add("fact", "three"))
    assert.same({ "three" }, support.pluck(aish.load_memory(path), "content"))
  end)

  case("with a torn last line is not glued to", function()
    save(support.item(1) .. '{"id":2,"ki')
    assert.equal(3, memory:add("fact", "three"))
    assert.equal('{"id":2,"ki', helper.lines(path)[2])
    assert.same({ 3, 1 }, support.pluck(aish.load_memory(path), "id"))
  end)

  case("together with its directory is made anew or refused, never lost without a word", function()
    assert(os.rename(dir, dir .. ".moved"))
    helper.dirs[#helper.dirs + 1] = dir .. ".moved"
    local id, message = memory:add("fact", "three")
    if id then
      assert.equal("three", aish.load_memory(path)[1].content)
    else
      assert.truthy(message:find(path, 1, true), message)
    end
    assert.equal(2, #aish.load_memory(dir .. ".moved/memory.jsonl"))
  end)

  case("by moving a link's target is found through the link", function()
    memory:close()
    assert(os.rename(path, dir .. "/real.jsonl"))
    assert(lfs.link("real.jsonl", path, true))
    memory = assert(aish.open(path))
    helper.write(dir .. "/other.jsonl", support.item(7, "other"))
    assert(os.remove(path))
    assert(lfs.link("other.jsonl", path, true))
    assert.equal(8, memory:add("fact", "eight"))
    assert.same({ "eight", "other" }, support.pluck(aish.load_memory(dir .. "/other.jsonl"), "content"))
    assert.equal(2, #aish.load_memory(dir .. "/real.jsonl"))
    assert.equal("link", lfs.symlinkattributes(path, "mode"))
  end)

  case("in place, cut short under the handle, is no crash", function()
    for index = 1, 50 do memory:add("fact", "filler " .. index) end
    helper.write(path, support.meta)
    pcall(memory.get, memory, 30)
    pcall(memory.items, memory)
    local id = memory:add("fact", "after")
    assert.equal(53, id)
    assert.same({ "after" }, support.pluck(aish.load_memory(path), "content"))
  end)
end)

describe("a session's file that is replaced while it is open", function()
  helper.guard(before_each, after_each)

  it("gets the turns that follow", function()
    local path = helper.tmpdir() .. "/session.jsonl"
    local session = assert(aish.session(path, { m = 1 }))
    session:append({ role = "user", content = "one" })
    helper.write(path .. "~", '{"role":"user","content":"edited"}\n')
    assert(os.rename(path .. "~", path))
    assert.is_true(session:append({ role = "user", content = "two" }))
    assert.same({ "edited", "two" }, support.pluck((aish.load(path)), "content"))
    assert(os.remove(path))
    assert.is_true(session:append({ role = "user", content = "three" }))
    assert.same({ "three" }, support.pluck((aish.load(path)), "content"))
    session:close()
  end)
end)

describe("the shell's handle on a file that is replaced", function()
  helper.guard(before_each, after_each)

  it("adds to the new file", function()
    local history = require("history")
    local path = helper.tmpdir() .. "/memory.jsonl"
    local memory = assert(history.open_memory(path))
    memory:add("fact", "one")
    assert(os.remove(path))
    assert.equal(2, memory:add("fact", "two"))
    memory:close()
    assert.same({ "two" }, support.pluck(history.load_memory(path), "content"))
  end)
end)
