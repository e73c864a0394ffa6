-- A search went over the strings of a record once for each level that they were nested, as did the list
-- of sessions for a first turn without text: a line nested 990 deep took 40 times as long as a flat one.
local helper = require("spec.support.helper")
local instructions = require("spec.support.instructions")
local support = require("spec.support.recall")

-- Of a new process that reads a directory with these records.
local function count(records, call)
  local dir = helper.tmpdir()
  helper.write(dir .. "/s.jsonl", records)
  return instructions(('local dir = ... require("aish_history").%s'):format(call), dir)
end

describe("a record that is nested 990 deep #build", function()
  helper.guard(before_each, after_each)

  local nested = ('["a",'):rep(990) .. '"needle"' .. ("]"):rep(990)
  local flat = "[" .. ('["a"],'):rep(990) .. '"needle"]'
  local bare = ("[0,"):rep(990) .. "0" .. ("]"):rep(990)
  local plain = "[" .. ("[0],"):rep(990) .. "0]"

  for label, case in pairs({
    ["is searched"] = { nested, flat, 'search(dir, "needle")' },
    ["is listed"] = { bare, plain, "sessions(dir)" },
  }) do
    it(label .. " in as many instructions as a flat one", function()
      local none = count("", case[3])
      if not none then return pending("callgrind is not at hand") end
      local deep = count(support.turn(case[1]):rep(20), case[3]) - none
      local shallow = count(support.turn(case[2]):rep(20), case[3]) - none
      assert(deep < 2 * shallow, ("%.0f instructions, flat %.0f"):format(deep, shallow))
    end)
  end
end)
