--- What a command is run with: where the history is, where the output goes, and how to fail.
local terminal = require("aish_history.command.terminal")
local writer = require("aish_history.command.writer")

local context = {}
context.__index = context

-- ---- failures ----

--- Ends the command: nothing was found.
function context.missing(message) error({ code = 1, message = message }, 0) end

--- Ends the command: it is used in a wrong way. `help`: whose help says how to use it, if it is not its own.
function context.usage(message, help) error({ code = 2, message = message, help = help }, 0) end

--- Ends the command: it failed.
function context.fail(message) error({ code = 3, message = message }, 0) end

--- Says something on one line of standard error, and goes on.
function context.warn(message)
  local has_module, aish_history = pcall(require, "aish_history")
  io.stderr:write("aish-history: ", has_module and aish_history.display(message) or message, "\n")
end

-- ---- output ----

local COLOURS = { bold = 1, dim = 2, red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, cyan = 36,
  match = "1;31" }

--- The text in a colour or style (see COLOURS; nil for none), where colour is used.
function context:paint(style, text)
  if not self.colour or not style or text == "" then return text end
  return "\27[" .. COLOURS[style] .. "m" .. text .. "\27[0m"
end

--- Shows what follows through a pager, on a terminal.
function context:page()
  if self.tty and self.pager then self.out:page() end
end

-- The members that come first in a JSON object, in this order; the others follow by name.
local FIRST = { "id", "uid", "name", "path", "line", "ts", "kind", "role", "content", "text" }
local RANK = {}
for rank, name in ipairs(FIRST) do RANK[name] = rank end

local function before(a, b)
  local x, y = RANK[a] or #FIRST + 1, RANK[b] or #FIRST + 1
  if x ~= y then return x < y end
  return a < b
end

-- What JSON may hold raw and a terminal may not: DEL, C1, and marks that break or turn lines. As they are
-- text of a string, an escape says the same.
local function escape(json)
  return (json:gsub("\127", "\\u007f")
    :gsub("\194([\128-\159])", function(byte) return ("\\u%04x"):format(byte:byte()) end)
    :gsub("\216\156", "\\u061c")
    :gsub("\226\128([\142\143\168-\174])", function(byte) return ("\\u%04x"):format(0x2000 + byte:byte() - 0x80) end)
    :gsub("\226\129([\166-\169])", function(byte) return ("\\u%04x"):format(0x2040 + byte:byte() - 0x80) end))
end

--- Writes a table with names as one line of JSON.
function context:json(value)
  local encode = require("aish_history").encode
  local names, parts = {}, {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, before)
  for index, name in ipairs(names) do parts[index] = encode(name) .. ":" .. encode(value[name]) end
  self.out:write("{", escape(table.concat(parts, ",")), "}\n")
end

-- ---- the context itself ----

local function set(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- XDG's rule: what is not absolute does not count.
local function default_directory()
  local state, home = set("XDG_STATE_HOME"), set("HOME")
  if state and state:sub(1, 1) == "/" then return state .. "/aish" end
  if not home then context.usage("neither --dir nor $AISH_HISTORY_DIR nor $HOME says where the history is") end
  return home .. "/.local/state/aish"
end

local function use_colour(when, tty)
  if when == "always" or when == "never" then return when == "always" end
  return tty and not set("NO_COLOR") and set("TERM") ~= "dumb"
end

--- A context for the options that were parsed. Its fields: `dir`, `sessions` and `memory` (paths), `out` (a
-- writer), `err` (standard error), `tty` (whether the output is a terminal), `width` (its columns),
-- `colour` and `pager` (whether to use them).
function context.new(args)
  if args.dir == "" then context.usage("the directory has no name") end
  local dir = (args.dir or set("AISH_HISTORY_DIR") or default_directory()):gsub("(.)/+$", "%1")
  local tty = terminal.is(1)
  return setmetatable({
    dir = dir, sessions = dir .. "/sessions", memory = dir .. "/memory.jsonl",
    out = writer.new(), err = io.stderr,
    tty = tty, width = terminal.width(tty), colour = use_colour(args.color, tty), pager = not args.no_pager,
  }, context)
end

return context
