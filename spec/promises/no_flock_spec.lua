--- A file system without flock, as some NFS is: nothing is written without the lock, and the message
-- says what is missing and what to do. Played on the fault build, see spec/faults/.
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local support = require("spec.faults.support")

describe("on a file system without flock", function()
  helper.guard(before_each, after_each)

  --- What spec/faults/no_flock.lua printed: title to the rest of the line.
  local function play(reason)
    local dir, said = support.tmpdir(), {}
    local output = support.run("spec/faults/no_flock.lua", dir, reason)
    for title, rest in output:gmatch("([^|\n]*)|([^\n]*)\n") do said[title] = rest end
    assert.truthy(said.read, output)
    local text, number = errno.errno(errno[reason])
    local message = ("lock %s/memory.jsonl: %s: its file system has no flock; keep the file on a local disk, " ..
      "or mount NFS with local_lock=flock|%d|as it was"):format(dir, text, number)
    return said, message
  end

  for _, reason in ipairs({ "ENOLCK", "EOPNOTSUPP", "ENOSYS" }) do
    it("each call that needs the lock says so, and the way out, at " .. reason, function()
      local said, message = play(reason)
      for _, call in ipairs({ "open", "add", "add_many", "compact of a handle", "compact", "append" }) do
        assert.equal("nil|" .. message, said[call], call)
      end
      for _, call in ipairs({ "forget", "session:append" }) do
        assert.equal("false|" .. message, said[call], call)
      end
    end)
  end

  it("reading works, and a handle goes on when the lock does", function()
    local said = play("ENOLCK")
    assert.equal("1|one|1|1", said.read)
    assert.equal("2", said["add, later"])
    assert.equal("true", said["session:append, later"])
  end)

  it("another failure of flock has no such hint", function()
    local output = support.run("spec/faults/no_flock.lua", support.tmpdir(), "EIO")
    assert.truthy(output:find("\nadd|nil|lock [^|:]*/memory%.jsonl: Input/output error|5|as it was\n"), output)
  end)
end)
