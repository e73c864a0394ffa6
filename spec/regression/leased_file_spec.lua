-- While another process held a lease on a file (fcntl(2), F_SETLEASE), opening it failed at once, whatever
-- `wait` said.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")

describe("a file on which another process holds a lease", function()
  helper.guard(before_each, after_each)

  -- Holds one until it is asked for the file, and for `seconds` longer.
  local function lease(path, seconds)
    local holder = io.popen(("python3 - %s %s 2>&1 <<'END'"):format(helper.quote(path), seconds) .. [[

import fcntl, os, signal, sys, time
asked = False
def ask(*_):
    global asked
    asked = True
signal.signal(signal.SIGIO, ask)
fd = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.fcntl(fd, 1024, fcntl.F_WRLCK)
except Exception as error:
    print(error, flush=True)
    sys.exit()
print("leased", flush=True)
for _ in range(3000):
    if asked: break
    time.sleep(0.01)
time.sleep(float(sys.argv[2]))
END]])
    return holder, holder:read("*l")
  end

  for name, call in pairs({
    append = function(path, wait) return aish.append(path, { n = 2 }, { wait = wait }) end,
    open = function(path, wait) return aish.open(path, { wait = wait }) end,
  }) do
    it("is waited for as long as for its lock: " .. name, function()
      local path = helper.write(helper.tmpdir() .. "/file.jsonl", "")
      local holder, word = lease(path, 0.3)
      if word ~= "leased" then
        holder:close()
        return pending("no lease: " .. tostring(word))
      end
      local result, message, number = call(path, 0)
      assert.same({ "nil", "open " .. path .. ": Resource temporarily unavailable", errno.EAGAIN }, { tostring(result), message, number })
      result = assert(call(path, 20))
      if type(result) == "userdata" then result:close() end
      holder:close()
    end)
  end
end)
