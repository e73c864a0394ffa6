-- A handle that had found no file at its path, as the last thing that it looked at, took a lock that
-- another handle held on the new file for the same: forgetting said that there is no such item.
local aish = require("aish_history")
local assert = require("luassert")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a handle whose file was removed and made again by another", function()
  helper.guard(before_each, after_each)

  it("says that the file is held, not that an item is not there", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local first = assert(aish.open(path))
    assert(os.remove(path))
    assert.same({}, first:items())
    local second = assert(aish.open(path))
    assert.equal(1, second:add("fact", "x"))
    local result, message, number = first:forget(1)
    assert.same({ false, support.held, errno.EAGAIN }, { result, message, number })
    first:close()
    second:close()
  end)
end)
