-- A line of more than 16 MiB that was not one object alone was damaged as a whole: the records on it were
-- hidden, their ids given again, and compaction put them aside.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local LONG = ("y"):rep(17 * 1024 * 1024)

-- A memory's file of the meta line and these bytes.
local function file(bytes)
  return helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. bytes)
end

local function item(id, content)
  return ('{"id":%d,"ts":"2026-01-01T00:00:0%dZ","kind":"fact","content":"%s"}'):format(id, id, content)
end

describe("a line of more than 16 MiB", function()
  helper.guard(before_each, after_each)

  for name, case in pairs({
    ["an item and a NUL byte"] = { item(3, LONG) .. "\0\n", { 3 } },
    ["two items"] = { item(3, LONG) .. item(4, "short") .. "\n", { 4, 3 } },
    ["an item before garbage"] = { item(3, LONG) .. "garbage\n", { 3 } },
    ["an item before garbage that is longer"] = { item(3, "short") .. "garbage" .. LONG .. "\n", { 3 } },
    ["an item before a fragment"] = { item(3, "short") .. item(4, LONG):sub(1, -3) .. "\n", { 3 } },
    ["an item after white space"] = { (" "):rep(17 * 1024 * 1024) .. item(3, "short") .. "\n", { 3 } },
    ["an item after a byte order mark"] = { "\239\187\191" .. item(3, LONG) .. "\n", { 3 } },
    ["an item after NUL bytes"] = { ("\0"):rep(5000) .. item(3, LONG) .. "\n", { 3 } },
    ["a long item after a short fragment"] = { item(3, "short"):sub(1, -3) .. item(4, LONG) .. "\n", { 4 } },
    ["an item after a fragment"] = { item(3, LONG):sub(1, -3) .. item(4, "short") .. "\n", { 4 } },
  }) do
    it("holds " .. name .. ", before and after a compaction", function()
      local path = file(case[1])
      for _ = 1, 2 do
        assert.same(case[2], support.pluck(aish.load_memory(path), "id"))
        local memory = assert(aish.open(path))
        assert.equal(case[2][1] + 1, memory.next_id)
        memory:close()
        assert(aish.compact(path))
      end
    end)
  end

  it("holds the turn before a fragment", function()
    local path = helper.write(helper.tmpdir() .. "/session.jsonl",
      '{"role":"user","content":"hello"}{"role":"user","content":"' .. LONG .. "\n")
    local turns, _, damaged = aish.load(path)
    assert.same({ "hello", 1 }, { turns[1].content, damaged })
    assert.equal(1, #turns)
  end)
end)

-- Once is enough: the file is a hole, but it is read.
describe("a line of 2 GiB #build", function()
  helper.guard(before_each, after_each)

  it("is damaged, and those around it are read", function()
    local path = file(item(1, "before") .. "\n")
    local hole = assert(io.open(path, "r+"))
    assert(hole:seek("end", 2 ^ 31 - 1))
    assert(hole:write("\n", item(3, "after"), "\n"))
    hole:close()
    local report = assert(aish.verify(path))
    assert.same({ 2, 1, 4 }, { report.active, report.damaged, report.lines })
  end)
end)

describe("compact", function()
  helper.guard(before_each, after_each)

  it("waits for who has the lock, as long as append does", function()
    local path = file(item(3, "x") .. "\n")
    local holder = helper.start([[
      local memory = assert(require("aish_history").open((...)))
      print("held")
      io.stdout:flush()
      os.execute("sleep 0.3")
      memory:close()
    ]], path)
    assert.equal("held", holder:read("*l"))
    assert.equal(1, assert(aish.compact(path)).kept)
    holder:close()
  end)
end)
