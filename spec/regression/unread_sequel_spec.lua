--- Where a follower could not read where the erased file goes on in the new one, it took that for another file and
-- gave all its lines again, without a word of the failure. Played on the fault build, see spec/faults/.
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")

describe("a follower of a file that text was erased from", function()
  helper.guard(before_each, after_each)

  it("gives a line twice under no failure, but raises it", function()
    local output = faults.run_code([[
      local path = ...
      local number = require("posix.errno").EIO
      local function turn(text) return '{"role":"user","content":"' .. text .. '"}\n' end
      local function follower()
        local file = assert(io.open(path, "wb"))
        file:write(turn("one"), turn("secret"), turn("three"))
        file:close()
        local follow = assert(aish.follow(path))
        while follow() do end
        assert(aish.erase(path, "secret"))
        assert(aish.append(path, { role = "user", content = "four" }))
        return follow
      end
      local function poll(follow)
        local found = {}
        local done, message = pcall(function()
          for line, turn in follow do found[#found + 1] = line .. turn.content end
        end)
        return table.concat(found, " ") .. (done and "" or "error"), message
      end
      seam.arm({ at = 0 })
      assert(poll(follower()) == "4four")
      local follow, raised, given = follower(), 0, 0
      seam.arm({ at = 0 })
      poll(follow)
      local calls = seam.calls()
      for at, name in ipairs(calls) do
        if name == "pread" or name == "fstat" then
          follow = follower()
          seam.arm({ at = at, number = number })
          local found, message = poll(follow)
          assert(seam.disarm() == name)
          if message then
            assert(found == "error" or found == "4fourerror", found)
            assert(message:find("read ", 1, true) and message:find("Input/output error", 1, true), message)
            raised = raised + 1
          else
            assert(found == "4four" or found == "", found)
            given = given + 1
          end
          follow:close()
        end
      end
      print(#calls, raised, given)
    ]], helper.tmpdir() .. "/log.jsonl")
    local calls, raised = output:match("^(%d+)\t(%d+)\t%d+\n$")
    assert(calls and tonumber(calls) > 10 and tonumber(raised) > 3, output)
  end)
end)
