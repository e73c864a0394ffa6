--- Times as people write and read them.
local stdlib = require("posix.stdlib")
local helper = require("spec.support.helper")
local command = require("spec.support.command")
local times = require("aish_history.command.times")

describe("a time for people", function()
  helper.guard(before_each, after_each)

  it("is so long ago", function()
    for text, seconds in pairs({ ["45s"] = 45, ["30m"] = 1800, ["2h"] = 7200, ["7d"] = 604800, ["3w"] = 1814400, ["1y"] = 31536000, now = 0 }) do
      assert(math.abs(times.parse(text) - (os.time() - seconds)) <= 1, text)
    end
  end)

  it("is the beginning of a day here", function()
    local today = os.date("*t")
    local midnight = os.time({ year = today.year, month = today.month, day = today.day, hour = 0 })
    assert.equal(midnight, times.parse("today"))
    assert.equal("00:00", os.date("%H:%M", times.parse("yesterday")))
    assert(times.parse("yesterday") < midnight and times.parse("yesterday") >= midnight - 90000)
  end)

  it("is a date, with or without a time, here", function()
    assert.equal(os.time({ year = 2026, month = 1, day = 2, hour = 0 }), times.parse("2026-01-02"))
    assert.equal(os.time({ year = 2026, month = 1, day = 2, hour = 10, min = 15 }), times.parse("2026-01-02 10:15"))
    assert.equal(os.time({ year = 2026, month = 1, day = 2, hour = 10, min = 15, sec = 3 }), times.parse("2026-01-02T10:15:03"))
  end)

  it("is a time with its offset, as it is", function()
    for _, text in ipairs({ "2026-01-02T10:15:03Z", "2026-01-02T10:15:03.25+05:30" }) do assert.equal(text, times.parse(text)) end
  end)

  it("is nothing else", function()
    for _, text in ipairs({ "", "7", "d", "7x", "-7d", "tomorrow", "2026-02-30", "2026-13-01", "2026-01-02 10", "2026-01-02x", "26-01-02" }) do
      local time, message = times.parse(text)
      assert.is_nil(time)
      assert(message:find("is no time; write it like 7d", 1, true), text)
    end
  end)

  it("is shown where it is stored in UTC, also across the change of summer time", function()
    assert.equal("", times.show(nil))
    assert.equal("", times.show("yesterday"))
    for text, seconds in pairs({ ["1970-01-01T00:00:00Z"] = 0, ["2000-02-29T12:00:00Z"] = 951825600, ["2026-01-02T10:15:03Z"] = 1767348903,
      ["2026-01-02T12:15:03.5+02:00"] = 1767348903, ["2026-01-01T22:15:03-12:00"] = 1767348903, ["2024-12-31t23:59:59z"] = 1735689599 }) do
      assert.equal(seconds, times.seconds(text), text)
      assert.equal(os.date("%Y-%m-%d %H:%M", seconds), times.show(text))
    end
  end)

  it("of a date in summer is that of the zone in summer", function()
    local dir = helper.tmpdir()
    require("lfs").mkdir(dir .. "/sessions")
    helper.write(dir .. "/sessions/a.jsonl", '{"role":"user","content":"a","ts":"2026-06-30T22:30:00Z"}\n')
    assert(command.run(dir, "sessions --since 2026-07-01"):find("2026-07-01 00:30", 1, true))
    assert.equal(1, select(2, command.run(dir, "sessions --since '2026-07-01 00:31'")))
    assert(stdlib.getenv("PATH"))
  end)
end)
