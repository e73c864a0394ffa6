--- Every system call fails once.
--
-- The module is built on the system calls of spec/faults/seam.c. Scripts of calls on memories and
-- sessions (spec/faults/scripts.lua) are played once for every system call in them and for every
-- way in which it can fail:
--
-- * EINTR, EIO, ENOSPC, EDQUOT, and what else is usual for the call; also for the rest of the time
--   until something was reported, for calls of the same name or for all;
-- * a write that puts one byte, half, or all but one, and then fails, or goes on;
-- * a write or a sync that fails while the file cannot be cut back either.
--
-- Each time what fails must be reported, with the path and the errno, and have left the file as it
-- was; the same call must work when the fault is over. In the end all that was acknowledged is
-- there, once, under its own id, beside it at most fragments; no descriptor, no block and no
-- temporary file is left, the lock is free, and the file takes another record.
local helper = require("spec.support.helper")
local support = require("spec.faults.support")

describe("when a system call fails", function()
  helper.guard(before_each, after_each)

  for _, script in ipairs(support.scripts()) do
    it("nothing is lost of " .. script.name, function()
      local output = support.run("spec/faults/sweep.lua", script.name, support.tmpdir(), "calls")
      assert.truthy(output:find(", 0 with problems\n$"), output)
      support.report("fault", script.name, output)
    end)
  end
end)
