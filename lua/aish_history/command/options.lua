--- Options that several commands have.
local times = require("aish_history.command.times")

local options = {}

-- A whole number that is not negative.
local function whole(text)
  local number = text:match("^%d+$") and tonumber(text)
  if not number then return nil, ("'%s' is no whole number"):format(text) end
  return number
end

--- `--NAME N`, a whole number.
function options.number(parser, name, description)
  return parser:option(name, description):argname("N"):convert(whole)
end

function options.limit(parser, description) return options.number(parser, "--limit", description) end

--- `--NAME TIME`, as people write it.
function options.time(parser, name, description)
  return parser:option(name, description):argname("TIME"):convert(times.parse)
end

function options.since(parser, description) return options.time(parser, "--since", description) end

function options.before(parser, description) return options.time(parser, "--before", description) end

function options.json(parser) return parser:flag("--json", "Print JSON, an object a line.") end

return options
