--- Files that are no JSON Lines at all, and files of the other kind: refused by whatever would write to
-- them, read as nil.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local history = require("history")
local support = require("spec.support.memories")

local TURN = '{"role":"user","content":"x"}\n'
local META = '{"meta":{"model":"m"}}\n'

-- UTF-16 or UTF-32 of ASCII text.
local function wide(text, before, behind)
  return (text:gsub(".", function(byte) return ("\0"):rep(before) .. byte .. ("\0"):rep(behind) end))
end

local memory = support.meta .. support.item(1)

local foreign = {
  ["a JSON array"] = { '[{"id":1,"kind":"fact","content":"x"}]', "JSON array" },
  ["a JSON array of many lines"] = { "[\n" .. TURN:gsub("\n", ",\n") .. TURN .. "]\n", "JSON array" },
  ["an array with white space around it"] = { "\239\187\191" .. (" \r\n\t"):rep(300) .. "[]" .. (" \r\n\t"):rep(300), "JSON array" },
  ["UTF-16, little endian"] = { wide(memory, 0, 1), "UTF%-16" },
  ["UTF-16, big endian"] = { wide(memory, 1, 0), "UTF%-16" },
  ["UTF-16, little endian, with a mark"] = { "\255\254" .. wide(memory, 0, 1), "UTF%-16" },
  ["UTF-16, big endian, with a mark"] = { "\254\255" .. wide(memory, 1, 0), "UTF%-16" },
  ["UTF-32, little endian"] = { wide(memory, 0, 3), "UTF%-32" },
  ["UTF-32, big endian"] = { wide(memory, 3, 0), "UTF%-32" },
  ["UTF-32, little endian, with a mark"] = { "\255\254\0\0" .. wide(memory, 0, 3), "UTF%-32" },
  ["UTF-32, big endian, with a mark"] = { "\0\0\254\255" .. wide(memory, 3, 0), "UTF%-32" },
}

local function refused(path, words, result, message, number)
  assert.is_nil(result)
  assert.equal("string", type(message))
  assert.truthy(message:find("open " .. path .. ": ", 1, true), message)
  assert.matches(words, message)
  assert.equal(errno.EINVAL, number)
end

describe("a file that is not JSON Lines", function()
  helper.guard(before_each, after_each)

  for label, case in pairs(foreign) do
    it("is refused, and said what it is: " .. label, function()
      local bytes, words = case[1], case[2]
      local dir = helper.tmpdir()
      local path = helper.write(dir .. "/a.jsonl", bytes)
      local calls = { aish.open, aish.session, aish.load, aish.load_memory, aish.scan, aish.verify, aish.compact, aish.follow }
      for _, call in ipairs(calls) do refused(path, words, call(path)) end
      refused(path, words, aish.open(path, { shared = true }))
      refused(path, words, aish.session(path, { model = "m" }))
      refused(path, words, aish.append(path, { role = "user", content = "x" }))
      refused(path, words, aish.load(path, { last = 1 }))
      refused(path, words, aish.search(path, "x"))
      local items, message = history.load_memory(path)
      assert.same({}, items)
      assert.matches(words, message)
      local hits, errors = aish.search(dir, "x")
      assert.same({}, hits)
      assert.matches(words, errors[path])
      assert.matches(words, aish.sessions(dir)[1].error)
      assert.equal(bytes, helper.read(path))
    end)
  end

  it("is not one with damaged lines, or without anything else yet", function()
    for _, bytes in ipairs({ '["a"]\n' .. memory, memory .. '["a"]\n', "[\n" .. memory, "]\n", "[1]x\n", '{"ro', "", "\n", " ", "[", "\0",
      "\0\0\0\0", "\0\0\0\0" .. memory, "\0\0\0" .. memory, "\0" .. memory, "\0\0" .. memory, "{\0\0\0\0\0\0\0\0", "{\0", "\255\254\n" .. memory, "\254\255" .. memory, "\239\187\191" .. memory, "1\n", "12\n" }) do
      local path = helper.write(helper.tmpdir() .. "/a.jsonl", bytes)
      assert(aish.open(path)):close()
      assert(aish.load_memory(path))
      assert(aish.load(path))
      assert(aish.append(path, { x = 1 }))
    end
  end)

  it("is refused when it takes the place of another", function()
    local path = helper.write(helper.tmpdir() .. "/a.jsonl", memory)
    local handle = assert(aish.open(path))
    helper.write(path .. ".new", "[1]\n")
    assert(os.rename(path .. ".new", path))
    refused(path, "JSON array", handle:add("fact", "y"))
    assert.equal("[1]\n", helper.read(path))
    handle:close()
  end)
end)

