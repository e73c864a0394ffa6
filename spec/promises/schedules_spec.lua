--- Faults and neighbours at the same time, in every order.
--
-- Two to four processes make their system calls one after the other, in an order that a schedule says;
-- another program may act in between, a call may fail or come short, a process may be killed. Of the
-- scenarios of spec/schedules all schedules with up to two preemptions and one fault are played; what
-- each process was told is judged by what was written (spec/schedules/oracle.lua).
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local support = require("spec.faults.support")

-- What it prints, whatever it finds; it leaves no file behind. `before`: a command that runs it.
local function play(options, before)
  local directory = support.tmpdir()
  local run = "{ export TMPDIR=%s; %s luajit spec/schedules/run.lua %s || true; }"
  local output = shell.run(run:format(directory, before or "", options))
  assert.equal("", shell.run("ls -A " .. directory))
  return output
end

describe("in every schedule #build", function()
  helper.guard(before_each, after_each)

  it("what a reader returns was written, and what was acknowledged is there", function()
    local output = play("--share {} --of 2", "seq 2 | xargs -P 2 -I{}")
    local count, ended = 0, 0
    for all, bad in output:gmatch("%f[^\n%z](%d+) schedules, (%d+) with problems\n") do
      if bad == "0" then count, ended = count + all, ended + 1 end
    end
    assert(ended == 2, output)
    print(("schedules: %d, none with problems"):format(count))
  end)

  it("the oracle sees what is lost", function()
    local output = play("--replay 'something is lost, and nobody has said so @ 2:unlink'")
    assert.truthy(output:find("afterwards: missing {content=text one", 1, true), output)
  end)

  it("chance plays the same schedules again", function()
    local function by_chance() return play("--only compact, --schedules 20 --seed 7"):match("by chance[^\n]*") end
    assert.equal(by_chance(), by_chance())
  end)
end)
