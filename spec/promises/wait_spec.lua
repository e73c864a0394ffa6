-- How long each call waits for a lock that another holds, unless it is told otherwise. Played on the build of
-- spec/faults/, where nothing sleeps and a clock goes on by what would have been slept: of five seconds,
-- most are pauses of five milliseconds.
local faults = require("spec.faults.support")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a lock that is held", function()
  helper.guard(before_each, after_each)

  -- How many pauses `call` makes until it fails, of `seconds` of waiting; `prepare` comes before the lock is taken.
  local function case(seconds, label, prepare, call)
    it(("is waited for %d seconds by %s"):format(seconds, label), function()
      local path = helper.write(helper.tmpdir() .. "/file.jsonl", support.item(1))
      local output = faults.run_code(([[
        local path = ...
        %s
        local holder = assert(io.open(path))
        assert(aish.flock(holder, aish.LOCK_EX + aish.LOCK_NB))
        seam.arm({ at = 0 })
        local done, message, number = %s
        assert(not done and message:find("held by another aish process", 1, true) and number, message)
        local pauses = 0
        for _, name in ipairs(seam.calls()) do pauses = pauses + (name == "nanosleep" and 1 or 0) end
        print(pauses)
      ]]):format(prepare, call), path)
      local pauses = assert(tonumber(output), output)
      if seconds == 0 then assert.equal(0, pauses) end
      assert(pauses >= 200 * seconds and pauses <= 210 * seconds, pauses)
    end)
  end

  case(0, "open", "", "aish.open(path)")
  case(5, "a shared memory", 'local memory = assert(aish.open(path, { shared = true, sync = "none" }))', 'memory:add("fact", "two")')
  case(0, "a shared memory that is not to wait",
    'local memory = assert(aish.open(path, { shared = true, wait = 0 }))', 'memory:add("fact", "two")')
  case(2, "open that is told to", "", "aish.open(path, { wait = 2 })")
  case(5, "a session", "os.remove(path) local session = assert(aish.session(path, {}))", "session:append({ n = 1 })")
  case(0, "an exclusive session", "os.remove(path) assert(aish.session(path, {})):close()", "aish.session(path, nil, { exclusive = true })")
  case(5, "append", "", "aish.append(path, { n = 1 })")
  case(5, "compact", "", "aish.compact(path)")
  case(1, "compact that is told to", "", "aish.compact(path, { wait = 1 })")
end)
