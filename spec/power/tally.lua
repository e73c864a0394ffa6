--- What the runs of cuts have in common: chance, pauses, and the count of what was lost.
local time = require("posix.time")
local unistd = require("posix.unistd")

math.randomseed(os.time() + unistd.getpid())

local Tally = {}
Tally.__index = Tally

--- `name`: of the file system. `unsynced`: that the module leaves out its syncs, so that something must
-- be lost for the run to be of any worth.
function Tally.new(name, unsynced)
  return setmetatable({ name = name, unsynced = unsynced, cuts = 0, judged = 0, lost = 0, began = os.time() }, Tally)
end

--- Waits for up to so many milliseconds, by chance.
function Tally.pause(most)
  time.nanosleep({ tv_sec = 0, tv_nsec = math.random(0, most * 1000000) })
end

--- One play has been judged; `problems`: an array of what is wrong with it.
function Tally:judge(problems)
  self.judged = self.judged + 1
  if #problems == 0 then return end
  self.lost = self.lost + 1
  if not self.unsynced then print(self.name .. ": " .. table.concat(problems, "\n  ")) end
end

--- Prints the counts, and ends the program: with success if as much was lost as should be.
function Tally:finish()
  print(("%s%s: %d cuts, %d plays judged, %d with losses, %d s"):format(self.name,
    self.unsynced and ", without syncs" or "", self.cuts, self.judged, self.lost, os.time() - self.began))
  if self.unsynced and self.lost == 0 then print(self.name .. ": nothing was lost, so that this proves nothing") end
  os.exit((self.lost > 0) == self.unsynced)
end

return Tally
