--- Sizes as people read them.
local sizes = {}

local UNITS = { "B", "K", "M", "G", "T" }

--- A count of bytes like `512B`, `1.4K` or `23M`, with units of 1024.
function sizes.show(bytes)
  local unit = 1
  while bytes >= 1024 and UNITS[unit + 1] do
    bytes, unit = bytes / 1024, unit + 1
  end
  return (unit > 1 and bytes < 10 and "%.1f%s" or "%.0f%s"):format(bytes, UNITS[unit])
end

return sizes
