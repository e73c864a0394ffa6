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

function options.role(parser)
  return parser:option("--role", "Only what ROLE said, like user or assistant; nothing of the memory."):argname("ROLE")
end

--- `--memory` and `--sessions`: where to look.
function options.where(parser)
  parser:mutex(parser:flag("--memory", "Only the memory."), parser:flag("--sessions", "Only the sessions."))
end

--- ID, or several.
function options.id(parser)
  return parser:argument("id", "The number of a memory, as memory list shows it."):argname("ID"):convert(whole)
end

--- `--wait SECONDS`, for the lock of what is written to.
function options.wait(parser)
  return parser:option("--wait", "How long to wait if another process holds the file (default: 5)."):argname("SECONDS")
    :default(5):show_default(false):convert(function(text)
      local seconds = tonumber(text)
      if seconds and seconds >= 0 and seconds < 1e6 then return seconds end
      return nil, ("'%s' is no number of seconds"):format(text)
    end)
end

--- What a command takes as words or, for a single `-`, from standard input, as one text.
function options.text(words)
  local text = table.concat(words, " ")
  if text ~= "-" then return text end
  return (io.read("*a"):gsub("\n$", ""))
end

return options
