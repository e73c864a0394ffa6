-- A follower of a file from which text is erased gets no line again, and none is lost.
local aish = require("aish_history")
local cases = require("spec.support.cases")
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")

local function turn(n, text)
  return ('{"n":%d,"content":"%s"}\n'):format(n, text or "secret")
end

describe("follow beside erase", function()
  helper.guard(before_each, after_each)

  local path, follow

  local function begin(bytes)
    path = helper.write(helper.tmpdir() .. "/s.jsonl", bytes)
    follow = assert(aish.follow(path))
  end

  local function rest()
    local found = {}
    for number, record, offset in follow do
      found[#found + 1] = ("%d:%s"):format(number, tostring(record.n))
      local file = assert(io.open(path))
      file:seek("set", offset)
      local line = file:read("*l")
      file:close()
      if line then found[#found] = found[#found] .. (line:find('{"n":' .. tostring(record.n), 1, true) and "" or "!") end
    end
    return table.concat(found, " ")
  end

  local function stop()
    follow:close()
    cases.collect()
  end

  local function append(n) assert(aish.append(path, { n = n })) end

  it("goes on where the old file ended", function()
    begin(turn(1) .. turn(2, "x") .. turn(3))
    assert.equal("1:1 2:2 3:3", rest())
    for round = 1, 3 do
      assert(aish.erase(path, ("secret"):sub(round), { replacement = "" }))
      if round > 1 then assert.equal("", rest()) end
      append(3 + round)
      assert.equal(("%d:%d"):format(3 + round, 3 + round), rest())
      assert.equal("", rest())
    end
    stop()
  end)

  it("counts lines as they are in the new file, with damaged ones gone", function()
    begin(turn(1) .. "torn secret\n" .. turn(2) .. "\nother\n" .. turn(3))
    assert.equal("1:1 3:2 6:3", rest())
    assert(aish.erase(path, "secret"))
    append(4)
    assert.equal("6:4", rest())
    stop()
  end)

  it("first gives what the old file still had", function()
    begin(turn(1) .. turn(2))
    assert.equal(1, (follow()))
    append(3)
    assert(aish.erase(path, "secret"))
    append(4)
    local found = {}
    for number, record in follow do found[#found + 1] = number .. ":" .. record.n end
    assert.equal("2:2 3:3 4:4", table.concat(found, " "))
    stop()
  end)

  it("gives a last line without its newline once", function()
    begin(turn(1) .. turn(2):sub(1, -2))
    assert.equal("1:1", rest())
    assert(aish.erase(path, "secret"))
    assert.equal("2:2", (rest():gsub("!", "")))
    append(3)
    assert.equal("3:3", rest())
    stop()
    begin(turn(1) .. '{"n":2,"content":"se')
    assert.equal("1:1", rest())
    assert(aish.erase(path, "secret"))
    append(3)
    assert.equal("3:3", rest())
    stop()
  end)

  it("goes on where the new file has its place, and its directory could not be synced", function()
    path = helper.write(faults.tmpdir() .. "/s.jsonl", turn(1) .. turn(2))
    local same = helper.write(faults.tmpdir() .. "/s.jsonl", turn(1) .. turn(2))
    assert.equal("2\nfsync\tfalse\t0\n", faults.run_code([[
      local path, same = ...
      local follow = assert(aish.follow(path))
      local function count()
        local given = 0
        for _ in follow do given = given + 1 end
        return given
      end
      print(count())
      seam.arm({ at = 0 })
      assert(aish.erase(same, "secret"))
      seam.arm({ at = at("fsync", 1), number = seam.EIO })
      local done = aish.erase(path, "secret")
      print(seam.disarm(), done ~= nil, count())
    ]], path, same))
  end)

  it("goes on in a session and in a memory whose handles write", function()
    begin(turn(1))
    assert.equal("1:1", rest())
    local session = assert(aish.session(path))
    assert(session:erase("secret"))
    assert(session:append({ n = 2 }))
    assert.equal("2:2", rest())
    session:close()
    stop()
    begin(support.meta)
    local memory = assert(aish.open(path))
    local id = assert(memory:add("fact", "secret"))
    assert.equal("1:nil! 2:nil!", rest())
    assert(memory:erase("secret"))
    assert.equal(id + 1, memory:add("fact", "x"))
    assert.equal("3:nil!", rest())
    memory:close()
    stop()
  end)

  it("goes on in a file that is empty then", function()
    begin("secret\n")
    assert.equal("", rest())
    assert(aish.erase(path, "secret"))
    assert.equal("", helper.read(path))
    append(1)
    assert.equal("1:1", rest())
    stop()
  end)

  it("reads another file that came after that from its start", function()
    begin(turn(1) .. turn(2))
    assert.equal("1:1 2:2", rest())
    assert(aish.erase(path, "secret"))
    helper.write(path .. "~", turn(3, "[erased]") .. turn(4, "[erased]") .. turn(5))
    assert(os.rename(path .. "~", path))
    assert.equal("1:3 2:4 3:5", rest())
    stop()
  end)

  it("reads a compacted file from its start", function()
    begin(support.meta .. support.item(1) .. support.item(2) .. support.tombstone(3, 1))
    for _ in follow do end
    assert(aish.compact(path))
    local count = 0
    for _ in follow do count = count + 1 end
    assert.equal(3, count)
    stop()
  end)

  it("leaves a file with another name as it is, which is then read from its start", function()
    begin(turn(1) .. turn(2))
    assert.equal("1:1 2:2", rest())
    assert(lfs.link(path, path .. ".link"))
    assert(aish.erase(path, "secret"))
    assert.equal(turn(1) .. turn(2), helper.read(path .. ".link"))
    assert.equal("1:1 2:2", rest())
    stop()
  end)

  it("says nothing that a reader of the old file would see as a line", function()
    path = helper.write(helper.tmpdir() .. "/s.jsonl", turn(1) .. turn(2))
    local scan = assert(aish.scan(path, { malformed = true }))
    assert.equal(1, (scan()))
    assert(aish.erase(path, "secret"))
    assert.equal(2, (scan()))
    assert.is_nil(scan())
    cases.collect()
  end)
end)

-- Other versions read it, too.
describe("what is left in the old file", function()
  helper.guard(before_each, after_each)

  it("is a blank line of two numbers, of 64 spaces and tabs each", function()
    local name = helper.write(helper.tmpdir() .. "/s.jsonl", turn(1) .. turn(2))
    local old = assert(io.open(name))
    local size = old:seek("end")
    assert(aish.erase(name, "secret"))
    old:seek("set", size)
    local line = old:read("*a")
    old:close()
    assert.matches("^\n[ \t]+\n$", line)
    assert.equal(1 + 64 + 64 + 1, #line)
    local new = 0
    for bit = 64, 1, -1 do new = 2 * new + (line:sub(1 + bit, 1 + bit) == "\t" and 1 or 0) end
    assert.equal(#helper.read(name), new)
  end)
end)
