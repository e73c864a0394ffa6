--- The part of JSON Schema that the tools describe their arguments with, and are checked by.
local rpc = require("aish_history.mcp.rpc")

local schema = {}

local TYPES = {
  string = function(value) return type(value) == "string" end,
  integer = function(value) return type(value) == "number" and value % 1 == 0 end,
  object = rpc.is_object,
  array = function(value) return type(value) == "table" and not rpc.is_object(value) end,
}

--- Whether a list holds a value.
local function holds(list, value)
  for _, element in ipairs(list or {}) do
    if element == value then return true end
  end
  return false
end

local function check_members(spec, value, path)
  local where = path and path .. "." or ""
  for _, name in ipairs(spec.required or {}) do
    if value[name] == nil then return where .. name .. " is missing" end
  end
  for name, member in pairs(value) do
    if not spec.properties[name] then return where .. name .. " is unknown" end
    local wrong = schema.check(spec.properties[name], member, where .. name)
    if wrong then return wrong end
  end
end

local function check_elements(spec, value, path)
  for index, element in ipairs(value) do
    local wrong = schema.check(spec.items, element, ("%s[%d]"):format(path, index - 1))
    if wrong then return wrong end
  end
end

--- Checks a decoded value. spec: table of type (object, array, string, integer), enum, minLength, minimum,
-- maximum, properties and required, items; path: string, what the value is called, nil for the whole.
-- Returns nil, or what is wrong with it.
function schema.check(spec, value, path)
  local name = path or "the value"
  if not TYPES[spec.type](value) then return ("%s must be of type %s"):format(name, spec.type) end
  if spec.enum and not holds(spec.enum, value) then
    return ("%s must be one of %s"):format(name, table.concat(spec.enum, ", "))
  end
  if spec.minLength and #value < spec.minLength then return name .. " must not be empty" end
  if spec.minimum and value < spec.minimum then return ("%s must be at least %d"):format(name, spec.minimum) end
  if spec.maximum and value > spec.maximum then return ("%s must be at most %.0f"):format(name, spec.maximum) end
  if spec.properties then return check_members(spec, value, path) end
  if spec.items then return check_elements(spec, value, path) end
end

return schema