describe("a file that is rewritten in place while a handle has it open,", function()
  helper.guard(before_each, after_each)

  -- Written over, so that the inode stays.
  local function overwrite(path, bytes)
    local file = assert(io.open(path, "wb"))
    assert(file:write(bytes))
    file:close()
  end

  local function refuses(path, words, result, message, number)
    assert.falsy(result)
    assert.truthy(message:find("open " .. path .. ": ", 1, true), message)
    assert.matches(words, message)
    assert.equal(errno.EINVAL, number)
  end

  for _, before in ipairs({ "", META, META .. TURN }) do
    for label, case in pairs({
      ["a JSON array"] = { "[" .. TURN:rep(5, ",") .. "]\n", "JSON array" },
      ["UTF-16"] = { wide(TURN:rep(5), 0, 1), "UTF%-16" },
      ["a memory"] = { memory:rep(3), "a memory, not a session" },
    }) do
      for _, appended in ipairs({ 0, 2 }) do
        it(("as %s is no session: %d bytes before, %d appended"):format(label, #before, appended), function()
          local path = helper.write(helper.tmpdir() .. "/a.jsonl", before)
          local session = assert(aish.session(path))
          for _ = 1, appended do assert(session:append({ role = "user", content = "y" })) end
          overwrite(path, case[1])
          refuses(path, case[2], session:append({ role = "user", content = "z" }))
          assert.equal(case[1], helper.read(path))
          overwrite(path, TURN)
          assert.is_true(session:append({ role = "user", content = "z" }))
          assert.equal(2, #aish.load(path))
          session:close()
        end)
      end
    end
  end

  for label, options in pairs({ ["a shared"] = { shared = true }, ["an exclusive"] = {} }) do
    it("as a JSON array is no memory for " .. label .. " handle", function()
      local path = helper.write(helper.tmpdir() .. "/a.jsonl", memory)
      local handle = assert(aish.open(path, options))
      assert(handle:add("fact", "y"))
      local array = "[" .. support.item(1):rep(9, ",") .. "]\n"
      overwrite(path, array)
      refuses(path, "JSON array", handle:add("fact", "z"))
      refuses(path, "JSON array", handle:items())
      assert.equal(array, helper.read(path))
      overwrite(path, memory)
      assert.equal(3, handle:add("fact", "z"))
      handle:close()
    end)
  end

  it("by a neighbour that appends to it stays a session", function()
    local path = helper.tmpdir() .. "/a.jsonl"
    local one, other = assert(aish.session(path)), assert(aish.session(path))
    for _ = 1, 3 do
      assert(one:append({ role = "user", content = "1" }))
      assert(other:append({ role = "user", content = "2" }))
    end
    assert.equal(6, #aish.load(path))
    one:close()
    other:close()
  end)
end)

describe("a file of the other kind", function()
  helper.guard(before_each, after_each)

  it("is no memory", function()
    for _, bytes in ipairs({ META, META .. TURN, TURN, "{}\n", "garbage\n" .. TURN, '{"ro' .. TURN, TURN:sub(1, -2) }) do
      local path = helper.write(helper.tmpdir() .. "/a.jsonl", bytes)
      for _, shared in ipairs({ false, true }) do
        refused(path, "none of a memory", aish.open(path, { shared = shared }))
      end
      assert.equal(bytes, helper.read(path))
    end
  end)

  it("is no memory either when it takes the place of one", function()
    local path = helper.write(helper.tmpdir() .. "/a.jsonl", memory)
    local handle = assert(aish.open(path))
    helper.write(path .. ".new", META .. TURN)
    assert(os.rename(path .. ".new", path))
    refused(path, "none of a memory", handle:add("fact", "y"))
    refused(path, "none of a memory", handle:items())
    helper.write(path .. ".new", memory)
    assert(os.rename(path .. ".new", path))
    assert.equal(2, handle:add("fact", "y"))
    handle:close()
  end)

  it("is no session", function()
    for _, bytes in ipairs({ support.meta, memory, "\n\r\n" .. memory, "garbage\n" .. memory, "\239\187\191" .. memory, support.meta:sub(1, -2) }) do
      local path = helper.write(helper.tmpdir() .. "/a.jsonl", bytes)
      refused(path, "a memory, not a session", aish.session(path))
      refused(path, "a memory, not a session", aish.session(path, { model = "m" }))
      assert.equal(bytes, helper.read(path))
    end
  end)

  it("is not told by less than that", function()
    local dir = helper.tmpdir()
    for index, bytes in ipairs({ TURN .. memory, META .. support.meta, '{"meta":{"aish_version":"1","model":"m"}}\n' }) do
      assert(aish.session(helper.write(dir .. "/s" .. index, bytes))):close()
    end
    for index, bytes in ipairs({ TURN .. support.meta, META .. support.item(1), TURN .. support.tombstone(2, 1) }) do
      assert(aish.open(helper.write(dir .. "/m" .. index, bytes))):close()
    end
  end)

  it("takes what was appended through the handle for a memory's", function()
    local path = helper.tmpdir() .. "/a.jsonl"
    local handle = assert(aish.open(path, { shared = true }))
    assert(aish.append(path, { x = 1 }))
    assert.equal(1, handle:add("fact", "x"))
    assert.equal(1, #handle)
    handle:close()
    helper.write(path, "garbage\n")
    handle = assert(aish.open(path, { shared = true }))
    assert.equal(1, handle:add("fact", "x"))
    assert(aish.append(path, { x = 1 }))
    assert.equal(1, #handle:items())
    handle:close()
  end)
end)
