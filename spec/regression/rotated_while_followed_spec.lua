-- A line that was appended, and the file renamed, between a follower's last read and its look at the path
-- was never given. Played on the fault build, see spec/faults/.
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")

describe("a file that is rotated while it is followed", function()
  helper.guard(before_each, after_each)

  it("is read to its end, whenever that is", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local output = faults.run_code([[
      local path = ...
      local function write(bytes)
        os.remove(path)
        os.remove(path .. ".1")
        local file = assert(io.open(path, "w"))
        file:write(bytes)
        file:close()
      end
      local function rest(follow)
        local found = {}
        for number, record in follow do found[#found + 1] = number .. ":" .. record.n end
        return table.concat(found, " ")
      end
      for at = 1, 100 do
        write('{"n":1}\n')
        local follow = assert(aish.follow(path))
        seam.arm({ at = at, grows = path, by = '{"n":2}\n', moves = '{"n":3}\n{"n":4}\n' })
        local first = rest(follow)
        local call = seam.disarm()
        if not call then
          print("done", at > 3)
          break
        end
        local all = (first .. " " .. rest(follow)):gsub("^ ", ""):gsub(" $", "")
        if call == "pread" and all ~= "1:1 2:2 1:3 2:4" then print(at, all) end
        follow:close()
      end
    ]], path)
    assert.equal("done\ttrue\n", output)
  end)
end)
