-- In a process that was started without standard streams, as some daemons are, a file took the place of
-- one of them: what was printed next was written into it.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("a process without standard streams", function()
  helper.guard(before_each, after_each)

  for _, closed in ipairs({ "0", "1", "2", "0, 1", "1, 2", "0, 1, 2" }) do
    it("prints into no file: without " .. closed, function()
      local dir = helper.tmpdir()
      local output = helper.run(([[
        local dir = ...
        local aish = require("aish_history")
        local lfs = require("lfs")
        local unistd = require("posix.unistd")
        local closed = { %s }
        for _, number in ipairs(closed) do assert(unistd.close(number)) end
        io.stdout:setvbuf("no")
        local taken = {}
        local function is_inherited(number)
          local info = io.open("/proc/self/fdinfo/" .. number)
          local flags = info and info:read("*a"):match("flags:%%s*(%%d+)") or ""
          if info then info:close() end
          return math.floor((tonumber(flags, 8) or 0) / 2 ^ 19) %% 2 == 0 -- O_CLOEXEC
        end
        local function say(text)
          io.write("printed ", text, "\n")
          io.stderr:write("complained ", text, "\n")
          for name in lfs.dir("/proc/self/fd") do
            local target = lfs.symlinkattributes("/proc/self/fd/" .. name, "target") or ""
            local ours = target:find(dir, 1, true)
            if ours and (tonumber(name) < 3 or is_inherited(name)) then taken[#taken + 1] = text .. ": " .. target end
          end
        end
        local memory = assert(aish.open(dir .. "/memory.jsonl"))
        say("of the memory")
        assert(memory:add("fact", "one") == 1)
        say("of the memory again")
        assert(memory:add("fact", "two") == 2)
        local session = assert(aish.session(dir .. "/new/session.jsonl", { m = 1 }))
        say("of the session")
        assert(session:append({ role = "user", content = "one" }))
        local shared = assert(aish.open(dir .. "/shared.jsonl", { shared = true }))
        assert(shared:add("fact", "three") == 1)
        local file = assert(io.open(dir .. "/shared.jsonl", "a"))
        file:write("garbage\n")
        file:close()
        local result = assert(shared:compact())
        assert(result.kept == 1 and result.damaged == 1)
        say("of the compaction")
        assert(shared:add("fact", "four") == 2)
        assert(os.remove(dir .. "/memory.jsonl"))
        assert(memory:add("fact", "three") == 3)
        say("of the file made anew")
        local follow = assert(aish.follow(dir .. "/memory.jsonl"))
        local scan = assert(aish.scan(dir .. "/memory.jsonl"))
        assert(follow() and scan())
        say("of the readers")
        assert(memory.fd > 2 and session.fd > 2 and shared.fd > 2)
        memory:close()
        session:close()
        shared:close()
        say("at the end")
        local report = assert(io.open(dir .. "/report", "w"))
        report:write("done", table.concat(taken, "\n"))
        report:close()
      ]]):format(closed), dir)
      assert.equal("done", helper.read(dir .. "/report"), output)
      assert.equal("garbage\n", helper.read(dir .. "/shared.jsonl.damaged"))
      for name, records in pairs({ ["memory.jsonl"] = 2, ["new/session.jsonl"] = 2, ["shared.jsonl"] = 3 }) do
        local report = assert(aish.verify(dir .. "/" .. name))
        assert.same({ records, records, 0 }, { report.lines, report.records, #report.problems }, name)
      end
      assert.same({ "three" }, support.pluck(aish.load_memory(dir .. "/memory.jsonl"), "content"))
      assert.same({ "four", "three" }, support.pluck(aish.load_memory(dir .. "/shared.jsonl"), "content"))
      assert.same({ "one" }, support.pluck((aish.load(dir .. "/new/session.jsonl")), "content"))
    end)
  end
end)
