--- aish-history recall.
local helper = require("spec.support.helper")
local command = require("spec.support.command")

local run = command.run

describe("aish-history recall", function()
  helper.guard(before_each, after_each)

  it("shows what bears on a text, the memory first", function()
    local output, code = run(command.history(), "recall Where do my backups go?")
    assert.equal(0, code)
    assert(output:find("^memory:1: 2026%-01%-02 11:15 fact: Backups go to /mnt/nas\n2026%-01%-03:2: "), output)
  end)

  it("reads standard input for -", function()
    local dir = command.history()
    assert.equal((run(dir, "recall backups nas")), (run(dir, "recall -", "echo backups nas |")))
  end)

  it("keeps within --budget, the memory and the sessions together", function()
    local dir = command.history()
    local function sizes(options)
      return command.jq(run(dir, "recall backups disk --json " .. options), "(.content // .text) | utf8bytelength")
    end
    local all = 0
    for _, size in ipairs(sizes("")) do all = all + size end
    assert(all > 60, all)
    for _, budget in ipairs({ 0, 21, 22, 40, 60, 1000 }) do
      local sum = 0
      for _, size in ipairs(sizes("--budget " .. budget)) do sum = sum + size end
      assert(sum <= budget, sum)
      assert(budget < 22 or sum > 0)
    end
  end)

  it("takes --limit, --since, --before, --memory and --sessions", function()
    local dir = command.history()
    local function count(options) return #command.jq(run(dir, "recall backups --json " .. options), ".") end
    assert.equal(1, count("--memory"))
    assert.equal(count("--memory") + count("--sessions"), count(""))
    assert.equal(1, count("--before 2026-01-03"))
    assert.equal(2, count("--limit 1"))
  end)

  it("exits with 1 where nothing bears on it", function()
    assert.same({ "", 1, "aish-history: nothing found\n" }, { run(command.history(), "recall zebra") })
  end)
end)
