--- Every state in which a power cut can leave the files.
--
-- Scripts of calls (spec/faults/scripts.lua) are played on a module that records its system calls.
-- From the record every state is built that the disk may be in after a cut before, between or
-- behind the calls, much as ALICE does it (Pillai et al., "All File Systems Are Not Created Equal",
-- OSDI 2014); spec/faults/disk.lua is the model. What no sync has covered yet may be there or not:
--
-- * writes since the file's last fdatasync: each there, or missing while later ones are there; cut
--   at any byte (long ones at their ends, at the edges of blocks and at some bytes by chance); the
--   file's size grown and the bytes zero, from any byte on, or in one block in the middle;
-- * truncations: done or not;
-- * new files, new directories, renames and removals of names since their directory's last fsync:
--   each done or not, whatever the file behind the name has come to;
-- * after an fdatasync that failed: its writes lost for good, even where a later one succeeds, but
--   for the page that is written to again (Rebello et al., "Can Applications Recover from fsync
--   Failures?", ATC 2020).
--
-- All subsets of what is not sure are built where these are up to five operations, else their
-- beginnings, each alone, each missing, and some by chance. Of states found on the way some are
-- opened, added to and compacted on the record, and the power is cut in that too. And the scripts
-- are played with each call failing in turn, the power being cut whenever something was
-- acknowledged.
--
-- Each state is opened: all that sync = "full" acknowledged before the cut is there with its
-- content, once, what was forgotten is not, no byte that was there is gone, the next record gets a
-- fresh id and is read back with all others; and so it is after a compaction.
--
-- Not built: bytes that change although nobody wrote to them, sectors torn within, and the loss of
-- the page before the one that is written to after a failed sync.
--
-- `make power` plays the same scripts on real file systems and cuts those off.
local helper = require("spec.support.helper")
local support = require("spec.faults.support")

describe("when the power is cut", function()
  helper.guard(before_each, after_each)

  for _, script in ipairs(support.scripts()) do
    if not script.elsewhere then
      for title, how in pairs({ ["nothing is lost of "] = "", ["after a fault nothing is lost of "] = "faults" }) do
        it(title .. script.name, function()
          local output = support.run("spec/faults/cuts.lua", script.name, support.tmpdir(), how)
          assert.truthy(output:find(", 0 with problems\n$"), output)
          support.report("crash", script.name .. (how ~= "" and ", with faults" or ""), output)
        end)
      end
    end
  end
end)
