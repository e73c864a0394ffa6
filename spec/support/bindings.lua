--- What the sources of csrc/binding list.
local helper = require("spec.support.helper")

local bindings = {}

--- The names of the methods that a file lists, as a set.
function bindings.methods(file)
  local found = {}
  for list in helper.read("csrc/binding/" .. file):lower():gmatch("methods%[%] = (%b{})") do
    for name in list:gmatch('{"(%l[%l_]*)",') do found[name] = true end
  end
  return found
end

return bindings
