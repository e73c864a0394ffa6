--- What `make power` (spec/power/run) does where it cannot cut the power, and how it judges: the cuts
-- themselves take too long for a spec.
local helper = require("spec.support.helper")
local plays = require("spec.power.plays")
local shell = require("spec.support.shell")

describe("make power", function()
  helper.guard(before_each, after_each)

  it("says what it skips, and why", function()
    local machine = helper.tmpdir()
    shell.run("for name in dirname grep mktemp rm uname; do ln -s $(command -v $name) " .. machine .. "/; done")
    assert.equal("LazyFS: SKIPPED, as there is no luajit\next4: SKIPPED, as there is no qemu-system-x86_64\n" ..
      "xfs: SKIPPED, as there is no qemu-system-x86_64\n", shell.run("PATH=" .. machine .. " spec/power/run"))
  end)

  -- Plays a script to its end; returns what the judge finds after `spoil(root)`, and a function that judges
  -- once more, by a moment from which on nothing else was acknowledged.
  local function judged(script, spoil)
    local root, scratch, last = helper.tmpdir(), helper.tmpdir(), 0
    plays.prepare(script, root)
    plays.play(script, root, function(moment) last = moment end)
    assert.equal(plays.moments(script, scratch), last)
    spoil(root)
    local added = {}
    local function add(name, id, item) table.insert(added, { name = name, id = id, item = item }) end
    local problems = plays.judge(script, root, scratch, { moment = last, added = {} }, 1, add)
    return problems, function(moment)
      return plays.judge(script, root, scratch, { moment = moment, added = added }, 2, add)
    end
  end

  -- Cuts off the last line of a file.
  local function shorten(path)
    local lines = helper.lines(path)
    table.remove(lines)
    helper.write(path, table.concat(lines, "\n") .. "\n")
  end

  for _, script in ipairs(plays.scripts) do
    it("finds nothing wrong with what was not cut, also again: " .. script.name, function()
      local problems, again = judged(script, function() end)
      assert.same({}, problems)
      assert.same({}, again(plays.moments(script, helper.tmpdir())))
    end)
  end

  it("notices a record that is gone, one that it added, and a file", function()
    local memory, sessions = plays.scripts[1], plays.scripts[4]
    local name, log = "/new/deep/memory.jsonl", "/logs/2026/session.jsonl"
    local function text(problems) return table.concat(problems, "\n") end
    assert.matches("is missing", text(judged(memory, function(root) shorten(root .. name) end)))
    assert.matches("is gone", text(judged(memory, function(root) assert(os.remove(root .. name)) end)))
    assert.matches("is missing", text(judged(sessions, function(root) shorten(root .. log) end)))
    local at
    local _, again = judged(memory, function(root) at = root .. name end)
    shorten(at)
    assert.matches("is missing", text(again(0)))
  end)
end)
