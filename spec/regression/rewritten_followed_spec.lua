-- A file that was cut and had grown past the old place, between two looks of its follower, was read on at
-- that place: what stood before it was not given, and what stood across it was half a record.
local aish = require("aish_history")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")

local MARK = "\239\187\191"

describe("a followed file that was rewritten between two looks", function()
  helper.guard(before_each, after_each)

  local function record(n, text)
    return ('{"n":%d%s}\n'):format(n, text and ',"text":"' .. text .. '"' or "")
  end

  -- Follows a file of `before`, in steps: each is a function of the path, and what is given then.
  local function following(before, expected, steps)
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", before)
    local inode = assert(require("lfs").attributes(path, "ino"))
    local follow = assert(aish.follow(path))
    local function rest()
      local found = {}
      for number, value, offset in follow do found[#found + 1] = ("%d:%d@%d"):format(number, value.n, offset) end
      return table.concat(found, " ")
    end
    assert.equal(expected, rest())
    assert.equal("", rest())
    for _, step in ipairs(steps) do
      step[1](path)
      assert.equal(inode, require("lfs").attributes(path, "ino"))
      assert.equal(step[2], rest())
      assert.equal("", rest())
    end
    follow:close()
    cases.collect()
  end

  -- In place: the inode stays.
  local function rewrite(bytes)
    return function(path) helper.write(path, bytes) end
  end

  local function append(bytes)
    return function(path)
      local file = assert(io.open(path, "a"))
      file:write(bytes)
      file:close()
    end
  end

  it("is read from its start: longer than before", function()
    following(record(1) .. record(2), "1:1@0 2:2@8", {
      { rewrite(record(3) .. record(4, "longer") .. record(5)), "1:3@0 2:4@8 3:5@32" },
      { append(record(6)), "4:6@40" },
    })
  end)

  it("is read from its start: of the same length", function()
    following(record(1) .. record(2), "1:1@0 2:2@8", {
      { rewrite(record(3) .. record(4)), "1:3@0 2:4@8" },
      { rewrite(record(5, "as long as both together, or longer")), "1:5@0" },
      { rewrite(record(6, "as long as both together, and other")), "1:6@0" },
      { append(record(7)), "2:7@53" },
    })
  end)

  it("is read from its start: an end in the middle of a line", function()
    following(record(1) .. record(2), "1:1@0 2:2@8", {
      { rewrite(record(3, ("x"):rep(50))), "1:3@0" },
      { rewrite(record(4, ("y"):rep(70)):sub(1, -2)), "" },
      { append("\n" .. record(5)), "1:4@0 2:5@88" },
    })
  end)

  it("is read from its start: a new first line, and the old ones after it", function()
    following(record(1) .. record(2), "1:1@0 2:2@8", {
      { rewrite(record(9) .. record(1) .. record(2)), "1:9@0 2:1@8 3:2@16" },
    })
  end)

  -- Where the old place was found by the bytes before it, nothing is given twice.
  for label, first in pairs({
    ["short lines"] = record(1), ["one of 31 bytes"] = record(1, ("x"):rep(13)), ["one of 32 bytes"] = record(1, ("x"):rep(14)),
    ["one of 33 bytes"] = record(1, ("x"):rep(15)), ["a long one"] = record(1, ("x"):rep(300000)),
    ["one that ends in \\r"] = '{"n":1}\r\n',
  }) do
    for mark, start in pairs({ ["no mark"] = "", ["a byte order mark"] = MARK }) do
      it(("that was only appended to gives no record twice: %s, %s"):format(label, mark), function()
        local size = #start + #first
        following(start .. first, "1:1@0", {
          { append(""), "" },
          { append(record(2)), "2:2@" .. size },
          { append(record(3) .. '{"n"'), "3:3@" .. size + 8 },
          { append(":4}\n"), "4:4@" .. size + 16 },
          { append("\n \n" .. record(5)), "7:5@" .. size + 27 },
          { append("garbage\n"), "" },
          { append(record(6)), "9:6@" .. size + 43 },
        })
      end)

      it(("is read from its start: %s, %s"):format(label, mark), function()
        local size = #start + #first
        local function changed(n, x)
          return start .. first:gsub("1", n, 1):gsub("x", x)
        end
        following(start .. first, "1:1@0", {
          { rewrite(changed(7, "y")), "1:7@0" },
          { rewrite(changed(8, "z") .. record(2)), "1:8@0 2:2@" .. size },
          { append(record(3)), "3:3@" .. size + 8 },
        })
      end)
    end
  end

  it("is read from its start while records are given", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", record(1) .. record(2) .. record(3))
    local follow = assert(aish.follow(path))
    assert.equal(1, (follow()))
    helper.write(path, record(4) .. record(5) .. record(6) .. record(7) .. record(8))
    local found = {}
    for number, value in follow do found[#found + 1] = ("%d:%d"):format(number, value.n) end
    -- Those that had been read by then come first.
    assert.equal("2:2 3:3 1:4 2:5 3:6 4:7 5:8", table.concat(found, " "))
    follow:close()
    cases.collect()
  end)

  it("is read to its end before the file that took its place", function()
    local path = helper.write(helper.tmpdir() .. "/s.jsonl", record(1))
    local follow = assert(aish.follow(path))
    assert.equal(1, select(2, follow()).n)
    assert.is_nil(follow())
    append(record(2))(path)
    assert(os.rename(path, path .. ".1"))
    helper.write(path, record(3, "longer than both before together"))
    assert.equal(2, select(2, follow()).n)
    assert.equal(3, select(2, follow()).n)
    assert.is_nil(follow())
    follow:close()
    cases.collect()
  end)

  it("is read from its start when it loses its mark, or gets one", function()
    following(MARK .. record(1), "1:1@0", {
      { rewrite(record(1) .. record(2)), "1:1@0 2:2@8" },
      { rewrite(MARK .. record(1) .. record(2)), "1:1@0 2:2@11" },
    })
  end)
end)
