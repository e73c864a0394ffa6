--- Writes casefold.h from Unicode's CaseFolding.txt:
--     lua casefold.lua /usr/share/unicode/CaseFolding.txt > casefold.h
-- Simple case folding: the mappings of status C and S, each of one character to one. Neighbours
-- with the same distance, one or two characters apart, become one range.

local path = assert(arg[1], "usage: lua casefold.lua CaseFolding.txt")
local version
local ranges = {}

local function take(code, folded)
  local last = ranges[#ranges]
  local step = last and code - last.last
  local fits = last and folded - code == last.distance and (step == last.step or (not last.step and step <= 2))
  if fits then
    last.last, last.step = code, step
  else
    ranges[#ranges + 1] = { first = code, last = code, distance = folded - code }
  end
end

for line in io.lines(path) do
  version = version or line:match("^# CaseFolding%-([%d.]+)%.txt")
  local code, status, folded = line:match("^(%x+); ([CS]); (%x+);")
  code, folded = tonumber(code or "", 16), tonumber(folded or "", 16)
  if status and code >= 0x80 then take(code, folded) end
end

print("/* casefold.h: simple case folding of Unicode " .. version .. ", beyond ASCII. Written by casefold.lua. */")
print("#ifndef AISH_CASEFOLD_H\n#define AISH_CASEFOLD_H\n\n#include <stdint.h>\n")
print("/* From first to last, every step-th character folds to the one at this distance. */")
print("static const struct casefold {\n  uint32_t first, last;\n  int32_t distance;\n  uint32_t step;")
print("} CASEFOLD[] = {")
for _, range in ipairs(ranges) do
  print(("    {0x%04x, 0x%04x, %d, %d},"):format(range.first, range.last, range.distance, range.step or 1))
end
print("};\n\n#endif")
