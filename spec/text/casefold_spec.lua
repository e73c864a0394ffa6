--- csrc/text/casefold.h: the tables in the repository are those that their script writes.
local assert = require("luassert")
local helper = require("spec.support.helper")
local support = require("spec.support.recall")

local script, header = "csrc/text/casefold.lua", "csrc/text/casefold.h"

local function written(directory)
  return support.output(("exec 2>&1; cd %s && %s %s %s"):format(
    helper.quote(helper.root), helper.lua, script, helper.quote(directory)), 1)
end

describe("casefold.h", function()
  helper.guard(before_each, after_each)

  it("is what casefold.lua writes from Unicode's tables of its version", function()
    local file = io.open("/usr/share/unicode/CaseFolding.txt")
    if not file then return pending("unicode-data is not installed") end
    local installed, own = file:read("*l"):match("%-([%d.]+)%.txt"), support.unicode_version()
    file:close()
    if installed ~= own then return pending(("unicode-data is of %s, casefold.h of %s"):format(installed, own)) end
    assert(written("/usr/share/unicode") == helper.read(header), "it is not: see the top of " .. script .. " for how to write it")
  end)

  it("is not written without the tables", function()
    assert.truthy(written("/nowhere"):find("/nowhere/CaseFolding.txt", 1, true))
  end)
end)
