--- spec/mutants/faults.lua: which faults it plants. What they are planted for, `make mutants` does.
local helper = require("spec.support.helper")
local faults = dofile("spec/mutants/faults.lua")

local TEXT = [[
#include <a.h>
/* a < b
 * c(d); */
static int f(int a)
{
  if (a < 2 && b != 'x') return -1; /* 3 > 4 */
  call(a, "c < d");
  other(a);
  flags |= 0600;
  return open(a, O_RDWR | O_CLOEXEC);
}
]]

describe("a planted fault #build", function()
  helper.guard(before_each, after_each)

  it("changes one place of the code, or the order of two lines", function()
    local found = {}
    for _, fault in ipairs(faults.of(TEXT)) do found[#found + 1] = fault.line .. ": " .. fault.after end
    table.sort(found)
    assert.same({
      "10: return 0;",
      "10: return open(a, O_CLOEXEC);",
      "10: return open(a, O_RDWR & O_CLOEXEC);",
      "10: return open(a, O_RDWR);",
      "6: if (0 && (a < 2 && b != 'x')) return -1; /* 3 > 4 */",
      "6: if (1 || (a < 2 && b != 'x')) return -1; /* 3 > 4 */",
      "6: if (a < 1 && b != 'x') return -1; /* 3 > 4 */",
      "6: if (a < 2 && b != 'x') return -0; /* 3 > 4 */",
      "6: if (a < 2 && b != 'x') return -2; /* 3 > 4 */",
      "6: if (a < 2 && b == 'x') return -1; /* 3 > 4 */",
      "6: if (a < 2 || b != 'x') return -1; /* 3 > 4 */",
      "6: if (a < 3 && b != 'x') return -1; /* 3 > 4 */",
      "6: if (a <= 2 && b != 'x') return -1; /* 3 > 4 */",
      "7: ;",
      "7: other(a); call(a, \"c < d\");",
      "8: ;",
      "8: flags |= 0600; other(a);",
      "9: ;",
      "9: flags &= 0600;",
    }, found)
  end)

  it("stands in the text where it says", function()
    for _, fault in ipairs(faults.of(TEXT)) do
      local changed, lines = faults.plant(TEXT, fault), {}
      for line in changed:gmatch("([^\n]*)\n") do lines[#lines + 1] = line:gsub("^%s+", "") end
      assert.not_equal(TEXT, changed)
      assert.equal(fault.after, table.concat(lines, " ", fault.line, fault.line + #fault.lines - 1))
      assert.equal(select(2, TEXT:gsub("\n", "")), #lines)
    end
  end)

  it("that is listed as changing nothing is one that can be planted, and has a reason", function()
    local known
    for line in io.lines("spec/mutants/equivalent") do
      if line:find("^csrc/") then
        assert(known ~= false, "no reason before " .. line)
        local file, change = line:gsub(" #%d+$", ""):match("^(%S+): (.+)$")
        local place, places = line:match(" #(%d+)$"), 0
        for _, fault in ipairs(faults.of(helper.read(file))) do
          if fault.before .. " -> " .. fault.after == change then places = places + 1 end
        end
        known = places >= tonumber(place or 1)
        assert(known, "not in the code any more: " .. line)
        known = false
      else
        assert(line:find("^%s+%S") and known ~= nil, line)
        known = true
      end
    end
    assert(known ~= false, "no reason at the end")
  end)
end)
