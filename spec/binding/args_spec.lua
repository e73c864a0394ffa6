--- What a call does for want of descriptors: it collects the handles that were dropped, and tries again.
local helper = require("spec.support.helper")

local CODE = [[
  if jit then jit.off() end -- what a trace does not need, it does not make
  local aish, how, path = require("aish_history"), ...
  local kept, file = {}
  repeat
    file = io.open("/dev/null")
    kept[#kept + 1] = file
  until not file
  collectgarbage(how)
  local _, message, number = aish.load(path)
  local before = collectgarbage("count")
  for index = 1, 300000 do local _ = { index } end
  local collected = collectgarbage("count") - before < 5000
  print(#kept > 30, number, message == "open " .. path .. ": Too many open files", collected)
]]

local function run(how)
  return helper.output("ulimit -n 256; " .. helper.command(CODE, how, helper.write(helper.tmpdir() .. "/log.jsonl", "")))
end

describe("a call that finds no descriptor left", function()
  helper.guard(before_each, after_each)

  it("leaves the collector running", function()
    assert.equal("true\t24\ttrue\ttrue\n", run("restart"))
  end)

  it("leaves the collector stopped, but under Lua 5.1, which cannot tell", function()
    local tells = rawget(_G, "jit") or _VERSION ~= "Lua 5.1"
    assert.equal("true\t24\ttrue\t" .. tostring(not tells) .. "\n", run("stop"))
  end)
end)
